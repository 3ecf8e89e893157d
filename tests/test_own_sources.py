"""Marks lead to the sources that a model listed itself, and long addresses to the end of their section."""

import io
import re
from collections import Counter
from typing import Any

import pytest
from pypdf import PdfReader

from models import PDFGenerationInput, Source
from research.checked import CheckedReport
from research.markdown.own_sources import link_sources
from research.markdown.parser import Node, parse, plain
from research.pdf import document


def references(content: str, summary: str = "") -> list[tuple[str, str]]:
    """The words of each reference, and what the entry says that it leads to."""
    root, short = parse(content), parse(summary)
    before = plain(root)
    link_sources(root, short)
    assert plain(root) == before
    nodes = [*walk(root), *walk(short)]
    places: dict[str, str] = {}
    for block in (root, *walk(root)):
        for index, node in enumerate(block.children):
            if "place" in node.meta:
                places[node.meta["place"]] = "".join(map(plain, block.children[index:])).split("\n")[0]
    return [(node.content, places[node.meta["to"]]) for node in nodes if node.type == "reference"]


def walk(node: Node) -> list[Node]:
    return [below for child in node.children for below in (child, *walk(child))]


LISTS = [
    "## References\n\n[1] One. https://a.test/1\n[2] Two. https://a.test/2\n[3] Three.",
    "## 12. Sources\n\n[1] One.\n[2] Two.\n[3] Three.",
    "**Sources:**\n\n1. One\n2. Two\n3. Three",
    "# 七、参考文献\n\n[1]: https://a.test/1 One\n\n[2]: https://a.test/2\n\n[3]: https://a.test/3",
    "### Notes and references\n\n#### Books\n\n- [1] One\n- [2] Two\n\n#### Articles\n\n- **[3]** Three",
    "[1] One https://a.test/1\n\n[2] Two https://a.test/2\n\n[3] Three https://a.test/3",
    "Sources used:\n[1] One https://a.test/1\n[2] Two\n  https://a.test/2\n[3] https://a.test/3",
    "## 主要引用文献\n\n【1】One https://a.test/1\n\n【2】https://a.test/2\n\n【3】https://a.test/3",
    "## Bibliography\n\n| No. | Source |\n|---|---|\n| 1 | One |\n| 2 | Two |\n| 3 | Three |",
    "---\n\n1. [One](https://a.test/1)\n2. [Two](https://a.test/2)\n3. [Three](https://a.test/3)",
]


@pytest.mark.parametrize("sources", LISTS)
def test_a_mark_leads_to_its_entry_whatever_the_list_is_typed_like(sources: str) -> None:
    text = "It rises [1]. It falls[2, 3], and **again [1–3]** 两次【2】, not [4].\n\n- item [^3] `[1]`\n\n"
    found = references(text + sources, "In short [1].")
    assert [words for words, _ in found] == ["[1]", "2", "3", "1", "3", "【2】", "[^3]", "[1]"]
    entries = dict(found)
    assert "1" in entries["[1]"] or "One" in entries["[1]"]
    assert "3" in entries["3"] or "Three" in entries["3"]


@pytest.mark.parametrize(
    "text",
    [
        "It rises [1], as in\n[2] and so on.",
        "See [1].\n\n1. First step, see https://a.test/1\n2. Second https://a.test/2\n\nAnd so on.",
        "See [1].\n\n## Sources\n\n- The interviews[1] and letters[2].",
        "See [7].\n\n## Sources\n\n[1] One. https://a.test/1",
        "See [1] and [2].\n\n来源：国家统计局\n\n1. One\n2. Two\n\nText.",
        "`array[1]` is code.\n\n## Sources\n\n[1] One. https://a.test/1",
    ],
)
def test_a_mark_without_an_entry_stays_as_it_is(text: str) -> None:
    assert references(text) == []


def test_a_section_with_its_own_list_has_its_own_marks() -> None:
    text = "".join(f"## {n}\n\nIt is [1].\n\nSources:\n\n[1] Entry {n}. https://a.test/{n}\n\n" for n in "AB")
    assert [entry[:11] for _, entry in references(text)] == ["[1] Entry A", "[1] Entry B"]


def test_a_link_that_is_a_number_leads_to_its_entry_if_that_has_its_address() -> None:
    root = parse("A [1](https://a.test/1) b [[2]](https://else.test).\n\n## Sources\n\n"
                 "[1] https://a.test/1\n[2] https://a.test/2")  # fmt: skip
    link_sources(root, parse(""))
    assert [child.type for child in root.children[0].children] == [
        "text",
        "reference",
        "text",
        "link",
        "text",
    ]


TEXT = "# T\n\nIt rises [1][2]. It falls [2, 9].\n\n{}## Sources\n\n[1] One. https://a.test/1\n[2] Two.\n"


def test_on_the_page_a_mark_is_a_link_down_to_its_entry() -> None:
    data = document.render(PDFGenerationInput(TEXT.format("Text.\n\n" * 60), summary="Short [2].")).data
    reader: Any = PdfReader(io.BytesIO(data))
    notes = [item.get_object() for page in reader.pages for item in page.get("/Annots", [])]
    found = Counter(note["/Contents"] for note in notes if "/Dest" in note)
    assert found == {"source-1": 1, "source-2": 3}
    leads_to = {note["/Dest"][0].idnum for note in notes if "/Dest" in note}
    assert leads_to == {reader.pages[-1].indirect_reference.idnum}
    assert "[1][2]. It falls [2, 9]." in reader.pages[0].extract_text()


def test_in_a_checked_report_only_the_checked_citations_are_links() -> None:
    report = CheckedReport(TEXT.format(""), sources=(Source(1, "https://a.test/1", "One"),))
    reader: Any = PdfReader(io.BytesIO(document.render(report).data))
    notes = [item.get_object() for page in reader.pages for item in page.get("/Annots", [])]
    assert [note["/Contents"] for note in notes if "/Dest" in note] == []


ADDRESS = "https://statistics.example.org/archive/2026/population/by-region/table.html"
NUMBERED = f"""## One

See {ADDRESS}?a=1\\&b=2 and [the data]({ADDRESS}), or [short](https://a.test/).

| a | b |
|---|---|
| x | [the data]({ADDRESS}) |

## Two

- {ADDRESS}

[again]({ADDRESS})

## Sources

[1] Own. {ADDRESS}?b=2
"""


def compact_page(content: str) -> str:
    [page] = PdfReader(io.BytesIO(document.render(PDFGenerationInput(content)).data)).pages
    return re.sub(r"[\u2060\s]", "", page.extract_text())


def test_long_addresses_are_numbered_and_listed_at_the_end_of_their_section() -> None:
    """But not where one stands alone, or in a list of sources."""
    assert compact_page(NUMBERED).startswith(
        "ResearchReportOneSeestatistics.example.org/…1andthedata2,orshort(https://a.test/).abxthedata2"
        f"1{ADDRESS}?a=1&b=22{ADDRESS}Two•{ADDRESS}again33{ADDRESS}Sources[1]Own.{ADDRESS}?b=2"
    )


def test_numbers_of_addresses_are_not_those_of_notes() -> None:
    text = compact_page(f"See[^1] [this]({ADDRESS}).\n\n## End\n\n[^1]: A note.")
    assert f"See1thisL1.L1{ADDRESS}End1Anote." in text


def test_an_address_that_is_numbered_is_a_link_in_both_places() -> None:
    reader: Any = PdfReader(io.BytesIO(document.render(PDFGenerationInput(f"See [this]({ADDRESS}).")).data))
    notes = [item.get_object() for item in reader.pages[0]["/Annots"]]
    assert [note["/Contents"] for note in notes] == [ADDRESS, "note-1", "mark-1", ADDRESS]


def links(content: str) -> list[tuple[str, str]]:
    """The words and the address of each link."""
    return [(plain(node), str(node.attrs["href"])) for node in walk(parse(content)) if node.type == "link"]


def test_an_address_ends_where_chinese_japanese_or_korean_goes_on() -> None:
    """Before a mark, or a letter right behind a Latin one; within a path such letters are part of it."""
    text = (
        "详见https://a.test/2025/a.html，其中说明（https://a.test/b）。看https://a.test、https://b.test；完。"
        "请看https://a.test/c成本下降，另见https://zh.test/wiki/苔藓_(植物)。한국 https://a.test/d에서 봤다."
    )
    assert links(text) == [
        *[(address, address) for address in ("https://a.test/2025/a.html", "https://a.test/b")],
        *[(address, address) for address in ("https://a.test", "https://b.test", "https://a.test/c")],
        ("https://zh.test/wiki/苔藓_(植物)", "https://zh.test/wiki/%E8%8B%94%E8%97%93_(%E6%A4%8D%E7%89%A9)"),
        ("https://a.test/d", "https://a.test/d"),
    ]
    assert plain(parse(text)) == text

"""The structure of the PDF: who does not see the page reads the same, in the right order.

Every file is to conform to PDF/A-2a and PDF/UA-1, which veraPDF checks where it is installed (`VERAPDF_JAR`).
"""

import os
import re
import subprocess
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from models import Passage, PDFGenerationInput, Source
from research.checked import CheckedReport, ShownPassage
from research.output.words import all_words
from research.pdf import document
from tests.page_reader import CORPUS, Reader, compact, expect, missing, render
from tests.tag_reader import Tagged

BLOCKS = """
# A report of every kind of block

A paragraph with a [link](https://example.org/a), `code`, $x^2$, a note[^1] and **bold** text. فيه نص عربي مع
[رابط](https://example.org/b) و `code` ثم كلمات.

## First

1. One
2. Two

   > A quote in an item.

- [x] Done
- A bullet, \ue000

##### Deep

| Name | Value |
| ---- | ----- |
| [a](https://example.org/c) | $y$ |
| | 2 |

| الخدمة | السعر |
| ------ | ----- |
| خادم | 0.25 |

> [!NOTE]
> A callout.

```python
print("x")
```

$$\\frac{a}{b}$$

Term
: Its definition.

## Sources

[1] One https://example.org/1
[2] Two

[^1]: The note, with a [link](https://example.org/d).
[^other]: - A list.
"""
LONG = "\n\n".join(f"# Chapter {n}\n\n## Part {n}\n\n{'Words of a long report. ' * 40}" for n in range(9))
TALL = "| Name | Value |\n| --- | --- |\n" + f"| {'word ' * 2_000}| x |\n" + "| a | b |\n" * 100
SOURCES = (
    Source(1, "https://example.org/genome", "The genome of a tardigrade", "2020-01-05", read="page"),
    Source(2, "", "A document", read="document"),
)
CITING = "# A title\n\nIt survives[^1]. It sleeps[^2], and again[^1].\n"
CHECKED = CheckedReport(
    CITING, sources=SOURCES, given=SOURCES, account="Two were checked.",
    marks=tuple(mark.start() for mark in re.finditer(r"\[\^", CITING)), targets=(1, 0, 2),
    shown=(ShownPassage(Passage(1, 0, 12), "They survive."), ShownPassage(Passage(1, 20, 30, 3), "Again.")),
    retrieved="2026-11-25",
)  # fmt: skip
WIDE = "# Wide\n\n## Of it\n\n" + "\n".join(
    "| " + " | ".join([cell] * 14) + " |"
    for cell in ("[Responsibility](https://a.test)", "---", *["Certified"] * 20)
)
REPORTS: dict[str, PDFGenerationInput] = {
    "blocks": PDFGenerationInput(BLOCKS, topic="A topic", summary="### A head\n\nIn short[^1].\n\n[^1]: So.",
                                 notes=("A note.",), date="2026-11-26", bill="none"),
    "long": PDFGenerationInput(LONG),
    "tall": PDFGenerationInput(TALL),
    "wide": PDFGenerationInput(f"{WIDE}\n\nAfter.\n"),
    "checked": CHECKED,
    "empty": PDFGenerationInput(""),
}  # fmt: skip
READ = ("ar-cloud", "de-umlaute-code", "en-deep-structure", "en-transformers-math", "he-mayim", "hi-upi")


@cache
def tagged(name: str) -> Tagged:
    if name in CORPUS:
        return Tagged(render(CORPUS[name]).data)
    return Tagged(document.render(REPORTS[name]).data)


@pytest.fixture(params=[*READ, *REPORTS])
def pdf(request: pytest.FixtureRequest) -> Tagged:
    return tagged(str(request.param))


def test_all_content_is_in_the_tree_once_or_an_artifact(pdf: Tagged) -> None:
    there = {(number, mark) for number, page in enumerate(pdf.pages) for mark in page.marked}
    in_tree = [(element, place) for element in pdf.document.walk() for place in element.content]
    assert sorted(place for _, place in in_tree) == sorted(there)
    for element, (number, mark) in in_tree:
        assert pdf.owners[pdf.pdf.pages[number]["/StructParents"]][mark] is element  # type: ignore[index]
    for number, page in enumerate(pdf.pages, start=1):
        assert compact(page.untagged) == ""
        feet = [words("page", number, len(pdf.pages)) for words in all_words()]
        assert any(Counter(compact(foot)) <= Counter(compact(page.artifacts)) for foot in feet)


def test_every_link_has_its_element_and_its_words(pdf: Tagged) -> None:
    annotations = [item for page in pdf.pdf.pages for item in page.get("/Annots", [])]
    for item in annotations:
        annotation = item.get_object()
        link = pdf.owners[annotation["/StructParent"]]
        assert link.role == "Link"
        assert item in link.annotations
        assert annotation["/Contents"]
        assert compact(pdf.text(link))
    links = pdf.document.all("Link")
    assert sum(len(link.annotations) for link in links) == len(annotations)
    assert all(link.annotations for link in links)


def test_headings_skip_no_level(pdf: Tagged) -> None:
    levels = [int(element.role[1]) for element in pdf.document.all(*(f"H{level}" for level in range(1, 7)))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


def test_tables_have_a_header(pdf: Tagged) -> None:
    """Once, on however many pages they are, and every row has as many cells."""
    for table in pdf.document.all("Table"):
        rows = [[cell.role for cell in row.all("TH", "TD")] for row in table.all("TR")]
        assert rows == [["TH"] * len(rows[0]), *(["TD"] * len(rows[0]) for _ in rows[1:])]
        assert all(head.entries["/A"]["/Scope"] == "/Column" for head in table.all("TH"))


@pytest.mark.parametrize("name", READ)
def test_the_tree_has_the_text_in_its_order(name: str) -> None:
    """Also where it runs to the left: as the Markdown has it, but for the notes, which are at the end."""
    tree = Reader("tree", lambda data: Tagged(data).text(), re.compile("(?!)"))
    data = render(CORPUS[name]).data
    assert missing(CORPUS[name], data, tree) == []
    text = compact(tree.read(data))
    pieces = [piece for piece in map(compact, expect(CORPUS[name]).pieces) if text.count(piece) == 1]
    places = [text.index(piece) for piece in pieces]
    assert len(pieces) >= 15
    assert places == sorted(places)


def test_every_block_says_what_it_is() -> None:
    pdf = tagged("blocks")
    roles = [element.role for element in pdf.document.walk()]
    first = ["Document", "H1", "P", "P", "H2", "H2", "P", "Reference", "Link", "Note"]
    assert [role for role in roles if role not in ("Lbl", "LBody", "LI", "L")][:10] == first
    parts = {role: [compact(pdf.text(element)) for element in pdf.document.all(role)] for role in set(roles)}
    assert parts["H1"] == ["Areportofeverykindofblock"]
    assert parts["H3"] == ["Deep"]
    assert parts["Lbl"] == ["1", "1.", "2.", "✓", "•", "Term", "[1]", "[2]", "1", "•"]
    assert parts["BlockQuote"] == ["Aquoteinanitem."]
    assert parts["Div"] == ["NoteAcallout."]
    assert [code for code in parts["Code"] if "print" in code] == ['print("x")']
    formulas = [str(formula.entries["/Alt"]) for formula in pdf.document.all("Formula")]
    assert formulas == ["x^2", "y", r"\frac{a}{b}"]
    assert parts["TH"] == ["Name", "Value", "الخدمة", "السعر"]
    assert parts["TD"][2] == ""
    notes = pdf.document.all("Note")
    assert len({str(note.entries["/ID"]) for note in notes}) == len(notes) == 3
    assert len(parts["Reference"]) == 2
    kinds = [element.entries.get("/A", {}).get("/ListNumbering") for element in pdf.document.all("L")]
    assert kinds == ["/Decimal", None, None, "/Decimal", None]


def test_a_contents_list_leads_to_the_headings() -> None:
    pdf = tagged("long")
    entries = [compact(pdf.text(element)) for element in pdf.document.all("TOCI")]
    assert [entry[:-1] for entry in entries[:2]] == ["Chapter0", "Part0"]
    assert all(entry[-1].isdecimal() for entry in entries)
    links = [element.all("Link")[0] for element in pdf.document.all("TOCI")]
    notes = [link.annotations[0].get_object() for link in links]
    assert [note["/Contents"] for note in notes][:2] == ["Chapter 0", "Part 0"]
    pages = {number: index for index, number in enumerate(pdf.numbers, start=1)}
    assert all(entry.endswith(str(pages[note["/Dest"][0].idnum]))
               for entry, note in zip(entries, notes, strict=True))  # fmt: skip
    assert len(pages) > 3


def test_a_cell_over_pages_is_one_and_a_header_that_is_repeated_too() -> None:
    pdf = tagged("tall")
    cell = pdf.document.all("TD")[0]
    assert len({page for page, _ in cell.content}) > 1
    assert compact(pdf.text(cell)) == "word" * 2_000
    assert [compact(pdf.text(head)) for head in pdf.document.all("TH")] == ["Name", "Value"]


def test_citations_say_what_they_lead_to() -> None:
    pdf = tagged("checked")
    links = [link.annotations[0].get_object()["/Contents"] for link in pdf.document.all("Link")]
    assert links[:3] == ["“They survive.”", "A document", "“Again.”"]
    items = pdf.document.all("LI")
    assert [compact(pdf.text(item.all("Lbl")[0])) for item in items] == ["1", "2"]
    assert "They survive." in pdf.text(items[0])


def test_the_file_says_what_it_is() -> None:
    pdf = tagged("blocks")
    catalog = pdf.catalog
    assert (catalog["/MarkInfo"]["/Marked"], catalog["/Lang"]) == (True, "en")
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"] is not False
    assert {str(page["/Tabs"]) for page in pdf.pdf.pages} == {"/S"}
    rdf = ElementTree.fromstring(catalog["/Metadata"].get_data())
    facts = {element.tag.partition("}")[2]: "".join(element.itertext()).strip() for element in rdf.iter()}
    assert (facts["title"], facts["language"]) == ("A report of every kind of block", "en")
    assert facts["CreateDate"] == "2026-11-26T00:00:00Z"
    parts = [element.text for element in rdf.iter() if re.search(r"pdf(u?)a/ns/id/}", element.tag)]
    assert parts == ["2", "A", "1"]


@pytest.mark.parametrize("title", ["<&> \x01\ufffe\ud800 \U0001f600 (\\", "'\"]]>"])
def test_any_title_is_metadata(title: str) -> None:
    pdf = Tagged(document.render(replace(REPORTS["empty"], topic=title)).data)
    ElementTree.fromstring(pdf.catalog["/Metadata"].get_data())


VERAPDF = os.environ.get("VERAPDF_JAR", "")


@pytest.mark.long
@pytest.mark.proof
@pytest.mark.skipif(not VERAPDF, reason="veraPDF is not installed (VERAPDF_JAR)")
def test_every_file_conforms(tmp_path: Path) -> None:
    """To each standard that it says it conforms to, in the opinion of the PDF Association's own checker."""
    reports = REPORTS | {name: PDFGenerationInput(text, topic="Zq") for name, text in CORPUS.items()}
    for name, report in reports.items():
        (tmp_path / f"{name}.pdf").write_bytes(document.render(report).data)
    options = ["-f", "0", "--format", "text", "-v", str(tmp_path)]
    command = ["java", "-cp", VERAPDF, "org.verapdf.apps.GreenfieldCliWrapper", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("PASS ")] == [], done.stderr
    assert sorted(line.split()[-1] for line in lines) == ["2a"] * len(reports) + ["ua1"] * len(reports)

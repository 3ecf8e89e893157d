"""The page: what a model writes is there, readable, and nothing in it is obeyed."""

import io
import re
import subprocess
import sys
from typing import Any

import pytest
from pypdf import PdfReader

from models import Note, PDFGenerationInput
from research.config import ROOT
from research.pdf import document
from tests.conftest import needs_fonts, page_texts
from tests.page_reader import POPPLER, boxes, pages, pdf


def read(content: str, **more: Any) -> str:
    return "\n".join(pages(content, **more))


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("an unclosed <b> tag and a stray </i>", "an unclosed tag and a stray"),
        ("AT&T and List<int> and &amp; as it is", "AT&T and List<int> and & as it is"),
        ('<img src="/etc/passwd">', "[Image: no description, /etc/passwd]"),
        ('<a href="#nowhere">link</a> <hr>x <span style="x">y</span>', "link x y"),
        ("<para> <font color=red>", "<para>"),
    ],
)
def test_markup_is_read_and_not_obeyed(text: str, wanted: str) -> None:
    assert f"Research Report {wanted} Page" in words(read(text))


def test_what_models_write_although_markdown_has_it_not() -> None:
    """Line breaks, raised and lowered letters; nowhere in code."""
    text = r"H<sub>2</sub>O, 5<sup>th</sup>, one<br>two, `<br>` \(\)"
    assert "H₂O, 5th, one two, <br> ()" in words(pdf(text).pages[0].extract_text())


@pytest.mark.parametrize(
    "text",
    [
        "[click](javascript:alert(1))",
        "[click](file:///etc/passwd)",
        "![picture](/etc/passwd)",
        "![picture](https://tracker.test/x.png)",
    ],
)
def test_only_web_and_mail_addresses_become_links(text: str) -> None:
    page = pdf(text).pages[0]
    assert "/Annots" not in page
    assert "root:" not in page.extract_text()
    assert not list(page.images)


def test_links_lead_where_they_say() -> None:
    page = pdf("[docs](https://example.com/a?b=1&c=2)").pages[0]
    annotations: Any = page["/Annots"]
    assert {link.get_object()["/A"]["/URI"] for link in annotations} == {"https://example.com/a?b=1&c=2"}
    assert "docs (https://example.com/a?b=1&c=2)" in page.extract_text()


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("heading", ["", "## A heading\n\n"])
def test_a_table_is_divided_with_care(rows: int, heading: str) -> None:
    """Wherever it begins: a small one is on one page with its heading, of a long one no row is alone."""
    table = "| k | v |\n|---|---|\n" + "".join(f"| key{n} | value{n} |\n" for n in range(rows))
    for lines in range(16, 40, 2):
        texts = pages("A line.\n\n" * lines + heading + table)
        counts = [len(re.findall(r"key\d", text)) for text in texts]
        assert sum(counts) == rows and 1 not in counts
        assert rows > 3 or rows in counts
        for text, count in zip(texts, counts, strict=True):
            assert "A heading" not in text or count


def table_of(*rows: list[str]) -> str:
    """The rows as Markdown, the first as the header."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


NAMES = """Region Commencement Responsibility Share Sustainability Cost Remarks Authority Supervision
Documentation Certification Enforcement Transparency Amendments""".split()  # noqa: SIM905
PROSE = "Some longer remarks about this region, over more than a single line of its narrow column."
VALUES = ["North", "2019", "Ministry", "12%", "high", "9", PROSE, "none", *["acceptable"] * 6]


@pytest.mark.parametrize(("count", "is_turned"), [(7, False), (8, False), (9, False), (12, True), (14, True)])
def test_no_word_of_a_table_is_broken(count: int, is_turned: bool) -> None:
    """Its text is smaller where it must be, and the page turned."""
    text = read(table_of(NAMES[:count], VALUES[:count], VALUES[:count]))
    assert [word for word in [*NAMES[:count], *VALUES[:6]] if word not in text] == []
    last = pdf(table_of(NAMES[:count], VALUES[:count])).pages[-1].mediabox
    assert (last.width > last.height) is is_turned


def test_a_new_line_in_a_cell_is_no_missing_character() -> None:
    assert document.render(PDFGenerationInput(table_of(["a<br>b"], ["1<br>2"]))).warnings == ()


@pytest.mark.parametrize("words", ["المسؤوليات", "الاستدامة التكنولوجيا المستشفيات"])
def test_no_arabic_word_of_a_table_is_broken(words: str) -> None:
    placed = boxes(document.render(PDFGenerationInput(table_of(words.split(), words.split()))).data)
    assert len({round(box.top) for box in placed}) == 4  # the title, two rows, the footer


def test_a_page_is_turned_for_a_wide_table_and_its_heading_alone() -> None:
    wide = table_of(NAMES, *[VALUES] * 30)
    content = f"Before.\n\n## Comparison\n\n{wide}\n### Other\n\n{wide}\nAfter.\n"
    data = document.render(PDFGenerationInput(content, topic="Tides")).data
    texts, reader = page_texts(data), PdfReader(io.BytesIO(data))
    turned = [page.mediabox.width > page.mediabox.height for page in reader.pages]
    assert turned == [False, *[True] * (len(texts) - 2), False]
    assert "Before." in texts[0] and "Comparison" in texts[1] and "After." in texts[-1]
    assert [("Commencement" in text, text.count("Tides")) for text in texts[1:-1]] == [(True, 1)] * (
        len(texts) - 2
    )
    assert [f"Page {n} of {len(texts)}" in text for n, text in enumerate(texts, 1)] == [True] * len(texts)
    assert sum(text.count("North") for text in texts) == 60
    assert [page.mediabox.width > 700 for page in pdf(f"Before.\n\n{wide[:900]}").pages] == [False, True]


def test_a_header_is_on_no_page_twice_and_every_row_is_there() -> None:
    tall = "tall words in a row " * 60
    rows = [[f"key{n}", tall if n % 3 == 0 else "short", str(n)] for n in range(24)]
    for lines in range(0, 30, 3):
        texts = pages("A line.\n\n" * lines + table_of(["Keyword", "Meaning", "Count"], *rows))
        assert {text.count("Keyword") for text in texts} <= {0, 1}
        assert sum(text.count("tall") for text in texts) == 8 * 60
        assert sum(len(re.findall(r"key\d", text)) for text in texts) == 24


def test_only_a_header_is_repeated() -> None:
    """Not one that is taller than a page, and not the row that is the first one below it."""
    text = read(
        table_of(
            ["Header words " * 1_300, "b"], ["first " * 900, "x"], *[[f"key{n}", "y"] for n in range(60)]
        )
    )
    counts = [text.count("Header"), text.count("first"), len(re.findall(r"key\d", text)), text.count("x\n")]
    assert counts == [1_300, 900, 60, 1]


def test_the_name_of_a_record_does_not_stand_alone() -> None:
    names = [f"Responsibilityandmore{n}" for n in range(18)]
    for lines in range(10, 36, 2):
        for text in pages("A line.\n\n" * lines + table_of(names, names, names)):
            assert "more0:" not in text or "more1:" in text, lines


def test_every_level_of_a_deep_list_is_there() -> None:
    shown = read("".join(f"{'  ' * depth}- level{depth}\n" for depth in range(30)))
    assert all(f"level{depth}" in shown for depth in range(30))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n",
        "\x00\x1b[31m\ud800￿",
        "> " * 260 + "deep",
        "|" + "c|" * 60 + "\n|" + "-|" * 60 + "\n|" + "v|" * 60,
        "| a |\n|---|\n",
        "| a |\n|---|\n| " + "word " * 3000 + "|",
        "> | a | b |\n> |---|---|\n> | " + "word " * 900 + "| y |",
        "```\n" + "x" * 5000 + "\n" + "line\n" * 500 + "```",
        "-",
        "1. \n2. > quote\n   ```\n   code\n   ```",
        "0123456789" * 400,
        "[" * 2000,
        "*" * 2000 + "x",
        "Soft hyphens: \xad \xad",
        "\n\n".join(f"{mark} {mark}" for mark in "\u200b\u200c\u200d\u200e\u2060\ufeff"),
    ],
)
def test_nothing_breaks_the_page(text: str) -> None:
    """Any text, as research and as summary, gives a document with the other parts in it."""
    assert "written by openai/x" in read(text, summary=text, topic=text[:200], model="openai/x")


def test_a_block_that_fails_is_written_as_plain_text() -> None:
    """Emphasis a thousand deep is more than Python's recursion limit."""
    marks = "*" * 2000
    rendered = document.render(PDFGenerationInput(f"# A heading\n\nBefore.\n\n{marks}deep{marks}\n\nAfter."))
    shown = "".join(page_texts(rendered.data))
    assert rendered.warnings == (Note("A part of the text is printed as plain text: {0}.", ("paragraph",)),)
    assert all(word in shown for word in ("A heading", "Before.", "deep", "After."))


@pytest.mark.proof
def test_a_worker_that_has_just_begun_draws_the_same_twice_at_once() -> None:
    """Found by two hundred kills: two threads opened the fonts, and a report was written in two ways."""
    drawing = """
import threading
from concurrent.futures import ThreadPoolExecutor
from models import PDFGenerationInput
from research.pdf import document

report = PDFGenerationInput("**Bold**, *slanted* and `code`. " * 40, summary="In short.", topic="Twice")
start = threading.Barrier(8)

def draw(number):
    start.wait()
    return document.render(report).data

with ThreadPoolExecutor(8) as pool:
    drawn = {*pool.map(draw, range(8)), document.render(report).data}
print(len(drawn))
"""
    done = subprocess.run([sys.executable, "-c", drawing], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_all_fonts_are_embedded_as_subsets() -> None:
    rendered = document.render(PDFGenerationInput("**bold** *italic* `code`", summary="x"))
    pages: Any = PdfReader(io.BytesIO(rendered.data)).pages
    fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    assert len(fonts) == 4
    for font in fonts:
        [descendant] = font["/DescendantFonts"]
        assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]
    assert len(rendered.data) < 60_000


def test_sources_that_nothing_links_to_are_not_lost() -> None:
    """Models list their sources as definitions of links, which Markdown does not show."""
    shown = read(
        "As in [1].\n\n[1]: https://a.test/one\n[2]: https://a.test/two\n\n[more]: https://a.test/3\n"
    )
    assert "[1]: https://a.test/one\n[2]: https://a.test/two" in shown
    assert "MORE: https://a.test/3" in shown


LONG_HEADING = "这一章的标题比一行还要长，" * 4
CHAPTERS = "".join(
    f"# Chapter {n}{f': {LONG_HEADING}' * (n == 4)}\n\n{'A sentence of this chapter. ' * 60}\n\n"
    for n in range(1, 9)
)


def test_a_long_report_has_its_contents_and_a_short_one_has_none() -> None:
    texts = pages(CHAPTERS)
    listed = re.findall(r"Chapter (\d)", texts[0].split("Contents")[1])
    assert listed[:8] == list("12345678")
    for chapter in "2345678":
        number = next(n for n, text in enumerate(texts, 1) if n > 1 and f"Chapter {chapter}" in text)
        assert re.search(rf"Chapter {chapter}[^C]*\s{number}$", texts[0], re.M), chapter  # beside its entry
    assert "Contents" not in read("# One\n\n## Two\n\nText.")


@pytest.mark.skipif(not POPPLER, reason="only poppler says how wide a word is")
def test_an_entry_of_the_contents_is_not_cut_and_leaves_its_number_room() -> None:
    needs_fonts(LONG_HEADING)
    first = [box for box in boxes(document.render(PDFGenerationInput(CHAPTERS)).data) if box.page == 1]
    number = next(box for box in first if box.text == "1" and box.left > 300)
    entry = [box for box in first if "标题" in box.text and box.right < number.left]
    assert LONG_HEADING.startswith("".join(box.text for box in entry)[:-1])
    assert len("".join(box.text for box in entry)) == len(LONG_HEADING)


def test_the_outline_skips_no_level() -> None:
    outline: Any = pdf("### Deep\n\n# Top\n\n##### Deeper\n\n## Middle\n").outline
    assert [entry["/Title"] for entry in outline if not isinstance(entry, list)] == ["Deep", "Top"]
    assert [entry["/Title"] for entry in outline[2]] == ["Deeper", "Middle"]


def test_the_page_size_is_a_setting() -> None:
    data = document.render(PDFGenerationInput("Text."), page_size="a4").data
    assert [round(float(side)) for side in PdfReader(io.BytesIO(data)).pages[0].mediabox[2:]] == [595, 842]


def test_a_heading_never_stands_alone_at_the_foot_of_a_page() -> None:
    for lines in range(20, 44):
        for text in pages("line  \n" * lines + "\n\n## Heading\n\nIts text.\n"):
            assert ("Heading" in text) == ("Its text." in text), lines

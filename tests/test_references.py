"""The list of references on the page: whole, live addresses, and numbers that lead to them."""

import io
import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from models import PDFGenerationInput, Source
from research.evidence.citations import check_report
from research.output.report_markdown import report_markdown
from research.pdf import document
from tests.conftest import has_fonts

SOURCES = (
    Source(1, "https://example.org/genome?a=1&b=2", "The <b>genome</b> of *a* tardigrade [7]", "2020-01-05"),
    Source(2, "https://example.com/tun_(biology)[2]", "How a tun survives & wakes | part `1`", "2019"),
    Source(3, "http://例子.example/水熊虫/研究", "水熊虫的基因组研究与进化"),
    Source(4, "http://example.net/مقال", "دراسة عن بطيئات المشية", "2021-03"),
    Source(5, f"https://example.org/{'long-segment/' * 60}end", "title " * 33),
)
REPORT = PDFGenerationInput(
    "# A title [5]\n\nIt survives [1][2]. 它能生存【3】。\n\n"
    "## A chapter [4]\n\n| a [2] | b |\n| --- | --- |\n| c | d [4] |\n",
    summary="In short [1].",
    topic="A topic",
    date="2026-11-25",
    bill="none",
    sources=SOURCES,
    retrieved="2026-11-25",
)


def reader(report: PDFGenerationInput) -> PdfReader:
    return PdfReader(io.BytesIO(document.render(report).data), strict=True)


def text_of(pdf: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in pdf.pages)


def annotations(pdf: PdfReader) -> list[dict[str, object]]:
    return [a.get_object() for page in pdf.pages for a in page.get("/Annots", [])]


def test_the_list_of_references() -> None:
    """In the order of citing, each title as it is, each address whole and live; every number leads there."""
    report = check_report(REPORT)
    assert [source.url for source in report.sources] == [SOURCES[n].url for n in (4, 0, 1, 2, 3)]
    pdf = reader(report)
    text = text_of(pdf)
    joined = re.sub(r"\s", "", text)
    for source in report.sources:
        address = re.sub(r"\s", "", source.url.split("/مقال")[0])
        assert address in joined or not has_fonts(address)
    assert "The <b>genome</b> of *a* tardigrade [7]" in text
    assert "example.org, January 5, 2020, retrieved November 25, 2026" in text
    addresses = [str(a["/A"]["/URI"]) for a in annotations(pdf) if "/A" in a]  # type: ignore[index]
    assert len(set(addresses)) == 5
    assert "https://example.org/genome?a=1&b=2" in addresses
    assert all(address.isascii() for address in addresses)
    assert sum("/Dest" in a for a in annotations(pdf)) == 7
    assert [str(entry.title) for entry in pdf.outline] == ["A chapter", "References"]  # type: ignore[union-attr]
    assert pdf.metadata
    assert pdf.metadata.title == "A title"
    assert document.render(report).data == document.render(check_report(REPORT)).data


def test_the_same_in_markdown() -> None:
    """Footnotes, last in the file; what a title looks like is no markup."""
    written = report_markdown(check_report(REPORT))
    assert written.startswith("# A title[^1]\n")
    assert "It survives[^2][^3]. 它能生存[^4]。" in written
    assert "\u2060" not in written
    *_, last = written.split("\n\n")
    assert last.startswith("[^5]: ")
    assert (
        r"[^2]: The \<b\>genome\</b\> of \*a\* tardigrade \[7\]. <https://example.org/genome?a=1\&b=2>"
        not in written
    )
    assert (
        r"[^2]: The \<b\>genome\</b\> of \*a\* tardigrade \[7\]. <https://example.org/genome?a=1&b=2>"
        " (example.org, January 5, 2020, retrieved November 25, 2026)" in written
    )


def test_a_report_that_cites_nothing_says_so() -> None:
    report = check_report(replace(REPORT, content="No number at all."))
    text = text_of(reader(report))
    assert "0 of 5 sources cited" in text
    assert report.sources == ()


def test_a_report_without_sources_has_no_list() -> None:
    plain = replace(REPORT, sources=(), retrieved="", content="It survives [1]. See\u2060[^1].")
    assert check_report(plain) == plain
    assert "References" not in text_of(reader(plain)) + report_markdown(plain)


@settings(max_examples=40)
@given(st.sampled_from(["letter", "a4"]), st.text(max_size=80), st.text(max_size=120))
def test_any_title_and_text(size: str, title: str, text: str) -> None:
    """What a provider or a model sends never fails the page, even where nothing has cleaned it."""
    sources = (Source(1, "https://example.org/a", title),)
    report = check_report(PDFGenerationInput(f"{text} [1]", sources=sources, retrieved="2026-11-25"))
    assert document.render(report, size).pages >= 1

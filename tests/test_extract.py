"""From the bytes of foreign pages and documents to text: what is read, and what costs only its document."""

import asyncio
import io
import os
import random
import subprocess
import sys
import textwrap
import time
import unicodedata
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import docx
import psutil
import pymupdf_fonts
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from benchmarks.pdf_text import WORDS
from research.config import ROOT
from research.sources import extract as extraction
from research.sources import extract_child, extracted, reader_pool
from research.sources.extract import Extracted, Unreadable, extract
from research.sources.extracted import CRASHED, NO_TEXT, TOO_LONG, TOO_MUCH_MEMORY
from research.sources.read_html import is_too_short
from research.sources.reader_pool import ReaderPool
from research.sources.tidying import tidy, truncate, without_references
from testing.app import wait_until

RUSSIAN = "Исследование показывает, что рынок растёт быстро, а расходы постепенно снижаются. "
JAPANESE = "市場は急速に成長しており、コストは徐々に低下しています。"
CHINESE = "研究表明，市场正在迅速增长，成本逐渐下降。"
ARABIC = "تظهر الدراسة نمو السوق بسرعة في عدة مناطق مع انخفاض تكلفة. "
GERMAN = "Die Größe der Bäume ändert sich über die Jahre – „schöne“ Straßen führen überall hin. "
NAVIGATION = f"<nav><ul>{''.join(f'<li><a href=/{n}>Menu entry {n}</a></li>' for n in range(40))}</ul></nav>"


def sentences(count: int, seed: int = 1) -> str:
    choices = random.Random(seed).choices
    return " ".join(f"{' '.join(choices(WORDS['Latin'].split(), k=12)).capitalize()}." for _ in range(count))


def page(body: str, head: str = "", lang: str = "") -> bytes:
    language = lang and f" lang={lang}"
    return f"<!doctype html><html{language}><head>{head}</head><body>{body}</body></html>".encode()


def pdf(*pages: list[str], font: str = "Helvetica", **options: object) -> bytes:
    """A PDF with these lines on its pages; an empty line is a paragraph's end."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(595, 842), **options)
    for lines in pages:
        text = canvas.beginText(72, 760)
        text.setFont(font, 11, 14)
        for line in lines:
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


async def reason(content: bytes, kind: str, read: Callable[..., object] = extract) -> str:
    with pytest.raises(Unreadable) as caught:
        await read(content, kind)  # type: ignore[misc]
    return caught.value.reason


@pytest.fixture(scope="module", autouse=True)
def no_reader_is_left() -> object:
    yield
    extraction.close()


@pytest.fixture
async def pool() -> AsyncIterator[ReaderPool]:
    """One process at a time, with the kinds of tests/reading_child.py."""
    pool = ReaderPool("tests.reading_child", readers=1)
    yield pool
    pool.close()


# Pages


async def test_an_article() -> None:
    head = (
        "<meta charset=utf-8><title>On tardigrades | The Journal</title><meta name=author content='Jo Doe'>"
        "<meta property=article:published_time content='2024-05-06T10:00:00+02:00'>"
    )
    body = (
        f"{NAVIGATION}<main><article><h1>On <em>tardigrades</em></h1><p>{sentences(4)}</p>"
        "<p>Costs of foo_bar fell by 5*3 &lt;10 &percnt; [sic], <b>not</b> more, in H<sub>2</sub>O: see"
        " <a href='https://example.org/x'>the table</a>.</p><h2>Results</h2>"
        "<ul><li>one<ul><li>nested</li></ul></li><li>two</li></ul>"
        "<table><tr><th>Name</th><th>Value</th></tr><tr><td>Alpha</td><td>12.5</td></tr></table>"
        f"<pre><code>x = a_b*2  # [no] \\_</code></pre><p>{sentences(4, 2)}</p>"
        "<img src='data:image/png;base64,iVBORw0KGgoAAAA' alt='A picture'></article></main>"
        "<footer>Imprint</footer><script>var tracking = 1</script>"
    )
    found = await extract(page(body, head, "de-AT"), "html")
    assert (found.title, found.author, found.date) == ("On tardigrades", "Jo Doe", "2024-05-06")
    assert (found.language, found.method, found.truncated) == ("de-AT", "trafilatura", False)
    assert found.text.startswith(f"# On tardigrades\n\n{sentences(4)}\n\nCosts of")
    assert "\n\nCosts of foo_bar fell by 5*3 <10 % [sic], not more, in H2O: see the table.\n\n" in found.text
    assert "\n\n## Results\n\n- one\n  - nested\n- two\n\n" in found.text
    assert "| Name | Value |\n|---|---|\n| Alpha | 12.5 |" in found.text
    assert "x = a_b*2  # [no] \\_" in found.text
    for foreign in ("Menu entry", "Imprint", "tracking", "base64", "example.org"):
        assert foreign not in found.text


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title>Right - The Site</title>", "Right - The Site"),
        ("<title>The heading - The Site</title>", "The heading"),
        ("<title>Home</title><meta property=og:title content='The true one'>", "The true one"),
        ("", "The heading"),
    ],
)
async def test_the_title_is_a_declared_one_or_a_heading(head: str, title: str) -> None:
    lines = "A line\n   that goes\non with <code>code</code>\nhere."
    body = f"<h1>The heading</h1><p>{lines} {sentences(3)}</p><pre>a\n b</pre>"
    found = await extract(page(body, head), "html")
    assert found.title == title
    assert "A line that goes on with `code` here. " in found.text and "a\n b" in found.text


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"<div class=card><h3>Item {n}</h3><span>€ {n}.50</span></div>" for n in range(40)),
        "".join(
            f"<div class='comment post'><i>user{n}</i><p>Item {n} {sentences(2, n)}</p></div>"
            for n in range(40)
        ),
        f"<table>{''.join(f'<tr><td>Item {n}</td><td>{n * 7}</td></tr>' for n in range(40))}</table>",
        f"<dl>{''.join(f'<dt>Item {n}</dt><dd>{sentences(1, n)}</dd>' for n in range(40))}</dl>",
        "".join(f"<section><h2>Item {n}</h2><pre>run --now {n}</pre></section>" for n in range(40)),
    ],
    ids=["list", "forum", "table", "glossary", "docs"],
)
async def test_a_page_that_is_no_article_is_read_whole(body: str) -> None:
    found = await extract(page(f"{NAVIGATION}<div id=main>{body}</div>"), "html")
    for number in range(40):
        assert f"Item {number}" in found.text


async def test_what_trafilatura_drops_is_read_as_plain_text() -> None:
    """It takes a comment for the article's, and a lonely teaser for the article."""
    teaser = f"<article><h1>News</h1><p>{sentences(3)}</p></article>"
    posts = "".join(f"<div><p>POST{n} {sentences(4, n)}</p></div>" for n in range(60))
    found = await extract(page(f"{NAVIGATION}{teaser}<div id=comments class=comments>{posts}</div>"), "html")
    assert found.method == "plain text"
    assert found.text.startswith(f"# News\n\n{sentences(3)}\n\nPOST0 ")
    assert "POST59" in found.text and "Menu entry" not in found.text


def test_when_a_main_text_is_too_short() -> None:
    assert is_too_short("", "") and is_too_short("|---|", "word " * 10)
    assert not is_too_short("word " * 10, "word " * 15)
    assert is_too_short("word " * 10, "word " * 25)
    assert not is_too_short("word " * 200, "word " * 1_000)
    assert is_too_short("word " * 200, "word " * 2_000)
    assert is_too_short("Enable JavaScript to run this app.", "")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>"
        "<script>render('some text')</script><style>p {color: red}</style>",
        "<p hidden>Not to be seen</p><div style='x:1; display : none'>Nor this</div><p>—</p>",
    ],
)
async def test_a_page_without_text(body: str) -> None:
    assert await reason(page(body), "html") == NO_TEXT


async def test_the_fallback_shows_what_a_browser_shows() -> None:
    body = (
        "<h2>A <i>b</i><br>c</h2>loose<p>one<span hidden> secret</span> two</p><ul><li>x</li><li>y</li></ul>"
        "<pre>  a\n\n  b</pre><table><tr><th>k</th><td></td><td>v</td></tr></table>tail"
        "<select><option>no</select>"
    )
    comments = f"<div class=comments>{''.join(f'<p>POST{n} {sentences(4, n)}</p>' for n in range(30))}</div>"
    found = await extract(page(f"<article><p>{sentences(2)}</p></article>{comments}{body}"), "html")
    assert found.method == "plain text"
    expected = "## A b\n\nc\n\nloose\n\none two\n\n- x\n\n- y\n\n  a\n\n  b\n\nk | | v\n\ntail"
    assert found.text.endswith(expected)


# Encodings


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (RUSSIAN.encode("cp1251"), "text/html; charset=windows-1251", RUSSIAN),
        (b"<meta charset=windows-1251>" + RUSSIAN.encode("cp1251"), "", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "text/html", RUSSIAN),
        (RUSSIAN.encode("koi8_r"), "", RUSSIAN),
        (b"<meta charset='Shift_JIS'>" + (JAPANESE + "①").encode("cp932"), "", JAPANESE + "①"),
        (
            b"<META HTTP-EQUIV=Content-Type CONTENT='text/html; CHARSET=gb2312'>"
            + (CHINESE + "€镕").encode("gb18030"),
            "", CHINESE + "€镕",
        ),
        (CHINESE.encode("gb18030"), "", CHINESE),
        (JAPANESE.encode("euc_jp"), "text/html;charset=\"EUC-JP\"", JAPANESE),
        ("시장 조사 뷁".encode("cp949"), "text/html; charset=euc-kr", "시장 조사 뷁"),
        (GERMAN.encode("cp1252"), "text/html; charset=ISO-8859-1", GERMAN),
        (GERMAN.encode("cp1252"), "text/html; charset=us-ascii", GERMAN),
        (GERMAN.encode("cp1252"), "", GERMAN),
        (GERMAN.encode(), "", GERMAN),
        (GERMAN.encode() + b"\xff", "", GERMAN + "\ufffd"),
        (ARABIC.encode("cp1256"), "", ARABIC),
        (b"<meta charset=utf-16>" + GERMAN.encode(), "", GERMAN),
        (b"\xff\xfe" + GERMAN.encode("utf-16-le"), "text/html; charset=utf-8", GERMAN),
        (b"\xef\xbb\xbf" + GERMAN.encode(), "text/html; charset=windows-1251", GERMAN),
        (b"<?xml version='1.0' encoding='windows-1251'?>" + RUSSIAN.encode("cp1251"), "", RUSSIAN),
        (b"<!-- <meta charset=koi8-r> --><meta charset=cp1251>" + RUSSIAN.encode("cp1251"), "", RUSSIAN),
        # No encodings of pages: what Python would make of these labels is none of a page's business.
        (b"1 +AGEAYg- 2", "text/html; charset=utf-7", "1 +AGEAYg- 2"),
        (b"<meta charset=rot13>hello", "", "hello"),
        (b"<meta charset=unicode_escape>\\x41 b", "", "\\x41 b"),
    ],
)  # fmt: skip
async def test_encodings(content: bytes, content_type: str, expected: str) -> None:
    found = await extract(content, "html", content_type)
    assert found.text == tidy(expected).strip()


async def test_a_declaration_is_looked_for_in_the_first_1024_bytes_only() -> None:
    late = b"<!doctype html>" + b" " * 1_024 + b"<meta charset=koi8-r><p>" + GERMAN.encode("cp1252")
    assert (await extract(late, "html")).text == GERMAN.strip()


@pytest.mark.parametrize("text", [CHINESE, ARABIC, "שלום עולם", "ภาษาไทย", "हिन्दी में", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم"])
async def test_every_script_survives(text: str) -> None:
    found = await extract(page(f"<article><h1>{text}</h1><p>{text * 20}</p></article>"), "html")
    assert found.text == f"# {text.strip()}\n\n{text * 20}".strip()


# What every text goes through


def test_a_tidy_text() -> None:
    assert tidy("a\r\nb\rc\x00\x07\x1b[1m\u200b\ufeff\u202ed") == "a\nb\nc[1md"
    assert tidy("of\u00adﬁce ﬂow ﬀ ﬃ ﬄ e\u0301 A\u030a") == "office flow ff ffi ffl é Å"
    assert tidy("a\u00a0b\u2009c   \n\n\n\n\td\u2028e") == "a b c\n\n\td\ne"
    assert tidy("\ud800x\uffff\ue000 \uf0b7 y") == "x • y"
    assert tidy("[![An icon](data:image/png;base64,AAAA==)](x) and data:text/html,<b> end") == (
        "[An icon](x) and <b> end"
    )
    encoded = "\n".join(["data:image/png;base64," + "A" * 60, "B" * 60, "C" * 9 + "=="])
    assert tidy(f"before\n{encoded}\nafter, with data: and more") == "before\n\nafter, with data: and more"
    assert len(tidy("a" + "\u0301\u0323" * 20_000)) <= 31


@pytest.mark.parametrize(
    ("heading", "entries"),
    [
        ("## References", "1. Doe, J. (2019). On it.\n2. Roe, R. Other things."),
        ("References", "[1] J. Doe. On it. 2019.\n\n[2] R. Roe. Others, continued\n\non this line. 2020."),
        ("**Literatur**", "- Doe, J.: Buch, Berlin 2019.\n- Roe, R.: Anderes."),
        ("# 参考文献", "[1] 王明. 市场研究. 2019.\n[2] 李华. 其他."),
        ("7. Bibliography", f"{'Doe, J. (2019). On things. Journal 3, pp. 4–5. ' * 40}\n\nRoe, R., 2020."),
        ("## Sources", "https://example.org/one"),
    ],
)  # fmt: skip
def test_its_own_references_are_cut_off(heading: str, entries: str) -> None:
    text = f"# Title\n\n{sentences(200)}"
    assert without_references(f"{text}\n\n{heading}\n\n{entries}") == (text, ())


def test_what_follows_the_references_is_kept() -> None:
    text, appendix = f"# Title\n\n{sentences(90)}", f"## Appendix\n\n{sentences(3, 2)}"
    references = "## References\n\n[1] J. Doe, 2019.\n[2] R. Roe, 2020."
    pages = (0, len(text) + 2, len(text) + 2 + len(references) + 2)
    kept, starts = without_references(f"{text}\n\n{references}\n\n{appendix}", pages)
    assert kept == f"{text}\n\n{appendix}"
    assert starts == (0, len(text) + 2, len(text) + 2)


@pytest.mark.parametrize(
    "text",
    [
        f"# Title\n\n## References\n\n[1] J. Doe, 2019.\n[2] R. Roe, 2020.\n\n{sentences(90)}",
        f"{sentences(90)}\n\n## Sources\n\nThe river rises in the hills. Nobody has seen its springs since."
        "\n\nIt is long, and slow.\n\nIt ends in a lake.",
        f"{sentences(90)}\n\n## References to the king\n\n- He was tall.\n- He was old.",
        f"{sentences(90)}\nSources\nsay that it was so in 1990.\n\nAnd so on, and so on.\n\nAnd more.",
    ],
)
def test_what_is_no_list_of_references_is_kept(text: str) -> None:
    assert without_references(text) == (text, ())


def test_truncated_at_a_line() -> None:
    assert truncate("one\ntwo\nthree", 100) == "one\ntwo\nthree"
    assert truncate("one\ntwo\nthree", 10) == "one\ntwo"
    assert truncate("é" * 10, 5) == "éé"


# PDFs


async def test_a_pdf() -> None:
    first = textwrap.dedent("""\
        The first paragraph is about the trans-
        formation of long-term infor-
        mation, and of the well-
        known long-
        term trends of COVID-
        19 in the Anglo-
        Saxon world, with its Vor-
        und Nachteile.

        The second paragraph begins after a gap and is continued
        on the next line.
    """).splitlines()
    second = ["The second page has a well-known text.", "", "- an item", "- another item"]
    target = pdf(first, second)
    found = await extract(target, "pdf", name="folder/My file.pdf")
    assert found.text == (
        "The first paragraph is about the transformation of long-term information, and of the well-known"
        " long-term trends of COVID-19 in the Anglo-Saxon world, with its Vor- und Nachteile.\n\n"
        "The second paragraph begins after a gap and is continued on the next line.\n\n"
        "The second page has a well-known text.\n\n- an item\n\n- another item"
    )
    assert [found.text[start:].split()[1] for start in found.pages] == ["first", "second"]
    assert (found.title, found.author, found.method) == ("My file", "", "pdfium")
    assert found.date[:2] == "20" and len(found.date) == 10


async def test_a_pdf_with_ligatures_and_metadata() -> None:
    pdfmetrics.registerFont(TTFont("figo", io.BytesIO(pymupdf_fonts.myfont("figo"))))
    target = io.BytesIO()
    canvas = Canvas(target, lang="de")
    canvas.setTitle("Ein Titel")
    canvas.setAuthor("Jo Doe")
    canvas.setFont("figo", 11)
    canvas.drawString(72, 700, "The of\ufb01ce \ufb02ow of Größe, Ελλάδα и Россия")
    canvas.save()
    found = await extract(target.getvalue(), "pdf")
    assert found.text == "The office flow of Größe, Ελλάδα и Россия"
    assert (found.title, found.author, found.language) == ("Ein Titel", "Jo Doe", "de")


async def test_a_pdf_without_gaps_between_its_paragraphs() -> None:
    """Indents, short last lines and columns separate them; a column's end does not."""
    target = io.BytesIO()
    canvas = Canvas(target)
    lines = textwrap.wrap(sentences(3), 40) + textwrap.wrap(sentences(3, 2), 40)
    starts = {0, len(textwrap.wrap(sentences(3), 40))}
    canvas.setFont("Courier", 10)
    for number, line in enumerate(lines):
        column, row = divmod(number, 11)
        canvas.drawString(72 + 270 * column + 12 * (number in starts), 700 - 13 * row, line)
    canvas.save()
    found = await extract(target.getvalue(), "pdf")
    assert found.text == f"{sentences(3)}\n\n{sentences(3, 2)}"


async def test_only_indents_separate_full_lines_of_sentences() -> None:
    target = io.BytesIO()
    canvas = Canvas(target)
    canvas.setFont("Courier", 10)
    starts = [0, 5, 15, 20]
    for number in range(20):
        column, row = divmod(number, 10)
        line = f"Line {number:02} has no room for more."[: 30 - 2 * (number in starts)]
        canvas.drawString(72 + 270 * column + 12 * (number in starts), 700 - 13 * row, line)
    canvas.save()
    paragraphs = (await extract(target.getvalue(), "pdf")).text.split("\n\n")
    assert [paragraph.count("Line") for paragraph in paragraphs] == [5, 10, 5]


async def test_chinese_lines_are_joined_without_spaces() -> None:
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    found = await extract(pdf(["研究表明，市场正在迅", "速增长，成本逐渐下降。"], font="STSong-Light"), "pdf")
    assert found.text == CHINESE


async def test_pdfs_that_cannot_be_read() -> None:
    whole = pdf(["Some text."])
    locked = pdf(["Some text."], encrypt=StandardEncryption("password", "owner"))
    assert await reason(locked, "pdf") == "it is encrypted"
    open_to_read = pdf(["Some text."], encrypt=StandardEncryption("", "owner"))
    assert (await extract(open_to_read, "pdf")).text == "Some text."
    assert await reason(pdf([]), "pdf") == NO_TEXT
    for broken in (b"", b"%PDF-1.7\n", whole[:100], b"<html>no PDF</html>", b"%PDF-1.7" + os.urandom(5_000)):
        assert await reason(broken, "pdf") == "it is no PDF that can be read"
    randomly = random.Random(7)
    for _ in range(40):  # whatever comes of them, the next document is read
        spoilt = bytearray(whole)
        for _ in range(30):
            spoilt[randomly.randrange(len(spoilt))] = randomly.randrange(256)
        try:
            await extract(bytes(spoilt), "pdf")
        except Unreadable as error:
            assert error.reason
    assert (await extract(whole, "pdf")).text == "Some text."


# Other documents


async def test_a_word_document() -> None:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = "A title", "Jo Doe"
    document.add_heading("The heading", 1)
    document.add_paragraph("A paragraph with ").add_run("bold").bold = True
    for item in ("one", "two"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    document.add_heading("Deeper", 2)
    target = io.BytesIO()
    document.save(target)
    found = await extract(target.getvalue(), "docx")
    assert found.text == (
        "# The heading\n\nA paragraph with bold\n\n- one\n- two\n\n"
        "| cell 0 | cell 1 |\n|---|---|\n| cell 2 | cell 3 |\n\n## Deeper"
    )
    assert (found.title, found.author, found.method) == ("A title", "Jo Doe", "python-docx")


async def test_changes_and_content_controls_of_a_word_document() -> None:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    for inner in (
        "<w:p {ns}><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom></w:p>",
        "<w:sdt {ns}><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p></w:sdtContent></w:sdt>",
    ):
        document.element.body.insert(-1, parse_xml(inner.format(ns=nsdecls("w"))))
    target = io.BytesIO()
    document.save(target)
    assert (await extract(target.getvalue(), "docx")).text == "kept inserted\n\nin a control"
    for broken in (b"", b"PK\x03\x04", target.getvalue()[:-200], pdf(["text"])):
        assert await reason(broken, "docx") == "it is no Word document that can be read"


async def test_plain_texts() -> None:
    found = await extract("One\r\n\r\n\r\nTwo\u00a0three".encode(), "text", name="notes.txt")
    assert found == Extracted("One\n\nTwo three", title="notes", method="plain text")
    assert (await extract(RUSSIAN.encode("cp1251"), "text")).text == RUSSIAN.strip()
    found = await extract(b"# A *title*\n\nText.", "markdown", name="https://example.org/readme.md")
    assert found == Extracted("# A *title*\n\nText.", title="A *title", method="markdown")
    found = await extract(b'{"a":"\\u00e4\\ud800","b":[1]}', "json")
    assert found.text == '{\n "a": "ä",\n "b": [\n  1\n ]\n}'
    assert (await extract(b"[" * 100_000 + b"1", "json")).text.endswith("[1")
    assert await reason(b" \n\x00", "text") == NO_TEXT


async def test_a_long_text_is_truncated() -> None:
    line = "Zeile mit Wörtern\n"
    found = await extract((line * 150_000).encode(), "text")
    assert found.truncated and found.text.endswith("Wörtern")
    assert extracted.MAX_TEXT_BYTES - 100 < len(found.text.encode()) <= extracted.MAX_TEXT_BYTES


async def test_what_is_not_read_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="exe"):
        await extract(b"", "exe")
    monkeypatch.setattr(extraction, "MAX_CONTENT_BYTES", 10)
    assert await reason(b"x" * 11, "text") == "it is larger than 50 MB"


# Hostile pages


@pytest.mark.proof
@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000 + "deep inside" + "</div>" * 100_000,
        "<b>" * 3_000 + "deep inside",
        "<table><tr><td>" * 100_000 + "deep inside",
        "deep inside" + "<a " * 100_000,
        "deep inside" + "<!--" * 100_000,
        f"<p title='{'x' * 1_000_000}'>deep inside</p>",
        "<p>deep inside" + "<script>" * 100_000,
        "<p>deep inside</p><script type=application/ld+json>" + '{"@type":' * 50_000 + "</script>",
        "<p>deep inside</p>" + "<ul><li>" * 50_000,
        "\0<p>deep inside\0\x01&#1;\n&#0;\n&#xd800;&#xffff;</p>",
    ],
)
async def test_hostile_html_ends(body: str) -> None:
    begun = time.monotonic()
    assert "deep inside" in (await extract(page(body), "html")).text
    assert time.monotonic() - begun < 10


async def test_a_page_that_never_closes_its_tags_is_read_whole() -> None:
    """Deeper than 256, where the parser by default drops the rest of the page."""
    body = "".join(f"<font><div><h2>Heading {n}</h2><p>{sentences(2, n)}</p>" for n in range(300))
    found = await extract(page(body), "html")
    assert f"\n\n{sentences(2, 298)}\n\n{sentences(2, 299)}" in found.text


@pytest.mark.proof
async def test_a_large_page_is_read() -> None:
    """Its markup has more than trafilatura is given."""
    begun = time.monotonic()
    body = f"<article><h1>Large</h1>{f'<p>{sentences(3)}</p>' * 24_000}</article>"
    found = await extract(page(body), "html")
    assert (found.title, found.method, found.truncated) == ("Large", "plain text", True)
    assert found.text.startswith(f"# Large\n\n{sentences(3)}\n\n") and time.monotonic() - begun < 15


async def test_a_page_that_is_too_much_for_trafilatura_is_still_read(pool: ReaderPool) -> None:
    """Its time ends before the process's, and the plain text is there."""
    found = await pool.read(page(f"<p>{sentences(3)}</p>"), "slow", "", "")
    assert (found.method, found.text) == ("plain text", sentences(3))


# Processes


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("crash", CRASHED),
        ("fail", f"{CRASHED} (AttributeError)"),
        ("hang", TOO_LONG),
        ("spin", TOO_LONG),
        ("stop", TOO_LONG),
        ("grow", TOO_MUCH_MEMORY),
    ],
)
async def test_a_document_that_ends_its_reader_costs_that_document(
    pool: ReaderPool, kind: str, expected: str
) -> None:
    first = (await pool.read(b"", "facts", "", "")).text.split()[0]
    assert (await pool.read(b"", "facts", "", "")).text.split()[0] == first  # one process for both
    pool._seconds = 0.3 if expected == TOO_LONG else 20.0  # because the machine may be busy
    begun = time.monotonic()
    assert await reason(b"", kind, lambda content, kind: pool.read(content, kind, "", "")) == expected
    assert time.monotonic() - begun < (8 if expected == TOO_LONG else 20)
    pool._seconds = 20.0
    assert (await pool.read(b"", "facts", "", "")).text.split()[0] != first
    assert not psutil.pid_exists(int(first))


@pytest.mark.proof
async def test_the_system_ends_a_reader_that_takes_too_much_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its parent does not: the limit counts from the document's beginning."""
    monkeypatch.setattr(reader_pool._Job, "_watch", lambda *_: None)
    pool = ReaderPool("tests.reading_child", readers=1, seconds=0.5)
    assert await reason(b"", "spin", lambda content, kind: pool.read(content, kind, "", "")) == TOO_LONG
    pool.close()


async def test_a_reader_that_is_killed(pool: ReaderPool) -> None:
    await pool.read(b"one", "text", "", "")
    [child] = pool.pids()
    reading = asyncio.create_task(pool.read(b"", "hang", "", ""))
    await asyncio.sleep(0.3)
    psutil.Process(child).kill()
    with pytest.raises(Unreadable, match=CRASHED):
        await reading
    assert (await pool.read(b"two", "text", "", "")).text == "two"


async def test_a_reader_that_ends_itself_costs_nothing(pool: ReaderPool) -> None:
    """It has been idle, and goes in the moment in which it is needed."""
    await pool.read(b"", "leave", "", "")
    [child] = pool.pids()
    wait_until(lambda: psutil.Process(child).status() == psutil.STATUS_ZOMBIE, 5)
    assert (await pool.read(b"two", "text", "", "")).text == "two"
    assert pool.pids() != [child]


async def test_readers_are_replaced_after_some_documents() -> None:
    pool = ReaderPool(readers=1)
    seen = set()
    for number in range(extract_child.MAX_DOCUMENTS * 2):
        assert (await pool.read(str(number).encode(), "text", "", "")).text == str(number)
        seen |= set(pool.pids())
    assert len(seen) == 2
    pool.close()


async def test_an_idle_reader_ends_itself() -> None:
    command = [sys.executable, "-m", "tests.reading_child", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        assert process.wait(20) == 0


async def test_a_cancelled_document_ends_its_reader() -> None:
    pool = ReaderPool("tests.reading_child", readers=1)
    await pool.read(b"one", "text", "", "")
    [child] = pool.pids()
    reading = asyncio.create_task(pool.read(b"", "hang", "", ""))
    waiting = asyncio.create_task(pool.read(b"", "hang", "", ""))
    await asyncio.sleep(0.2)
    for task in (waiting, reading):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    wait_until(lambda: not psutil.pid_exists(child), 5)
    assert (await pool.read(b"two", "text", "", "")).text == "two"
    pool.close()


async def test_a_reader_has_no_keys_and_leaves_no_core(
    pool: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-to-be-seen")
    monkeypatch.setenv("REPORTS_DIR", "s3://name:never-to-be-seen@bucket")
    said = (await pool.read(b"", "facts", "", "")).text
    assert "never-to-be-seen" not in said and "PATH" in said and "HOME" not in said
    assert said.endswith("core (0, 0)")
    assert (await pool.read(b"", "shout", "", "")).text == "the answer"


@pytest.mark.proof
async def test_twenty_documents_at_once() -> None:
    """In few processes, each text to its own caller, and others wait while one is read."""
    begun = asyncio.Event()
    most = 0

    async def watch() -> None:
        nonlocal most
        while not begun.is_set():
            own = [
                child for child in children_of(os.getpid()) if "extract_child" in " ".join(child.cmdline())
            ]
            most = max(most, len(own))
            await asyncio.sleep(0.02)

    extraction.close()
    watching = asyncio.create_task(watch())
    bodies = [page(f"<article><h1>Page {n}</h1><p>{sentences(30, n)}</p></article>") for n in range(20)]
    found = await asyncio.gather(*(extract(body, "html") for body in bodies))
    begun.set()
    await watching
    assert [text.text for text in found] == [f"# Page {n}\n\n{sentences(30, n)}" for n in range(20)]
    assert 1 <= most <= reader_pool.MAX_READERS


PARENT = """
import asyncio, sys
from research.sources.reader_pool import ReaderPool
async def main():
    pool = ReaderPool("tests.reading_child", readers=3, seconds=60)
    await asyncio.gather(*(pool.read(b"x", "text", "", "") for _ in range(3)))
    tasks = [asyncio.create_task(pool.read(b"", kind, "", "")) for kind in ("hang", "hang")]
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    await asyncio.gather(*tasks)
asyncio.run(main())
"""


def test_readers_end_with_their_parent() -> None:
    """Killed in the middle, it can end nothing itself: idle ones end, and those that read."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout and parent.stdout.readline() == "ready\n"
    children = children_of(parent.pid)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, 5)
    for child in alive:
        child.kill()
    assert not alive


def test_a_program_ends_without_waiting_for_its_readers(tmp_path: Path) -> None:
    script = (
        "import asyncio; from research.sources.extract import extract;"
        "print(asyncio.run(extract(b'<p>hello', 'html')).text)"
    )
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert (done.stdout, done.stderr) == ("hello\n", "")
    assert time.monotonic() - begun < 10


def test_the_worker_loads_no_reader() -> None:
    heavy = ("lxml", "trafilatura", "pypdfium2", "docx", "charset_normalizer")
    script = f"import sys, research.sources.extract; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_what_the_process_answers_is_not_trusted() -> None:
    for answer in ({}, {"text": 1, "pages": []}, {"text": "x", "pages": ["1"]}, {"text": "", "pages": []}):
        with pytest.raises(Unreadable, match=CRASHED):
            reader_pool._extracted(answer)
    good = reader_pool._extracted({"text": "x", "pages": [0], "title": ["t"] * 999, "language": None})
    assert good.text == "x" and len(good.title) <= 200 and unicodedata.is_normalized("NFC", good.title)

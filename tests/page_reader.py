"""Reads a page as a person does, and the Markdown as its specification says.

What should be there is read from the Markdown without `research.markdown`, and what is there
is read from the PDF without `research.pdf`: by poppler where it is installed, and by pypdf.
"""

import html
import io
import json
import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest import TestCase

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader

from models import PDFGenerationInput
from research.output.words import all_words
from research.pdf import document
from tests.conftest import page_texts

HERE = Path(__file__).parent
CORPUS = {file.stem: file.read_text(encoding="utf-8") for file in sorted((HERE / "corpus").glob("*.md"))}
EXAMPLES: dict[str, list[str]] = json.loads((HERE / "commonmark_examples.json").read_text(encoding="utf-8"))
POPPLER = shutil.which("pdftotext")
TOPIC = "Zq"
"""A topic that is no word, for the footer stands in the middle of a text that two pages share."""
# The page's side: what a reader sees and copies.


def render(content: str, topic: str = TOPIC, summary: str = "") -> document.Rendered:
    """The report, which did not have to be written as plain text for an error of ours.

    It is given a title, which stands at the top of the pages, for the content to keep its own heading.
    """
    with TestCase().assertNoLogs("research", "ERROR"):
        return document.render(PDFGenerationInput(f"# {TOPIC}\n\n{content}", topic=topic, summary=summary))


def pdf(content: str, **more: Any) -> PdfReader:
    """The report as pypdf reads it; the number of its pages is the true one."""
    rendered = document.render(PDFGenerationInput(content, **more))
    reader = PdfReader(io.BytesIO(rendered.data))
    assert len(reader.pages) == rendered.pages >= 1
    return reader


def pages(content: str, **more: Any) -> list[str]:
    rendered = document.render(PDFGenerationInput(content, **more))
    texts = page_texts(rendered.data)
    assert len(texts) == rendered.pages >= 1
    return texts


@lru_cache(maxsize=4)
def run_pdftotext(data: bytes, *options: str) -> str:
    command = [str(POPPLER), "-q", "-enc", "UTF-8", *options, "-", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()


def read_with_pypdf(data: bytes) -> str:
    return "\f".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


@dataclass(frozen=True)
class Reader:
    """A program that reads a PDF's text, and the words that it gets wrong."""

    name: str
    read: Callable[[bytes], str]
    weak: re.Pattern[str]


# pypdf knows no ActualText, so not the letters of India and Thailand that change their order, and does not
# turn round the letters of an Arabic ligature, as viewers do; poppler takes marks on such scripts for words.
PYPDF = re.compile("[\u0900-\u0eff\u064b-\u0652]|[\u0660-\u0669]{2}|\u0644[\u0622\u0623\u0625\u0627]")
PDFIUM = Reader("pdfium", lambda data: "\f".join(page_texts(data)), PYPDF)
READERS = [Reader("pypdf", read_with_pypdf, PYPDF)]
if POPPLER:
    poppler = re.compile("[\u0591-\u05c7\u064b-\u0652]")
    READERS.append(Reader("poppler", lambda data: run_pdftotext(data, "-raw"), poppler))
BEST = READERS[-1]
each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.name))


def compact(text: str) -> str:
    """The text by its visible characters: without white space, breaks of lines, and marks of bidi.

    A character that this machine has no font for is shown as its code and read as itself.
    """
    text = re.sub(r"\[U\+([0-9A-F]{4,6})\]", lambda code: chr(int(code[1], 16)), "".join(text.split()))
    text = "".join(
        c for c in text if unicodedata.category(c) not in ("Cf", "Cc") and not "\ufe00" <= c <= "\ufe0f"
    )
    return unicodedata.normalize("NFC", text)


@cache
def footers() -> str:
    """A pattern of "Page 1 of 3" in every language, compact."""
    return "|".join(re.escape(compact(each("page", 0, 0))).replace("0", r"\d+") for each in all_words())


@lru_cache(maxsize=4)
def shown(data: bytes, reader: Reader = BEST) -> str:
    """The whole text, compact, without what stands at the top and at the foot of the pages."""
    pages = reader.read(data).split("\f")
    return "".join(re.sub(rf"{TOPIC}|{footers()}", "", compact(page)) for page in pages)


@dataclass
class Box:
    """A word and its place in points from the page's top left corner."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def boxes(data: bytes) -> list[Box]:
    """Every word's place; where poppler is missing, the point at which each begins."""
    if POPPLER:
        word = re.compile(r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>')
        pages = run_pdftotext(data, "-bbox").split("<page ")[1:]
        return [
            Box(number, html.unescape(found[5]), *(float(found[side]) for side in range(1, 5)))
            for number, page in enumerate(pages, start=1)
            for found in word.finditer(page)
        ]
    found_boxes: list[Box] = []
    for number, page in enumerate(PdfReader(io.BytesIO(data)).pages, start=1):
        height = float(page.mediabox.height)

        def note(
            text: str, cm: Any, tm: Any, font: Any, size: Any, number: int = number, height: float = height
        ) -> None:
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = height - (tm[4] * cm[1] + tm[5] * cm[3] + cm[5])
            if text.strip():
                found_boxes.append(Box(number, text.strip(), x, y, x, y))

        page.extract_text(visitor_text=note)
    return found_boxes


# The Markdown's side: what has to be there.

CUT = "⁂"
"""Stands where the renderer may add a mark or an address, or draw a formula in its own way."""
TAGS = re.compile(
    r"</?(?:a|br|hr|b|i|u|s|p|em|strong|del|ins|sub|sup|kbd|mark|small|code|span|div|center|details|summary|img"
    r"|h[1-6]|ul|ol|li|table|thead|tbody|tr|td|th|pre|script|style)(?:\s[^<>]*)?/?>",
    re.I,
)
NOT_MARKDOWN = r"<!--.*?-->|<pre>.*?</pre>"
CODE = (
    r"(?P<code>^[ >]*(?P<fence>`{3,}|~{3,}).*?^[ >]*(?P=fence)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`))"
)
FORMULA = r"(?<!\\)\$\$(?P<block>.+?)\$\$|(?<!\\)\$(?=\S)(?P<inline>[^$\n]*?[^\s$\\])\$(?!\d)"
NOTE = r"^\[\^[^\]\s]+\]:|\[\^[^\]\s]+\]"


@dataclass
class Expected:
    """What a Markdown text says, as a reader of the page should find it."""

    pieces: list[str] = field(default_factory=list)
    """Running text: each has to be there as it is."""
    headings: list[str] = field(default_factory=list)
    """Those of tables, which a page may repeat."""
    formulas: list[str] = field(default_factory=list)
    """The letters and numbers of the formulas."""


@lru_cache(maxsize=4)
def expect(markdown: str) -> Expected:
    """The text by CommonMark and GitHub's tables and strikethrough; everything else is cut out."""
    expected = Expected()

    def cut_out(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        formula = found["block"] or found["inline"]
        if formula:
            expected.formulas += re.findall(r"(?<![\\A-Za-z])[A-Za-z]+|\d+", formula)
            return CUT
        return "\n" if found[0].endswith(":") else CUT

    source = re.sub(f"{CODE}|{FORMULA}|{NOTE}|{NOT_MARKDOWN}", cut_out, markdown, flags=re.M | re.S)
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 300}).enable(["table", "strikethrough"])
    before = [""]
    for token in reader.parse(source):
        text = token.content
        if token.type == "inline":
            text = "".join(inline_text(token.children or []))
            if before[-2:] == ["list_item_open", "paragraph_open"]:
                text = re.sub(r"^\[[ xX]\](?=\s|$)", "", text)
        pieces = [" ".join(piece.split()) for piece in re.split(CUT, TAGS.sub(CUT, text)) if compact(piece)]
        expected.pieces += pieces
        expected.headings += pieces if before[-1] == "th_open" else []
        before.append(token.type)
    return expected


def inline_text(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "image":
            yield CUT
            yield from inline_text(token.children or [])
            yield CUT
        elif token.type == "link_close":
            yield CUT
        else:
            yield token.content


def words(text: str) -> list[str]:
    """The runs of letters, their marks and numbers."""
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return kept.split()


def runs_to_the_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


def missing(markdown: str, data: bytes, reader: Reader = BEST) -> list[str]:
    """What the Markdown says and the page does not, or not as often.

    Running text is looked for whole; where it changes its direction, and so may be read in
    another order, word by word.
    """
    expected, text = expect(markdown), shown(data, reader)
    wanted = Counter[str]()
    for piece in expected.pieces:
        parts = words(piece) if runs_to_the_left(piece) else [piece]
        wanted.update(compact(part) for part in parts if not reader.weak.search(part))
    plain = unicodedata.normalize("NFKC", text)
    lost = [piece for piece, times in wanted.items() if text.count(piece) < times]
    return lost + [part for part in expected.formulas if part not in plain]


def repeated(markdown: str, data: bytes) -> list[str]:
    """The words that are more often on the page than in the Markdown, its addresses included."""
    expected = expect(markdown)
    source, everything = compact("\n".join(expected.pieces)), compact(html.unescape(markdown))
    # A long address is in the text by its host, and whole below it.
    hosts = re.findall(r"https?://([^/\s)>]+)", markdown)
    feet = [each("page", 1, 1) for each in all_words()]
    free = {compact(word) for word in words(" ".join([*expected.headings, *hosts, *feet]))}
    return [
        word
        for word, times in Counter(map(compact, words(BEST.read(data)))).items()
        if len(word) >= 5 and word in source and word not in free
        if times > max(everything.count(word), source.count(word))
    ]

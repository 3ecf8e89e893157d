"""The page against the Markdown: every word is there, once, can be copied, and inside the paper.

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
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest import TestCase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader

from models import PDFGenerationInput
from research.pdf import document

HERE = Path(__file__).parent
CORPUS = {file.stem: file.read_text(encoding="utf-8") for file in sorted((HERE / "corpus").glob("*.md"))}
EXAMPLES: dict[str, list[str]] = json.loads((HERE / "commonmark_examples.json").read_text(encoding="utf-8"))
POPPLER = shutil.which("pdftotext")
TOPIC = "Zq"
"""A topic that is no word, for the footer stands in the middle of a text that two pages share."""

bounded = settings(
    derandomize=True, deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), database=None
)  # fmt: skip


# The page's side: what a reader sees and copies.


def render(content: str, topic: str = TOPIC, summary: str = "") -> document.Rendered:
    """The report, which did not have to be written as plain text for an error of ours.

    It is given a title, which stands at the top of the pages, for the content to keep its own heading.
    """
    with TestCase().assertNoLogs("research", "ERROR"):
        return document.render(PDFGenerationInput(f"# {TOPIC}\n\n{content}", topic=topic, summary=summary))


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


# pypdf knows no ActualText, so not the letters of India and Thailand that change their order;
# poppler turns round the letters of an Arabic ligature, and takes marks on such scripts for words.
READERS = [Reader("pypdf", read_with_pypdf, re.compile("[\u0900-\u0eff\u064b-\u0652]|[\u0660-\u0669]{2}"))]
if POPPLER:
    poppler = re.compile("[\u0591-\u05c7\u064b-\u0652]|\u0644[\u0622\u0623\u0625\u0627]")
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


def shown(data: bytes, reader: Reader = BEST) -> str:
    """The whole text, compact, without what stands at the top and at the foot of the pages."""
    pages = reader.read(data).split("\f")
    return "".join(re.sub(rf"{TOPIC}|Page\d+of\d+", "", compact(page)) for page in pages)


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
    r"</?(?:br|hr|b|i|u|s|p|em|strong|sub|sup|kbd|mark|small|div|span|details|summary)\b[^<>]*>|<!--.*?-->",
    re.S | re.I,
)
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

    source = re.sub(f"{CODE}|{FORMULA}|{NOTE}", cut_out, markdown, flags=re.M | re.S)
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
    free = {compact(word) for word in words(" ".join(expected.headings))}
    return [
        word
        for word, times in Counter(map(compact, words(BEST.read(data)))).items()
        if len(word) >= 5 and word in source and word not in free
        if times > max(everything.count(word), source.count(word))
    ]


# Reports as models write them, in thirteen languages.


@dataclass
class Report:
    """One of the corpus, and its PDF."""

    name: str
    markdown: str
    rendered: document.Rendered


@cache
def rendered_report(name: str) -> document.Rendered:
    return render(CORPUS[name])


@pytest.fixture(scope="module", params=sorted(CORPUS))
def report(request: pytest.FixtureRequest) -> Report:
    name = str(request.param)
    return Report(name, CORPUS[name], rendered_report(name))


@each_reader
def test_every_word_of_a_report_can_be_read_and_copied(report: Report, reader: Reader) -> None:
    assert missing(report.markdown, report.rendered.data, reader) == []


def test_nothing_in_a_report_is_said_twice(report: Report) -> None:
    assert repeated(report.markdown, report.rendered.data) == []


def test_every_word_of_a_report_stands_inside_the_page(report: Report) -> None:
    """With three quarters of an inch around it, and nothing of the text in the footer."""
    page = PdfReader(io.BytesIO(report.rendered.data)).pages[0].mediabox
    width, height = float(page.width), float(page.height)
    placed = boxes(report.rendered.data)
    footer = [box for box in placed if box.bottom > height - 54]
    outside = [box for box in placed if box.left < 54 or box.right > width - 54 or box.top < 36]
    assert outside == []
    assert {word for box in footer for word in box.text.split() if not word.isdecimal()} <= {"Page", "of"}
    assert [box for box in footer if box.bottom > height - 24] == []


@pytest.mark.skipif(not POPPLER, reason="only poppler says how wide a word is")
def test_no_word_of_a_report_lies_on_another(report: Report) -> None:
    def core(box: Box) -> tuple[float, float, float, float]:
        """The middle of the word, as high as a small letter: the boxes of two lines may touch."""
        dx, dy = min(1.5, (box.right - box.left) / 4), (box.bottom - box.top) * 0.35
        return box.left + dx, box.top + dy, box.right - dx, box.bottom - dy

    def collide(one: Box, two: Box) -> bool:
        a, b = core(one), core(two)
        return one.page == two.page and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]

    # A mark stands on its letter, of course; poppler takes some for words.
    placed = [box for box in boxes(report.rendered.data) if unicodedata.category(box.text[0]) != "Mn"]
    assert [(a.text, b.text) for a, b in combinations(placed, 2) if collide(a, b)] == []


def test_a_report_in_a_language_of_our_fonts_has_no_letter_as_a_code(report: Report) -> None:
    if report.name[:2] in ("zh", "ja", "ko"):
        pytest.skip("whether the machine has a font for it is its own affair")
    codes = re.findall(r"\[U\+([0-9A-F]{4,6})\]", "".join(read_with_pypdf(report.rendered.data).split()))
    letters = [code for code in codes if unicodedata.category(chr(int(code, 16)))[0] in "LM"]
    assert letters == []


def test_the_number_of_pages_is_the_true_one(report: Report) -> None:
    assert report.rendered.pages == len(PdfReader(io.BytesIO(report.rendered.data)).pages)


@each_reader
@pytest.mark.parametrize(
    "sentence",
    [
        "The office of the chief affirms a fifth waffle, e.g. “quoted” – and AVATAR To.",
        "Die größte Straße führt über Äcker und „öde“ Höfe.",
        "Où sont l’œuvre, le cœur et la forêt ? À L’Haÿ, naïf garçon.",
        "Người Việt đã uống cà phê từ thế kỷ mười chín.",
        "Ο μηχανισμός των Αντικυθήρων είναι αρχαίος.",
        "Съёмка объекта началась ещё в октябре.",
        "العلم نور والجهل ظلام ولا شك في ذلك",
        "العلم نور والجهل عتمة دون شك",
        "كتب الطالب الدرس على اللوح",
        "ילדים משחקים בחצר ליד הבית הגדול",
        "भारत की राजधानी नई दिल्ली है और हिन्दी शक्ति की भाषा है।",
        "ภาษาไทย น้ำ ทำ ก็ ที่นี่ ไม่มี ช่องว่าง",
    ],
)
def test_a_sentence_is_copied_as_it_was_written(sentence: str, reader: Reader) -> None:
    """With its blanks, its ligatures taken apart, its marks in their order."""
    if reader.weak.search(sentence):
        pytest.skip(f"{reader.name} does not read this script")
    data = render(sentence).data
    text = run_pdftotext(data) if reader.name == "poppler" else reader.read(data)
    visible = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) != "Cf")
    assert unicodedata.normalize("NFC", sentence) in unicodedata.normalize("NFC", visible)


@each_reader
@pytest.mark.parametrize(
    "line",
    [
        "تعتمد الشركة على Amazon Web Services في 65% من أعمالها منذ 2019.",
        "החברה Wiz נמכרה ל-Google תמורת 32 מיליארד בשנת 2025.",
        "The word שלום means peace and السلام too, in 2 languages.",
        "एपीआई REST और 45.6% उपयोग",
    ],
)
def test_names_and_numbers_in_a_line_of_another_direction_stay_whole(line: str, reader: Reader) -> None:
    assert missing(line, render(line).data, reader) == []


# Markdown, feature by feature.


@pytest.mark.parametrize("section", EXAMPLES)
def test_no_example_of_the_specification_loses_a_word(section: str) -> None:
    lost = {example: missing(example, render(example).data, READERS[0]) for example in EXAMPLES[section]}
    assert {example: pieces for example, pieces in lost.items() if pieces} == {}


def test_a_footnote_is_read_and_its_mark_is_where_it_was() -> None:
    text = shown(
        render("Water[^w] boils.\n\nIt[^9] freezes.\n\n[^9]: Below zero.\n[^w]: At sea level.\n").data
    )
    assert "Belowzero." in text
    assert "Atsealevel." in text
    assert re.search(r"Water\W?[1w]\W?boils", unicodedata.normalize("NFKC", text))
    assert re.search(r"It\W?[29]\W?freezes", unicodedata.normalize("NFKC", text))


def test_a_footnote_that_nothing_refers_to_is_not_lost() -> None:
    assert "Unreferenced" in shown(render("Text.\n\n[^1]: Unreferenced words.\n").data)


def test_a_mark_without_its_footnote_is_not_lost() -> None:
    assert "[^7]" in shown(render("Text[^7] goes on.").data)


def test_done_and_open_tasks_are_told_apart() -> None:
    assert shown(render("- [x] ironed\n").data) != shown(render("- [ ] ironed\n").data)


def test_a_list_is_numbered_from_where_it_starts() -> None:
    text = shown(render("7. seven\n8. eight\n\n   - inner\n9. nine\n").data)
    assert [text[text.index(word) - 2 :][:2] for word in ("seven", "eight", "nine")] == ["7.", "8.", "9."]


@each_reader
def test_words_that_markup_or_a_new_line_parts_are_not_run_together(reader: Reader) -> None:
    markdown = "alpha\nbeta **gamma** *delta* `epsilon`  \nzeta\\\neta [theta](https://example.com) iota"
    found = words(reader.read(render(markdown).data))
    assert [word for word in words(markdown) if word not in found] == []


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_a_list_that_runs_to_the_left_steps_in_from_the_right() -> None:
    right = {box.text: box.right for box in boxes(render("- אאא\n  - ששש\n    - תתת\n").data)}
    assert right["אאא"] > right["ששש"] + 8 > right["תתת"] + 16


@pytest.mark.parametrize("price", ["It costs $5 and $7 more.", "from $5–$9 each", "US$3 to US$4", r"\$x\$"])
def test_prices_are_not_formulas(price: str) -> None:
    assert compact(price.replace("\\", "")) in shown(render(price).data)


@pytest.mark.parametrize("formula", ["$E = mc^2$", r"$\frac{a}{b} + \sqrt{c_1}$", "$$\nx^{10} + y_i\n$$"])
def test_a_formula_keeps_its_letters_and_numbers(formula: str) -> None:
    assert missing(f"Before {formula} after.", render(f"Before {formula} after.").data) == []


def test_a_summary_is_shown_like_the_report() -> None:
    markdown = CORPUS["en-tardigrades"]
    assert missing(markdown, render("Body.", summary=markdown).data) == []


@pytest.mark.parametrize("character", ["\ue123", "\U0001fffd", "\U000e0fff"])
def test_what_no_font_can_draw_is_shown_as_its_code_and_said(character: str) -> None:
    """The code is what is drawn, which is all that pypdf reads; others may copy the character."""
    rendered = render(f"Before {character} after.")
    code = f"U+{ord(character):04X}"
    assert f"Before[{code}]after." in "".join(read_with_pypdf(rendered.data).split())
    assert f"Before{character}after." in shown(rendered.data)
    assert any(code in warning for warning in rendered.warnings)


@pytest.mark.parametrize(
    "character",
    ["\u2066", "\u2067", "\u2068", "\u2069", "\u202b", "\u0378", "\u07bf", "\U00010eaa", "\U0001faea"],
)
def test_lines_that_run_to_the_left_may_hold_any_character(character: str) -> None:
    """Isolates and embeddings, as models write them, and what Python's Unicode does not know yet."""
    text = shown(render(f"אאא {character}Wiz שששש").data)
    assert "אאא" in text
    assert "Wiz" in text


def test_a_report_of_plain_letters_has_no_warning() -> None:
    assert render("Plain *letters* and `code`.").warnings == ()


def test_the_same_report_gives_the_same_bytes() -> None:
    for name in ("en-quantum-long", "ar-cloud", "ja-onsen", "hi-upi"):
        assert render(CORPUS[name]).data == rendered_report(name).data


# Documents that nobody thought of.

SCRIPTS = {
    "latin": ("q", "abcdefghij", "z"),
    "greek": ("ψ", "αβγδεζηθικ", "ω"),
    "cyrillic": ("э", "абвгдежзик", "я"),
    "hebrew": ("ק", "אבגדהוזחטי", "ת"),
    "arabic": ("ك", "بتثجحخدذرز", "ي"),
    "devanagari": ("य", "कखगघचछजझटठ", "ह"),
    "thai": ("ย", "กขคงจฉชซญด", "ห"),
    "chinese": ("甲", "一二三四五六七八九十", "乙"),
}
"""For each its first letter, ten for the digits of a number, and its last: no word is in another."""

INLINE = {
    "plain": "{0}",
    "strong": "**{0} {1}**",
    "em": "*{0}*",
    "both": "***{0}** {1}*",
    "code": "`{0} {1}`",
    "struck": "~~{0}~~",
    "link": "[{0} *{1}*](https://example.com/a?b=c)",
    "address": "<https://example.com/{0}>",
    "image": "![{0}](https://example.com/x.png)",
    "entity": "{0}&amp;{1}",
    "broken": "{0}  \n{1}",
    "soft": "{0}\n{1}",
    "long": "{0}-" + "m" * 90 + "-{1}",
}

TO_THE_LEFT = ["arabic", "hebrew"]
to_the_right = st.tuples(
    st.sampled_from(sorted(INLINE)), st.sampled_from(sorted(SCRIPTS.keys() - TO_THE_LEFT))
)
either_way = st.tuples(
    st.sampled_from(["plain", "strong", "em", "struck", "code"]), st.sampled_from(["latin", *TO_THE_LEFT])
)
# A long word breaks between lines; where two directions meet, its parts are far from each other.
inlines = st.one_of(
    st.lists(to_the_right, min_size=1, max_size=8), st.lists(either_way, min_size=1, max_size=8)
)
leaves = st.one_of(
    st.tuples(st.just("paragraph"), inlines),
    st.tuples(st.just("heading"), inlines, st.integers(1, 6)),
    st.tuples(st.just("fence"), st.integers(1, 5), st.sampled_from(sorted(SCRIPTS))),
    st.tuples(st.just("table"), st.integers(1, 9), st.integers(0, 4), inlines),
    st.tuples(st.just("note"), inlines),
    st.tuples(st.just("rule")),
)
blocks: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.tuples(
        st.sampled_from(["bullets", "numbers", "tasks", "quote"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@dataclass
class DocumentWriter:
    """Writes a drawn document down, every word of it another one."""

    words: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def word(self, script: str) -> str:
        first, digits, last = SCRIPTS[script]
        number = f"{len(self.words) + len(self.headings):03}"
        self.words.append(first + "".join(digits[int(digit)] for digit in number) + last)
        return self.words[-1]

    def line(self, drawn: list[tuple[str, str]]) -> str:
        return " ".join(
            INLINE[kind].format(*(self.word(script) for _ in range(INLINE[kind].count("{"))))
            for kind, script in drawn
        )

    def write(self, block: Any) -> list[str]:
        kind, *rest = block
        if kind == "rule":
            return ["***"]
        if kind == "paragraph":
            return self.line(rest[0]).split("\n")
        if kind == "heading":
            return ["#" * rest[1] + " " + self.line(rest[0]).replace("  \n", " ").replace("\n", " ")]
        if kind == "fence":
            return [
                "```python",
                *(f"    {self.word(rest[1])}  # {self.word('latin')}" for _ in range(rest[0])),
                "```",
            ]
        if kind == "note":
            self.notes.append(self.line(rest[0]).replace("  \n", " ").replace("\n", " "))
            return [f"{self.word('latin')}[^{len(self.notes)}]"]
        if kind == "table":
            return self.write_table(*rest)
        marks = {"bullets": "- ", "numbers": "1. ", "tasks": "- [x] ", "quote": "> "}
        mark = marks[kind]
        follow = mark if kind == "quote" else " " * len(mark.replace("[x] ", ""))
        lines: list[str] = []
        for child in rest[0]:
            written = self.write(child)
            if kind == "tasks" and child[0] != "paragraph":
                written = [self.word("latin"), "", *written]
            lines += [mark + written[0], *(follow + line for line in written[1:]), follow.rstrip()]
        return lines

    def write_table(self, columns: int, rows: int, drawn: list[tuple[str, str]]) -> list[str]:
        head = [self.word("latin") for _ in range(columns)]
        self.headings += head
        self.words = self.words[: -len(head)]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * columns]
        for _ in range(rows):
            cells = [
                self.line(drawn[column : column + 1] or [("plain", "latin")])
                .replace("  \n", " ")
                .replace("\n", " ")
                for column in range(columns)
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return lines

    def document(self, drawn: list[Any]) -> str:
        body = "\n\n".join("\n".join(self.write(block)) for block in drawn)
        return (
            body
            + "".join(f"\n\n[^{number}]: {note}" for number, note in enumerate(self.notes, start=1))
            + "\n"
        )


@bounded
@given(st.lists(blocks, min_size=1, max_size=6))
def test_every_word_of_any_document_is_there_once_and_on_the_page(drawn: list[Any]) -> None:
    scribe = DocumentWriter()
    markdown = scribe.document(drawn)
    rendered = render(markdown)
    text = shown(rendered.data)
    assert {word: text.count(word) for word in scribe.words if text.count(word) != 1} == {}, markdown
    assert [word for word in scribe.headings if word not in text] == [], markdown
    assert [box for box in boxes(rendered.data) if box.left < 36 or box.right > 612 - 36] == [], markdown


@bounded
@given(st.text(alphabet="`*_[]()!<>|#-+=~\\\n\n  \t1.ab&;:/", max_size=120))
def test_no_heap_of_marks_loses_a_letter(markdown: str) -> None:
    assert missing(markdown, render(markdown).data) == []


@bounded
@given(
    st.one_of(
        st.text(max_size=300), st.text("אבبت١2a .(\u2066\u2067\u2069\u202b\u202c\u202e\u0378\n", max_size=60)
    ),
    st.text(st.characters(), max_size=60),
    st.text(alphabet="$^_{}[]\\fracsqt\n |-", max_size=80),
)
def test_any_text_gives_a_page(content: str, topic: str, summary: str) -> None:
    rendered = render(content, topic=topic, summary=summary)
    assert rendered.pages == len(PdfReader(io.BytesIO(rendered.data)).pages) >= 1

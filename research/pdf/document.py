"""The tree to a PDF: a designed page, one function for each kind of node.

The text is a model's and so is hostile. It goes onto the page as characters (`research.text`),
never as markup, and whatever cannot be laid out is written plainly rather than left out.
"""

import io
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, letter
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    FrameBG,
    HRFlowable,
    PageTemplate,
    Spacer,
)

from models import PDFGenerationInput, PDFGenerationOutput
from research.config import Settings, is_sample
from research.pdf import fonts
from research.pdf.canvas import GlyphCanvas
from research.pdf.highlight import colored
from research.pdf.markdown import Node, parse
from research.pdf.math import in_script
from research.pdf.table import TableFlowable, column_widths
from research.pdf.text import (
    Bookmark,
    MissingGlyphs,
    ParagraphStyle,
    Run,
    Text,
    TextStyle,
    break_lines,
    clean,
    draw_line,
    is_right_to_left,
    line_width,
)
from research.reports import storage
from research.reports.markdown import SAMPLE_NOTE, byline, colophon

log = logging.getLogger(__name__)

INK, MUTED, ACCENT = HexColor("#1d2733"), HexColor("#5c6975"), HexColor("#0b6170")
TINT, HAIRLINE, STRIPE = HexColor("#eef5f6"), HexColor("#c9d3d8"), HexColor("#f4f6f8")

PAGE_SIZES = {"letter": letter, "a4": A4}
MARGIN, TOP, BOTTOM = 76.0, 72.0, 76.0
STEP = 18.0
DEEPEST = 8
"""Levels of nesting that still move to the right; the deeper ones stay there."""
NARROWEST_COLUMN = 40.0
LINK_SCHEMES = ("http", "https", "mailto")
FEWEST_HEADINGS, MOST_ENTRIES, SHORTEST_FOR_CONTENTS = 5, 40, 7_000

BODY = TextStyle(10.5, INK)
QUOTED = TextStyle(10.5, MUTED)
SMALL = TextStyle(8.5, MUTED)
CELL, HEAD_CELL = TextStyle(9, INK), TextStyle(9, ACCENT, bold=True)
CODE = TextStyle(8.5, INK, family=fonts.CODE)
TITLE, TOPIC = TextStyle(25, ACCENT, bold=True), TextStyle(13, INK)
PANEL_HEAD = TextStyle(11, ACCENT, bold=True)
HEADINGS = {
    level: (TextStyle(size, ACCENT if level <= 2 else INK, bold=True, italic=level == 6), before)
    for level, size, before in
    [(1, 18, 20), (2, 15, 17), (3, 12.5, 13), (4, 11, 11), (5, 10.5, 9), (6, 10.5, 9)]
}  # fmt: skip
PARAGRAPH, TIGHT = ParagraphStyle(16, after=8), ParagraphStyle(16, after=3)
SMALL_BLOCK = ParagraphStyle(12.5, after=2)


@dataclass(frozen=True)
class Rendered:
    """A PDF, and what a person should know about it."""

    data: bytes
    pages: int
    warnings: tuple[str, ...] = ()


def render(input: PDFGenerationInput, page_size: str = "letter") -> Rendered:
    """The report on paper. The same input gives the same bytes; no text makes it fail."""
    try:
        return _Report(input, page_size).build(parse(input.content), parse(input.summary))
    except Exception:
        log.exception("The report cannot be laid out as Markdown; it is written as plain text.")
        plain = [Node("paragraph", children=[Node("text", line)]) for line in input.content.splitlines()]
        summary = Node("document", children=[Node("paragraph", children=[Node("text", input.summary)])])
        rendered = _Report(input, page_size).build(Node("document", children=plain), summary)
        return replace(rendered, warnings=("laid out as plain text", *rendered.warnings))


def render_report(input: PDFGenerationInput, settings: Settings) -> Rendered:
    """The report on paper, with the settings' page and fonts."""
    fonts.prefer(settings.fonts)
    return render(input, settings.page_size)


def store_report(input: PDFGenerationInput, settings: Settings, rendered: Rendered) -> PDFGenerationOutput:
    """Write it, with its Markdown beside it, where the settings say.

    Raises:
        OSError, research.files.UnsafeName: as `research.files.store`.
    """
    path = storage.store_report(input, settings.reports_dir, rendered.data)
    return PDFGenerationOutput(
        filename=input.filename, path=path, pages=rendered.pages, warnings=rendered.warnings
    )


class _Report:
    """One document in the making."""

    def __init__(self, input: PDFGenerationInput, page_size: str) -> None:
        self.input = input
        self.page = PAGE_SIZES[page_size]
        self.width = self.page[0] - 2 * MARGIN
        self.missing = MissingGlyphs()
        self.warnings: list[str] = []
        self.headings: list[Bookmark] = []
        self.title = _in_one_line(input.topic, 90) or "Research Report"

    def build(self, content: Node, summary: Node) -> Rendered:
        story = list(self.blocks(content))  # first, for the headings and the characters it has
        story[:0] = [*self.opening(summary), *self.contents()]
        story += self.closing()
        buffer = io.BytesIO()
        document = BaseDocTemplate(
            buffer, pagesize=self.page, invariant=1, lang=_language(self.input.content),
            title=self.title, author="Research report worker", subject=_in_one_line(self.input.topic, 400),
            creator=self.input.model or "Research report worker",
        )  # fmt: skip
        frame = Frame(
            MARGIN, BOTTOM, self.width, self.page[1] - TOP - BOTTOM,
            leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
        )  # fmt: skip
        document.addPageTemplates(PageTemplate(frames=[frame]))
        document.build(story, canvasmaker=self.canvas)
        return Rendered(buffer.getvalue(), document.page, tuple(self.warnings))

    def canvas(self, *args: Any, **kwargs: Any) -> GlyphCanvas:
        canvas = GlyphCanvas(*args, finish_page=self.finish_page, **kwargs)
        canvas.set_date(self.input.date)
        return canvas

    def finish_page(self, canvas: GlyphCanvas, number: int, pages: int) -> None:
        """The running header and footer, when it is known how many pages there are."""
        right = self.page[0] - MARGIN
        if number > 1:
            self.draw(canvas, MARGIN, self.page[1] - 46, _in_one_line(self.title, 70))
            canvas.hairline(MARGIN, self.page[1] - 54, right, HAIRLINE)
        canvas.hairline(MARGIN, 52, right, HAIRLINE)
        about = "Sample text, not research" if is_sample(self.input.model) else self.input.date
        self.draw(canvas, MARGIN, 39, about)
        self.draw(canvas, right, 39, f"Page {number} of {pages}", from_right=True)
        for slot in canvas.slots:
            if slot.page == number:
                page = str(canvas.places.get(slot.name, ""))
                self.draw(canvas, slot.x, slot.y, page, BODY, from_right=True)

    def draw(
        self,
        canvas: GlyphCanvas,
        x: float,
        y: float,
        text: str,
        look: TextStyle = SMALL,
        from_right: bool = False,
    ) -> None:
        [line] = break_lines([Run(text, look)], 1e9, self.missing)
        draw_line(canvas, x - line_width(line) if from_right else x, y, line)

    # What stands before and after the model's text.

    def opening(self, summary: Node) -> Iterator[Flowable]:
        """The title, where the text is from, and the summary in its panel."""
        input = self.input
        yield self.text([Run(self.title, TITLE)], ParagraphStyle(31, after=8))
        whole = _in_one_line(input.topic, 600)
        if whole not in ("", self.title):
            yield self.text([Run(whole, TOPIC)], ParagraphStyle(19, after=6))
        yield self.text([Run(byline(input), SMALL)], SMALL_BLOCK)
        if is_sample(input.model):
            yield self.text([Run(SAMPLE_NOTE, replace(SMALL, bold=True))], SMALL_BLOCK)
        yield HRFlowable(width="100%", thickness=1.2, color=ACCENT, spaceBefore=8, spaceAfter=14)
        if summary.children:
            yield FrameBG(TINT, left=0, right=0, start=True, strokeWidth=0, strokeColor=TINT)
            yield Spacer(1, 10)
            yield self.text([Run("Executive Summary", PANEL_HEAD)], ParagraphStyle(15, left=STEP, after=5))
            yield from self.blocks(summary, depth=1)
            yield Spacer(1, 5)
            yield FrameBG(start=False)
            yield Spacer(1, 6)
        for note in input.notes:
            yield self.text([Run("Note. ", replace(SMALL, bold=True)), Run(note, SMALL)], SMALL_BLOCK)
        yield Spacer(1, 8)

    def contents(self) -> Iterator[Flowable]:
        """A list of the headings with links and pages, where the report is long enough."""
        deepest = max((n for n in (1, 2, 3) if self._entries(n) <= MOST_ENTRIES), default=1)
        entries = [place for place in self.headings if place.level < deepest]
        if len(entries) < FEWEST_HEADINGS or len(self.input.content) < SHORTEST_FOR_CONTENTS:
            return
        yield self.text([Run("Contents", PANEL_HEAD)], ParagraphStyle(15, before=4, after=4))
        for place in entries[:MOST_ENTRIES]:
            look = replace(BODY, link=f"#{place.name}", bold=place.level == 0)
            title = Run(_in_one_line(place.title, 80), look)
            yield self.text([title], ParagraphStyle(17, left=place.level * STEP, right=40), slot=place.name)
        if len(entries) > MOST_ENTRIES:
            yield self.text([Run(f"and {len(entries) - MOST_ENTRIES} more", SMALL)], SMALL_BLOCK)
        yield Spacer(1, 14)

    def _entries(self, levels: int) -> int:
        return sum(place.level < levels for place in self.headings)

    def closing(self) -> Iterator[Flowable]:
        """The small print: what the report took, and what is not as the model wrote it."""
        lines = [colophon(self.input)] if self.input.bill else []
        if self.missing:
            self.warnings.append(_about_missing(self.missing))
            log.warning("%s", self.warnings[-1])
        lines += [f"Note: {warning}." for warning in self.warnings]
        if lines:
            yield CondPageBreak(60)
            yield _short_rule(before=16)
        for line in lines:
            yield self.text([Run(line, SMALL)], SMALL_BLOCK)

    # Blocks: each function takes a node, the depth at which it stands and the look of its text.

    def blocks(self, node: Node, depth: int = 0, look: TextStyle = BODY) -> Iterator[Flowable]:
        for child in node.children:
            try:
                yield from list(self._BLOCKS.get(child.kind, _Report.set_unknown)(self, child, depth, look))
            except Exception:
                log.exception("A %s cannot be laid out; it is written as plain text.", child.kind)
                self.warnings.append(f"a {child.kind.replace('_', ' ')} was laid out as plain text")
                yield self.unstyled(child, depth, look)

    def unstyled(self, node: Node, depth: int, look: TextStyle) -> Flowable:
        return self.text([Run(node.as_written(), look)], _moved(PARAGRAPH, depth))

    def set_unknown(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        yield self.unstyled(node, depth, look)

    def set_paragraph(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        yield self.text(_inline(node.children, look), _moved(PARAGRAPH, depth))

    def set_heading(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        """In the outline no level is skipped, whatever the model does."""
        look, before = HEADINGS[node.level]
        deepest = self.headings[-1].level + 1 if self.headings else 0
        title = _in_one_line(node.plain(), 200) or "…"
        place = Bookmark(f"h{len(self.headings)}", title, min(node.level - 1, deepest))
        self.headings.append(place)
        yield CondPageBreak(look.size * 1.3 + before + 3 * PARAGRAPH.leading)
        runs = _inline(node.children, look)
        yield self.text(runs, _moved(ParagraphStyle(look.size * 1.3, before, 6), depth), place=place)

    def set_list(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        ordered = node.kind == "ordered_list"
        for number, item in enumerate(node.children, start=int(node.info or 1) if ordered else 0):
            yield from self.set_item(item, depth + 1, look, f"{number}." if ordered else "•")
        yield Spacer(1, 5)

    def set_item(self, node: Node, depth: int, look: TextStyle, mark: str) -> Iterator[Flowable]:
        """The mark stands before the item's first paragraph, or alone where it begins otherwise."""
        first = node.children[0] if node.children and node.children[0].kind == "paragraph" else None
        runs = _inline(first.children, look) if first else []
        if runs and (task := re.match(r"\[([ xX])\] ", runs[0].text)):
            mark = "□" if task[1] == " " else "✓"
            runs = [Run(runs[0].text[4:], runs[0].look), *runs[1:]]
        yield self.text(
            runs or [Run(" ", look)], _moved(TIGHT, depth), mark=[Run(mark, replace(look, color=ACCENT))]
        )
        yield from self.blocks(Node("item", children=node.children[1 if first else 0 :]), depth, look)

    def set_quote(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        if depth >= DEEPEST or look == QUOTED:  # a quote within a quote only moves to the right
            yield from self.blocks(node, depth + 1, QUOTED)
            return
        yield Spacer(1, 4)
        yield FrameBG(STRIPE, left=depth * STEP, right=0, start=True, strokeWidth=0, strokeColor=STRIPE)
        yield Spacer(1, 7)
        yield from self.blocks(node, depth + 1, QUOTED)
        yield FrameBG(start=False)
        yield Spacer(1, 9)

    def set_code(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        runs = colored(node.text.expandtabs(4).rstrip("\n"), node.info, CODE)
        block = _moved(ParagraphStyle(12, before=4, after=11, pad=8, shade=STRIPE), depth)
        yield self.text(runs or [Run(" ", CODE)], block)

    def set_formula(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        yield self.text([Run(node.text, replace(look, italic=True))], _moved(PARAGRAPH, depth + 1))

    def set_rule(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        yield HRFlowable(width="100%", thickness=0.5, color=HAIRLINE, spaceBefore=6, spaceAfter=12)

    def set_table(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        rows = [row.children for part in node.children for row in part.children]
        if not rows or not rows[0]:
            return
        if is_right_to_left(" ".join(cell.plain() for cell in rows[0])):
            rows = [row[::-1] for row in rows]
        left = min(depth, DEEPEST) * STEP
        if len(rows[0]) * NARROWEST_COLUMN > self.width - left:
            yield from self.set_records(rows, depth, look)
            return
        cells = [
            [_inline(cell.children, CELL if n else HEAD_CELL) for cell in row] for n, row in enumerate(rows)
        ]
        widths = column_widths(cells, self.width - left, NARROWEST_COLUMN)
        blocks = [ParagraphStyle(12.5, to_the_right="right" in cell.info) for cell in rows[0]]
        texts = [
            [Text(runs, block, self.missing) for runs, block in zip(row, blocks, strict=False)]
            for row in cells
        ]
        yield Spacer(1, 4)
        yield TableFlowable(texts, widths, left, rule=ACCENT, hairline=HAIRLINE, stripe=STRIPE)
        yield Spacer(1, 12)

    def set_records(self, rows: list[list[Node]], depth: int, look: TextStyle) -> Iterator[Flowable]:
        """A table too wide for the page: each row as a list of its cells, with their headings."""
        for row in rows[1:] or rows:
            for name, cell in zip(rows[0], row, strict=False):
                head = [*_inline(name.children, replace(look, bold=True)), Run(": ", look)]
                yield self.text([*head, *_inline(cell.children, look)], _moved(TIGHT, depth))
            yield Spacer(1, 8)

    def set_footnotes(self, node: Node, depth: int, look: TextStyle) -> Iterator[Flowable]:
        yield _short_rule(before=10)
        for note in node.children:
            mark = note.info
            if len(mark) > 3 and note.children:  # it would stand out into the margin
                note.children[0].children.insert(0, Node("strong", children=[Node("text", f"{mark}: ")]))
                mark = ""
            yield from self.set_item(note, depth + 1, SMALL, mark)

    _BLOCKS: ClassVar[dict[str, Callable[["_Report", Node, int, TextStyle], Iterator[Flowable]]]] = {
        "paragraph": set_paragraph,
        "heading": set_heading,
        "bullet_list": set_list,
        "ordered_list": set_list,
        "blockquote": set_quote,
        "fence": set_code,
        "code_block": set_code,
        "math_block": set_formula,
        "hr": set_rule,
        "table": set_table,
        "footnote_block": set_footnotes,
    }

    def text(self, runs: Sequence[Run], block: ParagraphStyle, **more: Any) -> Text:
        """A block of text, laid out now: what cannot be laid out is known while it can be mended."""
        text = Text(runs, block, self.missing, **more)
        text.wrap(self.width, 0)
        return text


def _short_rule(before: float) -> Flowable:
    """What stands between the text and the small print below it."""
    return HRFlowable(
        width="25%", thickness=0.5, color=HAIRLINE, spaceBefore=before, spaceAfter=6, hAlign="LEFT"
    )


def _moved(block: ParagraphStyle, depth: int) -> ParagraphStyle:
    left = min(depth, DEEPEST) * STEP
    return replace(block, left=block.left + left, right=12 if depth else 0) if left else block


# Inline text: nodes to runs.


def _inline(nodes: Sequence[Node], look: TextStyle) -> list[Run]:
    return [run for node in nodes for run in _INLINES.get(node.kind, _plain)(node, look)]


def _plain(node: Node, look: TextStyle) -> list[Run]:
    return [Run(node.text, look), *_inline(node.children, look)]


def _link(node: Node, look: TextStyle) -> list[Run]:
    """The label is the link; its address can be read on paper, too."""
    label = _inline(node.children, look)
    words = "".join(run.text for run in label)
    if urlsplit(node.info).scheme.lower() not in LINK_SCHEMES:
        return [*label, Run(f" ({node.info})", look)] if node.info else label
    label = [Run(run.text, replace(run.look, color=ACCENT, link=node.info)) for run in label]
    if _address(words) == _address(node.info):
        return label
    small = replace(look, size=look.size * 0.8, color=MUTED, link=node.info)
    return [*label, Run(f" ({node.info})" if words else node.info, small)]


def _address(text: str) -> str:
    return unquote(text).strip().removeprefix("mailto:").rstrip("/")


def _image(node: Node, look: TextStyle) -> list[Run]:
    """An image is never fetched: its description and its address stand for it."""
    return [
        Run(f"[Image: {node.text or 'no description'}, {node.info}]", replace(look, italic=True, color=MUTED))
    ]


def _in_script(mark: str, node: Node, look: TextStyle) -> list[Run]:
    """Unicode's own raised or lowered characters can be copied; raised letters need a look."""
    text = in_script(mark, node.plain())
    if mark == "^" and text.startswith(mark):
        return [Run(node.plain(), replace(look, raised=True))]
    return [Run(text, look)]


_INLINES: dict[str, Callable[[Node, TextStyle], list[Run]]] = {
    "strong": lambda node, look: _inline(node.children, replace(look, bold=True)),
    "em": lambda node, look: _inline(node.children, replace(look, italic=True)),
    "s": lambda node, look: _inline(node.children, replace(look, strike=True)),
    "sup": lambda node, look: _in_script("^", node, look),
    "sub": lambda node, look: _in_script("_", node, look),
    "code_inline": lambda node, look: [
        Run(node.text, replace(look, family=fonts.CODE, size=look.size * 0.88, shade=STRIPE))
    ],
    "math_inline": lambda node, look: [Run(node.text, replace(look, italic=True))],
    "footnote_ref": lambda node, look: [Run(node.info, replace(look, raised=True, color=ACCENT))],
    "softbreak": lambda node, look: [Run(" ", look)],
    "hardbreak": lambda node, look: [Run("\n", look)],
    "link": _link,
    "image": _image,
}


def _in_one_line(text: str, limit: int) -> str:
    """The text in one line, cut at a word where it is longer than the limit."""
    words = " ".join(clean(text).split())
    if len(words) <= limit:
        return words
    return words[:limit].rsplit(" ", 1)[0] + " …"


def _about_missing(missing: MissingGlyphs) -> str:
    """What no font could draw, and which packages would mend it."""
    shown = " ".join(f"U+{ord(character):04X}" for character in sorted(missing)[:8])
    more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
    packages = sorted({fonts.package_for(character) for character in missing})
    debian, homebrew = (" ".join(sorted(set(names))) for names in zip(*packages, strict=True))
    return (
        f"Characters without a font here: {len(missing)} ({shown}{more}), shown by their codes. Install"
        f" {debian} (Debian) or {homebrew} (Homebrew) on the worker's machine"
    )


_SCRIPTS = {
    "ar": "\u0600-\u06ff", "he": "\u0590-\u05ff", "hi": "\u0900-\u097f", "th": "\u0e00-\u0e7f",
    "el": "\u0370-\u03ff", "ru": "\u0400-\u04ff", "ko": "\uac00-\ud7af", "ja": "\u3040-\u30ff",
    "zh": "\u4e00-\u9fff",
}  # fmt: skip


def _language(text: str) -> str:
    """The document's language as far as its script tells it; English otherwise."""
    sample = text[:5_000]
    counts = {code: len(re.findall(f"[{block}]", sample)) for code, block in _SCRIPTS.items()}
    if counts["ja"]:
        counts["ja"] += counts.pop("zh")
    likely = max(counts, key=lambda code: counts[code])
    return likely if counts[likely] * 3 > len(re.findall(r"\w", sample)) else "en"

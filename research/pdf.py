"""The tree to a PDF: one function for each kind of node, and one place that escapes text.

The text is a model's and so is hostile: whatever it holds is shown, never obeyed.
"""

import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from reportlab import rl_config

from models import PDFGenerationInput, PDFGenerationOutput
from research import fonts
from research.files import write_atomically
from research.markdown import Node, parse
from research.settings import is_sample

rl_config.canvas_basefontname = fonts.TEXT  # before platypus: else Helvetica is listed, unembedded
fonts.register()

from reportlab.lib.colors import HexColor  # noqa: E402
from reportlab.lib.pagesizes import letter  # noqa: E402
from reportlab.lib.styles import ParagraphStyle  # noqa: E402
from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: E402
from reportlab.pdfgen.canvas import Canvas  # noqa: E402
from reportlab.platypus import (  # noqa: E402
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBG,
    HRFlowable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    XPreformatted,
)

log = logging.getLogger(__name__)

INK, MUTED, ACCENT = HexColor("#1d2733"), HexColor("#5c6975"), HexColor("#0b6170")
TINT, HAIRLINE, STRIPE = HexColor("#eef5f6"), HexColor("#c9d3d8"), HexColor("#f6f8f9")

PAGE_WIDTH, PAGE_HEIGHT = letter
MARGIN, TOP, BOTTOM = 72.0, 72.0, 76.0
WIDTH = PAGE_WIDTH - 2 * MARGIN
STEP = 18.0
DEEPEST = 8
"""Levels of nesting that still move to the right; the deeper ones stay there."""
CODE_COLUMNS = 84
NARROWEST_COLUMN = 44.0
LINK_SCHEMES = ("http", "https", "mailto")
SAMPLE_NOTE = "Sample text from the built-in offline model. It is not research."


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    look = {"fontName": fonts.TEXT, "textColor": INK, "allowWidows": 0, "allowOrphans": 0, **more}
    return ParagraphStyle(name, fontSize=size, leading=leading, **look)


BODY = _style("body", 10.5, 16, spaceAfter=8)
TIGHT = _style("tight", 10.5, 16, spaceAfter=3)
QUOTE = _style("quote", 10.5, 16, spaceAfter=8, textColor=MUTED)
CELL = _style("cell", 9, 12.5)
HEAD_CELL = _style("head cell", 9, 12.5, fontName="FiraGO-Bold", textColor=ACCENT)
CODE = _style(
    "code", 8.5, 12, fontName=fonts.CODE, backColor=STRIPE, borderPadding=(6, 8, 6, 8),
    spaceBefore=6, spaceAfter=14,
)  # fmt: skip
TITLE = _style("title", 27, 33, fontName="FiraGO-Bold", textColor=ACCENT, spaceAfter=6)
TOPIC = _style("topic", 14, 20, spaceAfter=6)
SMALL = _style("small", 8.5, 12, textColor=MUTED)
PANEL_HEAD = _style("panel head", 11, 15, fontName="FiraGO-Bold", textColor=ACCENT, keepWithNext=1)
HEADINGS = {
    level: _style(
        f"heading {level}", size, size * 1.3, fontName="FiraGO-Bold", keepWithNext=1,
        textColor=ACCENT if level <= 2 else INK, spaceBefore=before, spaceAfter=5,
    )
    for level, size, before in
    [(1, 18, 18), (2, 15, 16), (3, 12.5, 13), (4, 11, 11), (5, 10.5, 9), (6, 10.5, 9)]
}  # fmt: skip


def write_report(input: PDFGenerationInput, folder: Path) -> PDFGenerationOutput:
    """Render the report and write it into the folder, whole or not at all.

    Raises:
        OSError, research.files.UnsafeName: as `research.files.write_atomically`.
    """
    data, pages = render(input)
    path = write_atomically(folder, input.filename, data)
    return PDFGenerationOutput(filename=input.filename, path=str(path), pages=pages)


def render(input: PDFGenerationInput) -> tuple[bytes, int]:
    """The PDF's bytes and the number of its pages. The same input gives the same bytes."""
    try:
        return _build([*_opening(input), *_blocks(parse(input.content)), *_closing(input)], input)
    except Exception:
        log.exception("The report cannot be laid out as Markdown; it is written as plain text.")
        lines = input.content.splitlines() or [""]
        return _build([*_opening(input), *(_paragraph(_text(line)) for line in lines)], input)


def _build(story: list[Flowable], input: PDFGenerationInput) -> tuple[bytes, int]:
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer, pagesize=letter, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=TOP,
        bottomMargin=BOTTOM, invariant=1, lang="en",
        title=fonts.drawable(_line(input.topic or "Research Report", 120)),
        author=fonts.drawable(input.model or "research report"),
    )  # fmt: skip
    frame = Frame(
        MARGIN, BOTTOM, WIDTH, PAGE_HEIGHT - TOP - BOTTOM,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    document.addPageTemplates(PageTemplate(frames=[frame]))
    document.build(story, canvasmaker=_canvas_with_footer(input))
    return buffer.getvalue(), document.page


def _canvas_with_footer(input: PDFGenerationInput) -> type[Canvas]:
    """A canvas that draws "page x of y" when y is known, at the end."""
    left = fonts.drawable(_line(input.topic or "Research Report", 78))
    if is_sample(input.model):
        left = "Sample text, not research"

    class FooterCanvas(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setStrokeColor(HAIRLINE)
                self.setLineWidth(0.5)
                self.line(MARGIN, 50, PAGE_WIDTH - MARGIN, 50)
                self.setFont(fonts.TEXT, 8)
                self.setFillColor(MUTED)
                self.drawString(MARGIN, 37, left)
                total = len(self._pages)
                self.drawRightString(PAGE_WIDTH - MARGIN, 37, f"Page {number} of {total}")
                super().showPage()
            super().save()

    return FooterCanvas


def _opening(input: PDFGenerationInput) -> Iterator[Flowable]:
    """The title, the topic, where the text is from, and the summary in its panel."""
    yield Paragraph("Research Report", TITLE)
    if input.topic.strip():
        yield Paragraph(_text(_line(input.topic, 400)), TOPIC)
    facts = [f for f in (input.date, f"written by {input.model}" if input.model else "") if f]
    yield Paragraph(_text("  ·  ".join(facts)) or " ", SMALL)
    if is_sample(input.model):
        yield Paragraph(f"<b>{SAMPLE_NOTE}</b>", SMALL)
    yield Spacer(1, 12)
    if input.summary.strip():
        yield FrameBG(TINT, left=0, right=0, start=True, strokeWidth=0, strokeColor=TINT)
        yield Spacer(1, 10)
        yield Paragraph("Executive Summary", _moved(PANEL_HEAD, 1))
        yield Spacer(1, 4)
        yield from _blocks(parse(input.summary), depth=1)
        yield Spacer(1, 4)
        yield FrameBG(start=False)
    for note in input.notes:
        yield Spacer(1, 4)
        yield Paragraph(f"<b>Note.</b> {_text(note)}", SMALL)
    yield Spacer(1, 10)


def _closing(input: PDFGenerationInput) -> Iterator[Flowable]:
    """The small print: what the report took."""
    if input.bill:
        yield HRFlowable(
            width="25%", thickness=0.5, color=HAIRLINE, spaceBefore=14, spaceAfter=5, hAlign="LEFT"
        )
        yield Paragraph(_text(f"Made with {input.model or 'a model'}: {input.bill}."), SMALL)


# Blocks: each function takes a node and the depth at which it stands.


def _blocks(node: Node, depth: int = 0, style: ParagraphStyle = BODY) -> Iterator[Flowable]:
    for child in node.children:
        yield from _BLOCKS.get(child.kind, _render_unknown)(child, depth, style)


def _render_unknown(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    yield _paragraph(_text(node.plain()), style, depth)


def _render_paragraph(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    yield _paragraph(_inline(node.children), style, depth)


def _render_heading(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    yield _paragraph(_inline(node.children), HEADINGS[node.level], depth)


def _render_list(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    ordered = node.kind == "ordered_list"
    number = int(node.info or 1)
    for item in node.children:
        yield from _render_item(item, depth + 1, style, f"{number}." if ordered else "•")
        number += 1
    yield Spacer(1, 5)


def _render_item(node: Node, depth: int, style: ParagraphStyle, mark: str) -> Iterator[Flowable]:
    """The mark stands before the item's first paragraph, or alone where it begins otherwise."""
    tight = ParagraphStyle("item", style, spaceAfter=TIGHT.spaceAfter)
    rest = node.children
    first = rest[0] if rest and rest[0].kind == "paragraph" else Node("paragraph")
    yield _paragraph(_inline(first.children) or " ", tight, depth, mark)
    yield from _blocks(Node("item", children=rest[1:] if rest[:1] == [first] else rest), depth, tight)


def _render_quote(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    if depth >= DEEPEST:
        yield from _blocks(node, depth, QUOTE)
        return
    left = depth * STEP
    yield Spacer(1, 4)
    yield FrameBG(STRIPE, left=left, right=0, start=True, strokeWidth=0, strokeColor=STRIPE)
    yield Spacer(1, 6)
    yield from _blocks(node, depth + 1, QUOTE)
    yield FrameBG(start=False)
    yield Spacer(1, 8)


def _render_code(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    columns = CODE_COLUMNS - int(min(depth, DEEPEST) * STEP / 5)
    lines = [
        line[start : start + columns]
        for line in node.text.expandtabs(4).rstrip("\n").split("\n")
        for start in range(0, max(len(line), 1), columns)
    ]
    # A no-break space keeps the indentation that a plain one would lose.
    yield XPreformatted(
        "\n".join(_text(line, fonts.CODE) for line in lines) or " ", _moved(CODE, depth, extra=8)
    )


def _render_rule(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    yield HRFlowable(width="100%", thickness=0.5, color=HAIRLINE, spaceBefore=6, spaceAfter=12)


def _render_table(node: Node, depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    rows = [row.children for part in node.children for row in part.children]
    if not rows or not rows[0]:
        return
    available = WIDTH - min(depth, DEEPEST) * STEP
    if len(rows[0]) * NARROWEST_COLUMN > available:
        yield from _render_records(rows, depth, style)
        return
    cells = [
        [Paragraph(_inline(cell.children), HEAD_CELL if number == 0 else CELL) for cell in row]
        for number, row in enumerate(rows)
    ]
    yield Spacer(1, 4)
    yield Table(
        cells, colWidths=_column_widths(rows, available), repeatRows=1, splitInRow=1,
        hAlign="RIGHT" if depth else "LEFT",
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 1, ACCENT),
            ("LINEBELOW", (0, 1), (-1, -1), 0.5, HAIRLINE),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [None, STRIPE]),
            ("LEFTPADDING", (0, 0), (-1, -1), 6),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ],
    )  # fmt: skip
    yield Spacer(1, 12)


def _render_records(rows: list[list[Node]], depth: int, style: ParagraphStyle) -> Iterator[Flowable]:
    """A table too wide for the page: each row as a list of its cells, with their headings."""
    for row in rows[1:] or rows:
        for name, cell in zip(rows[0], row, strict=False):
            yield _paragraph(f"<b>{_inline(name.children)}</b>: {_inline(cell.children)}", TIGHT, depth)
        yield Spacer(1, 6)


def _column_widths(rows: list[list[Node]], available: float) -> list[float]:
    """Widths by content: each column as wide as it likes, the widest giving way first."""
    wishes = [
        max(stringWidth(cell.plain()[:200], fonts.TEXT, 9) for cell in column) + 16
        for column in zip(*rows, strict=False)
    ]
    share = available
    while sum(min(wish, share) for wish in wishes) > available + 0.01:
        fitting = [wish for wish in wishes if wish < share]
        wide = len(wishes) - len(fitting)
        tighter = (available - sum(fitting)) / wide if wide else share
        if tighter >= share:
            break
        share = tighter
    widths = [max(min(wish, share), NARROWEST_COLUMN) for wish in wishes]
    return [width * min(1, available / sum(widths)) for width in widths]


_BLOCKS: dict[str, Callable[[Node, int, ParagraphStyle], Iterator[Flowable]]] = {
    "paragraph": _render_paragraph,
    "heading": _render_heading,
    "bullet_list": _render_list,
    "ordered_list": _render_list,
    "blockquote": _render_quote,
    "fence": _render_code,
    "code_block": _render_code,
    "hr": _render_rule,
    "table": _render_table,
}


def _paragraph(
    markup: str, style: ParagraphStyle = BODY, depth: int = 0, mark: str | None = None
) -> Paragraph:
    return Paragraph(markup or " ", _moved(style, depth), bulletText=mark)


def _moved(style: ParagraphStyle, depth: int, extra: float = 0) -> ParagraphStyle:
    left = min(depth, DEEPEST) * STEP + extra
    if not left:
        return style
    right = max(extra, 12 if depth else 0)
    return ParagraphStyle(
        style.name, style, leftIndent=left, rightIndent=right, bulletIndent=left - 13,
        bulletFontName=fonts.TEXT, bulletFontSize=style.fontSize,
    )  # fmt: skip


# Inline text: each function gives reportlab's own markup, made here and nowhere else.


def _inline(nodes: list[Node]) -> str:
    return "".join(_INLINES.get(node.kind, _mark_unknown)(node) for node in nodes)


def _mark_unknown(node: Node) -> str:
    return _text(node.text) + _inline(node.children)


def _mark_link(node: Node) -> str:
    label = _inline(node.children)
    if urlsplit(node.info).scheme.lower() not in LINK_SCHEMES:
        return f"{label} ({_text(node.info)})" if node.info else label
    return f'<a href={quoteattr(node.info)} color="#0b6170">{label or _text(node.info)}</a>'


def _mark_image(node: Node) -> str:
    """An image is never fetched: its description and its address stand for it."""
    description = node.text or "no description"
    return f"<i>{_text(f'[Image: {description}, {node.info}]')}</i>"


_INLINES: dict[str, Callable[[Node], str]] = {
    "strong": lambda node: f"<b>{_inline(node.children)}</b>",
    "em": lambda node: f"<i>{_inline(node.children)}</i>",
    "s": lambda node: f"<strike>{_inline(node.children)}</strike>",
    "code_inline": lambda node: f'<font face="{fonts.CODE}" size="9">{_text(node.text, fonts.CODE)}</font>',
    "softbreak": lambda node: " ",
    "hardbreak": lambda node: "<br/>",
    "link": _mark_link,
    "image": _mark_image,
}


def _text(text: str, font: str = fonts.TEXT) -> str:
    """The one place where text becomes markup: every character for itself."""
    return escape(fonts.drawable(text, font))


def _line(text: str, limit: int) -> str:
    """The text in one line, cut at a word where it is longer than the limit."""
    words = " ".join(text.split())
    if len(words) <= limit:
        return words
    return words[:limit].rsplit(" ", 1)[0] + " …"

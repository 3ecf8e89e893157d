"""The styles of the page: colours, sizes in points, text and paragraph styles."""

from dataclasses import replace

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, letter

from research.pdf import fonts
from research.pdf.runs import ParagraphStyle, TextStyle

INK, MUTED, ACCENT = HexColor("#1d2733"), HexColor("#5c6975"), HexColor("#0b6170")
TINT, HAIRLINE, STRIPE = HexColor("#eef5f6"), HexColor("#c9d3d8"), HexColor("#f4f6f8")
WARNING = HexColor("#8a3b08")
MARKED = HexColor("#fdf3c4")

PAGE_SIZES = {"letter": letter, "a4": A4}
MARGIN, TOP, BOTTOM = 76.0, 72.0, 76.0
STEP = 18.0
"""How far each level of nesting moves in."""
MAX_DEPTH = 8
"""Levels of nesting that still move in; deeper ones stay there."""

BODY = TextStyle(10.5, INK)
QUOTED = TextStyle(10.5, MUTED)
SMALL = TextStyle(8.5, MUTED)
SMALL_BOLD = replace(SMALL, bold=True)
CELL, HEAD_CELL = TextStyle(9, INK, tabular=True), TextStyle(9, ACCENT, bold=True)
CODE = TextStyle(8.5, INK, family=fonts.CODE)
TITLE, TOPIC = TextStyle(25, ACCENT, bold=True), TextStyle(10.5, MUTED)
PANEL_HEAD = TextStyle(11, ACCENT, bold=True)
CALLOUTS = {
    kind: TextStyle(10.5, WARNING if kind in ("WARNING", "CAUTION") else ACCENT, bold=True)
    for kind in ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")
}
HEADINGS = {
    level: (TextStyle(size, ACCENT if level <= 2 else INK, bold=True, italic=level == 6), before)
    for level, size, before in
    [(1, 18, 20), (2, 15, 17), (3, 12.5, 13), (4, 11, 11), (5, 10.5, 9), (6, 10.5, 9)]
}  # fmt: skip
"""For each level of heading its text style and the room above it."""

PARAGRAPH, TIGHT = ParagraphStyle(16, after=8), ParagraphStyle(16, after=3)
SMALL_PARAGRAPH = ParagraphStyle(12.5, after=2)
SOURCE_SIZE = 9.5
SOURCE_PARAGRAPH = ParagraphStyle(14, after=2, left=32)
CODE_PARAGRAPH = ParagraphStyle(12, before=4, after=11, pad=8, shade=STRIPE, from_the_right=False)
DISPLAYED = ParagraphStyle(0, before=10, after=12, from_the_right=False, centered=True)
"""Of a formula alone, whose line is as tall as the formula."""


def indented(style: ParagraphStyle, depth: int) -> ParagraphStyle:
    """Return the paragraph style for a level of nesting."""
    left = min(depth, MAX_DEPTH) * STEP
    return replace(style, left=style.left + left, right=12 if depth else 0) if left else style

"""Formulas on the page: in a line of text, or alone in the middle of the column."""

from dataclasses import replace
from functools import partial
from typing import Any

from research.markdown.parser import Node
from research.pdf.linebreak import break_lines
from research.pdf.math import SIZE, Formula
from research.pdf.runs import InlineBox, MissingGlyphs, Run, TextStyle, line_width
from research.pdf.styles import BODY
from research.pdf.tags import text_string

FORMULA_SCALE = 1.08
"""STIX's letters are smaller than FiraGO's at the same size."""
MIN_SCALE = 0.55
MAX_FORMULA_HEIGHT = 400.0
_CLOSING = {"\\(": "\\)", "\\[": "\\]"}


def formula_source(node: Node) -> str:
    """Return the formula with its marks, as it was written."""
    mark = node.markup
    return f"{mark}{node.content.strip()}{_CLOSING.get(mark, mark)}"


def formula_box(
    formula: Formula, source: str, style: TextStyle, width: float, height: float
) -> InlineBox | None:
    """Return a formula in the text's size, or smaller to fit; None where it would be too small to read."""
    wanted = style.drawn_size * FORMULA_SCALE
    size = min(wanted, width / formula.width, height / (formula.height + formula.depth))
    if size < MIN_SCALE * wanted:
        return None
    text = " ".join(source.split())
    draw = partial(_draw, formula, text, replace(style, size=size))
    return InlineBox(text, formula.width * size, formula.height * size, formula.depth * size, draw)


def _draw(formula: Formula, text: str, style: TextStyle, canvas: Any, x: float, y: float) -> None:
    """Draw the outlines, and over them the source as invisible text, for readers and the clipboard."""
    canvas.setFillColor(style.color)
    canvas.setStrokeColor(style.color)
    canvas.saveState()
    scale = style.size / SIZE
    canvas._code.append(f"{scale:.5f} 0 0 {scale:.5f} {x:.3f} {y:.3f} cm\n{formula.operators}")
    canvas.restoreState()
    for character, across, up, size in formula.foreign:
        plain = replace(style, size=size * style.size, link="", shade=None, strike=False, raised=False)
        [line] = break_lines([Run(character, plain)], 1e9, MissingGlyphs())
        canvas.draw_runs(x + across * style.size, y + up * style.size, line)
    [line] = break_lines([Run(text, BODY)], 1e9, MissingGlyphs())
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(formula.width * style.size / max(line_width(line), 1), 1)
    canvas._code.append(f"/Span<</ActualText{text_string(text)}>>BDC 3 Tr")
    canvas.draw_runs(0, 0, line)
    canvas._code.append("EMC")
    canvas.restoreState()

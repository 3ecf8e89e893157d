"""The flowable of a block of text: broken into lines, split between pages, drawn."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import accumulate, groupby, repeat
from operator import itemgetter
from typing import Any

from reportlab.platypus import Flowable

from research.pdf.bidi import around_isolates, is_right_to_left, visual_order
from research.pdf.linebreak import break_lines
from research.pdf.runs import Bookmark, Line, MissingGlyphs, ParagraphStyle, Run, TextStyle, line_width
from research.pdf.tags import Element

FEWEST_LINES = 2
"""Lines of a paragraph that stay together at the foot and at the head of a page."""
BOX_GAP = 1.5
"""Above and below a formula that is taller than its line, in points."""


class Text(Flowable):  # type: ignore[misc]
    """A block of text: as wide as there is room, broken into lines, split between pages."""

    def __init__(
        self, runs: Sequence[Run], block: ParagraphStyle, missing: MissingGlyphs,
        mark: Sequence[Run] = (), bookmark: Bookmark | None = None, page_of: str = "",
        element: Element | None = None, introduces: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.runs, self.block, self.missing = runs, block, missing
        self.spaceBefore, self.spaceAfter = block.before, block.after
        self.mark, self.bookmark, self.page_of = mark, bookmark, page_of
        self.element = element
        """What the text is in the structure of the document; without one, it is an artifact."""
        self.introduces = introduces
        """Whether it stands on one page with what follows."""
        own = block.from_the_right
        self.right_to_left = block.to_the_right or (
            is_right_to_left(around_isolates(runs), missing.to_the_left) if own is None else own
        )
        self.lines: list[Line] = []
        self.extents: list[tuple[float, float]] = []
        """How far each line reaches above and below its baseline, in points."""
        self._laid_out_for = -1.0

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Break the text into lines for a width; return its size."""
        room = width - self.block.left - self.block.right - 2 * self.block.pad
        if self._laid_out_for != width:
            self._laid_out_for = width
            self.lines = break_lines(self.runs, max(room, 1.0), self.missing)
            self.extents = list(self._extents())
        heights = list(map(sum, self.extents))
        self.width, self.height = width, sum(heights) + 2 * self.block.pad
        least = heights if len(heights) < 2 * FEWEST_LINES else heights[:FEWEST_LINES]
        self.least_height = sum(least) + 2 * self.block.pad
        return self.width, self.height

    def _extents(self) -> Iterator[tuple[float, float]]:
        """Yield the extents of each line: those of the leading, and more around a tall formula."""
        size = max((run.style.size for line in self.lines[:1] for run in line), default=10.0)
        above = (self.block.leading + size * 0.7) / 2
        usual = above, self.block.leading - above
        gap = min(BOX_GAP, self.block.leading)
        for line in self.lines:
            boxes = [(run.box.ascent + gap, run.box.descent + gap) for run in line if run.box]
            above, below = map(max, zip(usual, *boxes, strict=True)) if boxes else usual
            yield above, below

    def fitting(self, width: float, height: float) -> int:
        """Return how many lines of the text fit into the height."""
        self.wrap(width, height)
        room = height - 2 * self.block.pad
        return bisect_right(list(accumulate(map(sum, self.extents))), room + 0.01)

    def split(self, width: float, height: float) -> list[Flowable]:
        """Return what fits into the height and the rest, neither of them a single line; else nothing."""
        fit = min(self.fitting(width, height), len(self.lines) - FEWEST_LINES)
        return self.parts(fit) if fit >= FEWEST_LINES else []

    def parts(self, at: int) -> list["Text"]:
        """Return the lines before one, and the rest; both may be without a line."""
        return [self._part(0, at), self._part(at, len(self.lines))]

    def _part(self, start: int, end: int) -> "Text":
        first = (self.mark, self.bookmark, self.page_of) if start == 0 else ((), None, "")
        part = Text(self.runs, self.block, self.missing, *first, self.element)
        part.lines, part.extents = self.lines[start:end], self.extents[start:end]
        part._laid_out_for = self._laid_out_for
        part.wrap(self._laid_out_for, 0)
        return part

    def draw(self) -> None:
        """Draw the lines, with their mark, and add their bookmark."""
        block, canvas, element = self.block, self.canv, self.element
        if block.shade is not None:
            canvas.setFillColor(block.shade)
            canvas.rect(block.left, 0, self.width - block.left - block.right, self.height, stroke=0, fill=1)
        if self.bookmark:
            canvas.add_bookmark(self.bookmark, self.height)
        left, right = block.left + block.pad, self.width - block.right - block.pad
        # Where text runs to the left, what moves in from the left moves in from the right.
        if self.right_to_left and not block.to_the_right:
            left, right = block.right + block.pad, self.width - block.left - block.pad
        y = self.height - block.pad
        for number, (line, (above, below)) in enumerate(zip(self.lines, self.extents, strict=True)):
            y -= above
            x = right - line_width(line) if self.right_to_left else left
            if block.centered:
                x = (left + right - line_width(line)) / 2
            if self.mark and number == 0:
                isolated = [run._replace(text=f"\u2067{run.text}\u2069") for run in self.mark]
                [mark] = break_lines(isolated if self.right_to_left else self.mark, 1e9, self.missing)
                at = right + 6 if self.right_to_left else left - line_width(mark) - 6
                draw_line(canvas, at, y, mark, element and element.label())
            draw_line(canvas, x, y, line, element)
            y -= below
        canvas.mark()
        if element:
            element.join()  # because a cell or a heading without a text counts
        if self.page_of:
            canvas.reserve_page_number(self.page_of, partial(self._draw_page_number, canvas, y + below))

    def _draw_page_number(self, canvas: Any, y: float, number: str) -> None:
        style = replace(self.runs[0].style, link="", bold=False)
        [line] = break_lines([Run(number, style)], 1e9, self.missing)
        draw_line(canvas, 0 if self.right_to_left else self.width - line_width(line), y, line, self.element)

    def as_artifact(self) -> "Text":
        """Return the text for where it stands once more, as the head of a table does."""
        text = copy(self)
        text.element = None
        return text


def draw_line(canvas: Any, x: float, y: float, line: Line, element: Element | None = None) -> None:
    """Draw the glyph runs of an element's line with the shade, strike and link of their styles."""
    pairs = list(zip(line, element.of_line(line) if element else repeat(None), strict=False))
    placed = visual_order(pairs, [run.level for run in line])
    parts = [list(group) for _, group in groupby(placed, key=itemgetter(1))]
    at = x
    for part in parts:
        for style, group in groupby(part, key=lambda pair: pair[0].style):
            width = line_width([run for run, _ in group])
            _decorate(canvas, at, y, width, style, part[0][1])
            at += width
    for part in parts:
        runs = [run for run, _ in part]
        canvas.mark(part[0][1])
        canvas.draw_runs(x, y, runs)
        x += line_width(runs)


def _decorate(
    canvas: Any, x: float, y: float, width: float, style: TextStyle, element: Element | None
) -> None:
    size = style.size
    if style.shade is not None or style.strike:
        canvas.mark()
    if style.shade is not None:
        canvas.setFillColor(style.shade)
        canvas.roundRect(x - 1, y - size * 0.28, width + 2, size * 1.22, 2, stroke=0, fill=1)
    if style.strike:
        canvas.setStrokeColor(style.color)
        canvas.setLineWidth(size / 16)
        canvas.line(x, y + size * 0.26, x + width, y + size * 0.26)
    if style.place and style.place not in canvas.bookmark_pages:
        canvas.add_bookmark(Bookmark(style.place, style.place, -1), y + size)
    if style.link and element:
        canvas.add_link(style.link, (x, y - size * 0.25, x + width, y + size * 0.9), element.link)

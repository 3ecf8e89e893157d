"""A table on the page: its header on every page, rows that split where they are taller than one."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

from reportlab.platypus import Flowable, FrameBreak

from research.pdf.columns import Fit, decimal_shifts, fit, sizes_of
from research.pdf.runs import MissingGlyphs, ParagraphStyle, Run
from research.pdf.styles import ACCENT, HAIRLINE, STRIPE
from research.pdf.tags import Element
from research.pdf.text import Text

PAD_Y = 4.0
LEADING = 12.5
TABLE_ROOM = 150.0
"""Up to this height a table stands on one page, and so does a row."""
MAX_HEADER = 200.0
"""Up to this height a header is repeated on every page, in points."""


class TableFlowable(Flowable):  # type: ignore[misc]
    """Rows of cells in columns of given widths, in points; the first row is the header."""

    def __init__(
        self, rows: list[list[Text]], fit: Fit, left: float,
        to_the_left: bool, heights: list[float] | None = None, start: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rows, self.fit, self.left = rows, fit, left
        self.to_the_left = to_the_left
        """Whether the first column is the one at the right."""
        self.start = start
        """How many rows stand on the pages before, for the stripes."""
        self.heights = heights or [self._row_height(row) for row in rows]
        self.heads = int(len(rows) > 1 and self.heights[0] <= MAX_HEADER)
        """How many rows are repeated on every page."""

    @property
    def is_wide(self) -> bool:
        """Return whether it needs a turned page."""
        return self.fit.is_wide

    @property
    def least_height(self) -> float:
        """Return how much room it needs at the foot of a page."""
        return min(sum(self.heights), sum(self.heights[: self.heads + 2]), TABLE_ROOM)

    def _row_height(self, row: list[Text]) -> float:
        return max(cell.wrap(room, 0)[1] for cell, room in zip(row, self._rooms(), strict=False)) + 2 * PAD_Y

    def _rooms(self) -> list[float]:
        return [width - 2 * self.fit.pad for width in self.fit.widths]

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size of all rows."""
        self.width, self.height = width, sum(self.heights)
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Flowable]:
        """Return the rows that fit, and for another page the rest, both with the header; else nothing."""
        if sum(self.heights) <= TABLE_ROOM:
            return []
        fit = min(bisect_right(list(accumulate(self.heights)), height + 0.01), len(self.rows) - 1)
        room = height - sum(self.heights[:fit]) - 2 * PAD_Y
        if self.heads <= fit and self.heights[fit] > TABLE_ROOM and room >= 4 * LEADING:
            return self._split_row(fit, room)
        if fit == len(self.rows) - 1 and fit > self.heads + 1:
            fit -= 1
        if fit <= self.heads or (fit == self.heads + 1 and sum(self.heights[: fit + 1]) <= TABLE_ROOM):
            return []
        return self._parts(self.rows[:fit], self.rows[fit:], fit)

    def _split_row(self, at: int, room: float) -> list[Flowable]:
        """Return what fits when a row is split within its cells, and the rest."""
        halves = [
            cell.split_at(width, room) for cell, width in zip(self.rows[at], self._rooms(), strict=False)
        ]
        above, below = ([half[side] for half in halves] for side in (0, 1))
        return self._parts([*self.rows[:at], above], [below, *self.rows[at + 1 :]], at)

    def _parts(self, above: list[list[Text]], below: list[list[Text]], at: int) -> list[Flowable]:
        """Return two tables, and what parts them; in the second one the header is no content."""
        header = [[cell.as_artifact() for cell in row] for row in self.rows[: self.heads]]
        heights = [*self.heights[:at], *map(self._row_height, above[at:])]
        rest = [*self.heights[: self.heads], self._row_height(below[0]), *self.heights[at + 1 :]]
        start = self.start + at - self.heads
        # A new page, because the header does not stand on one page twice.
        return [
            TableFlowable(above, self.fit, self.left, self.to_the_left, heights, self.start),
            FrameBreak(),
            TableFlowable([*header, *below], self.fit, self.left, self.to_the_left, rest, start),
        ]

    def draw(self) -> None:
        """Draw the cells, their rules and stripes."""
        canvas, total, pad = self.canv, sum(self.fit.widths), self.fit.pad
        y = self.height
        for number, (row, height) in enumerate(zip(self.rows, self.heights, strict=True)):
            y -= height
            if number and (number + self.start) % 2 == 0:
                canvas.setFillColor(STRIPE)
                canvas.rect(self.left, y, total, height, stroke=0, fill=1)
            color, thickness = (HAIRLINE, 0.5) if number else (ACCENT, 1.0)
            canvas.hairline(self.left, y, self.left + total, color, thickness)
            x = self.left + total if self.to_the_left else self.left
            for cell, width in zip(row, self.fit.widths, strict=False):
                x -= width if self.to_the_left else 0
                cell.drawOn(canvas, x + pad, y + height - PAD_Y - cell.height)
                x += 0 if self.to_the_left else width


def table(
    make: Callable[[float], list[list[list[Run]]]], aligns: Sequence[str], missing: MissingGlyphs,
    element: Element, left: float, rooms: Sequence[float], to_the_left: bool,
) -> TableFlowable | None:  # fmt: skip
    """Return a table as wide as its cells, which begins where its rows begin; None where it is too wide.

    `make` returns the rows of cells, their text of a part of its usual size. A column without an alignment
    (left, right, center) is aligned by the decimal points of its numbers, if it has nothing else.
    """
    rows = make(1.0)
    columns = list(zip(*rows, strict=False))
    shifts = [
        [] if align else decimal_shifts(column, missing)
        for align, column in zip(aligns, columns, strict=True)
    ]
    sizes = [sizes_of(column, moved, missing) for column, moved in zip(columns, shifts, strict=True)]
    fitted = fit(sizes, rooms)
    if fitted is None:
        return None
    usual = ParagraphStyle(LEADING * fitted.scale)
    styles = {"right": replace(usual, to_the_right=True), "center": replace(usual, centered=True)}
    texts: list[list[Text]] = []
    for number, row in enumerate(rows if fitted.scale == 1 else make(fitted.scale)):
        line, role = Element("TR", element), "TD" if number else "TH"
        texts.append([])
        for runs, align, moved in zip(row, aligns, shifts, strict=False):
            style = styles.get("right" if moved else align, usual)
            if moved and moved[number]:
                style = replace(style, right=moved[number] * fitted.scale)
            texts[-1].append(Text(runs, style, missing, element=Element(role, line)))
    if to_the_left:
        left = rooms[fitted.is_wide] - sum(fitted.widths)
    return TableFlowable(texts, fitted, left, to_the_left)

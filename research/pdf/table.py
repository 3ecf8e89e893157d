"""A table on the page: its header on every page, rows that split where they are taller than one."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, repeat

from reportlab.platypus import Flowable, FrameBreak

from research.pdf.columns import Fit, decimal_shifts, fit, sizes_of
from research.pdf.runs import MissingGlyphs, ParagraphStyle, Run
from research.pdf.styles import ACCENT, HAIRLINE, STRIPE
from research.pdf.tags import Element
from research.pdf.text import Text

Row = Sequence[Text]
PAD_Y = 4.0
LEADING = 12.5
TABLE_ROOM = 150.0
"""Up to this height a table stands on one page, and so does a row."""
MAX_HEADER = 200.0
"""Up to this height a header is repeated on every page, in points."""


class TableFlowable(Flowable):  # type: ignore[misc]
    """Rows of cells in columns of given widths, in points; the first row is the header."""

    def __init__(
        self, rows: Sequence[Row], fit: Fit, left: float, to_the_left: bool,
        heads: int | None = None, heights: list[float] | None = None, start: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rows, self.fit, self.left = rows, fit, left
        self.to_the_left = to_the_left
        """Whether the first column is the one at the right."""
        self.start = start
        """How many rows stand on the pages before, for the stripes."""
        self.is_wide = fit.is_wide
        """Whether it needs a turned page."""
        self._rooms = [width - 2 * fit.pad for width in fit.widths]
        self.heights = heights or [self._row_height(row) for row in rows]
        self.heads = int(self.heights[0] <= MAX_HEADER) if heads is None else heads
        """How many rows are repeated on every page."""
        self.least_height = min(sum(self.heights[: self.heads + 2]), TABLE_ROOM)

    def _row_height(self, row: Row) -> float:
        return max(cell.wrap(room, 0)[1] for cell, room in zip(row, self._rooms, strict=False)) + 2 * PAD_Y

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size of all rows."""
        self.width, self.height = width, sum(self.heights)
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Flowable]:
        """Return the rows that fit, and for another page the rest, both with the header; else nothing."""
        if sum(self.heights) <= TABLE_ROOM:
            return []
        at = min(bisect_right(list(accumulate(self.heights)), height + 0.01), len(self.rows) - 1)
        room = height - sum(self.heights[:at]) - 2 * PAD_Y
        if self.heads <= at and self.heights[at] > TABLE_ROOM and room >= 4 * LEADING:
            fits = map(Text.fitting, self.rows[at], self._rooms, repeat(room))
            above, below = zip(*map(Text.parts, self.rows[at], fits), strict=True)
            return self._parts(at, [above], below)
        if at == len(self.rows) - 1 and at > self.heads + 1:
            at -= 1
        if at <= self.heads or (at == self.heads + 1 and sum(self.heights[: at + 1]) <= TABLE_ROOM):
            return []
        return self._parts(at, [], self.rows[at])

    def _parts(self, at: int, above: Sequence[Row], below: Row) -> list[Flowable]:
        """Return a table that ends above a row or within it, and the rest, where the header is no content."""
        header = [[cell.as_artifact() for cell in row] for row in self.rows[: self.heads]]
        rest = [*self.heights[: self.heads], self._row_height(below), *self.heights[at + 1 :]]
        heights = [*self.heights[:at], *map(self._row_height, above)]
        same = self.fit, self.left, self.to_the_left, self.heads
        return [
            TableFlowable([*self.rows[:at], *above], *same, heights, self.start),
            FrameBreak(),  # because a page has the header only once
            TableFlowable([*header, below, *self.rows[at + 1 :]], *same, rest, self.start + at - self.heads),
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
            color, thickness = (ACCENT, 1.0) if number < self.heads else (HAIRLINE, 0.5)
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

    `make` returns the rows of cells, their text of a part of its usual size. A column of numbers without an
    alignment (left, right, center) is aligned by their decimal points or, where room lacks, at the right.
    """
    rows = make(1.0)
    columns = list(zip(*rows, strict=False))
    exact = [
        [] if align else decimal_shifts(cells, missing) for align, cells in zip(aligns, columns, strict=True)
    ]
    for shifts in (exact, [[0.0] * len(moved) for moved in exact]):
        sizes = [sizes_of(column, moved, missing) for column, moved in zip(columns, shifts, strict=True)]
        if fitted := fit(sizes, rooms):
            break
    else:
        return None
    usual = ParagraphStyle(LEADING * fitted.scale, from_the_right=to_the_left)
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

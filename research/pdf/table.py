"""A table on the page: its header on every page, rows that split where they are taller than one."""

from collections.abc import Sequence

from reportlab.platypus import Flowable

from research.pdf.linebreak import widest_word
from research.pdf.runs import MissingGlyphs, ParagraphStyle, Run
from research.pdf.shaping import plain_width
from research.pdf.styles import ACCENT, HAIRLINE, MIN_COLUMN_WIDTH, STRIPE
from research.pdf.tags import Element
from research.pdf.text import Text

PAD_X, PAD_Y = 6.0, 4.0
MAX_WORD_WIDTH = 100.0
"""Up to which a column is made as wide as its widest word; longer ones are broken."""
TABLE_ROOM = 150.0
"""Up to this height a table stands on one page, with the heading above it."""
SAMPLED_ROWS = 200
"""Rows whose content decides how wide the columns are."""


class TableFlowable(Flowable):  # type: ignore[misc]
    """Rows of cells in columns of given widths, in points; the first row is the header."""

    def __init__(
        self, rows: list[list[Text]], widths: list[float], left: float,
        to_the_left: bool, heights: list[float] | None = None, start: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rows, self.widths, self.left = rows, widths, left
        self.to_the_left = to_the_left
        """Whether the first column is the one at the right."""
        self.start = start
        """How many rows stand on the pages before, for the stripes."""
        self.heights = heights or [self._row_height(row) for row in rows]

    def _row_height(self, row: list[Text]) -> float:
        cells = zip(row, self.widths, strict=False)
        return max((cell.wrap(width - 2 * PAD_X, 0)[1] for cell, width in cells), default=0) + 2 * PAD_Y

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size of all rows."""
        self.width, self.height = width, sum(self.heights)
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Flowable]:
        """Return the rows that fit and the rest, both with the header, neither a single row; else nothing."""
        if sum(self.heights) <= TABLE_ROOM:
            return []
        used, fit = 0.0, 0
        while fit < len(self.rows) and used + self.heights[fit] <= height:
            used += self.heights[fit]
            fit += 1
        if fit == len(self.rows) - 1:
            fit -= 1
        if fit == 2 and sum(self.heights[:3]) <= TABLE_ROOM:
            return []
        if fit >= 2:
            return [self._part(self.rows[:fit], self.heights[:fit], 0), self._rest(fit)]
        return self._split_row(height)

    def _split_row(self, height: float) -> list[Flowable]:
        """Return the first row, or the first below the header, split within its cells."""
        header = self.heights[0] if len(self.rows) > 1 else 0.0
        at = 1 if header else 0
        room = height - header - 2 * PAD_Y
        halves = [cell.split_at(width - 2 * PAD_X, room) for cell, width in
                  zip(self.rows[at], self.widths, strict=False)]  # fmt: skip
        if room < 4 * halves[0][0].block.leading:
            return []
        above, below = [half[0] for half in halves], [half[1] for half in halves]
        first = self._part([*self.rows[:at], above], [*self.heights[:at], self._row_height(above)], 0)
        rest = [*self._repeated(at), below, *self.rows[at + 1 :]]
        heights = [*self.heights[:at], self._row_height(below), *self.heights[at + 1 :]]
        return [first, self._part(rest, heights, 0)]

    def _rest(self, fit: int) -> "TableFlowable":
        rows = [*self._repeated(1), *self.rows[fit:]]
        return self._part(rows, [self.heights[0], *self.heights[fit:]], fit - 1)

    def _repeated(self, count: int) -> list[list[Text]]:
        """Return so many first rows for another page: there they are no content."""
        return [[cell.as_artifact() for cell in row] for row in self.rows[:count]]

    def _part(self, rows: list[list[Text]], heights: list[float], skipped: int) -> "TableFlowable":
        start = self.start + skipped
        return TableFlowable(rows, self.widths, self.left, self.to_the_left, heights, start)

    def draw(self) -> None:
        """Draw the cells, their rules and stripes."""
        canvas, total = self.canv, sum(self.widths)
        y = self.height
        for number, (row, height) in enumerate(zip(self.rows, self.heights, strict=True)):
            y -= height
            if number and (number + self.start) % 2 == 0:
                canvas.setFillColor(STRIPE)
                canvas.rect(self.left, y, total, height, stroke=0, fill=1)
            color, thickness = (HAIRLINE, 0.5) if number else (ACCENT, 1.0)
            canvas.hairline(self.left, y, self.left + total, color, thickness)
            x = self.left + total if self.to_the_left else self.left
            for cell, width in zip(row, self.widths, strict=False):
                x -= width if self.to_the_left else 0
                cell.drawOn(canvas, x + PAD_X, y + height - PAD_Y - cell.height)
                x += 0 if self.to_the_left else width


def table(
    cells: list[list[list[Run]]], styles: list[ParagraphStyle], missing: MissingGlyphs,
    element: Element, left: float, room: float, to_the_left: bool,
) -> TableFlowable:  # fmt: skip
    """Return a table of rows of cells; it is as wide as they are, and begins where its rows begin."""
    widths = column_widths(cells, room, MIN_COLUMN_WIDTH)
    texts = []
    for number, row in enumerate(cells):
        line, role = Element("TR", element), "TD" if number else "TH"
        texts.append([Text(runs, style, missing, element=Element(role, line))
                      for runs, style in zip(row, styles, strict=False)])  # fmt: skip
    if to_the_left:
        left = room - sum(widths)
    return TableFlowable(texts, widths, left, to_the_left)


def column_widths(rows: Sequence[Sequence[Sequence[Run]]], available: float, narrowest: float) -> list[float]:
    """Return widths by content (RFC 1942): words are whole, and wide columns share what narrow ones leave."""
    columns = list(zip(*rows[:SAMPLED_ROWS], strict=False))
    wishes = [max(map(_natural_width, column)) + 2 * PAD_X + 1 for column in columns]
    if sum(max(wish, narrowest) for wish in wishes) <= available:
        return [max(wish, narrowest) for wish in wishes]
    words = [max(map(widest_word, column)) + 2 * PAD_X + 1 for column in columns]
    share = available / len(columns)
    least = [
        max(narrowest, wish if wish <= share else min(word, wish, MAX_WORD_WIDTH))
        for wish, word in zip(wishes, words, strict=True)
    ]
    if sum(least) > available:
        least = [narrowest for _ in columns]
    more = [max(wish - floor, 0) for wish, floor in zip(wishes, least, strict=True)]
    part = min(1, max(available - sum(least), 0) / (sum(more) or 1))
    widths = [floor + part * wanted for floor, wanted in zip(least, more, strict=True)]
    scale = min(1, available / sum(widths))
    return [width * scale for width in widths]


def _natural_width(cell: Sequence[Run]) -> float:
    """Return the width of the widest line of a cell where only its own breaks are made."""
    widths = [0.0]
    for run in cell:
        for number, line in enumerate(run.text[:150].split("\n")):
            if number:
                widths.append(0.0)
            widths[-1] += run.box.width if run.box else plain_width(line, run.style)
    return max(widths)

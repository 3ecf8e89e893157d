"""The columns of a table: their widths, the size of their text, and where their numbers stand."""

from collections.abc import Sequence
from typing import NamedTuple

from research.markdown.cell_numbers import integer_ends
from research.pdf.linebreak import measure
from research.pdf.runs import MissingGlyphs, Run

Column = Sequence[Sequence[Run]]
"""Cells, the header's first."""
MIN_COLUMN_WIDTH, MAX_WORD_WIDTH = 40.0, 100.0
"""How wide a column is where there is room, and up to which width its words make it as wide."""
MIN_SHARE = 53.0
"""So much room for each column is enough for the table, even if words are broken."""
SIZES = ((1.0, 6.0), (8 / 9, 4.5), (7.2 / 9, 3.0))
"""Of the text, as parts of its usual size, and of the room beside it; best first."""
SAMPLED_ROWS = 200
"""Rows whose content decides how wide the columns are."""


class Fit(NamedTuple):
    """How a table is set: the widths of its columns and the room on both sides of a cell, in points."""

    widths: list[float]
    pad: float
    scale: float
    """The size of the text, as a part of its usual size."""
    is_wide: bool
    """Whether the page is turned."""


def fit(sizes: Sequence[tuple[float, float]], rooms: Sequence[float]) -> Fit | None:
    """Return how a table is set: as large as it can be without a broken word; None where it is too wide.

    `sizes` are those of the columns, `rooms` the widths of the page upright and, perhaps, turned.
    """
    for is_wide, room in enumerate(rooms):
        share = room / len(sizes)
        for scale, pad in SIZES:
            longest = max(MAX_WORD_WIDTH * scale, share - 2 * pad - 1)
            if widths := _widths(sizes, room, scale, pad, longest):
                return Fit(widths, pad, scale, is_wide > 0)
        if share >= MIN_SHARE:
            return Fit(_widths(sizes, room, scale, pad, share - 2 * pad - 1), pad, scale, is_wide > 0)
    return None


def _widths(
    sizes: Sequence[tuple[float, float]], room: float, scale: float, pad: float, longest: float
) -> list[float]:
    """Return widths by content (RFC 1942); none where words are broken that are shorter than the longest.

    Columns that need less than an equal share get what they need, wide ones share what those leave.
    """
    words = [min(word * scale, longest) + 2 * pad + 1 for word, _ in sizes]
    wishes = [wish * scale + 2 * pad + 1 for _, wish in sizes]
    roomy = [max(wish, MIN_COLUMN_WIDTH) for wish in wishes]
    if sum(roomy) <= room:
        return roomy
    if sum(words) > room + 0.01:
        return []
    least = [wish if wish <= room / len(sizes) else word for word, wish in zip(words, wishes, strict=True)]
    if sum(least) > room:
        least = words
    part = min(1, max(0, room - sum(least)) / (sum(wishes) - sum(least) or 1))
    return [floor + part * (wish - floor) for floor, wish in zip(least, wishes, strict=True)]


def sizes_of(column: Column, shifts: Sequence[float], missing: MissingGlyphs) -> tuple[float, float]:
    """Return the widths of the widest word and of the widest cell; a number is one word with its unit."""
    header, *cells = [measure(cell, missing) for cell in column[:SAMPLED_ROWS]]
    if shifts:
        widths = [width + shift for (_, width), shift in zip(cells, shifts[1:], strict=False)]
        cells = list(zip(widths, widths, strict=True))
    words, wishes = zip(header, *cells, strict=True)
    return max(words), max(wishes)


def decimal_shifts(column: Column, missing: MissingGlyphs) -> list[float]:
    """Return how far each cell ends before the right side, for the decimal points of numbers to be aligned.

    In points; of a column that has other texts than numbers, nothing.
    """
    cells = column[1:]
    texts = ["".join("□" if run.box else run.text for run in cell if not run.style.raised) for cell in cells]
    tails: list[tuple[Run, ...] | None] = [
        None
        if end is None
        else (cell[0]._replace(text=text[end:]), *(run for run in cell if run.style.raised))
        for cell, text, end in zip(cells, texts, integer_ends(texts), strict=False)
    ]
    widths = {tail: measure(tail or (), missing)[1] for tail in set(tails)}
    longest = max(widths.values(), default=0.0)
    return [0.0, *(0.0 if tail is None else longest - widths[tail] for tail in tails)] if tails else []

"""Text on the page: runs of characters to lines of glyphs, in any script and direction.

There is no markup here: a run is its characters and how they look, so nothing that a model writes
can be taken for anything but text. Lengths are in points.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import accumulate, groupby, pairwise
from typing import Any, NamedTuple, Protocol
from unicodedata import bidirectional, combining

from bidi import algorithm as bidi
from reportlab.lib.colors import Color
from reportlab.platypus import Flowable

from research.pdf import fonts
from research.pdf.fonts import Face, Glyph

_BOX = "\ufffc"
FEWEST_LINES = 2
"""Lines of a paragraph that stay together at the foot and at the head of a page."""


@dataclass(frozen=True)
class TextStyle:
    """How a run looks."""

    size: float
    color: Color
    family: str = fonts.TEXT
    bold: bool = False
    italic: bool = False
    strike: bool = False
    raised: bool = False
    link: str = ""
    """A web or mail address, or "#name" for a place in the document."""
    shade: Color | None = None

    @property
    def drawn_size(self) -> float:
        """The size of its letters; raised ones are smaller."""
        return self.size * (0.7 if self.raised else 1)


class InlineBox(Protocol):
    """What stands in a line like one character, but draws itself: a formula. Lengths are in points."""

    @property
    def text(self) -> str:
        """Return what is copied."""

    @property
    def width(self) -> float:
        """Return the advance."""

    @property
    def ascent(self) -> float:
        """Return how far it rises above the baseline."""

    @property
    def descent(self) -> float:
        """Return how far it hangs below the baseline."""

    def draw(self, canvas: Any, x: float, y: float) -> None:
        """Draw it with its left end at x and its baseline at y."""


class Run(NamedTuple):
    """Characters of one look, or a box."""

    text: str
    look: TextStyle
    box: InlineBox | None = None


class GlyphRun(NamedTuple):
    """Part of a line: glyphs of one face and one look, in one direction."""

    text: str
    look: TextStyle
    face: Face
    glyphs: tuple[Glyph, ...]
    width: float
    level: int
    """The embedding level; odd is right to left."""
    shown_as: str
    """What is copied out of the page where it is not the text itself."""
    box: InlineBox | None = None
    """What is drawn in place of glyphs."""


Line = list[GlyphRun]


class Bookmark(NamedTuple):
    """A place in the document that links, the outline and the contents lead to."""

    name: str
    title: str
    level: int


# Units between which a line may break: a forced break; space; an ideograph with the punctuation
# that may not begin a line; a word, which may also break after a hyphen, a slash or a dash.
_IDEOGRAPH = (
    "\u2e80-\u2fff\u3003-\u3007\u3012-\u3013\u3020-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff04-\uff5a"
    "\U00020000-\U0003ffff"
)
_CLOSING = (
    "\u3001\u3002\u300b\u300d\u300f\u3011\u3015\u3041-\u3049\u30fc"
    "\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d"
)
_OPENING = "\u3008\u300a\u300c\u300e\u3010\u3014\uff08\uff3b\uff5b"
_UNIT = re.compile(
    rf"\n|[ \t\u3000]+|[{_OPENING}]*[{_IDEOGRAPH}][{_CLOSING}]*"
    rf"|[^\s{_IDEOGRAPH}{_OPENING}]+?(?:[-\u2013\u2014/]+(?=\w)|(?=[\s{_IDEOGRAPH}{_OPENING}])|\u200b|\Z)|.",
    re.DOTALL,
)
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\u202b\u202e\u2067\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_UNSEEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}
_ORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """The text as it can be drawn: control characters and odd spaces as plain spaces.

    What would order the letters about (embeddings, overrides and isolates of UAX #9) is left out:
    the letters themselves say where they run.
    """
    return _ORDERS.sub("", _SPACES.sub(" ", text.encode("utf-8", "replace").decode()))


class MissingGlyphs(set[str]):
    """The characters of one document that no font could draw."""


def break_lines(runs: Iterable[Run], width: float, missing: MissingGlyphs) -> list[Line]:
    """Break the runs into lines of at most this width; each line's pieces from left to right."""
    runs = [run._replace(text=_BOX if run.box else clean(run.text)) for run in runs if run.text]
    text = "".join(run.text for run in runs)
    starts = list(accumulate((len(run.text) for run in runs), initial=0))
    levels = _levels(text)
    words = [_words(run.look) for run in runs] if isinstance(levels, bytes) else []
    lines: list[Line] = []
    line: Line = []
    used = 0.0
    for unit in _UNIT.finditer(text):
        start, end = unit.span()
        if unit[0] == "\n":
            lines.append(line)
            line, used = [], 0.0
            continue
        run = bisect_right(starts, start) - 1
        word = words[run](unit[0]) if words and _BOX not in unit[0] and end <= starts[run + 1] else None
        pieces = [word] if word else _pieces(text, start, end, runs, starts, levels, missing)
        length = sum(piece.width for piece in pieces)
        blank = unit[0].isspace()
        if used + length > width and line and not blank:
            lines.append(line)
            line, used = [], 0.0
        if length > width:
            *whole, pieces = _broken(pieces, width)
            lines.extend(whole)
            length = sum(piece.width for piece in pieces)
        line.extend(pieces)
        used += length
    lines.append(line)
    return [_visual(line) for line in lines]


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is one of a script that runs from right to left."""
    return bool(_RIGHT_TO_LEFT.search(text)) and bidi.get_base_level(_classified(clean(text))) == 1


def _classified(text: str) -> str:
    """The same, with a letter for each character whose class Python's Unicode data does not know."""
    if all(map(bidirectional, text)):
        return text
    return "".join(c if bidirectional(c) else "א" if _RIGHT_TO_LEFT.match(c) else "a" for c in text)


def _levels(text: str) -> Sequence[int]:
    """The embedding level of every character, by the Unicode Bidirectional Algorithm (UAX #9)."""
    if not _RIGHT_TO_LEFT.search(text):
        return bytes(len(text))
    levels: list[int] = []
    for paragraph in _classified(text.replace("\n", "\u2029")).split("\u2029"):
        storage = bidi.get_empty_storage()
        storage["base_level"] = bidi.get_base_level(paragraph)
        storage["base_dir"] = ("L", "R")[storage["base_level"]]
        bidi.get_embedding_levels(paragraph, storage)
        for position, character in enumerate(storage["chars"]):
            character["at"] = position
        bidi.explicit_embed_and_overrides(storage)
        bidi.resolve_weak_types(storage)
        bidi.resolve_neutral_types(storage, False)
        bidi.resolve_implicit_levels(storage, False)
        part = [storage["base_level"]] * (len(paragraph) + 1)
        for character in storage["chars"]:
            part[character["at"]] = character["level"]
        levels += part
    return levels


def _pieces(
    text: str,
    start: int,
    end: int,
    runs: list[Run],
    starts: list[int],
    levels: Sequence[int],
    missing: MissingGlyphs,
) -> Line:
    """The characters from start to end, shaped: one piece for each look, direction and face."""
    pieces: Line = []
    while start < end:
        index = bisect_right(starts, start) - 1
        look = runs[index].look
        stop, level = min(end, starts[index + 1]), levels[start]
        here = next((at for at in range(start, stop) if levels[at] != level), stop)
        if box := runs[index].box:
            face = fonts.built_in(look.family, look.bold, look.italic)
            pieces.append(GlyphRun(_BOX, look, face, (), box.width, level, box.text, box))
        else:
            pieces += _shaped(text[start:here], look, level, missing)
        start = here
    return pieces


@lru_cache(maxsize=50)
def _words(look: TextStyle) -> Callable[[str], GlyphRun | None]:
    """A word of this look as one piece, left to right, where its own face draws it; remembered."""
    face = fonts.built_in(look.family, look.bold, look.italic)

    @lru_cache(maxsize=5_000)
    def word(text: str) -> GlyphRun | None:
        return _piece(text, look, face, 0) if face.draws(text) else None

    return word


def _shaped(text: str, look: TextStyle, level: int, missing: MissingGlyphs) -> Line:
    pieces: Line = []
    for face, part in _by_face(text, look):
        if face is None:
            missing.update(part)
            pieces += [_missing_glyph_box(character, look, level) for character in part]
        else:
            pieces.append(_piece(part, look, face, level))
    return pieces


def _by_face(text: str, look: TextStyle) -> list[tuple[Face | None, str]]:
    """Parts of the text with the face that draws each; None where there is no such face."""
    face = fonts.built_in(look.family, look.bold, look.italic)
    if face.draws(text):
        return [(face, text)]
    parts: list[tuple[Face | None, str]] = []
    for character in text:
        last = parts[-1][0] if parts else face
        if (
            last is not None
            and ord(character) in last.characters
            and (last is face or not character.isascii())
        ):
            chosen: Face | None = last
        elif character in _UNSEEN:
            if last is None or ord(character) not in last.characters:
                continue
            chosen = last
        else:
            chosen = fonts.face_for(character, look.family, look.bold, look.italic)
        if parts and parts[-1][0] is chosen:
            parts[-1] = (chosen, parts[-1][1] + character)
        else:
            parts.append((chosen, character))
    return parts


def _piece(text: str, look: TextStyle, face: Face, level: int, shown_as: str = "") -> GlyphRun:
    glyphs = face.shape(text, bool(level % 2))
    width = sum(glyph.advance for glyph in glyphs) * look.drawn_size / 1000
    return GlyphRun(text, look, face, glyphs, width, level, shown_as)


def _missing_glyph_box(character: str, look: TextStyle, level: int) -> GlyphRun:
    """A character that no font has, as a visible box with its code; it is copied as what it is."""
    code = f"[U+{ord(character):04X}]"
    plain = replace(look, family=fonts.CODE, bold=False, italic=False, size=look.size * 0.75)
    return _piece(code, plain, fonts.built_in(fonts.CODE, False, False), level & ~1, character)


def _broken(pieces: Line, width: float) -> list[Line]:
    """A unit wider than the line, broken between its characters."""
    lines: list[Line] = [[]]
    used = 0.0
    for piece in pieces:
        for part in _clusters(piece):
            if used + part.width > width and lines[-1]:
                lines.append([])
                used = 0.0
            lines[-1].append(part)
            used += part.width
    return [_joined(line) for line in lines]


def _clusters(piece: GlyphRun) -> Line:
    if piece.shown_as:
        return [piece]
    starts = {glyph.cluster for glyph in piece.glyphs}
    cuts = [0, *sorted(at for at in starts if at and not combining(piece.text[at])), len(piece.text)]
    return [
        _piece(piece.text[start:end], piece.look, piece.face, piece.level) for start, end in pairwise(cuts)
    ]


def _joined(line: Line) -> Line:
    """Neighbours that are alike, shaped again as one."""
    joined: Line = []
    for piece in line:
        last = joined[-1] if joined else None
        if last and not (last.shown_as or piece.shown_as) and (last.look, last.face, last.level) == (
            piece.look, piece.face, piece.level
        ):  # fmt: skip
            joined.pop()
            piece = _piece(last.text + piece.text, piece.look, piece.face, piece.level)
        joined.append(piece)
    return joined


def _visual(line: Line) -> Line:
    """The pieces as they stand from left to right (rule L2); the space at the line's end is gone."""
    while line and line[-1].text.isspace() and not line[-1].look.shade:
        line.pop()
    highest = max((piece.level for piece in line), default=0)
    for level in range(highest, 0, -1):
        start = 0
        while start < len(line):
            end = start
            while end < len(line) and line[end].level >= level:
                end += 1
            line[start:end] = line[start:end][::-1]
            start = max(end, start + 1)
    return line


@dataclass(frozen=True)
class ParagraphStyle:
    """How a block of text stands on the page."""

    leading: float
    before: float = 0.0
    after: float = 0.0
    left: float = 0.0
    right: float = 0.0
    pad: float = 0.0
    """Room around the text, inside the shade."""
    shade: Color | None = None
    to_the_right: bool = False


class Text(Flowable):  # type: ignore[misc]
    """A block of text: as wide as there is room, broken into lines, split between pages."""

    def __init__(
        self, runs: Sequence[Run], block: ParagraphStyle, missing: MissingGlyphs,
        mark: Sequence[Run] = (), place: Bookmark | None = None, slot: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        self.runs, self.block, self.missing = runs, block, missing
        self.mark, self.place, self.slot = mark, place, slot
        self.right_to_left = is_right_to_left("".join(run.text for run in runs)) or block.to_the_right
        self.lines: list[Line] = []
        self._laid_out_for = -1.0

    def getSpaceBefore(self) -> float:
        """Reportlab's word for the room above."""
        return self.block.before

    def getSpaceAfter(self) -> float:
        """Reportlab's word for the room below."""
        return self.block.after

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Lay the text out for a width; the size that it takes."""
        room = width - self.block.left - self.block.right - 2 * self.block.pad
        if self._laid_out_for != width:
            self._laid_out_for = width
            self.lines = break_lines(self.runs, max(room, 1.0), self.missing)
        self.width, self.height = width, len(self.lines) * self.block.leading + 2 * self.block.pad
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Flowable]:
        """What fits into the height and the rest, neither of them a single line; or nothing."""
        self.wrap(width, height)
        fit = int((height - 2 * self.block.pad + 0.01) / self.block.leading)
        fit = min(fit, len(self.lines) - FEWEST_LINES)
        if fit < FEWEST_LINES:
            return []
        return [self._part(0, fit), self._part(fit, len(self.lines))]

    def split_at(self, width: float, height: float) -> tuple["Text", "Text"]:
        """What fits into the height, and the rest; both may be without a line."""
        self.wrap(width, height)
        fit = max(int((height + 0.01) / self.block.leading), 0)
        return self._part(0, fit), self._part(fit, len(self.lines))

    def _part(self, start: int, end: int) -> "Text":
        first = start == 0
        part = Text((), self.block, self.missing, *((self.mark, self.place, self.slot) if first else ()))
        part.right_to_left = self.right_to_left
        part.lines, part._laid_out_for = self.lines[start:end], self._laid_out_for
        part.wrap(self._laid_out_for, 0)
        return part

    def draw(self) -> None:
        """Draw the lines, with their mark and what leads here."""
        block, canvas = self.block, self.canv
        if block.shade is not None:
            canvas.setFillColor(block.shade)
            canvas.rect(block.left, 0, self.width - block.left - block.right, self.height, stroke=0, fill=1)
        if self.place:
            canvas.put_place(self.place, self.height)
        left, right = block.left + block.pad, self.width - block.right - block.pad
        # Where text runs to the left, what moves in from the left moves in from the right.
        if self.right_to_left and not block.to_the_right:
            left, right = block.right + block.pad, self.width - block.left - block.pad
        baseline = self.height - block.pad - self._first_baseline()
        for number, line in enumerate(self.lines):
            y = baseline - number * block.leading
            x = right - line_width(line) if self.right_to_left else left
            if self.mark and number == 0:
                [mark] = break_lines(self.mark, 1e9, self.missing)
                draw_line(canvas, right + 6 if self.right_to_left else left - line_width(mark) - 6, y, mark)
            draw_line(canvas, x, y, line)

        if self.slot:
            canvas.put_slot(self.slot, self.width, baseline)

    def _first_baseline(self) -> float:
        size = max((piece.look.size for line in self.lines[:1] for piece in line), default=10.0)
        return (self.block.leading + size * 0.7) / 2


def line_width(line: Line) -> float:
    """The width of all its pieces."""
    return sum(piece.width for piece in line)


def draw_line(canvas: Any, x: float, y: float, line: Line) -> None:
    """Draw the pieces of a line one after the other, with what belongs to their look."""
    at = x
    for look, group in groupby(line, key=lambda piece: piece.look):
        width = line_width(list(group))
        _decorate(canvas, at, y, width, look)
        at += width
    canvas.draw_pieces(x, y, line)


def _decorate(canvas: Any, x: float, y: float, width: float, look: TextStyle) -> None:
    size = look.size
    if look.shade is not None:
        canvas.setFillColor(look.shade)
        canvas.roundRect(x - 1, y - size * 0.28, width + 2, size * 1.22, 2, stroke=0, fill=1)
    if look.strike:
        canvas.setStrokeColor(look.color)
        canvas.setLineWidth(size / 16)
        canvas.line(x, y + size * 0.26, x + width, y + size * 0.26)
    if look.link:
        area = (x, y - size * 0.25, x + width, y + size * 0.9)
        if look.link.startswith("#"):
            canvas.linkRect("", look.link[1:], area, relative=1, thickness=0)
        else:
            canvas.linkURL(look.link, area, relative=1, thickness=0)


@cache
def plain_width(text: str, look: TextStyle) -> float:
    """The width of a short text in one line."""
    [*_, line] = break_lines([Run(text, look)], 1e9, MissingGlyphs())
    return line_width(line)

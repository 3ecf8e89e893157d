"""What text is made of: runs of characters with their style, glyph runs, lines. Lengths are in points."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from reportlab.lib.colors import Color

from research.pdf import fonts
from research.pdf.face import Face, Glyph


@dataclass(frozen=True)
class TextStyle:
    """The style of a run."""

    size: float
    color: Color
    family: str = fonts.TEXT
    bold: bool = False
    italic: bool = False
    strike: bool = False
    raised: bool = False
    lowered: bool = False
    tabular: bool = False
    """Whether all figures are equally wide."""
    link: str = ""
    """A web or mail address, or "#name" for a place in the document."""
    place: str = ""
    """The name of the place in the document that begins here."""
    role: str = ""
    """The structure type of the run where it is not only text: Code, Reference."""
    shade: Color | None = None

    @property
    def drawn_size(self) -> float:
        """Return the size of the letters; raised and lowered ones are smaller."""
        return self.size * (0.7 if self.raised or self.lowered else 1)

    @property
    def shift(self) -> float:
        """Return how far above the baseline the letters stand."""
        return self.size * (0.35 if self.raised else -0.2 if self.lowered else 0)


@dataclass(frozen=True)
class ParagraphStyle:
    """The style of a block of text."""

    leading: float
    before: float = 0.0
    after: float = 0.0
    left: float = 0.0
    right: float = 0.0
    pad: float = 0.0
    """Room around the text, inside the shade."""
    shade: Color | None = None
    to_the_right: bool = False
    from_the_right: bool | None = None
    """Whether its lines begin at the right, as those of its list or table do; None: as its text runs."""
    centered: bool = False


@dataclass(frozen=True, eq=False)
class InlineBox:
    """What stands in a line like one character: a formula, with its extents from the baseline."""

    text: str
    """What is copied."""
    width: float
    ascent: float
    descent: float
    draw: Callable[[Any, float, float], None]
    """Draws it on a canvas with its left end at x and its baseline at y."""


class Run(NamedTuple):
    """Characters of one style, or a box."""

    text: str
    style: TextStyle
    box: InlineBox | None = None


class GlyphRun(NamedTuple):
    """Part of a line: glyphs of one face and one style, in one direction."""

    text: str
    style: TextStyle
    face: Face
    glyphs: tuple[Glyph, ...]
    width: float
    level: int
    """The embedding level; odd is right to left."""
    shown_as: str = ""
    """What is copied out of the page where it is not the text itself."""
    box: InlineBox | None = None
    """What is drawn in place of glyphs."""


Line = list[GlyphRun]


def line_width(line: Iterable[GlyphRun]) -> float:
    """Return the width of all glyph runs of a line."""
    return sum(part.width for part in line)


class Bookmark(NamedTuple):
    """A place in the document that links, the outline and the contents lead to."""

    name: str
    title: str
    level: int


class MissingGlyphs(set[str]):
    """The characters of one document that no font could draw; its language chooses between the fonts."""

    language = ""
    """A code of ISO 639, with the script where it is Traditional Chinese: "zh-Hant"."""

    @property
    def to_the_left(self) -> bool:
        """Whether the document's language is written from right to left."""
        return self.language.partition("-")[0] in ("ar", "ckb", "fa", "he", "ps", "ug", "ur", "yi")

"""One face of a font file: which characters it has, its glyphs for a text, its subset for a document."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from unicodedata import category

import uharfbuzz as harfbuzz

_NOT_EMBEDDED = (b"GSUB", b"GPOS", b"GDEF", b"DSIG", b"name", b"cmap", b"post")
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16
_BOLD_WEIGHT = 600
ENCLOSING_GAP = 40.0
"""Between two keycaps, on each side, in thousandths of the font size."""


class Glyph(NamedTuple):
    """A glyph of a font and its offset; lengths are in thousandths of the font size."""

    id: int
    advance: float
    x: float
    y: float
    cluster: int
    """The index of the first character that it stands for."""


class Face:
    """A face of a font file."""

    def __init__(self, name: str, blob: Any, index: int = 0) -> None:
        self.name = name
        self._face = harfbuzz.Face(blob, index)
        self._font = harfbuzz.Font(self._face)
        self._scale = 1000 / self._face.upem
        extents = self._font.get_font_extents("ltr")
        self.ascent, self.descent = extents.ascender * self._scale, extents.descender * self._scale
        self.is_cff = "CFF " in self._face.table_tags
        """Whether the outlines are PostScript's, not TrueType's."""
        self.has_outlines = self.is_cff or "glyf" in self._face.table_tags
        """Whether a PDF can embed the face; colour bitmaps cannot be."""
        style, tags = self._font.get_style_value, harfbuzz.StyleTag
        self.weight = style(tags.WEIGHT)
        """From 100, thin, to 900, black; 400 is regular, 700 bold."""
        self.is_bold = self.weight >= _BOLD_WEIGHT
        self.is_italic = bool(style(tags.ITALIC) or style(tags.SLANT_ANGLE))
        self.shape = lru_cache(maxsize=20_000)(self._shape)

    @cached_property
    def family(self) -> str:
        """Return the name that all weights and slants of the design share."""
        names = (self._face.get_name(name, "en") for name in (_TYPOGRAPHIC_FAMILY, _FAMILY))
        return next((name for name in names if name), self.name)

    def has(self, text: str) -> bool:
        """Return whether it has every character of the text."""
        return all(map(self._font.get_nominal_glyph, map(ord, text)))

    def _shape(self, text: str, right_to_left: bool = False, tabular: bool = False) -> tuple[Glyph, ...]:
        """Return the glyphs of a text, in their order on the line; tabular figures are equally wide."""
        buffer = harfbuzz.Buffer()
        buffer.cluster_level = harfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
        buffer.flags = harfbuzz.BufferFlags.REMOVE_DEFAULT_IGNORABLES
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if right_to_left else "ltr"
        # A ligature may be an emoji sequence's one picture; in words, single letters are easier to copy.
        harfbuzz.shape(self._font, buffer, {"kern": True, "liga": "\u200d" in text, "tnum": tabular})
        glyphs = tuple(
            Glyph(
                info.codepoint,
                position.x_advance * self._scale,
                position.x_offset * self._scale,
                position.y_offset * self._scale,
                info.cluster,
            )
            for info, position in zip(buffer.glyph_infos or (), buffer.glyph_positions or (), strict=True)
        )
        return self._with_room(glyphs) if category(text[-1:] or " ") == "Me" else glyphs

    def _with_room(self, glyphs: tuple[Glyph, ...]) -> tuple[Glyph, ...]:
        """Return the glyphs of one letter in an enclosing mark, such as a keycap, with room for the mark."""
        left, right, at = -ENCLOSING_GAP, 0.0, 0.0
        for glyph in glyphs:
            begin, end = (at + glyph.x + edge for edge in self.ink(glyph.id))
            left, right = min(left, begin - ENCLOSING_GAP), max(right, end + ENCLOSING_GAP)
            at += glyph.advance
        *others, last = [glyph._replace(x=glyph.x - left) for glyph in glyphs]
        return *others, last._replace(advance=last.advance + max(right - at, 0) - left)

    def ink(self, glyph: int) -> tuple[float, float]:
        """Return where a glyph's ink begins and ends, from its origin."""
        extents = self._font.get_glyph_extents(glyph)
        return extents.x_bearing * self._scale, (extents.x_bearing + extents.width) * self._scale

    def width(self, glyph: int) -> float:
        """Return a glyph's own advance."""
        return float(self._font.get_glyph_h_advance(glyph) * self._scale)

    @cached_property
    def characters(self) -> dict[int, str]:
        """Return the first character that each glyph alone shows."""
        codes = sorted(self._face.unicodes, reverse=True)
        return {self._font.get_nominal_glyph(code): chr(code) for code in codes}

    def subset(self, glyphs: Iterable[int]) -> bytes:
        """Return a font file of these glyphs alone, under their own numbers; for CFF its one table."""
        wanted = harfbuzz.SubsetInput()
        wanted.flags = harfbuzz.SubsetFlags.RETAIN_GIDS | harfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
        wanted.sets(harfbuzz.SubsetInputSets.GLYPH_INDEX).update({0, *glyphs})
        wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in _NOT_EMBEDDED)
        if self._face.has_var_data:
            wanted.pin_all_axes_to_default(self._face)
        subset = harfbuzz.subset(self._face, wanted)
        return bytes(subset.reference_table("CFF ").data if self.is_cff else subset.blob.data)

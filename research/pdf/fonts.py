"""The fonts of the page: which one can draw a character, how a text is shaped, what is embedded.

FiraGO for text and Cascadia Mono for code come from PyPI, so that every machine has them. What
they lack is drawn by the first font of the system that has it. Shaping is HarfBuzz's.
"""

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import uharfbuzz as harfbuzz

log = logging.getLogger(__name__)

TEXT, CODE = "FiraGO", "Cascadia"
_BUILT_IN = {
    (TEXT, False, False): "figo",
    (TEXT, True, False): "figbo",
    (TEXT, False, True): "figit",
    (TEXT, True, True): "figbi",
    (CODE, False, False): "cascadia",
    (CODE, True, False): "cascadiab",
    (CODE, False, True): "cascadiai",
    (CODE, True, True): "cascadiabi",
}
_SYSTEM_FOLDERS = {
    "darwin": ("~/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"),
    "win32": (r"~\AppData\Local\Microsoft\Windows\Fonts", r"C:\Windows\Fonts"),
}.get(sys.platform, ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts"))
_NOT_EMBEDDED = (b"GSUB", b"GPOS", b"GDEF", b"DSIG", b"name", b"cmap", b"post")
_PLAIN_FACE_LAST = ("bold", "italic", "oblique", "light", "thin", "black", "condensed", "mono")


class Glyph(NamedTuple):
    """One picture of a font and its place; lengths are in thousandths of the font size."""

    id: int
    advance: float
    x: float
    y: float
    cluster: int
    """The index of the first character that it stands for."""


class Face:
    """One font file's one face."""

    def __init__(self, name: str, blob: Any, index: int = 0) -> None:
        self.name = name
        self._face = harfbuzz.Face(blob, index)
        self._font = harfbuzz.Font(self._face)
        self._scale = 1000 / self._face.upem
        self.characters = frozenset(self._face.unicodes)
        extents = self._font.get_font_extents("ltr")
        self.ascent, self.descent = extents.ascender * self._scale, extents.descender * self._scale
        self.shape = lru_cache(maxsize=20_000)(self._shape)
        self._characters = cache(self._characters_of_glyphs)

    @property
    def is_cff(self) -> bool:
        """Whether the outlines are Postscript's, not TrueType's."""
        return "CFF " in self._face.table_tags

    @property
    def has_outlines(self) -> bool:
        """Whether there is anything that a PDF can embed; colour bitmaps cannot be."""
        return bool({"glyf", "CFF "} & set(self._face.table_tags))

    def draws(self, text: str) -> bool:
        """Whether it has every character of the text."""
        return all(ord(character) in self.characters for character in text)

    def _shape(self, text: str, right_to_left: bool = False) -> tuple[Glyph, ...]:
        """The glyphs of a piece of text, in the order in which they stand on the line."""
        buffer = harfbuzz.Buffer()
        buffer.cluster_level = harfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if right_to_left else "ltr"
        harfbuzz.shape(self._font, buffer, {"kern": True, "liga": False})
        return tuple(
            Glyph(
                info.codepoint,
                position.x_advance * self._scale,
                position.x_offset * self._scale,
                position.y_offset * self._scale,
                info.cluster,
            )
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        )

    def width(self, glyph: int) -> float:
        """A glyph's own advance."""
        advance: float = self._font.get_glyph_h_advance(glyph) * self._scale
        return advance

    def character(self, glyph: int) -> str:
        """The character whose picture the glyph is by itself; empty where there is none."""
        return self._characters().get(glyph, "")

    def _characters_of_glyphs(self) -> dict[int, str]:
        nominal = ((self._font.get_nominal_glyph(code), chr(code)) for code in sorted(self.characters))
        return {glyph: character for glyph, character in reversed(list(nominal)) if glyph}

    def subset(self, glyphs: set[int]) -> bytes:
        """A font file of these glyphs alone, under their own numbers; for CFF its one table."""
        wanted = harfbuzz.SubsetInput()
        wanted.flags = harfbuzz.SubsetFlags.RETAIN_GIDS | harfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
        wanted.sets(harfbuzz.SubsetInputSets.GLYPH_INDEX).update({0, *glyphs})
        wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in _NOT_EMBEDDED)
        if self._face.has_var_data:
            wanted.pin_all_axes_to_default(self._face)
        subset = harfbuzz.subset(self._face, wanted)
        return bytes(subset.reference_table("CFF ").data if self.is_cff else subset.blob.data)


_opening = threading.RLock()
"""Two pages drawn at once have the same faces, or one would hold a font twice."""


def built_in(family: str, bold: bool, italic: bool) -> Face:
    """A face of the two families that are always there."""
    with _opening:
        return _built_in(family, bold, italic)


@cache
def _built_in(family: str, bold: bool, italic: bool) -> Face:
    import pymupdf_fonts

    key = _BUILT_IN[family, bold, italic]
    style = ("Bold" if bold else "") + ("Italic" if italic else "") or "Regular"
    return Face(f"{family}-{style}", harfbuzz.Blob(pymupdf_fonts.myfont(key)))


@lru_cache(maxsize=100_000)
def face_for(character: str, family: str, bold: bool, italic: bool) -> Face | None:
    """The first face that has the character: the wanted one, the other family's, the system's."""
    for candidate in (family, CODE if family == TEXT else TEXT):
        face = built_in(candidate, bold, italic)
        if ord(character) in face.characters:
            return face
    with _opening:
        return next((face for face in _system_faces() if ord(character) in face.characters), None)


_preferred: list[Path] = []


def prefer(places: Sequence[Path]) -> None:
    """Font files, and folders of them, to look into before the system's."""
    with _opening:
        if list(places) != _preferred:
            _preferred[:] = places
            _system_faces.cache_clear()
            face_for.cache_clear()


@cache
def _system_faces() -> tuple[Face, ...]:
    """The faces of the system, read once, when a character is first missing."""
    return tuple(_open_faces())


def _open_faces() -> Iterator[Face]:
    for path in _font_files():
        try:
            blob = harfbuzz.Blob.from_file_path(str(path))
            face = Face(path.stem, blob)
            if face.has_outlines:
                yield face
        except Exception as error:  # whatever lies in a font folder, the report goes on
            log.debug("%s is not used as a font: %r", path, error)


def _font_files() -> list[Path]:
    """Font files, the preferred ones first, plain faces before bold or narrow ones."""
    system = [Path(folder).expanduser() for folder in _SYSTEM_FOLDERS]
    return [path for place in (_preferred, system) for path in sorted(_below(place), key=_plain_first)]


def _below(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        files = [place] if place.is_file() else place.rglob("*")
        yield from (path for path in files if path.suffix.lower() in (".ttf", ".otf", ".ttc", ".otc"))


def _plain_first(path: Path) -> tuple[int, str]:
    return sum(word in path.stem.lower() for word in _PLAIN_FACE_LAST), str(path)


# Which package would draw what is missing, for the person who reads the note.
_PACKAGES = (
    (range(0x2E80, 0xA4D0), "fonts-noto-cjk", "font-noto-sans-cjk"),
    (range(0xAC00, 0xD7B0), "fonts-noto-cjk", "font-noto-sans-cjk"),
    (range(0xF900, 0xFB00), "fonts-noto-cjk", "font-noto-sans-cjk"),
    (range(0x20000, 0x32000), "fonts-noto-cjk", "font-noto-sans-cjk"),
    (range(0x1F000, 0x20000), "fonts-symbola", "font-symbola"),
    (range(0x2000, 0x2E80), "fonts-symbola", "font-symbola"),
)


def package_for(character: str) -> tuple[str, str]:
    """The Debian and the Homebrew package whose font has such a character."""
    for block, debian, homebrew in _PACKAGES:
        if ord(character) in block:
            return debian, homebrew
    return "fonts-noto-core", "font-noto-sans"

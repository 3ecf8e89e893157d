"""The fonts of the page: which face draws a character.

FiraGO for text and Cascadia Mono for code come from PyPI, so that every machine has them. What
they lack is drawn by the first font of the system that has it.
"""

import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import uharfbuzz as harfbuzz

from research.pdf.face import Face
from research.pdf.system_fonts import SystemFonts

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
_opening = threading.RLock()
"""Two pages drawn at once have the same faces, or one would hold a font twice."""
_system = SystemFonts([])


def built_in(family: str, bold: bool, italic: bool) -> Face:
    """Return a face of the two families that are always there."""
    with _opening:
        return _built_in(family, bold, italic)


@cache
def _built_in(family: str, bold: bool, italic: bool) -> Face:
    import pymupdf_fonts

    key = _BUILT_IN[family, bold, italic]
    style = ("Bold" if bold else "") + ("Italic" if italic else "") or "Regular"
    return Face(f"{family}-{style}", harfbuzz.Blob(pymupdf_fonts.myfont(key)))


@lru_cache(maxsize=100_000)
def face_for(text: str, family: str, bold: bool, italic: bool, language: str = "") -> Face | None:
    """Return the first face that has every character: the wanted one, the other family's, the system's."""
    for candidate in (family, CODE if family == TEXT else TEXT):
        face = built_in(candidate, bold, italic)
        if face.draws(text):
            return face
    with _opening:
        return _system.face_for(text, bold, italic, language)


def prefer(places: Sequence[Path]) -> None:
    """Set font files, and folders of them, that are preferred to the system's."""
    global _system
    with _opening:
        if list(places) != _system.preferred:
            _system = SystemFonts(places)
            face_for.cache_clear()


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
    """Return the Debian and the Homebrew package whose font has such a character."""
    for block, debian, homebrew in _PACKAGES:
        if ord(character) in block:
            return debian, homebrew
    return "fonts-noto-core", "font-noto-sans"

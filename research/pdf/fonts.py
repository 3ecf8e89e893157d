"""The fonts of the page: which face draws a character.

FiraGO for text and Cascadia Mono for code come from PyPI, so that every machine has them. What
they lack is drawn by the first font of the system that has it.
"""

import re
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import uharfbuzz as harfbuzz

from research.pdf.face import Face
from research.pdf.system_fonts import SystemFonts

TEXT, CODE = "FiraGO", "Cascadia"
_STYLES = ("Regular", "Bold", "Italic", "BoldItalic")
_BUILT_IN = {
    TEXT: ("figo", "figbo", "figit", "figbi"),
    CODE: ("cascadia", "cascadiab", "cascadiai", "cascadiabi"),
}
"""The names of the faces in pymupdf_fonts, in the order of their styles."""
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

    style = bold + 2 * italic
    font = pymupdf_fonts.myfont(_BUILT_IN[family][style])
    return Face(f"{family}-{_STYLES[style]}", harfbuzz.Blob(font))


@lru_cache(maxsize=100_000)
def face_for(text: str, family: str, bold: bool, italic: bool, language: str = "") -> Face | None:
    """Return the first face that has every character: the wanted one, the other family's, the system's."""
    for candidate in (family, CODE if family == TEXT else TEXT):
        face = built_in(candidate, bold, italic)
        if face.has(text):
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
_CJK = re.compile("[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U00031fff]")
_SYMBOLS = re.compile("[\u2000-\u2e7f\U0001f000-\U0001ffff]")


def package_for(character: str) -> tuple[str, str]:
    """Return the Debian and the Homebrew package whose font has such a character."""
    if _CJK.match(character):
        return "fonts-noto-cjk", "font-noto-sans-cjk"
    if _SYMBOLS.match(character):
        return "fonts-symbola", "font-symbola"
    return "fonts-noto-core", "font-noto-sans"

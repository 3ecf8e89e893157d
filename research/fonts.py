"""The fonts of the page: FiraGO for text, Cascadia Mono for code, both from PyPI and embedded."""

import io
from functools import cache

TEXT = "FiraGO"
CODE = "Cascadia"

_FACES = {
    "FiraGO": "figo",
    "FiraGO-Bold": "figbo",
    "FiraGO-Italic": "figit",
    "FiraGO-BoldItalic": "figbi",
    "Cascadia": "cascadia",
    "Cascadia-Bold": "cascadiab",
    "Cascadia-Italic": "cascadiai",
    "Cascadia-BoldItalic": "cascadiabi",
}


@cache
def register() -> None:
    """Make the fonts known to reportlab; a third of a second, once."""
    import pymupdf_fonts
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, key in _FACES.items():
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(pymupdf_fonts.myfont(key))))
    for family in (TEXT, CODE):
        styles = (family, f"{family}-Bold", f"{family}-Italic", f"{family}-BoldItalic")
        pdfmetrics.registerFontFamily(family, *styles)


def drawable(text: str, font: str = TEXT) -> str:
    """The text with every character that the font cannot draw shown as its code, [U+4E2D].

    Control characters become spaces: they have no picture and may not reach a PDF's text.
    """
    glyphs = _glyphs(font)
    if all(ord(character) in glyphs for character in text):
        return text
    return "".join(character if ord(character) in glyphs else _shown(character) for character in text)


@cache
def _glyphs(font: str) -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    register()
    invisible = {0x200B, 0x200C, 0x200D, 0xFEFF, 0xFE0F}
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph) - set(range(32)) - invisible


def _shown(character: str) -> str:
    if character in "\u200b\u200c\u200d\ufeff\ufe0f":
        return ""
    if ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character.isspace():
        return "\n" if character == "\n" else " "
    return f"[U+{ord(character):04X}]"

"""Characters to glyph runs: the face for each grapheme cluster, and HarfBuzz's glyphs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple
from unicodedata import category

from research.pdf import fonts
from research.pdf.bidi import CONTROLS
from research.pdf.cjk import AMBIGUOUS, compressed, spaced, takes_script
from research.pdf.face import Face
from research.pdf.runs import GlyphRun, Line, MissingGlyphs, TextStyle, line_width
from research.pdf.unicode import graphemes, is_ignorable

_NO_BREAK = {ord(space): " " for space in "\u00a0\u2007\u202f"}
_Part = tuple[Face | None, str]


def glyph_run(text: str, style: TextStyle, face: Face, level: int = 0, shown_as: str = "") -> GlyphRun:
    """Return the text as glyphs of a face."""
    glyphs = compressed(text, face, face.shape(text, bool(level % 2), style.tabular))
    width = sum(glyph.advance for glyph in glyphs) * style.drawn_size / 1000
    return GlyphRun(text, style, face, glyphs, width, level, shown_as)


def shape(text: str, style: TextStyle, level: int, missing: MissingGlyphs, is_cjk: bool = False) -> Line:
    """Return a glyph run for each face that the text needs, in logical order.

    `is_cjk` says that it stands in a paragraph of Chinese or Japanese.
    """
    line: Line = []
    for face, part in _by_face(text.translate(_NO_BREAK), style, missing.language, is_cjk):
        if face is not None:
            line.append(glyph_run(part, style, face, level))
        else:
            line += [_code_box(character, style, level) for character in part]
            missing.update(() if style.family == fonts.CODE and CONTROLS.match(part) else part)
    return [part for part in line if part.glyphs]


class Word(NamedTuple):
    """What stands between two places where a line may break, left to right."""

    parts: tuple[GlyphRun, ...]
    width: float
    inked: float
    """The width without the spaces at its end, which do not need to fit into the line."""


@lru_cache(maxsize=100)
def word_shaper(style: TextStyle, language: str, is_cjk: bool) -> Callable[[str], Word | None]:
    """Return a function that shapes a word of this style, or returns None where a glyph is missing.

    It remembers the words, because the words of a text come again and again.
    """

    @lru_cache(maxsize=10_000)
    def shaped(text: str) -> Word | None:
        missing = MissingGlyphs()
        missing.language = language
        inked = text if style.shade else text.rstrip(" ")
        parts = tuple(spaced(shape(text, style, 0, missing, is_cjk), is_cjk))
        ink = parts if inked == text else spaced(shape(inked, style, 0, missing, is_cjk), is_cjk)
        return None if missing else Word(parts, line_width(parts), line_width(ink))

    return shaped


def _by_face(text: str, style: TextStyle, language: str, is_cjk: bool) -> list[_Part]:
    """Return parts of the text with the face that draws each; None where there is no such face."""
    own = fonts.built_in(style.family, style.bold, style.italic)
    is_cjk = is_cjk and style.family == fonts.TEXT and not AMBIGUOUS.isdisjoint(text)
    if own.has(text) and not is_cjk and not (style.family == fonts.CODE and CONTROLS.search(text)):
        return [(own, text)]
    find = partial(
        fonts.face_for, family=style.family, bold=style.bold, italic=style.italic, language=language
    )
    parts: list[_Part] = []
    at = 0
    for cluster in graphemes(text):
        last = parts[-1][0] if parts else own
        if cluster in AMBIGUOUS:
            last = (is_cjk and takes_script(text, at) and find(f"{cluster}中")) or own
        at += len(cluster)
        is_control = style.family == fonts.CODE and CONTROLS.match(cluster)
        for face, part in [(None, cluster)] if is_control else _faces(cluster, own, last, find):
            alone = category(part[-1]) == "Me" or (parts and category(parts[-1][1][-1]) == "Me")
            if parts and parts[-1][0] is face is not None and not alone:
                parts[-1] = (face, parts[-1][1] + part)
            else:
                parts.append((face, part))
    return parts


def _faces(cluster: str, own: Face, last: Face | None, find: Callable[..., Face | None]) -> Iterator[_Part]:
    """Yield one face for the whole cluster, so that it can be one picture; else one for each character."""
    visible = "".join(character for character in cluster if not is_ignorable(character))
    if not visible:
        return
    if last is not None and (last is own or not visible.isascii()) and last.has(visible):
        yield last, cluster
    elif face := find(visible):
        yield face, cluster
    else:
        for character in visible:
            yield find(character), character


def _code_box(character: str, style: TextStyle, level: int) -> GlyphRun:
    """Return what is not drawn as itself as a visible code; it is copied as what it is."""
    code = f"[U+{ord(character):04X}]"
    plain = replace(style, family=fonts.CODE, bold=False, italic=False, size=style.size * 0.75)
    return glyph_run(code, plain, fonts.built_in(fonts.CODE, False, False), level & ~1, character)

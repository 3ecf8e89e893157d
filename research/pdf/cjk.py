"""Chinese and Japanese lines: punctuation of one font, space beside Latin, and lines of one width.

See the W3C's requirements for Chinese and Japanese text layout (CLREQ 3, JLREQ 3).
"""

import re
from collections.abc import Sequence

from research.pdf.face import Face, Glyph
from research.pdf.runs import GlyphRun, Line, line_width

AMBIGUOUS = frozenset("“”‘’…—―‥·")
"""Punctuation that Latin fonts have too: it takes the script of its paragraph."""
_LETTER = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")
_OPENING, _CLOSING = "「『（〔［｛〈《【〖“‘", "」』）〕］｝〉》】〗”’，。、；：．"
_PAIR = re.compile(rf"(?:[{_OPENING}](?=[{_OPENING}])|[{_CLOSING}](?=[{_OPENING}{_CLOSING}]))")
FULL_WIDTH = 900.0
"""What a full-width glyph is at least as wide as, in thousandths of the font size."""
HALF_EM, GAP = 500.0, 0.25
QUARTER_WHITE = 255.0
"""For each so much white a mark gives up a quarter em: one in the middle of its box has less than two."""
MAX_STRETCH = 0.09
"""By which a justified line widens each place, in ems; from 0.1 on readers of the text see spaces."""


def is_cjk_paragraph(text: str, language: str) -> bool:
    """Return whether a paragraph is one of Chinese or Japanese, in a document of this language."""
    letters, latin = len(_LETTER.findall(text)), len(re.findall(r"[A-Za-z\u00c0-\u052f]", text))
    return letters * (6 if language.startswith(("zh", "ja")) else 1) > latin


def takes_script(text: str, at: int) -> bool:
    """Return whether the punctuation there takes the script of its paragraph: an apostrophe does not."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    is_latin = before.isascii() and before.isalnum() and (not after.strip() or after.isascii())
    return not (text[at] == "’" and is_latin and "‘" not in text)


def _excess(face: Face, glyph: Glyph, after: float = 0.0) -> float:
    """Return what a full-width mark gives up of the white behind it and before the ink that follows."""
    white = glyph.advance - face.ink(glyph.id)[1] + after
    return HALF_EM / 2 * min(2, max(0, white // QUARTER_WHITE)) if glyph.advance >= FULL_WIDTH else 0.0


def compressed(text: str, face: Face, glyphs: tuple[Glyph, ...]) -> tuple[Glyph, ...]:
    """Return the glyphs, each full-width mark before another one without half an em of white between them."""
    pairs = {found.start() for found in _PAIR.finditer(text)}
    return tuple(
        glyph._replace(advance=glyph.advance - _excess(face, glyph, face.ink(after.id)[0]))
        if glyph.cluster in pairs
        else glyph
        for glyph, after in zip(glyphs, (*glyphs[1:], *glyphs[-1:]), strict=True)
    )


def gap(before: GlyphRun, after: GlyphRun) -> float:
    """Return what is added behind a glyph run for the one that follows in the line, in points."""
    last, first, size = before.text[-1:], after.text[:1], before.style.drawn_size
    if before.glyphs and after.glyphs and _PAIR.match(last + first):
        white = after.face.ink(after.glyphs[0].id)[0] * after.style.drawn_size / size
        return -_excess(before.face, before.glyphs[-1], white) / 1000 * size
    one, other = _LETTER.match(last), _LETTER.match(first)
    latin = after if one else before
    side = "F" if latin.box else first if one else last
    is_beside = bool(one) != bool(other) and (side.isalnum() or side == "%") and side < "\u1100"
    return GAP * size if is_beside and not latin.style.raised else 0.0


def widened(run: GlyphRun, points: float) -> GlyphRun:
    """Return a glyph run with more room, or less, behind its last glyph."""
    more = points * 1000 / run.style.drawn_size
    last = tuple(glyph._replace(advance=glyph.advance + more) for glyph in run.glyphs[-1:])
    return run._replace(glyphs=(*run.glyphs[:-1], *last), width=run.width + points)


def spaced(parts: Sequence[GlyphRun], is_cjk: bool) -> Line:
    """Return glyph runs that stand beside each other, with the gaps of Chinese between them."""
    line: Line = []
    for part in parts:
        if line and is_cjk and (room := gap(line[-1], part)):
            line[-1] = widened(line[-1], room)
        line.append(part)
    return line


def trim(run: GlyphRun | None) -> float:
    """Return what the white half of a closing mark at the end of a line takes, in points."""
    is_mark = run and run.glyphs and run.text[-1] in _CLOSING
    return _excess(run.face, run.glyphs[-1]) / 1000 * run.style.drawn_size if run and is_mark else 0.0


def justified(line: Line, width: float) -> Line:
    """Return a line stretched to the width, where it lacks little: between its letters and at its spaces."""
    if not line:
        return line
    *others, last = line
    line = [*others, widened(last, -room) if (room := trim(last)) else last]
    places = [[_stretches(run, glyph) for glyph in run.glyphs] for run in line]
    if last.glyphs:
        places[-1][-1] = False
    lacking = width - line_width(line)
    sizes = (run.style.drawn_size * sum(own) for run, own in zip(line, places, strict=True))
    if not 0 < lacking <= MAX_STRETCH * sum(sizes):
        return line
    each = lacking / sum(map(sum, places))
    after: Line = []
    for run, own in zip(line, places, strict=True):
        more = each * 1000 / run.style.drawn_size
        glyphs = tuple(
            glyph._replace(advance=glyph.advance + more) if is_place else glyph
            for glyph, is_place in zip(run.glyphs, own, strict=True)
        )
        after.append(run._replace(glyphs=glyphs, width=run.width + each * sum(own)))
    return after


def _stretches(run: GlyphRun, glyph: Glyph) -> bool:
    """Return whether a justified line is widened behind this glyph."""
    mark = run.text[glyph.cluster]
    return mark == " " or (glyph.advance >= HALF_EM and (mark >= "\u2e80" or mark in AMBIGUOUS))

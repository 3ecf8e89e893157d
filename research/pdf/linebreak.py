"""Runs of text to lines: where a line ends, by UAX #14 and the width that there is."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate, pairwise

from research.address import ADDRESS_END
from research.pdf import cjk, fonts
from research.pdf.bidi import run_levels
from research.pdf.runs import GlyphRun, Line, MissingGlyphs, Run, line_width
from research.pdf.shaping import Word, glyph_run, shape, word_shaper
from research.pdf.unicode import break_locale, clean, graphemes, line_breaks

_BOX = "\ufffc"
FILLED = 0.75
"""A line that is filled less is filled with a part of the next word, where its language has patterns."""
_LETTERS = re.compile(r"[^\W\d_]{6,60}")
_NO_WORD = re.compile(r"[\d@_/\\]|\w\.\w")
"""In an address, a name with digits, a name from code: these are not hyphenated."""
# Long addresses break in their path, as a bibliography breaks them (Chicago Manual of Style, 14.18).
_ADDRESS = re.compile(
    rf"[a-z]{{2,9}}://(?:(?!{ADDRESS_END.pattern})[^/])*(/(?:(?!{ADDRESS_END.pattern}).)*)?"
)
_IN_PATH = re.compile(r"(?<=\w)(?=[.,~_?#%&=+\-]\w)|(?<=/)(?=\w)")
_NO_END = re.compile(r"\u00ad| (?=±|\[\d{1,3}\])|(?<=±) ")
"""A soft hyphen, which is not drawn; the spaces at ± and before a citation's number: they end no line."""


def break_lines(runs: Iterable[Run], width: float, missing: MissingGlyphs) -> list[Line]:
    """Break the runs into lines of at most this width, their glyph runs in the order of the text."""
    return _Breaker(_Paragraph(runs, missing), width).broken()


class _Breaker:
    """The lines of a paragraph in the making."""

    def __init__(self, paragraph: "_Paragraph", width: float) -> None:
        self.paragraph, self.width = paragraph, width
        self.lines: list[Line] = []
        self.line: Line = []
        self.used = 0.0

    def broken(self) -> list[Line]:
        """Return the lines."""
        for start, end in pairwise(self.paragraph.ends):
            is_forced = self.paragraph.text[end - 1] == "\n"
            self.add(start, end - is_forced)
            if is_forced:
                self.end_line(is_last=True)
        self.end_line(is_last=True)
        return list(map(_without_end_space, self.lines))

    def add(self, start: int, end: int) -> None:
        """Add what stands between two breaks: in this line or the next, or hyphenated, or broken anywhere."""
        parts, length, inked = self.paragraph.unit(start, end)
        while (gap := self._gap(parts)) + self.used + inked - self._white(parts) > self.width:
            cut = start
            is_filled = self.used >= self.width * FILLED or self.paragraph.is_heading
            if inked > self.width or not is_filled:
                cut = self.paragraph.hyphenated(start, end, self.width - self.used - gap)
            if cut > start:
                self._append([*self.paragraph.unit(start, cut).parts, self.paragraph.hyphen(cut)], 0.0, gap)
            elif not self.line:
                *whole, self.line = self.paragraph.broken(start, end, self.width)
                self.lines.extend(whole)
                self.used = line_width(self.line)
                return
            self.end_line()
            start = cut
            parts, length, inked = self.paragraph.unit(start, end)
        self._append(parts, length, gap)

    def end_line(self, is_last: bool = False) -> None:
        """Begin the next line; in Chinese and Japanese, all but the last are as wide as the column."""
        if not is_last and self.paragraph.is_cjk and not self.paragraph.is_heading:
            self.line = cjk.justified(_without_end_space(self.line), self.width)
        self.lines.append(self.line)
        self.line, self.used = [], 0.0

    def _append(self, parts: Iterable[GlyphRun], length: float, gap: float) -> None:
        if gap:
            self.line[-1] = cjk.widened(self.line[-1], gap)
        self.line.extend(parts)
        self.used += gap + length

    def _gap(self, parts: Sequence[GlyphRun]) -> float:
        return cjk.gap(self.line[-1], parts[0]) if self.line and parts and self.paragraph.is_cjk else 0.0

    def _white(self, parts: Sequence[GlyphRun]) -> float:
        return cjk.trim(parts[-1]) if parts and self.paragraph.is_cjk else 0.0


@cache
def hyphenation(language: str) -> Callable[[str], Sequence[int]]:
    """Return a function that says after how many letters a word of a language may be broken."""
    import pyphen

    known = pyphen.language_fallback(language.replace("-", "_")) if language else None
    return pyphen.Pyphen(lang=known, left=3, right=3).positions if known else lambda word: ()


def measure(runs: Sequence[Run], missing: MissingGlyphs) -> tuple[float, float]:
    """Return the widths of the widest word and of the widest line, where there is room for both."""
    paragraph = _Paragraph(runs, missing)
    text, ends = paragraph.text, pairwise(paragraph.ends)
    words = [paragraph.unit(start, end - (text[end - 1] == "\n")).inked for start, end in ends]
    return max(words, default=0.0), max(map(line_width, _Breaker(paragraph, 1e9).broken()))


class _Paragraph:
    """The characters of runs with their embedding levels, a box being one character."""

    def __init__(self, runs: Iterable[Run], missing: MissingGlyphs) -> None:
        self.runs = [run._replace(text=_BOX if run.box else clean(run.text)) for run in runs if run.text]
        self.text = "".join(run.text for run in self.runs)
        self.starts = list(accumulate((len(run.text) for run in self.runs), initial=0))
        self.levels = run_levels(self.runs, missing.to_the_left)
        self.missing = missing
        self.is_heading = all(run.style.bold for run in self.runs)
        """Whether it is broken by phrase, and neither justified nor hyphenated as long as its words fit."""
        self.is_cjk = not self.levels and cjk.is_cjk_paragraph(self.text, missing.language)
        shapers = [word_shaper(run.style, missing.language, self.is_cjk) for run in self.runs]
        self._shapers = [] if self.levels else shapers
        self.ends = [0, *self._breaks()]
        """The beginning, and where a line may end."""

    def _breaks(self) -> list[int]:
        """Return where a line may end; a box is like a letter of a word, and headings break by phrase."""
        text = self.text.replace(_BOX, "x")
        ends = set(line_breaks(text, break_locale(text, self.is_heading)))
        for address in _ADDRESS.finditer(text) if "://" in text else ():
            start, path = address.start(), address.start(1)
            ends.difference_update(range(start + 1, path if path >= 0 else address.end()))
            ends.update(path + place.start() for place in _IN_PATH.finditer(address[1] or ""))
        ends.difference_update(found.end() for found in _NO_END.finditer(text))
        shifted = {start for start, run in zip(self.starts, self.runs, strict=False) if run.style.shift}
        shifted = {start for start in shifted if start and text[start - 1] != "\n"}
        return sorted((ends - shifted - {0}) | ({len(text)} - {0}))

    def unit(self, start: int, end: int) -> Word:
        """Return what stands between two breaks."""
        text = self.text[start:end]
        run = bisect_right(self.starts, start) - 1
        in_one_run = self._shapers and end <= self.starts[run + 1] and not self.runs[run].box
        if in_one_run and (word := self._shapers[run](text)):
            return word
        inked = start + len(text.rstrip(" "))
        ink, space = self._shaped(start, inked), self._shaped(inked, end)
        if any(part.style.shade for part in space):
            ink, space = ink + space, []
        length = line_width(ink)
        return Word((*ink, *space), length + line_width(space), length)

    def hyphenated(self, start: int, end: int, room: float) -> int:
        """Return where a word is broken with a hyphen so that it fits into the room; `start` for nowhere."""
        index = bisect_right(self.starts, start) - 1
        run, text = self.runs[index], self.text[start:end]
        word = max(_LETTERS.finditer(text), key=lambda found: len(found[0]), default=None)
        is_whole = end <= self.starts[index + 1] and not self.levels and not run.box
        around = self.text[self.text.rfind(" ", 0, start) + 1 : end]
        if not word or not is_whole or run.style.family == fonts.CODE or _NO_WORD.search(around):
            return start
        room -= self.hyphen(start).width
        places = hyphenation(self.missing.language)(word[0])
        cuts = (start + word.start() + place for place in reversed(places))
        return next((cut for cut in cuts if self.unit(start, cut).inked <= room), start)

    def broken(self, start: int, end: int, width: float) -> list[Line]:
        """Return a unit wider than the line as lines, broken between its grapheme clusters.

        A cluster wider than the line is broken between its characters.
        """
        starts, at, used = [start], start, 0.0
        for cluster in graphemes(self.text[start:end]):
            is_whole = self.unit(at, at + len(cluster)).inked <= width
            for part in [cluster] if is_whole else cluster:
                word = self.unit(at, at + len(part))
                if word.inked and used + word.inked > width and at > starts[-1]:
                    starts.append(at)
                    used = 0.0
                used += word.width
                at += len(part)
        return [self._shaped(*ends) for ends in pairwise([*starts, end])]

    def hyphen(self, place: int) -> GlyphRun:
        """Return the hyphen at the end of a line; it is copied as a soft one (ISO 32000-1, 14.8.2.2.3)."""
        style = self.runs[bisect_right(self.starts, max(place - 1, 0)) - 1].style
        face = fonts.built_in(style.family, style.bold, style.italic)
        return glyph_run("-", style, face, shown_as="\u00ad")

    def _shaped(self, start: int, end: int) -> Line:
        """Return the characters from start to end as one glyph run for each style, direction and face."""
        line: Line = []
        while start < end:
            index = bisect_right(self.starts, start) - 1
            run = self.runs[index]
            stop, level = min(end, self.starts[index + 1]), 0
            if self.levels:
                level = self.levels[start]
                stop = next((at for at in range(start, stop) if self.levels[at] != level), stop)
            if run.box:
                face = fonts.built_in(run.style.family, run.style.bold, run.style.italic)
                line.append(GlyphRun(_BOX, run.style, face, (), run.box.width, level, run.box.text, run.box))
            else:
                line += shape(self.text[start:stop], run.style, level, self.missing, self.is_cjk)
            start = stop
        return cjk.spaced(line, self.is_cjk)


def _without_end_space(line: Line) -> Line:
    """Return the line without the spaces at its end, unless they are seen."""
    while line and not line[-1].style.shade and line[-1].text.endswith(" ") and not line[-1].shown_as:
        last = line.pop()
        if text := last.text.rstrip(" "):
            line.append(glyph_run(text, last.style, last.face, last.level))
    return line

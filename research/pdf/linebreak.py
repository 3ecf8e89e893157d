"""Runs of text to lines: where a line ends, by UAX #14 and the width that there is."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from research.pdf import fonts
from research.pdf.bidi import in_visual_order, run_levels
from research.pdf.runs import GlyphRun, Line, MissingGlyphs, Run, line_width
from research.pdf.shaping import Word, by_grapheme, glyph_run, joined, shape, word_shaper
from research.pdf.unicode import break_locale, clean, line_breaks

_BOX = "\ufffc"
# Long addresses break in their path, as a bibliography breaks them (Chicago Manual of Style, 14.18).
_ADDRESS = re.compile(r"[a-z]{2,9}://[^\s<>\"/]*(/[^\s<>\"]*)?")
_IN_PATH = re.compile(r"(?<=\w)(?=[.,~_?#%&=+\-]\w)|(?<=/)(?=\w)")
_CITATION = re.compile(r" (?=\[\d{1,3}\])")
"""The space before a citation's number, which does not begin a line."""


def break_lines(runs: Iterable[Run], width: float, missing: MissingGlyphs) -> list[Line]:
    """Break the runs into lines of at most this width; the glyph runs of each stand from left to right."""
    paragraph = _Paragraph(runs, missing)
    lines: list[Line] = []
    line: Line = []
    used = 0.0
    for start, end in pairwise([0, *paragraph.breaks()]):
        forced = paragraph.text[end - 1] == "\n"
        parts, length, inked = paragraph.unit(start, end - forced)
        if line and used + inked > width:
            lines.append(line)
            line, used = [], 0.0
        if inked > width:
            *whole, line = _broken(parts, width)
            lines.extend(whole)
            length = line_width(line)
        else:
            line.extend(parts)
        used += length
        if forced:
            lines.append(line)
            line, used = [], 0.0
    lines.append(line)
    return [in_visual_order(_without_end_space(line)) for line in lines]


def measure(runs: Sequence[Run], missing: MissingGlyphs) -> tuple[float, float]:
    """Return the widths of the widest word and of the widest line, where there is room for both."""
    paragraph = _Paragraph(runs, missing)
    ends = [0, *paragraph.breaks()]
    words = [paragraph.unit(at, end - (paragraph.text[end - 1] == "\n")).inked for at, end in pairwise(ends)]
    return max(words, default=0.0), max(map(line_width, break_lines(runs, 1e9, missing)))


class _Paragraph:
    """The characters of runs with their embedding levels, a box being one character."""

    def __init__(self, runs: Iterable[Run], missing: MissingGlyphs) -> None:
        self.runs = [run._replace(text=_BOX if run.box else clean(run.text)) for run in runs if run.text]
        self.text = "".join(run.text for run in self.runs)
        self.starts = list(accumulate((len(run.text) for run in self.runs), initial=0))
        self.levels = run_levels(self.runs)
        self.missing = missing
        self._shapers = [] if self.levels else [word_shaper(run.style, missing.language) for run in self.runs]

    def breaks(self) -> list[int]:
        """Return where a line may end; a box is like a letter of a word, and headings break by phrase."""
        text = self.text.replace(_BOX, "x")
        ends = set(line_breaks(text, break_locale(text, all(run.style.bold for run in self.runs))))
        for address in _ADDRESS.finditer(text) if "://" in text else ():
            start, path = address.start(), address.start(1)
            ends.difference_update(range(start + 1, path if path >= 0 else address.end()))
            ends.update(path + place.start() for place in _IN_PATH.finditer(address[1] or ""))
        if "\u00ad" in text:  # soft hyphens are not drawn, so words are not broken there
            ends.difference_update(found.end() for found in re.finditer("\u00ad", text))
        if "[" in text:
            ends.difference_update(found.end() for found in _CITATION.finditer(text))
        raised = {start for start, run in zip(self.starts, self.runs, strict=False) if run.style.raised}
        raised = {start for start in raised if start and text[start - 1] != "\n"}
        return sorted((ends - raised - {0}) | ({len(text)} - {0}))

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
                line += shape(self.text[start:stop], run.style, level, self.missing)
            start = stop
        return line


def _broken(line: Iterable[GlyphRun], width: float) -> list[Line]:
    """Return a unit wider than the line as lines, broken between its grapheme clusters."""
    lines: list[Line] = [[]]
    used = 0.0
    for run in line:
        for part in by_grapheme(run, width):
            if used + part.width > width and lines[-1] and (part.text != " " or part.style.shade):
                lines.append([])
                used = 0.0
            lines[-1].append(part)
            used += part.width
    return [joined(line) for line in lines]


def _without_end_space(line: Line) -> Line:
    """Return the line without the spaces at its end, unless they are seen."""
    while line and not line[-1].style.shade and line[-1].text.endswith(" ") and not line[-1].shown_as:
        last = line.pop()
        if text := last.text.rstrip(" "):
            line.append(glyph_run(text, last.style, last.face, last.level))
    return line

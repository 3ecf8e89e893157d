"""Statements: the sentences of a text that cite, each with the numbers of its sources."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from research.evidence.citations import citation_marks
from research.markdown.block_parser import parse_blocks

_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}(?:\s\"[^\"\n]{0,200}\")?\)")
_BEGIN = re.compile(r"(?:[ \t]|>|[-*+•][ \t]|\d{1,3}[.)][ \t]|\|){0,20}")
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)|`{1,3}|~~")
_ABBREVIATION = re.compile(
    r"\b(?:Dr|Mrs?|Ms|Prof|St|Figs?|Nos?|Nr|approx|ca|cf|vs|al|vol|pp?|bzw|usw|evtl|Abb|[A-Za-z])\.\s*$"
)
"""What ICU sometimes takes for the end of a sentence."""
_COVERS = ("paragraph_open", "td_open", "th_open")


@dataclass(frozen=True)
class Statement:
    """A sentence that cites."""

    text: str
    """Plain, in one line, without its citations."""
    start: int
    end: int
    """The characters of the Markdown between which it stands, with its citations."""
    numbers: tuple[int, ...]
    """Of the sources that it cites, each once."""


def cited_statements(markdown: str, numbers: Collection[int]) -> list[Statement]:
    """Return the sentences that cite one of these sources, in the order of the text.

    A sentence ends with its block; a row of a table is one. What stands in code, headings, links and formulas
    cites nothing. Marks behind a full stop belong to the sentence before it.
    """
    marks = citation_marks(markdown)
    return [
        found
        for start, end, is_row in _blocks(markdown)
        for found in _in_block(markdown, start, end, is_row, marks, numbers)
    ]


def _blocks(markdown: str) -> Iterator[tuple[int, int, bool]]:
    """Yield where the paragraphs are, and the rows of tables."""
    starts = [0]
    for line in markdown.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    before, last = "", -1
    for token in parse_blocks(markdown):
        if token.type == "inline" and before in _COVERS and token.map and token.map[0] > last:
            first, end = token.map
            is_row = before != "paragraph_open"
            yield starts[first], starts[min(end, len(starts) - 1)], is_row
            last = end - 1 if is_row or end > first else last
        before = token.type


def _in_block(
    markdown: str,
    start: int,
    end: int,
    is_row: bool,
    marks: list[tuple[int, int, tuple[int, ...]]],
    numbers: Collection[int],
) -> Iterator[Statement]:
    own = [mark for mark in marks if start <= mark[0] < end]
    if not own:
        return
    masked = list(markdown[start:end])
    for first, last, _ in own:
        masked[first - start : last - start] = " " * (last - first)
    spans = [(0, len(masked))] if is_row else _sentences("".join(masked))
    for first, last in spans:
        cited = [
            n for mark in own if start + first <= mark[0] < start + last for n in mark[2] if n in numbers
        ]
        if not cited:
            continue
        words = "".join(masked[first:last])
        begin = _BEGIN.match(words)
        lead = begin.end() if begin else 0
        stop = len(markdown[start + first : start + last].rstrip())
        yield Statement(
            _plain(words[lead:]), start + first + lead, start + first + stop, tuple(dict.fromkeys(cited))
        )


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences of a paragraph are, by ICU, which knows what an abbreviation is."""
    import icu

    breaks = icu.BreakIterator.createSentenceInstance(icu.Locale("en@ss=standard"))
    flat = text.replace("\n", " ")
    breaks.setText(icu.UnicodeString(flat))
    places = _code_points(flat)
    start = 0
    for end in map(places.__getitem__, breaks):
        if end < len(text) and _ABBREVIATION.search(flat, max(end - 12, start), end):
            continue
        yield start, end
        start = end


def _code_points(text: str) -> list[int]:
    """Return for each place in UTF-16 the place in the text."""
    places = []
    for place, character in enumerate(text):
        places += [place] * (2 if ord(character) > 0xFFFF else 1)
    return [*places, len(text)]


def _plain(words: str) -> str:
    text = _EMPHASIS.sub("", _LINK.sub(r"\1", words))
    cells = [" ".join(cell.split()) for cell in text.strip().strip("|").split("|")]
    line = " | ".join(filter(None, cells))
    return re.sub(r"\s+([.,;:!?。，；：！？।])", r"\1", line)

"""Which paragraphs of the frozen texts a writer gets: those that say most about what is wanted (BM25)."""

import logging
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MAX_PARAGRAPH_CHARACTERS = 1_500
"""A longer paragraph is cut into parts, at the ends of sentences where it has any."""
MIN_PARAGRAPH_CHARACTERS = 40
"""A shorter one, such as a heading, belongs to the next."""

_BLANK = re.compile(r"\n[ \t]*\n\s*")
_PAGE_BREAK = re.compile("\f")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_WORD = re.compile(r"\w+")
# Scripts without spaces between words: Han, Kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True)
class Excerpt:
    """A part of a frozen text."""

    source: int
    """The key of the text."""
    start: int
    end: int
    """The characters of the text between which it stands."""
    text: str
    page: int = 0
    """The page of a PDF on which it begins, counted from 1; 0 for a text without pages."""


def choose(texts: Mapping[int, str], queries: Sequence[str], max_bytes: int) -> list[Excerpt]:
    """Return the excerpts for a prompt in the order of the texts, together in at most `max_bytes`.

    The best paragraph of every text comes before the second of any; without queries, or where none of their
    words is in any text, they come as they stand in the text.
    """
    found = [excerpt for source, text in texts.items() for excerpt in _excerpts(source, text)]
    return best(found, queries, max_bytes)


def best(found: Sequence[Excerpt], queries: Sequence[str], max_bytes: int) -> list[Excerpt]:
    """Return those of the excerpts that are most about the queries, in their order; see `choose`."""
    scores = relevance([excerpt.text for excerpt in found], queries)
    best_first = sorted(range(len(found)), key=lambda place: (-scores[place], place))
    firsts = {found[place].source: place for place in reversed(best_first)}
    chosen: list[int] = []
    left = max_bytes
    for place in dict.fromkeys([*firsts.values(), *best_first]):
        size = len(found[place].text.encode())
        if size <= left:
            chosen.append(place)
            left -= size
    return [found[place] for place in sorted(chosen)]


def _excerpts(source: int, text: str) -> Iterator[Excerpt]:
    """Yield the paragraphs of a text, with their pages: a form feed stands before each page but the first."""
    breaks = [found.start() for found in _PAGE_BREAK.finditer(text)]
    for start, end in paragraphs(text):
        page = bisect_left(breaks, start) + 1 if breaks else 0
        yield Excerpt(source, start, end, text[start:end], page)


def paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last character of each paragraph; a heading is in that of the text below."""
    start = 0
    for found in [*_BLANK.finditer(text), None]:
        end = found.start() if found else len(text)
        if found and end - start < MIN_PARAGRAPH_CHARACTERS:
            continue
        if text[start:end].strip():
            yield from _parts(text, start, end)
        start = found.end() if found else end


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut what is longer than MAX_PARAGRAPH_CHARACTERS."""
    while end - start > MAX_PARAGRAPH_CHARACTERS:
        limit = start + MAX_PARAGRAPH_CHARACTERS
        ends = [found.end() for found in _SENTENCE_END.finditer(text, start, limit)]
        cut = ends[-1] if ends and ends[-1] > start + MIN_PARAGRAPH_CHARACTERS else limit
        yield start, cut
        start = cut
    if text[start:end].strip():
        yield start, end


def relevance(texts: Sequence[str], queries: Sequence[str]) -> list[float]:
    """Return how much each text says about the queries; nothing for one without any of their words.

    Only the others are indexed, because most of a page is about something else.
    """
    wanted = {word for query in queries for word in tokens(query)}
    about = {place: words for place, text in enumerate(texts) if not wanted.isdisjoint(words := tokens(text))}
    if not about:
        return [0.0] * len(texts)
    import bm25s  # type: ignore[import-untyped]  # here, because it takes a tenth of a second

    logging.getLogger("bm25s").setLevel(logging.WARNING)
    ranking = bm25s.BM25()
    ranking.index(list(about.values()), show_progress=False)
    known = wanted.intersection(word for words in about.values() for word in words)
    scores = dict(zip(about, ranking.get_scores(sorted(known)), strict=True))
    return [float(scores.get(place, 0.0)) for place in range(len(texts))]


def tokens(text: str) -> list[str]:
    """Return the words of a text for comparison; those of scripts without spaces by ICU's dictionaries."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        found += _words_within(word) if _UNSPACED.search(word) else [word]
    return found


def _words_within(run: str) -> Iterator[str]:
    import icu

    breaks = icu.BreakIterator.createWordInstance(icu.Locale.getRoot())
    units = icu.UnicodeString(run)
    breaks.setText(units)
    start = 0
    for end in breaks:
        yield str(units[start:end])
        start = end

"""Taking passages: which of the words that a model has copied are in the page, and where."""

from collections.abc import Iterable, Iterator, Sequence

from models import Passage
from research.checked import MAX_PASSAGES
from research.evidence import excerpts
from research.evidence.passages import MAX_PASSAGE_CHARACTERS, locate, page_of, quotes
from research.evidence.sentences import sentences

MAX_LINE_CHARACTERS = 20_000
"""Of a longer line the sentences are not looked for."""
MAX_CHOSEN_BYTES = 3_000
"""Of the paragraphs of a page of which the model has given no passage that is in it."""


def take(answer: str, source: int, text: str, queries: Sequence[str]) -> tuple[tuple[Passage, ...], int]:
    """Return the passages of a page that are in it, and how many others the model gave.

    What is kept are the page's own characters, in whole sentences: what stands before some of their words may
    be a "not". Without any, the page's best paragraphs are returned.
    """
    found = [span for quote in quotes(answer) for span in _located(text, quote)]
    spans = list(_apart(_in_whole_sentences(text, *span) for span in found if span))[:MAX_PASSAGES]
    dropped = found.count(None)
    if spans:
        return tuple(Passage(source, start, end, page_of(text, start)) for start, end in spans), dropped
    chosen = excerpts.choose({source: text}, queries, MAX_CHOSEN_BYTES)
    return tuple(Passage(source, each.start, each.end, each.page, False) for each in chosen), dropped


def _located(text: str, quote: str) -> list[tuple[int, int] | None]:
    """Return where a quote stands in the text; of one that does not stand there, the same of each line.

    Models forget the blank line between two passages.
    """
    lines = quote.split("\n")
    found = locate(text, quote)
    return [found] if found or len(lines) == 1 else [locate(text, line) for line in lines]


def _in_whole_sentences(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the characters of the sentences that a passage is in; its own if those are too many."""
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    lines = text[first : last if last >= 0 else len(text)]
    begin, stop = start, end
    for from_, to in sentences(lines) if len(lines) <= MAX_LINE_CHARACTERS else ():
        if first + from_ < start < first + to and any(map(str.isalnum, text[first + from_ : start])):
            begin = first + from_
        if first + from_ < end < first + to and any(map(str.isalnum, text[end : first + to])):
            stop = first + to
    return (begin, stop) if stop - begin <= MAX_PASSAGE_CHARACTERS else (start, end)


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans in the order of the text, without those that begin within another."""
    last = -1
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield start, end
            last = end

"""Taking passages: which of the words that a model has copied are in the page, and where."""

from collections.abc import Iterable, Iterator, Sequence

from models import Passage
from research.evidence import excerpts
from research.evidence.passages import locate, page_of, quotes

MAX_PASSAGES = 8
MAX_CHOSEN_BYTES = 3_000
"""Of the paragraphs of a page of which the model has given no passage that is in it."""


def take(answer: str, source: int, text: str, queries: Sequence[str]) -> tuple[tuple[Passage, ...], int]:
    """Return the passages of a page that are in it, and how many others the model gave.

    What is kept are the page's own characters. Without any, the page's best paragraphs are returned.
    """
    found = [span for quote in quotes(answer) for span in _located(text, quote)]
    spans = list(_apart(span for span in found if span))[:MAX_PASSAGES]
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


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans in the order of the text, without those that begin within another."""
    last = -1
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield start, end
            last = end

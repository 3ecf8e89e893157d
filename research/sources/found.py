"""What the searches of a report have found, joined and numbered once for the report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from models import Note, Read, Source
from research.address import normalize_address
from research.messages import WebSearchOutput

MAX_SOURCES = 100
"""In one report; with titles and addresses as long as they may be, still far from Temporal's 2 MB."""
MIN_PAGE_CHARACTERS = 1_000
"""Of a page with less text, such as "Loading …", the snippet is quoted too."""


@dataclass(frozen=True)
class FoundSources:
    """What all searches of a report have found."""

    sources: tuple[Source, ...] = ()
    """Numbered from 1, the best results of every query first."""
    by_query: tuple[tuple[int, ...], ...] = ()
    """For each query in turn, the numbers of the sources that it found."""
    notes: tuple[Note, ...] = ()
    """What the reader must know about the searches, and about what could not be read."""
    documents: int = 0
    """How many of the sources, the first ones, are documents of the person's own."""

    def with_read(self, read: Iterable[Source]) -> "FoundSources":
        """Return the same with these sources as they were read; a note says which could not be."""
        after = {source.number: source for source in read}
        sources = tuple(_after_reading(source, after.get(source.number)) for source in self.sources)
        return replace(self, sources=sources, notes=(*self.notes, *_reading_notes(sources)))

    def of_queries(self, queries: Iterable[int]) -> tuple[Source, ...]:
        """Return the sources that these queries, by their positions, have found, behind the documents."""
        found = {number for query in queries for number in self.by_query[query]}
        return tuple(s for s in self.sources if s.number in found or s.number <= self.documents)

    def without_snippets(self) -> tuple[Source, ...]:
        """Return the sources as the page lists them."""
        return tuple(
            replace(source, snippet="", read=source.read if source.sha256 or source.snippet else Read.NO)
            for source in self.sources
        )


def gather_sources(searches: Sequence[WebSearchOutput], documents: Sequence[Source] = ()) -> FoundSources:
    """Number what the searches have found, behind the documents, once over the whole report.

    Notes say what the searches have not found.
    """
    notes = failure_notes(searches)
    found_sources, by_query = number_sources([search.results for search in searches], documents)
    if searches and not found_sources:
        alone = "The searches of the web found nothing, so this report cites your documents alone."
        nothing = "The searches of the web found nothing, so this report cites no sources."
        notes.append(Note(alone if documents else nothing))
    return FoundSources((*documents, *found_sources), by_query, tuple(notes), len(documents))


def failure_notes(searches: Sequence[WebSearchOutput]) -> list[Note]:
    """Return a note for each reason why searches had no answer."""
    failures = list(dict.fromkeys(search.failure for search in searches if search.failure))
    return [
        Note(
            "{0} of {1} searches of the web failed: {2}.",
            (sum(search.failure == failure for search in searches), len(searches), failure),
        )
        for failure in failures
    ]


def number_sources(
    results: Sequence[Sequence[Source]], documents: Sequence[Source] = ()
) -> tuple[tuple[Source, ...], tuple[tuple[int, ...], ...]]:
    """Return one numbered source for each page found, and for each query the numbers that it found.

    The documents have their numbers already, and are not found once more.

    The first results of every query stand before the second ones, so that MAX_SOURCES leaves out the
    results that the search provider ranks lowest.
    """
    given = {normalize_address(document.url) for document in documents}
    first = max((document.number for document in documents), default=0) + 1
    sources: dict[str, Source] = {}
    by_query: list[dict[int, None]] = [{} for _ in results]
    for rank in zip_longest(*results):
        for query, result in enumerate(rank):
            if result is None:
                continue
            address = normalize_address(result.url)
            if address in given:
                continue
            known = sources.get(address)
            if known is None and len(sources) == MAX_SOURCES:
                continue
            number = first + len(sources)
            sources[address] = _joined(known, result) if known else replace(result, number=number)
            by_query[query][sources[address].number] = None
    return tuple(sources.values()), tuple(map(tuple, by_query))


def _joined(known: Source, again: Source) -> Source:
    """Return a source that two queries have found: with its text, or else the longer snippet of the two."""
    date = known.date or again.date
    if known.sha256 or again.sha256:
        return replace(known if known.sha256 else again, number=known.number, date=date)
    return replace(known, snippet=max(known.snippet, again.snippet, key=len), date=date)


def _after_reading(source: Source, read: Source | None) -> Source:
    """Return a source as it was read; where little or nothing was, its snippet has to do."""
    if read and not read.sha256:
        return replace(source, reason=read.reason)
    return without_needless_snippet(replace(read or source, snippet=source.snippet))


def without_needless_snippet(source: Source) -> Source:
    """Return a source without its snippet where its text says enough; see MIN_PAGE_CHARACTERS."""
    is_whole = source.sha256 and source.characters >= MIN_PAGE_CHARACTERS
    return replace(source, snippet="") if is_whole else source


def _reading_notes(sources: Sequence[Source]) -> list[Note]:
    """Return the note about the pages that could not be read, with the reasons."""
    reasons = Counter(source.reason for source in sources if source.reason)
    if not reasons:
        return []
    read = sum(bool(source.sha256) for source in sources)
    told = "; ".join(
        f"{reason} ({count})" if count > 1 else reason for reason, count in reasons.most_common()
    )
    failed = reasons.total()
    if not read:
        return [Note("No page could be read: {0}. What the search shows of them was used.", (told,))]
    some = (
        "{0} of {1} sources could be read; {2} could not: {3}. Of the others, what the search shows was used."
    )
    return [Note(some, (read, len(sources), failed, told))]

"""What the searches of a report have found, joined and numbered once for the report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from models import Source, WebSearchOutput
from research.sources.address import normalize_address

MAX_SOURCES = 100
"""In one report; with titles and addresses as long as they may be, still far from Temporal's 2 MB."""


@dataclass(frozen=True)
class FoundSources:
    """What all searches of a report have found."""

    sources: tuple[Source, ...] = ()
    """Numbered from 1, the best results of every query first."""
    by_query: tuple[tuple[int, ...], ...] = ()
    """For each query in turn, the numbers of the sources that it found."""
    notes: tuple[str, ...] = ()
    """What the reader must know about the searches."""

    def with_pages(self, pages: Iterable[Source]) -> "FoundSources":
        """Return the same with these sources as they are after reading."""
        read = {page.number: page for page in pages}
        sources = tuple(read.get(source.number, source) for source in self.sources)
        return replace(self, sources=sources, notes=(*self.notes, *_reading_notes(sources)))

    def of_queries(self, queries: Iterable[int]) -> tuple[Source, ...]:
        """Return the sources that these queries, by their positions, have found."""
        numbers = {number for query in queries for number in self.by_query[query]}
        return tuple(source for source in self.sources if source.number in numbers)

    def without_snippets(self) -> tuple[Source, ...]:
        """Return the sources as the page lists them."""
        return tuple(replace(source, snippet="") for source in self.sources)


def gather_sources(searches: Sequence[WebSearchOutput]) -> FoundSources:
    """Number what the searches have found, once over the whole report, and note what they have not."""
    failures = list(dict.fromkeys(search.failure for search in searches if search.failure))
    notes = [
        f"{sum(search.failure == failure for search in searches)} of {len(searches)} searches of the web"
        f" failed: {failure}."
        for failure in failures
    ]
    if not searches:
        return FoundSources()
    sources, by_query = number_sources([search.results for search in searches])
    if not sources:
        found = "No search of the web found anything" if not failures else "Nothing else was found"
        notes.append(f"{found}, so this report cites no sources.")
    return FoundSources(sources, by_query, tuple(notes))


def number_sources(
    results: Sequence[Sequence[Source]],
) -> tuple[tuple[Source, ...], tuple[tuple[int, ...], ...]]:
    """Return one numbered source for each page found, and for each query the numbers that it found.

    The first results of every query stand before the second ones, so that MAX_SOURCES leaves out the
    results that the search provider ranks lowest.
    """
    sources: dict[str, Source] = {}
    by_query: list[dict[int, None]] = [{} for _ in results]
    for rank in zip_longest(*results):
        for query, result in enumerate(rank):
            if result is None:
                continue
            address = normalize_address(result.url)
            known = sources.get(address)
            if known is None and len(sources) == MAX_SOURCES:
                continue
            sources[address] = _joined(known, result) if known else replace(result, number=len(sources) + 1)
            by_query[query][sources[address].number] = None
    return tuple(sources.values()), tuple(map(tuple, by_query))


def _joined(known: Source, again: Source) -> Source:
    """Return a source that two queries have found, with the longer snippet of the two."""
    snippet = max(known.snippet, again.snippet, key=len)
    return replace(known, snippet=snippet, date=known.date or again.date)


def _reading_notes(sources: Sequence[Source]) -> list[str]:
    """Return the notes about pages that were not read, with the reasons."""
    failed = Counter(source.reason for source in sources if source.reason)
    if not failed:
        return []
    read = sum(bool(source.sha256) for source in sources)
    reasons = ", ".join(f"{count} {reason}" for reason, count in failed.most_common())
    return [f"{read} of {len(sources)} pages that were found were read; {sum(failed.values())} could not be: {reasons}."]

"""Reading a page or a document: its bytes, the text in them, and the text frozen in the evidence store."""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from models import Read, Source
from research.config import Settings
from research.errors import ErrorKind, StepError
from research.evidence import store
from research.messages import ReadPageInput
from research.output.storage import needs_repair
from research.sources.allow import parse_allow
from research.sources.cleaning import (
    MAX_TITLE_CHARACTERS,
    clean_address,
    clean_date,
    clean_results,
    clean_text,
)
from research.sources.extract import Extracted, Unreadable, extract, extract_document
from research.sources.fetch import NotRead, fetch
from research.sources.found import without_needless_snippet
from research.sources.search import SearchAnswer, search

MAX_OUTAGES = 2
"""Attempts that a page's server fails before the page's snippet has to do."""
MAX_RETRY_SECONDS = 15.0
"""A server that asks for more time is not waited for so long, because the report waits with it."""
MAX_AUTHOR_CHARACTERS = 200
MAX_UNSTORED, KEEP_SECONDS = 40, 900.0
"""Texts that are kept while the disk is full, so that no page is fetched for each attempt to store it."""

_unstored: OrderedDict[str, tuple[float, Extracted]] = OrderedDict()
"""With the time until which each is kept."""


async def read(asked: ReadPageInput, settings: Settings) -> Source:
    """Return the source with its text frozen.

    Raises:
        StepError: it is not read; permanent where it never will be, and then its message is a short clause.
    """
    key = asked.document or asked.source.url
    until, found = _unstored.pop(key, (0.0, None))
    if found is None or until < time.monotonic():
        found, until = await _extracted(asked, settings), time.monotonic() + KEEP_SECONDS
    text = with_page_breaks(found)
    try:
        sha256 = await asyncio.to_thread(store.freeze, settings.reports_dir, text)
    except OSError as error:
        _unstored[key] = until, found
        while len(_unstored) > MAX_UNSTORED:
            _unstored.popitem(last=False)
        raise needs_repair(f"no text can be stored in {settings.reports_dir}", error, settings) from None
    return replace(_described(asked, found), sha256=sha256, characters=len(text))


async def search_web(query: str, settings: Settings, max_results: int) -> SearchAnswer:
    """Return the cleaned results for a query; pages that were sent with them are frozen.

    Raises:
        StepError: no answer. A page that cannot be stored is no error, because the search is paid for.
    """
    answer = await search(query, settings, max_results)
    results = list(clean_results(answer.results, max_results))
    pages = {clean_address(address): text for address, text in answer.pages.items()}
    for place, result in enumerate(results[: settings.max_pages]):
        with suppress(Unreadable, OSError):
            results[place] = await _as_read(result, pages.get(result.url, ""), settings)
    return SearchAnswer(tuple(results), answer.cost)


async def _as_read(result: Source, page: str, settings: Settings) -> Source:
    """Return a result whose page was sent as Markdown, frozen; the result itself without a page."""
    if not page.strip():
        return result
    found = await extract(page.encode("utf-8", "replace"), "markdown", name=result.url)
    sha256 = await asyncio.to_thread(store.freeze, settings.reports_dir, found.text)
    read = replace(result, sha256=sha256, characters=len(found.text), retrieved=_today(), read=Read.RESULT)
    return without_needless_snippet(read)


def with_page_breaks(found: Extracted) -> str:
    """Return the text with a form feed before every page of a PDF but the first, as pdftotext gives it."""
    starts = [0, *found.pages[1:], len(found.text)]
    return "\f".join(found.text[start:end] for start, end in pairwise(starts))


async def _extracted(asked: ReadPageInput, settings: Settings) -> Extracted:
    try:
        if asked.document:
            return await _document(asked, settings)
        page = await fetch(asked.source.url, parse_allow(settings.read_allow))
        found = await extract(page.content, page.kind.value, page.content_type, page.address)
    except NotRead as error:
        wait = None if error.retry_after is None else min(error.retry_after, MAX_RETRY_SECONDS)
        kind = ErrorKind.TRANSIENT if error.is_transient else ErrorKind.PERMANENT
        raise StepError(kind, error.reason, wait) from None
    except Unreadable as error:
        raise StepError(ErrorKind.PERMANENT, error.reason) from None
    return found


async def _document(asked: ReadPageInput, settings: Settings) -> Extracted:
    name = asked.source.title
    try:
        content = await asyncio.to_thread(store.load_document, settings.reports_dir, asked.document)
    except OSError as error:
        what = f"{name} cannot be read from {settings.reports_dir}"
        raise needs_repair(what, error, settings) from None
    return await extract_document(content, name)


def _described(asked: ReadPageInput, found: Extracted) -> Source:
    """Return the source with what its text says of itself, where nobody else has said it."""
    source, title = asked.source, clean_text(found.title, MAX_TITLE_CHARACTERS)
    return replace(
        source,
        title=title if title and source.title in ("", source.url) else source.title,
        date=source.date or clean_date(found.date),
        author=clean_text(found.author, MAX_AUTHOR_CHARACTERS),
        retrieved=_today(),
        read=Read.DOCUMENT if asked.document else Read.PAGE,
        reason="",
    )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()

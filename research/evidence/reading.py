"""Reading a page: fetched, its text extracted, and frozen in the evidence store."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from models import Read, Source
from research.config import Settings
from research.errors import ErrorKind, StepError
from research.evidence import store
from research.sources import extract, fetch
from research.sources.cleaning import MAX_TITLE_CHARACTERS, clean_date, clean_text

MAX_AUTHOR_CHARACTERS = 200
MAX_FAULTS = 3
"""Attempts at a page whose server does not answer now."""
MAX_LOST_WORKERS = 2
"""A page that ends its reader's worker so often is not tried by another one."""
RETRY_SECONDS = 2.0


async def read_page(source: Source, settings: Settings, faults: int, lost_workers: int) -> Source:
    """Return the source as it was read, its text frozen; or with the reason why it was not.

    `faults` are the attempts that failed before, `lost_workers` those whose worker was lost.

    Raises:
        StepError: the server does not answer now, or the text cannot be stored.
    """
    if lost_workers >= MAX_LOST_WORKERS:
        return replace(source, read=Read.SNIPPET, reason="ended the worker that read it")
    try:
        page = await fetch.fetch(source.url, fetch.parse_allow(settings.read_allow))
        found = await extract.extract(page.content, page.kind, page.content_type, page.address)
    except fetch.NotRead as error:
        if error.is_transient and faults + 1 < MAX_FAULTS:
            raise StepError(ErrorKind.TRANSIENT, error.reason, error.retry_after or RETRY_SECONDS) from None
        return replace(source, read=Read.SNIPPET, reason=error.reason)
    except extract.Unreadable as error:
        return replace(source, read=Read.SNIPPET, reason=error.reason)
    try:
        sha256 = await asyncio.to_thread(store.freeze, settings.reports_dir, found.text)
    except OSError as error:
        raise StepError.about_folder(error, settings) from None
    return _described(source, found, sha256)


def _described(source: Source, found: extract.Extracted, sha256: str) -> Source:
    """Return the source with what the text's own metadata say, where the search provider says nothing."""
    title = clean_text(found.title, MAX_TITLE_CHARACTERS)
    return replace(
        source,
        title=title if title and source.title in ("", source.url) else source.title,
        date=source.date or clean_date(found.date),
        author=clean_text(found.author, MAX_AUTHOR_CHARACTERS),
        sha256=sha256,
        characters=len(found.text),
        retrieved=datetime.now(UTC).date().isoformat(),
        read=Read.PAGE,
    )

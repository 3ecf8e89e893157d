"""Reading a page: fetched, its text extracted, and frozen in the evidence store."""

from dataclasses import replace
from datetime import UTC, datetime

from models import Read, Source
from research.config import Settings
from research.sources import extract, fetch
from research.sources.cleaning import MAX_TITLE_CHARACTERS, clean_date, clean_text

MAX_AUTHOR_CHARACTERS = 200


async def read_page(source: Source, settings: Settings) -> tuple[Source, str]:
    """Return the source with what its page says of itself, and the page's text.

    Raises:
        NotRead: the page cannot be had; the reason is a clause.
        Unreadable: there is no text in what came.
    """
    page = await fetch.fetch(source.url, fetch.parse_allow(settings.read_allow))
    found = await extract.extract(page.content, page.kind, page.content_type, page.address)
    return described(source, found, Read.PAGE), found.text


def described(source: Source, found: extract.Extracted, read: Read) -> Source:
    """Return the source with what the text's own metadata say, where the search provider says nothing."""
    return replace(
        source,
        title=source.title if source.title != source.url else clean_text(found.title, MAX_TITLE_CHARACTERS),
        date=source.date or clean_date(found.date),
        author=clean_text(found.author, MAX_AUTHOR_CHARACTERS),
        characters=len(found.text),
        retrieved=datetime.now(UTC).date().isoformat(),
        read=read,
        reason="",
    )

"""Extraction: from the bytes of a foreign page or document to its text. Knows nothing of Temporal.

The bytes are read in a child process with limits (research/sources/extract_child.py), because the libraries
that read them are large, partly in C, and have crashed.
"""

import atexit
from functools import cache

from research.sources.documents import kind_of_document
from research.sources.extracted import MAX_CONTENT_BYTES, TOO_LARGE, Extracted, Unreadable
from research.sources.reader_pool import ReaderPool

KINDS = ("html", "text", "markdown", "json", "pdf", "printed", "docx")
""" "printed" is every line of a PDF as it stands there, for comparisons; "pdf" is its text, for readers."""

__all__ = ["KINDS", "Extracted", "Unreadable", "close", "extract", "extract_document"]


async def extract(content: bytes, kind: str, content_type: str = "", name: str = "") -> Extracted:
    """Return the text of a page or document, and what it says about itself.

    Args:
        content: the bytes as they were sent or stored.
        kind: one of KINDS.
        content_type: the HTTP header of that name, for its charset.
        name: the page's address or the file's name; a document without a title has its file's name.

    Raises:
        Unreadable: no text can be had from it; its reason is a clause for people.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is none of {', '.join(KINDS)}")
    if len(content) > MAX_CONTENT_BYTES:
        raise Unreadable(TOO_LARGE)
    return await _pool().read(content, kind, content_type, name)


async def extract_document(content: bytes, name: str) -> Extracted:
    """Return the same of a person's own document.

    Raises:
        Unreadable: as above, or it is a document of no kind that is read.
    """
    kind = kind_of_document(content, name)
    if kind is None:
        raise Unreadable("it is neither a PDF, HTML, Markdown, text nor a Word document")
    return await extract(content, kind, name=name)


def close() -> None:
    """End the child processes; the next document starts new ones."""
    if _pool.cache_info().currsize:
        _pool().close()
        _pool.cache_clear()


@cache
def _pool() -> ReaderPool:
    atexit.register(close)
    return ReaderPool()

"""The documents that a report is started with: tried and stored before anything is paid for."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models import Document
from research.cli.output import Output
from research.config import Settings
from research.errors import UserError
from research.evidence import store
from research.formatting import pluralize
from research.output import storage
from research.sources.cleaning import clean_address
from research.sources.documents import MAX_DOCUMENTS, SUFFIXES, files_in
from research.sources.extract import Unreadable, close, extract_document
from research.sources.extracted import MAX_CONTENT_BYTES, TOO_LARGE


@dataclass(frozen=True)
class _File:
    path: Path
    name: str
    is_named: bool
    """Whether the person named it, as against the folder that it lies in."""


async def store_documents(places: Sequence[str], settings: Settings, output: Output) -> tuple[Document, ...]:
    """Store files and the files in folders; return them and the web addresses as documents.

    Of a folder, files that cannot be read are left out, and it says so.

    Raises:
        UserError: something cannot be read, or nothing can; or the files cannot be stored.
    """
    storage.check(settings.reports_dir)
    pages = [Document(address) for address in map(clean_address, places) if address]
    files = [file for place in places if not clean_address(place) for file in _files(place)]
    if len(files) + len(pages) > MAX_DOCUMENTS:
        raise UserError(
            f"--documents: {len(files) + len(pages)} are too many: a report takes at most {MAX_DOCUMENTS}."
        )
    try:
        read = await asyncio.gather(*[_content(file) for file in files])
    finally:
        close()
    refused = [(file, reason) for file, (_, reason) in zip(files, read, strict=True) if reason]
    if named := [f"{file.path} ({reason})" for file, reason in refused if file.is_named]:
        raise UserError(f"--documents: what cannot be read is {', '.join(named)}. To fix: leave it out.")
    for file, reason in refused:
        output.print_event(f"Left out: {file.name} ({reason})")
    try:
        stored = {
            store.store_document(settings.reports_dir, content): file.name
            for file, (content, reason) in zip(files, read, strict=True)
            if not reason
        }
    except OSError as error:
        reason = storage.reason(error, settings)
        raise UserError(f"--documents: nothing can be stored in {settings.reports_dir}: {reason}.") from None
    documents = (*[Document(name, sha256) for sha256, name in stored.items()], *pages)
    if not documents:
        raise UserError(f"--documents: there is nothing to read in {', '.join(places)}.")
    output.print_line(f"Written from {pluralize(len(documents), 'document')} of yours.")
    return documents


def _files(place: str) -> Iterator[_File]:
    path = Path(place).expanduser()
    try:
        if path.is_dir():
            found = [_File(file, str(file.relative_to(path)), False) for file in files_in(path)]
            if not found:
                kinds = ", ".join(SUFFIXES)
                raise UserError(f"--documents: {place} has no documents in it ({kinds}).")
            yield from found
        elif path.exists():
            yield _File(path, path.name, True)
        else:
            raise UserError(f"--documents: {place} is neither a file, a folder nor a web address.")
    except OSError as error:
        raise UserError(f"--documents: {place} cannot be read: {error.strerror}.") from None


async def _content(file: _File) -> tuple[bytes, str]:
    """Return the bytes of a file, or why there is no text to be had from it."""
    try:
        if file.path.stat().st_size > MAX_CONTENT_BYTES:
            return b"", TOO_LARGE
        content = await asyncio.to_thread(file.path.read_bytes)
    except OSError as error:
        return b"", f"it cannot be opened: {error.strerror}"
    try:
        await extract_document(content, file.name)
    except Unreadable as error:
        return b"", error.reason
    return content, ""

"""The evidence store: the texts that reports were written from, frozen, and the documents among them.

Each file is named by the hash of its bytes and written once. They lie in the folders `evidence` and
`documents` beside the reports, which may be an address of a store that fsspec knows.
"""

import hashlib
import threading
from contextlib import suppress
from pathlib import Path

from research.output import storage

TEXTS, DOCUMENTS = "evidence", "documents"
MAX_WRITES = 5
_storing = threading.Lock()


class ChangedFile(OSError):
    """The bytes of a file are not those that its name says."""


def freeze(reports: Path | str, text: str) -> str:
    """Store a text, unless it is there already; return its hash.

    Raises:
        OSError: see `storage.store`.
    """
    return _store(reports, TEXTS, ".txt", text.encode("utf-8", "replace"))


def thaw(reports: Path | str, sha256: str) -> str:
    """Return the text with this hash.

    Raises:
        OSError: it is not there, was changed, or cannot be read.
    """
    return _load(reports, TEXTS, f"{sha256}.txt", sha256).decode("utf-8")


def store_document(reports: Path | str, content: bytes) -> str:
    """Store the bytes of a document, unless they are there already; return their hash.

    Raises:
        OSError: see `storage.store`.
    """
    return _store(reports, DOCUMENTS, "", content)


def load_document(reports: Path | str, sha256: str) -> bytes:
    """Return the bytes with this hash.

    Raises:
        OSError: they are not there, were changed, or cannot be read.
    """
    return _load(reports, DOCUMENTS, sha256, sha256)


def _store(reports: Path | str, folder: str, suffix: str, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"{sha256}{suffix}"
    with _storing:
        try:
            _load(reports, folder, name, sha256)
            storage.remove_old_parts(_place(reports, folder), name)
        except (FileNotFoundError, ChangedFile):
            _write(_place(reports, folder), name, data)
    return sha256


def _write(place: Path | str, name: str, data: bytes) -> None:
    """Write a file that another process may be writing too, each removing what it takes for left over."""
    for _ in range(MAX_WRITES - 1):
        with suppress(FileNotFoundError):
            storage.store(place, {name: data})
            return
    storage.store(place, {name: data})


def _load(reports: Path | str, folder: str, name: str, sha256: str) -> bytes:
    data = storage.read(_place(reports, folder), name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ChangedFile(f"{folder}/{name} was changed: it has another hash")
    return data


def _place(reports: Path | str, folder: str) -> Path | str:
    return reports / folder if isinstance(reports, Path) else f"{reports}/{folder}"

"""The evidence store: the texts that reports were written from, frozen, and the documents among them.

Each file is named by the hash of its bytes and written once. They lie in the folders `evidence` and
`documents` beside the reports, which may be an address of a store that fsspec knows.
"""

import hashlib
from pathlib import Path

from research.config import Settings
from research.output import storage

TEXTS, DOCUMENTS = "evidence", "documents"


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


def thaw_for_step(settings: Settings, sha256: str, use: str = "") -> str:
    """Return the text with this hash; `use` is a clause that says what for.

    Raises:
        StepError: it is not to be had; the step waits until a person has put it back.
    """
    try:
        return thaw(settings.reports_dir, sha256)
    except OSError as error:
        what = f"{TEXTS}/{sha256}.txt{use} is not to be had in {settings.reports_dir}"
        raise storage.needs_repair(what, error, settings) from None


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
    name, place = f"{sha256}{suffix}", _place(reports, folder)
    try:
        _load(reports, folder, name, sha256)
    except (FileNotFoundError, ChangedFile):
        storage.store(place, {name: data}, is_shared=True)
    else:
        if isinstance(place, Path):
            storage.remove_parts(place / name, spares_living=True)
    return sha256


def _load(reports: Path | str, folder: str, name: str, sha256: str) -> bytes:
    data = storage.read(_place(reports, folder), name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ChangedFile(f"{folder}/{name} was changed: it has another hash")
    return data


def _place(reports: Path | str, folder: str) -> Path | str:
    return reports / folder if isinstance(reports, Path) else f"{reports}/{folder}"

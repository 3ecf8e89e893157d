"""The evidence store: the texts that reports were written from, frozen, each named by its hash.

They lie in the folder `evidence` beside the reports, which may be an address of a store that fsspec knows.
"""

import hashlib
from pathlib import Path

from research.output import storage

FOLDER = "evidence"


class Changed(Exception):
    """A frozen text that is not what its name says."""


def freeze(reports: Path | str, text: str) -> str:
    """Store a text, unless it is there already; return its hash.

    Raises:
        OSError: see `storage.store`.
    """
    data = text.encode("utf-8", "replace")
    digest = hashlib.sha256(data).hexdigest()
    try:
        if thaw(reports, digest) == text:
            return digest
    except (FileNotFoundError, Changed):
        pass
    storage.store(_folder(reports), {f"{digest}.txt": data})
    return digest


def thaw(reports: Path | str, digest: str) -> str:
    """Return the text with this hash.

    Raises:
        FileNotFoundError: it is not there.
        Changed: it has another hash.
        OSError: the folder or store cannot be read.
    """
    data = storage.read(_folder(reports), f"{digest}.txt")
    if hashlib.sha256(data).hexdigest() != digest:
        raise Changed(f"{FOLDER}/{digest}.txt is not the text that it was: its hash is another one")
    return data.decode("utf-8")


def _folder(reports: Path | str) -> Path | str:
    return reports / FOLDER if isinstance(reports, Path) else f"{reports}/{FOLDER}"

"""Report files: their names, and writing them so that they are whole or not there at all."""

import errno
import hashlib
import os
import re
import tempfile
import unicodedata
from pathlib import Path

_SLUG_BYTES = 80
_WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class UnsafeName(ValueError):
    """A file name that is not taken, because it could lead out of the reports folder."""


def report_filename(topic: str, run_id: str) -> str:
    """A name for the PDF of one run: the same on every attempt, at most 98 bytes.

    Letters and digits of any script are kept. The end of the run ID tells runs of one topic
    apart (its beginning is a time, shared by runs that started together).
    """
    normal = unicodedata.normalize("NFC", topic).casefold()
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in normal)
    slug = "-".join(kept.split())
    if len(slug.encode()) > _SLUG_BYTES:
        cut = slug.encode()[:_SLUG_BYTES].decode("utf-8", "ignore")
        slug = cut[: cut.rindex("-")] if "-" in cut[20:] else cut
    return f"{slug or 'report'}-{run_id.replace('-', '')[-12:]}.pdf"


def write_atomically(folder: Path, filename: str, data: bytes) -> Path:
    """Write the file whole, or leave what was there before; on the disk when this returns.

    Raises:
        OSError: full disk, read-only folder, a folder in the file's place; nothing is left over.
        UnsafeName: a name that could lead out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / _safe(filename)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{target.name} is a folder: move it away")
    # A killed worker's half-written file goes when its report is written again.
    prefix = f".{hashlib.sha256(filename.encode()).hexdigest()[:16]}-"
    for leftover in folder.glob(f"{prefix}*.part"):
        leftover.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=prefix, suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    return target


def _safe(filename: str) -> str:
    hostile = (
        not filename.strip(". ")
        or len(os.fsencode(filename)) > 255
        or any(character in '/\\:*?"<>|' or ord(character) < 32 for character in filename)
        or _WINDOWS_NAMES.fullmatch(filename)
    )
    if hostile:
        raise UnsafeName(f"{filename[:80]!r} cannot name a report: give a plain file name")
    return filename


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

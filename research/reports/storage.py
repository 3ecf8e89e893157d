"""Report files: their names, the report as Markdown, and storing it whole or not at all."""

import errno
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from models import PDFGenerationInput
from research.errors import UserError

_SLUG_BYTES = 80
# Windows takes these for devices, whatever extension follows.
_WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|con(in|out)\$|(com|lpt)[\d¹²³])\s*(\..*)?", re.IGNORECASE)
# In what a remote store says, a word this long may be a key, a token or a signature.
_LONG_WORDS = re.compile(r"[A-Za-z0-9+/=_%-]{20,}")


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


def byline(report: PDFGenerationInput) -> str:
    """When the report was started, and what wrote it."""
    return "  ·  ".join(filter(None, (report.date, f"written by {report.model}" if report.model else "")))


def colophon(report: PDFGenerationInput) -> str:
    """What the report took."""
    return f"Made with {report.model or 'a model'}: {report.bill}."


def report_markdown(report: PDFGenerationInput, warning: str = "") -> str:
    """The report as Markdown: topic, warning, summary and notes, then the research as it was written."""
    parts = [f"# {' '.join(report.topic.split()) or 'Research Report'}"]
    parts += [byline(report), warning and f"**{warning}**"]
    if report.summary.strip():
        parts += ["## Executive Summary", report.summary.strip()]
    parts += [f"**Note.** {note}" for note in report.notes]
    parts += ["---", report.content.strip("\n")]
    if report.bill:
        parts += ["---", colophon(report)]
    return "\n\n".join(filter(None, parts)) + "\n"


def check(folder: Path | str) -> None:
    """See, before anything is bought, that there is something here that can write to an address.

    Raises:
        Fixable: an unknown scheme, or one whose package is missing.
    """
    if isinstance(folder, Path):
        return
    from fsspec.registry import get_filesystem_class  # type: ignore[import-untyped]

    scheme = folder.partition("://")[0]
    try:
        get_filesystem_class(scheme)
    except ValueError:
        known = "a folder, or an address such as s3://bucket/folder (also gs://, abfs://, sftp://, …)"
        raise UserError(f"REPORTS_DIR: nothing knows {scheme}:// here. Set it to {known}.") from None
    except ImportError as error:
        package = (getattr(error.__cause__, "name", None) or scheme).partition(".")[0]
        raise UserError(f"REPORTS_DIR: {scheme}:// needs a package more: pip install {package}") from None


def probe(address: str) -> None:
    """Ask a remote store about an address; nothing is written.

    Raises:
        OSError: it does not answer, or refuses us.
    """
    with _as_os_error():
        filesystem, root = _open(address)
        filesystem.exists(root)


def store(folder: Path | str, files: Mapping[str, bytes]) -> str:
    """Write the files, in their order, so that whoever sees the last one finds the others.

    Gives the path or the address of the last. On this machine each file is the old or the new
    one, whole, and on the disk when this returns. An object store shows whole files too; others
    (sftp, …) may show a half-written one until the next attempt, which never does harm.

    Raises:
        OSError: full disk, read-only folder, something in the way, a store that fails.
        UnsafeName: a name that could lead out of the folder; nothing was written.
    """
    for name in files:
        _refuse_unsafe(name)
    if isinstance(folder, Path):
        _store_locally(folder, files)
        return str(folder / name)
    _store_remotely(folder, files)
    return f"{folder}/{name}"


def _refuse_unsafe(filename: str) -> None:
    hostile = (
        not filename
        or filename[-1] in ". "  # Windows would cut it off
        or any(c in '/\\:*?"<>|' or unicodedata.category(c) in ("Cc", "Cs") for c in filename)
        or len(filename.encode()) > 255
        or _WINDOWS_NAMES.fullmatch(filename)
    )
    if hostile:
        raise UnsafeName(f"{filename[:80]!r} cannot name a report: give a plain file name")


def _store_remotely(address: str, files: Mapping[str, bytes]) -> None:
    with _as_os_error():
        filesystem, root = _open(address)
        for name, data in files.items():
            filesystem.pipe_file(f"{root}/{name}", data)


def _open(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    # A connection of its own: a kept one would not see that its credentials were mended.
    # No folder is made: on an object store, a typing error would become a bucket.
    filesystem, root = url_to_fs(address, skip_instance_cache=True)
    return filesystem, str(root)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Each store has exceptions of its own; a person can mend them all."""
    try:
        yield
    except Exception as error:
        words = str(getattr(error, "strerror", None) or error).split()
        said = _LONG_WORDS.sub("…", " ".join(words))[:300]
        raise OSError(errno.EIO, f"{type(error).__name__}: {said}") from error


def _store_locally(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write them all beside their places, and only then move them there."""
    _make(folder)
    parts: dict[Path, Path] = {}
    try:
        for name, data in files.items():
            target = folder / name
            _ensure_replaceable(target)
            parts[target] = part = _temporary_path(target)
            with part.open("xb") as file:
                part.chmod(0o644)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for target, part in parts.items():
            part.replace(target)
    except BaseException:
        for part in parts.values():
            with suppress(OSError):  # the first error is the one to tell
                part.unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _make(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder.name} is not a folder: move it away") from None
    for path in missing:
        _sync_folder(path.parent)


def _ensure_replaceable(target: Path) -> None:
    """What is not a plain file was put there on purpose: it is neither followed nor replaced."""
    if target.is_symlink() or (target.exists() and not target.is_file()):
        kind = "symbolic link" if target.is_symlink() else "folder" if target.is_dir() else "special file"
        raise FileExistsError(errno.EEXIST, f"{target.name} is a {kind}: move it away")


def _temporary_path(target: Path) -> Path:
    """Where to write the file first; what a killed worker left of the same file goes."""
    prefix = f".{hashlib.sha256(target.name.encode()).hexdigest()[:16]}-"
    for leftover in target.parent.glob(f"{prefix}*.part"):
        leftover.unlink(missing_ok=True)
    return target.with_name(f"{prefix}{secrets.token_hex(4)}.part")


def _sync_folder(folder: Path) -> None:
    """Make the new names themselves last; Windows and some network folders have no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)

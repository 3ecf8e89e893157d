"""Storing a report's files, each whole or not at all, in a folder or in a store that fsspec knows."""

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from models import PDFGenerationInput
from research.config import Settings
from research.errors import ErrorKind, StepError, UserError
from research.output.naming import require_safe
from research.output.report_markdown import report_markdown

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

NOTHING: Mapping[str, bytes] = {}
# A word this long in a remote store's message may be a key, a token or a signature.
_LONG_WORDS = re.compile(r"[A-Za-z0-9+/=_%-]{20,}")


def store_report(
    report: PDFGenerationInput, settings: Settings, pdf: bytes, others: Mapping[str, bytes] = NOTHING
) -> str:
    """Write the report's Markdown, other files and then its PDF; return the PDF's path or address.

    Raises:
        StepError: a name that is refused, or a folder or store that a person has to repair.
    """
    markdown = report_markdown(report).encode("utf-8", "replace")
    files = {f"{report.filename.removesuffix('.pdf')}.md": markdown, **others, report.filename: pdf}
    try:
        return store(settings.reports_dir, files)
    except OSError as error:
        what = f"the report cannot be written to {settings.reports_dir}"
        raise needs_repair(what, error, settings) from None


def needs_repair(what: str, error: OSError, settings: Settings) -> StepError:
    """Return the error of a step that waits until a person has repaired the reports folder or store."""
    fix = "To fix: repair it; the report then continues by itself"
    return StepError(ErrorKind.NEEDS_ACTION, f"{what}: {reason(error, settings)}. {fix}")


def reason(error: OSError, settings: Settings) -> str:
    """Return why a folder or store fails, for people, without keys."""
    return settings.redact(error.strerror or str(error))


def read(folder: Path | str, name: str, max_bytes: int | None = None) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: there is none.
        OSError: the folder or store cannot be read, or the file is larger than `max_bytes` or no plain file.
        StepError: a name that could lead out of the folder.
    """
    require_safe(name)
    if isinstance(folder, Path):
        path = folder / name
        if max_bytes is not None:
            _require_size(path.stat().st_size, max_bytes)
            if not path.is_file():
                raise OSError(errno.EINVAL, "it is no plain file")
        return path.read_bytes()
    with as_os_error():
        filesystem, root = open_store(folder)
        try:
            if max_bytes is not None:
                _require_size(filesystem.size(f"{root}/{name}") or 0, max_bytes)
            return bytes(filesystem.cat_file(f"{root}/{name}"))
        except FileNotFoundError as error:
            missing = error
    raise missing


def _require_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {max_bytes // 1_000_000} MB")


def check(folder: Path | str) -> None:
    """Require a package that can write to the address, before any model call is paid for.

    Raises:
        UserError: an unknown scheme, or one whose package is missing.
    """
    if isinstance(folder, Path):
        return
    from fsspec.registry import get_filesystem_class  # type: ignore[import-untyped]

    scheme = folder.partition("://")[0]
    try:
        get_filesystem_class(scheme)
    except ValueError:
        known = "a folder or an address such as s3://bucket/folder (also gs://, abfs://, sftp://, …)"
        raise UserError(f"REPORTS_DIR: {scheme}:// is not supported. To fix: set it to {known}.") from None
    except ImportError as error:
        package = (getattr(error.__cause__, "name", None) or scheme).partition(".")[0]
        message = f"REPORTS_DIR: {scheme}:// needs another package. To fix: pip install {package}"
        raise UserError(message) from None


def probe(address: str) -> None:
    """Ask a remote store about an address; nothing is written.

    Raises:
        OSError: the store does not answer, or denies access.
    """
    with as_os_error():
        filesystem, root = open_store(address)
        filesystem.exists(root)


def store(folder: Path | str, files: Mapping[str, bytes], is_shared: bool = False) -> str:
    """Write the files in their order and return the path or address of the last one.

    Whoever sees the last file finds the others. In a folder, each file is the old or the new one,
    whole, and synced to the disk on return. An object store shows whole files too; others (sftp)
    may show an incomplete file until the next attempt replaces it. `is_shared` says that others may write
    the same files, with the same content, at the same moment; else whoever still does has come too late.

    Raises:
        OSError: full disk, read-only folder, something in the file's place, a store that fails.
        StepError: a name that could lead out of the folder; nothing was written.
    """
    for name in files:
        require_safe(name)
    if isinstance(folder, Path):
        _store_locally(folder, files, is_shared)
        return str(folder / name)
    _store_remotely(folder, files)
    return f"{folder}/{name}"


def _store_remotely(address: str, files: Mapping[str, bytes]) -> None:
    with as_os_error():
        filesystem, root = open_store(address)
        for name, data in files.items():
            filesystem.pipe_file(f"{root}/{name}", data)


def open_store(address: str) -> tuple[Any, str]:
    """Return the address's file system and the path in it.

    The connection is new, because a cached one keeps the credentials of before. No folder is
    created, because on an object store a misspelled address would create a bucket.
    """
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    options: dict[str, Any] = {"skip_instance_cache": True}
    if address.startswith(("sftp://", "ssh://")):
        options["host_key_policy"] = _known_hosts()
    filesystem, root = url_to_fs(address, **options)
    return filesystem, str(root)


def _known_hosts() -> Any:
    """Return a paramiko policy that accepts the host keys in ~/.ssh/known_hosts and no others.

    fsspec accepts any host key by default, and with its "reject" it reads no known hosts at all.
    The message spells the folder "~", because `as_os_error` removes long paths.
    """
    import paramiko  # type: ignore[import-untyped]

    class KnownHosts(paramiko.RejectPolicy):  # type: ignore[misc]
        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            file = Path("~/.ssh/known_hosts").expanduser()
            if not file.exists() or not paramiko.HostKeys(str(file)).check(hostname, key):
                reason = "does not match ~/.ssh/known_hosts; to add it, connect once with sftp"
                raise PermissionError(errno.EACCES, f"the host key of {hostname} {reason}")

    return KnownHosts()


@contextmanager
def as_os_error() -> Iterator[None]:
    """Raise a store's own exceptions as OSError, because each of them requires action of a person."""
    try:
        yield
    except Exception as error:
        words = str(getattr(error, "strerror", None) or error).split()
        message = _LONG_WORDS.sub("…", " ".join(words))[:300]
        raise OSError(errno.EIO, f"{type(error).__name__}: {message}") from error


def _store_locally(folder: Path, files: Mapping[str, bytes], is_shared: bool) -> None:
    """Write all files under temporary names, sync them, and only then rename them in their order."""
    _create_folder(folder)
    temporary: dict[Path, Path] = {}
    with ExitStack() as held:  # until they are renamed, so that no other writer takes them for left over
        try:
            for name, data in files.items():
                target = folder / name
                _ensure_replaceable(target)
                remove_parts(target, spares_living=is_shared)
                temporary[target] = path = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}.part")
                _write_part(path, data, held)
            for target, path in temporary.items():
                path.replace(target)
        except BaseException:
            for path in temporary.values():
                with suppress(OSError):  # the first error is the one to report
                    path.unlink(missing_ok=True)
            raise
    sync_folder(folder)


def _write_part(path: Path, data: bytes, held: ExitStack) -> None:
    """Write a file and sync it, locked for as long as `held` says; on Windows it is closed at once."""
    file = held.enter_context(path.open("xb"))
    lock(file)
    while not path.exists():  # because it was taken for left over before it was locked
        file = held.enter_context(path.open("xb"))
        lock(file)
    path.chmod(0o644)
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
    if fcntl is None:
        file.close()


def _create_folder(folder: Path) -> None:
    """Create the folder and its parents, each synced into the folder above it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder.name} is not a folder: move it away") from None
    for path in missing:
        sync_folder(path.parent)


def _ensure_replaceable(target: Path) -> None:
    """Refuse to replace what is not a plain file, because somebody put it there on purpose."""
    if target.is_symlink() or (target.exists() and not target.is_file()):
        kind = "symbolic link" if target.is_symlink() else "folder" if target.is_dir() else "special file"
        raise FileExistsError(errno.EEXIST, f"{target.name} is a {kind}: move it away")


def remove_parts(target: Path, spares_living: bool) -> None:
    """Remove what is left of a file that was not written to its end; what a living writer has is locked."""
    for part in target.parent.glob(f"{_prefix(target)}*.part"):
        if not spares_living:
            part.unlink(missing_ok=True)
            continue
        with suppress(OSError), part.open("rb") as file:
            lock(file, wait=False)
            part.unlink()


def lock(file: BinaryIO, wait: bool = True) -> None:
    """Lock a file until it is closed; the death of the process closes it. Some folders have no locks.

    Raises:
        BlockingIOError: another one has locked it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
            raise


def _prefix(target: Path) -> str:
    return f".{hashlib.sha256(target.name.encode()).hexdigest()[:16]}-"


def sync_folder(folder: Path) -> None:
    """Sync the folder's list of names; Windows and some network folders have no such call."""
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

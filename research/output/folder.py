"""The reports folder or store as a whole: its names, and files that grow."""

from pathlib import Path

from research.output import storage

MAX_GROWING_BYTES = 20_000_000


def names(folder: Path | str) -> list[str]:
    """Return the names of the files in a folder or store; none where it is not there yet.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(folder, Path):
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    with storage.as_os_error():
        filesystem, root = storage.open_store(folder)
        found = filesystem.ls(root, detail=False) if filesystem.exists(root) else []
    return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)


def append(folder: Path | str, name: str, text: str, mark: str) -> str:
    """Append a text that has a mark of its own to a file, unless it is there; return the file's path.

    The file is replaced whole, so it has all of the text or nothing. In a folder others may append at the
    same moment; in a store the last one wins.

    Raises:
        OSError: see `storage.store`, or the file has more than 20 MB.
    """
    if not isinstance(folder, Path):
        return _append(folder, name, text, mark)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".append.lock").open("wb") as held:
        storage.lock(held)
        return _append(folder, name, text, mark)


def _append(folder: Path | str, name: str, text: str, mark: str) -> str:
    try:
        before = storage.read(folder, name, MAX_GROWING_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        before = ""
    if mark in before:
        return str(folder / name) if isinstance(folder, Path) else f"{folder}/{name}"
    return storage.store(folder, {name: f"{before}{text}".encode()})

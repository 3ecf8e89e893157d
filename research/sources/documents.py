"""A person's own documents: which files they are, and of what kind."""

from collections.abc import Iterator
from pathlib import Path

from research.sources.body import kind_of

MAX_DOCUMENTS = 50
"""In one report: the history has a name and a hash of each."""
SUFFIXES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".json": "application/json",
    ".docx": "",
}
"""Of the files in a folder that are documents, with their types."""
_WORD_FILES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How archives begin, and files of before Word 2007; their reader says what else they are."""


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the documents in a folder and in those below it, by their names; hidden ones never."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files_in(path)
        elif path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def kind_of_document(content: bytes, name: str) -> str | None:
    """Return one of `extract.KINDS`; None for what is not read. The bytes decide, the name helps."""
    if content.startswith(_WORD_FILES):
        return "docx"
    kind = kind_of(content, SUFFIXES.get(Path(name).suffix.lower(), ""))
    return kind.value if kind else None

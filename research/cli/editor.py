"""A person's text in an editor of theirs: nothing that they have written is lost."""

import asyncio
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from research.cli import terminal
from research.cli.prompt import decoded
from research.errors import UserError


class EditedText:
    """A text that a person edits; what they have written is kept until it is taken, or left in its file."""

    def __init__(self, name: str, filename: str) -> None:
        self._name, self._filename = name, filename
        self._folder: Path | None = None
        self._written = b""
        """What the person has written and nobody has taken."""
        self._is_open = False

    @property
    def is_kept(self) -> bool:
        """Whether the person has written a text that nobody has taken."""
        return bool(self._written.strip())

    async def edit(self, text: str) -> str:
        """Return what the person makes of this text, or of their own one that is kept.

        Raises:
            UserError: the editor has failed, or has left no text in UTF-8; the message says what to do.
        """
        opened = self._written if self.is_kept else text.encode()
        file = self._store(opened)
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        self._is_open = True  # and stays so when Ctrl-C ends this, because the editor may still run
        status = await asyncio.to_thread(_run, editor, file)
        self._is_open = False
        try:
            saved = file.read_bytes()
        except OSError as error:
            raise UserError(f"The editor {editor!r} has left no text: {error.strerror}.") from None
        if saved != opened and (saved.strip() or not status):
            self._written = saved
        if status:
            raise UserError(f"The editor {editor!r} has failed: set EDITOR to another one.")
        return decoded(saved, self._name)

    def drop(self) -> None:
        """Forget the text, because it was taken."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._written, self._is_open = None, b"", False

    def leave(self) -> None:
        """Leave a text that nobody has taken in its file, and print where that is."""
        try:
            is_there = self._is_open and self._path().exists()
            if not is_there and not self.is_kept:
                return self.drop()
            file = self._path() if is_there else self._store(self._written)
            terminal.print_error(f"\nYour text is in {file}.")
        except UserError as error:
            terminal.print_error(str(error))
        self._folder, self._written, self._is_open = None, b"", False

    def _path(self) -> Path:
        try:
            self._folder = self._folder or Path(tempfile.mkdtemp())
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UserError(f"No file can be written for an editor: {error.strerror}.") from None
        return self._folder / self._filename

    def _store(self, text: bytes) -> Path:
        file = self._path()
        try:
            file.write_bytes(text)
        except OSError as error:
            raise UserError(f"{file} cannot be written: {error.strerror}.") from None
        return file


def _run(editor: str, file: Path) -> int:
    """Return the editor's exit status."""
    try:
        return subprocess.run([*shlex.split(editor), str(file)]).returncode
    except (OSError, ValueError):
        return 127

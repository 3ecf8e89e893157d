"""Text for a terminal: without control characters, cut at whole graphemes, in the terminal's encoding."""

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TextIO

from research.errors import UserError

_ASCII = str.maketrans({"·": "-", "…": "..."})
_JOINERS = "\u200c\u200d"


class _State:
    must_arrive = False
    """Whether this process is of no use once its standard output is lost."""


def print_line(line: str = "") -> None:
    """Print one line on standard output.

    Where it cannot be written, nothing happens, unless `prepare_output` was told that it must arrive.

    Raises:
        BrokenPipeError: the reader of standard output has gone.
        UserError: it cannot be written for another reason, which the message gives.
    """
    error = _write(sys.stdout, line)
    if error and _State.must_arrive:
        if isinstance(error, BrokenPipeError):
            raise error
        raise UserError(f"Standard output cannot be written: {error.strerror}.")


def print_error(line: str) -> None:
    """Print one line on standard error; where it cannot be written, nothing happens."""
    _write(sys.stderr, line)


def _write(stream: TextIO, line: str) -> OSError | None:
    try:
        print(escape_controls(line), file=stream, flush=True)
    except BlockingIOError:  # a reader that is slow: the rest is written with the next line
        return None
    except OSError as error:
        return error
    return None


def exit_now(status: int) -> NoReturn:
    """End the process with this exit status.

    Not by `sys.exit`, because the interpreter's own shutdown can crash while a Temporal client's
    threads still run: a finished report then ends in exit status 139 (temporalio/sdk-python#300).
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def escape_controls(text: str) -> str:
    """Replace control and format characters by visible codes; keep line ends, tabs and joiners in use."""
    # Most texts have no such character, and this is asked for every frame of the live view.
    if text.isascii() and text.isprintable():
        return text
    pairs = zip(" " + text, text, strict=False)
    return "".join(
        character if _is_plain(before, character) else _visible_code(character) for before, character in pairs
    )


def short_id(workflow_id: str) -> str:
    """Return the end of a Workflow ID, enough to tell the reports of a day apart."""
    return workflow_id[-8:]


def table(rows: list[tuple[str, str]]) -> str:
    """Return names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def width() -> int:
    """Return the columns of standard output; 10,000 where it is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def graphemes(text: str) -> list[str]:
    """Split into what a person sees as one character each (UAX #29)."""
    import regex  # here, because the starter's first line does not need it

    found: list[str] = regex.findall(r"\X", text)
    return found


def fit(pieces: list[str], limit: int, measure: Callable[[str], int]) -> list[str]:
    """Return the first of the pieces, as many as measure no more than the limit together."""
    size = 0
    for index, piece in enumerate(pieces):
        size += measure(piece)
        if size > limit:
            return pieces[:index]
    return pieces


def truncate(line: str, columns: int) -> str:
    """Cut the line to at most so many columns, with an ellipsis at the end of what was cut."""
    from rich.cells import cell_len

    if cell_len(line) <= columns:
        return line
    ellipsis = "…" if draws_unicode() else "..."
    return "".join(fit(graphemes(line), columns - len(ellipsis), cell_len)).rstrip() + ellipsis


def prepare_output(must_arrive: bool = False) -> None:
    """Let no line fail for its characters or for a closed stream, nor for a reader unless it `must_arrive`.

    Of a character that the terminal's encoding lacks, the code is printed.
    """
    _State.must_arrive = must_arrive
    for descriptor in range(3):  # or the next file or socket would become a standard stream
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    """Return what is written to instead of a stream that was closed when the process started (`>&-`)."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123


def encode_for_terminal(text: str) -> str:
    """Escape control characters, and where the terminal is not one for Unicode all that is not ASCII."""
    if draws_unicode():
        return escape_controls(text)
    return escape_controls(text).translate(_ASCII).encode("ascii", "backslashreplace").decode()


def draws_unicode() -> bool:
    """Return whether the terminal shows more than ASCII."""
    encoding = (sys.stderr.encoding or "").lower().replace("-", "")
    if encoding != "utf8" or os.name == "nt":
        return encoding == "utf8"
    # In the C locale Python writes UTF-8 all the same, and the terminal may not show it.
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, names), "C") not in ("C", "POSIX")


def _is_plain(before: str, character: str) -> bool:
    """Return whether the character is shown as it is, after this one."""
    if character in _JOINERS:
        # A joiner has a use after a letter without case (Persian, Devanagari), a mark (virama,
        # U+FE0F) or a symbol (emoji); elsewhere it only hides something.
        return unicodedata.category(before) in ("Lo", "Mn", "Mc", "So", "Sk")
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def _visible_code(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"<U+{code:04X}>"

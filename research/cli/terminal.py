"""Text for a terminal: without control characters, cut at whole graphemes, in the terminal's encoding."""

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable
from typing import NoReturn

_ASCII = str.maketrans({"·": "-", "…": "..."})
_JOINERS = "\u200c\u200d"


def print_line(line: str = "") -> None:
    """Print one line on standard output."""
    print(escape_controls(line), flush=True)


def print_error(line: str) -> None:
    """Print one line on standard error."""
    print(escape_controls(line), file=sys.stderr, flush=True)


def exit_now(status: int) -> NoReturn:
    """End the process with this exit status.

    Not by `sys.exit`, because the interpreter's own shutdown can crash while a Temporal client's
    threads still run: a finished report then ends in exit status 139 (temporalio/sdk-python#300).
    """
    sys.stdout.flush()
    sys.stderr.flush()
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


def set_lenient_output() -> None:
    """Print the code of a character that the terminal's encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


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

"""What the starter and the worker show, safe for any terminal."""

import os
import shutil
import sys
import unicodedata
from typing import NoReturn

_ASCII = str.maketrans({"·": "-", "…": "..."})


def print_line(line: str = "") -> None:
    """One line for the person."""
    print(escape_controls(line), flush=True)


def print_error(line: str) -> None:
    """One line about what went wrong, on standard error."""
    print(escape_controls(line), file=sys.stderr, flush=True)


def exit_now(status: int) -> NoReturn:
    """End the process with this exit status, now.

    The interpreter's own way out can crash while a Temporal client's threads still run, and
    then a finished report ends in exit status 139 (temporalio/sdk-python#300).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def escape_controls(text: str) -> str:
    """The text with control and escape characters made visible; line ends and tabs stay."""
    return "".join(character if _is_plain(character) else _picture(character) for character in text)


def short_id(workflow_id: str) -> str:
    """The end of a Workflow ID, enough to tell the reports of a day apart."""
    return workflow_id[-8:]


def table(rows: list[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def width() -> int:
    """Columns for a line on standard output; where that is no terminal, as many as it likes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def truncate(line: str, columns: int) -> str:
    """The line, with an ellipsis where it is longer than so many columns."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(line) <= columns:
        return line
    return set_cell_size(line, columns - 1).rstrip() + "…"


def set_lenient_output() -> None:
    """Never fail for a character that the terminal's encoding lacks; show its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def encode_for_terminal(text: str) -> str:
    """The text as it can be shown: nothing invisible in it, and nothing that the terminal lacks."""
    if draws_unicode():
        return escape_controls(text)
    return escape_controls(text).translate(_ASCII).encode("ascii", "backslashreplace").decode()


def draws_unicode() -> bool:
    """Whether the terminal is one for more than ASCII."""
    encoding = (sys.stderr.encoding or "").lower().replace("-", "")
    if encoding != "utf8" or os.name == "nt":
        return encoding == "utf8"
    # In the C locale Python writes UTF-8 all the same; whether it is shown is another question.
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, names), "C") not in ("C", "POSIX")


def _is_plain(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"<U+{code:04X}>"

"""What the starter and the worker show: plain lines, safe for any terminal."""

import os
import sys
import unicodedata
from typing import NoReturn


def say(line: str = "") -> None:
    """One line for the person."""
    print(visible(line), flush=True)


def complain(line: str) -> None:
    """One line about what went wrong, on standard error."""
    print(visible(line), file=sys.stderr, flush=True)


def leave(status: int) -> NoReturn:
    """End the process with this exit status, now.

    The interpreter's own way out can crash while a Temporal client's threads still run, and
    then a finished report ends in exit status 139 (temporalio/sdk-python#300).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def visible(text: str) -> str:
    """The text with control and escape characters made visible; line ends and tabs stay."""
    return "".join(character if _is_plain(character) else _picture(character) for character in text)


def short_id(workflow_id: str) -> str:
    """The end of a Workflow ID, enough to tell the reports of a day apart."""
    return workflow_id[-8:]


def table(rows: list[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def take_any_character() -> None:
    """Never fail for a character that the terminal's encoding lacks; show its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_plain(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"<U+{code:04X}>"

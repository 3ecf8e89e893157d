"""The topic: from the arguments, from a pipe, or typed and pasted at the terminal."""

import json
import os
import sys
import unicodedata
from contextlib import suppress

from research import config
from research.cli import terminal
from research.errors import UserError
from research.formatting import MAX_SUMMARY_BYTES, control_character
from research.programs import STARTER

DEFAULT_TOPIC = (
    "Give me 5 fun and fascinating facts about tardigrades. Make them interesting and educational!"
)
MAX_TOPIC_CHARACTERS = 20_000


def ask(words: list[str]) -> str:
    """Return the topic from the arguments, or else from standard input.

    Only a person who presses Enter at the prompt gets the default topic: an empty argument or pipe
    is a script's mistake, and a report costs money.

    Raises:
        UserError: there is no topic, or it cannot be used; the message says why.
    """
    if words:
        topic, source = " ".join(words), "The topic"
    elif sys.stdin and sys.stdin.isatty():
        topic, source = _type_topic() or _use_default_topic(), ""
    else:
        topic, source = sys.stdin.read() if sys.stdin else "", "Standard input"
    topic = topic.strip().replace("\r\n", "\n")
    if is_blank(topic):
        raise UserError(
            f"{source} is empty, so nothing was started."
            f' To fix: give a topic, as in `{STARTER} "Why is the sky blue?"`.'
        )
    check(topic)
    return topic


def is_blank(text: str) -> bool:
    """Return whether no character of the text can be seen."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)


def static_summary(topic: str) -> str:
    """Return the beginning of the topic that the service accepts as a Workflow's static summary."""
    line = terminal.graphemes(" ".join(topic.split()))

    def measure(grapheme: str) -> int:
        return len(json.dumps(grapheme)) - len('""')

    limit = MAX_SUMMARY_BYTES - len('""')
    kept = terminal.fit(line, limit, measure)
    if len(kept) == len(line):
        return "".join(line)
    return "".join(terminal.fit(line, limit - measure("…"), measure)).rstrip() + "…"


def check(text: str, name: str = "The topic", most: int = MAX_TOPIC_CHARACTERS) -> None:
    """Require that a text which a person has given can be stored.

    Raises:
        UserError: it is too long, no text, or has a key in it.
    """
    if len(text) > most:
        raise UserError(f"{name} has {len(text):,} characters; at most {most:,} are accepted.")
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        raise UserError(f"{name} is not UTF-8 text: convert it first.")
    if code := control_character(text):
        raise UserError(f"{name} has a control character ({code}): remove it.")
    if config.load().without_secrets(text) != text:
        raise UserError(f"{name} has one of your API keys in it, and it would be stored: remove it.")


def said(text: str, name: str, what: str, most: int) -> str:
    """Return what a person says of a report; `what` it is for, where it is empty.

    Raises:
        UserError: it is empty, or cannot be stored.
    """
    if is_blank(text):
        raise UserError(f"{name} is empty: say {what}.")
    check(text, name, most)
    return text.strip()


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file that a person has written.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text: convert it first.") from None


def _use_default_topic() -> str:
    terminal.print_error(f"No topic given. Using the default topic: {DEFAULT_TOPIC}")
    return DEFAULT_TOPIC


def _type_topic() -> str:
    """Return what a person types; a paste of several lines is one topic."""
    with suppress(ImportError):  # where there is none, lines are edited by the terminal
        import readline

        readline.parse_and_bind("set enable-bracketed-paste on")
    try:
        lines = [input("Enter your research topic or question: ")]
        while is_more_there():
            lines.append(input())
    except EOFError:
        raise UserError("\nNo topic was given, so nothing was started.") from None
    return "\n".join(lines).replace("\r", "\n").strip()


def is_more_there() -> bool:
    """Return whether another line came in the same moment, which only a paste does."""
    if os.name == "nt":
        return False
    import select

    return bool(select.select([sys.stdin], [], [], 0.05)[0])

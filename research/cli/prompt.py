"""The topic: from the arguments, from a pipe, or typed and pasted at the terminal."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from research import config
from research.cli import terminal
from research.errors import UserError

DEFAULT_TOPIC = (
    "Give me 5 fun and fascinating facts about tardigrades. Make them interesting and educational!"
)
MAX_TOPIC_CHARACTERS = 20_000
REMEMBERED = 100
"""Topics in the history of the prompt."""


def ask(words: list[str]) -> str:
    """The topic, when it can be researched and stored.

    Raises:
        Fixable: none was given, or one that cannot be taken; the message says why.
    """
    if words:
        topic = " ".join(words)
    elif sys.stdin.isatty():
        topic = _typed()
    else:
        topic = sys.stdin.read()
    topic = topic.strip().replace("\r\n", "\n")
    if not topic:
        terminal.print_error(f"No topic given, so this one is taken: {DEFAULT_TOPIC}")
        return DEFAULT_TOPIC
    _check(topic)
    return topic


def _check(topic: str) -> None:
    if len(topic) > MAX_TOPIC_CHARACTERS:
        raise UserError(
            f"The topic has {len(topic):,} characters; at most {MAX_TOPIC_CHARACTERS:,} are taken."
        )
    for character in topic:
        if (ord(character) < 32 and character not in "\n\t") or 0x7F <= ord(character) < 0xA0:
            raise UserError(f"The topic holds a control character (U+{ord(character):04X}): remove it.")
        if 0xD800 <= ord(character) < 0xE000:
            raise UserError("The topic is not UTF-8 text: convert it first.")
    if config.load().without_secrets(topic) != topic:
        raise UserError("The topic holds one of your API keys, and topics are stored: remove it.")


def _typed() -> str:
    """What a person types: with a history, and taking a paste of several lines as one topic."""
    history = _History()
    try:
        lines = [input("Enter your research topic or question: ")]
        while _more_is_there():
            lines.append(input())
    except EOFError:
        raise UserError("\nNo topic was given, so nothing was started.") from None
    topic = "\n".join(lines).replace("\r", "\n").strip()
    if topic:
        _check(topic)
        history.add(topic)
    return topic


def _more_is_there() -> bool:
    """Whether more lines came in the same moment, as only a paste can bring them."""
    if os.name == "nt":
        return False
    import select

    return bool(select.select([sys.stdin], [], [], 0.05)[0])


class _History:
    """The topics of earlier days, under the arrow keys; nothing where there is no readline."""

    def __init__(self) -> None:
        from platformdirs import user_state_path

        self._file: Path = user_state_path("research-report", appauthor=False) / "topics"
        try:
            import readline
        except ImportError:
            return
        self._readline = readline
        readline.set_auto_history(False)  # only what was taken is kept
        readline.set_history_length(REMEMBERED)
        readline.parse_and_bind("set enable-bracketed-paste on")
        with suppress(OSError):
            readline.read_history_file(self._file)

    def add(self, topic: str) -> None:
        if not hasattr(self, "_readline"):
            return
        self._readline.add_history(" ".join(topic.split()))
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._readline.write_history_file(self._file)

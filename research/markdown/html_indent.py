"""Lines that are indented in a block of HTML, behind a blank line: HTML, too, where CommonMark has code."""

import re
from collections import Counter
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, code

from research.markdown.html_tags import is_tag

_NAMES = (
    "ul|ol|dl|table|div|details|blockquote|section|article|header|footer|main|aside|nav|figure|center|form"
)
_BLOCK = re.compile(rf"`[^`\n]*`|<(/?)({_NAMES})(?=[\s/>])", re.IGNORECASE)
_CLOSING = re.compile(rf"</({_NAMES})(?=[\s>])", re.IGNORECASE)
_WITHOUT_CODE = {"ul", "ol", "table"}
"""Blocks in which every indented line is text, because nobody writes code between their tags."""
_OPEN = "open html"
"""The key of the parser's environment for the tags that are open."""


def add_indented_html(parser: MarkdownIt) -> None:
    """Replace the rule of indented code."""
    parser.block.ruler.at("code", _code)


def is_code(state: StateBlock, line: int) -> bool:
    """Return whether the line is indented as code, and is not a line of an open block of HTML."""
    if not state.is_code_block(line):
        return False
    if _OPEN not in state.env:
        state.env[_OPEN] = _OpenTags(state.src)
    opened = state.env[_OPEN].names(state.tokens, state.bMarks[line])
    return not opened or not (
        opened & _WITHOUT_CODE or is_tag(state.src, state.bMarks[line] + state.tShift[line])
    )


def _code(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse indented code, which ends where a block of HTML continues."""
    if not is_code(state, start):
        return False
    line = start + 1
    while line < end and (state.isEmpty(line) or is_code(state, line)):
        line += 1
    return code(state, start, line, silent)


class _OpenTags:
    """The tags of blocks that are open where the parser stands; each token is read once."""

    def __init__(self, text: str) -> None:
        self._last = {found[1].lower(): found.start() for found in _CLOSING.finditer(text)}
        """By its name, where the last tag is that closes: what does not close is not open."""
        self._read = 0
        self._count: Counter[str] = Counter()

    def names(self, tokens: list[Any], position: int) -> set[str]:
        """Return the names of the tags that the tokens leave open, and that close behind the position."""
        for token in tokens[self._read :]:
            for found in _BLOCK.finditer(token.content) if token.type == "inline" else ():
                if found[2]:
                    name = found[2].lower()
                    self._count[name] = max(0, self._count[name] + (-1 if found[1] else 1))
        self._read = len(tokens)
        return {name for name in +self._count if self._last.get(name, -1) > position}

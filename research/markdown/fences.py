"""Fenced code in Markdown, by CommonMark's rules, read line by line: linear in the text for every text."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_OPENING = re.compile(
    r"(?P<prefix>[ \t]*(?:>[ \t]*)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)"
    r"(?P<marks>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)"
)
# A fence with text behind it does not end the code by CommonMark; models put their citations there.
_FENCE_WITH_CITATION = re.compile(r"^([ \t>]*)(`{3,}|~{3,})[ \t]+((?:\[\d+\][ ,]*)+)$", re.MULTILINE)


class Fence(NamedTuple):
    """The line that opens a block of code."""

    marks: str
    info: str
    """What stands behind the marks, such as the name of a language."""
    prefix: str
    """What stands before the marks: indentation, the marks of quotes, and the mark of a list item."""

    @property
    def is_quoted(self) -> bool:
        """Whether the block stands in a quote."""
        return ">" in self.prefix


def opening(line: str) -> Fence | None:
    """Return the fence if the line can open a block of code; its indentation may be that of a list."""
    found = _OPENING.match(line)
    return Fence(found["marks"], found["info"].strip(), found["prefix"]) if found else None


def closes(line: str, fence: Fence) -> bool:
    """Return whether the line closes the block of code, to which it belongs."""
    bare = line.strip(" \t\r\n>" if fence.is_quoted else " \t\r\n")
    return bare.startswith(fence.marks) and not bare.strip(fence.marks[0])


def leaves(line: str, fence: Fence) -> bool:
    """Return whether the line ends the block of code without belonging to it, because its quote has ended."""
    return fence.is_quoted and not line.lstrip().startswith(">")


def code_lines(lines: Iterable[str]) -> Iterator[bool]:
    """Yield for each line whether it belongs to a fenced block of code, its fences included."""
    fence: Fence | None = None
    for line in lines:
        if fence and leaves(line, fence):
            fence = None
        if fence:
            yield True
            fence = None if closes(line, fence) else fence
        else:
            fence = opening(line)
            yield fence is not None


def part_fences(text: str) -> str:
    """Put citations behind the end of a block of code on a line of their own, so that the code ends there."""
    return _FENCE_WITH_CITATION.sub(r"\1\2\n\1\3", text)

"""The headings of a text: a section's own brought below its title, and a report cut at those of its sections.

The first takes time that is linear in the text, which a Markdown parser does not for every text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from research.markdown.block_parser import parse_blocks
from research.markdown.fences import Fence, closes, leaves, opening

TOP_LEVEL, LOWEST_LEVEL = 3, 6

_HEADING = re.compile(r"( {0,3}(?:> ?)*)(#{1,6})(?=[ \t]|$)[ \t]*(.*)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:\s|$)")
_QUOTE = re.compile(r" {0,3}>")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_TABLE = re.compile(r" {0,3}(?=.*\|)[ \t|:-]+")
_NUMBER = re.compile(r"\d{1,2}(?:\.(\d{1,2}))+\.?[ \t]+(?=\S)")
# Not from within a run of white space, or each of its characters would be searched to its end.
_LABEL = re.compile(
    r"(?:(?:section|part)\s*|(?<!\s)\s*)\d{1,2}(?:\.\d{1,2})*\s*[.):：、-]?\s*", re.IGNORECASE
)


@dataclass
class _Heading:
    """A heading of a section: the lines from `start` to `end`, what stands before its marks, its text."""

    start: int
    end: int
    level: int
    text: str
    prefix: str = ""


@dataclass(frozen=True)
class Cut:
    """A section of a text: its heading with the line breaks behind it, and what stands below it."""

    title: str
    heading: str
    text: str


def cut_sections(text: str) -> tuple[str, list[Cut]]:
    """Return what stands before the first section, and the sections; together they are the text.

    Sections begin with the highest headings of which there are several. A text without is one section.
    """
    lines, tokens = re.split(r"(?<=\n)", text), parse_blocks(text)
    headings = [
        (token.tag, token.map, inline.content)
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]
    counts = Counter(tag for tag, _ in {(tag, title) for tag, _, title in headings})
    level = min((tag for tag, count in counts.items() if count > 1), default="")
    found = [(place, title) for tag, place, title in headings if tag == level]
    if not found:
        return "", [Cut("", "", text)]
    starts = [*[start for (start, _), _ in found], len(lines)]
    cuts = []
    for ((start, end), title), stop in zip(found, starts[1:], strict=True):
        while end < stop and not lines[end].strip():
            end += 1
        cuts.append(Cut(title, "".join(lines[start:end]), "".join(lines[end:stop])))
    return "".join(lines[: starts[0]]), cuts


def below_title(text: str, title: str) -> str:
    """Return a section's text with its headings below its title, and without the title where it begins so.

    A block of code that is not closed is closed, because it would hold all sections that follow.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    headings, closing = _scan(lines)
    repeated = _repeated_title(lines, headings, title)
    headings = [heading for heading in headings if heading.start >= repeated]
    ranks = {level: rank for rank, level in enumerate(sorted({heading.level for heading in headings}))}
    numbered = {level: _is_numbered(headings, level) for level in ranks}
    written, position = [], repeated
    for heading in headings:
        level = min(TOP_LEVEL + ranks[heading.level], LOWEST_LEVEL)
        own = _NUMBER.sub("", heading.text, count=1) if numbered[heading.level] else heading.text
        written += lines[position : heading.start]
        written.append(f"{heading.prefix}{'#' * level} {own}".rstrip())
        position = heading.end
    return "\n".join([*written, *lines[position:], *closing]).strip("\n")


def _scan(lines: Sequence[str]) -> tuple[list[_Heading], list[str]]:
    """Return the headings outside of code, and the line that closes a block of code that is still open."""
    headings: list[_Heading] = []
    code, paragraph, after_item = _Code(), -1, False
    for number, line in enumerate(lines):
        if code.holds(line):
            continue
        fence, heading = opening(line), _HEADING.fullmatch(line)
        underline = _UNDERLINE.fullmatch(line) if paragraph >= 0 else None
        is_rule = not underline and _RULE.fullmatch(line)
        starts = fence or heading or is_rule or _QUOTE.match(line)
        item = None if is_rule else _ITEM.match(line)
        code.follow_list(line, item, is_lazy=after_item and not starts)
        if heading:
            headings.append(_Heading(number, number + 1, len(heading[2]), heading[3], heading[1]))
        elif underline:
            own = " ".join(part.strip() for part in lines[paragraph:number])
            headings.append(_Heading(paragraph, number + 1, 1 if underline[1][0] == "=" else 2, own))
        elif fence:
            code.begins(fence)
        is_table = paragraph >= 0 and "|" in lines[number - 1] and _TABLE.fullmatch(line)
        if not line.strip() or heading or underline or fence or is_rule:
            paragraph, after_item = -1, False
        elif item or is_table or _QUOTE.match(line):
            paragraph, after_item = -1, True
        elif paragraph < 0 and not after_item and _indent(line) < 4:
            paragraph = number
    return headings, [code.fence.marks] if code.fence and code.is_outermost else []


class _Code:
    """The block of code, and the list, in which a line stands."""

    def __init__(self) -> None:
        self.fence: Fence | None = None
        """The line that opened the block of code; None outside of one."""
        self._container = 0
        """The columns at which the list item begins that holds the block; 0 for none."""
        self._item = 0
        """The columns at which the text of the outermost list item begins; 0 outside of a list."""

    @property
    def is_outermost(self) -> bool:
        """Whether the block of code stands in no quote and in no list."""
        return self.fence is not None and not self.fence.is_quoted and not self._container

    def begins(self, fence: Fence) -> None:
        """Enter a block of code."""
        self.fence = fence
        self._container = 0 if fence.is_quoted else self._item

    def holds(self, line: str) -> bool:
        """Return whether the line belongs to a block of code, and leave one that it ends."""
        if not self.fence:
            return False
        if leaves(line, self.fence) or (line.strip() and _indent(line) < self._container):
            self.fence = None
            return False
        if closes(line, self.fence):
            self.fence = None
        return True

    def follow_list(self, line: str, item: re.Match[str] | None, is_lazy: bool) -> None:
        """Enter the list whose item begins in the line, or leave one that the line does not belong to."""
        if item and (not self._item or _indent(line) < self._item):
            self._item = len(item[0].expandtabs(4).rstrip()) + 1
        elif not item and line.strip() and not is_lazy and _indent(line) < self._item:
            self._item = 0


def _indent(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip(" "))


def _repeated_title(lines: Sequence[str], headings: Sequence[_Heading], title: str) -> int:
    """Return how many lines at the beginning only repeat the title, as a heading or in bold."""
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if headings and headings[0].start == first:
        return headings[0].end if is_same_heading(headings[0].text, title) else 0
    return first + 1 if is_same_heading(_bold_text(lines[first]), title) else 0


def _bold_text(line: str) -> str:
    """Return the text of a line that is bold as a whole, but for a colon; empty for any other line."""
    bare = line.strip()
    bare = bare[:-1].rstrip() if bare.endswith((":", "：")) else bare
    is_bold = len(bare) > 4 and bare[:2] == bare[-2:] and bare[:2] in ("**", "__")
    return bare[2:-2] if is_bold else ""


def is_same_heading(text: str, title: str) -> bool:
    """Return whether two headings have the same words, whatever their number, case and marks."""

    def words(heading: str) -> str:
        bare = _LABEL.sub("", heading.strip("*_# \t"), count=1)
        return "".join(character for character in bare.casefold() if character.isalnum())

    return words(text) == words(title) != ""


def _is_numbered(headings: Sequence[_Heading], level: int) -> bool:
    """Return whether all headings of a level have numbers such as 2.1 and 2.2, which no other section has."""
    last = 0
    for heading in headings:
        if heading.level < level:
            last = 0
        elif heading.level == level:
            number = _NUMBER.match(heading.text)
            if not number or int(number[1]) not in (1, last + 1):
                return False
            last = int(number[1])
    return True

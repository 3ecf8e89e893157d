"""Blocks of a Markdown text that is being written: where the last complete one ends, and what comes next.

A model that cannot continue its own message is asked for the rest from the next block on. Pure functions,
linear in the text.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from research.markdown.fences import Fence, closes, opening

MIN_DRAFT = 40
"""Characters of a draft below which the answer is requested again from its beginning."""
MAX_LIST = 1_500
"""Characters of a list up to which all of it is asked for anew: models do not complete one that was begun."""
LOOP = 3
"""Times that a long line stands there in a row where a model has lost its way."""
MAX_LABEL = 80
"""Characters of a line that may be a label; a longer one is a sentence."""
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)、])[ \t]+\S")
_BEGUN_ITEM = re.compile(r"(?:[-*+•]|\d{1,9}[.)、]?)[ \t]*$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_MATH = {"$$": "$$", r"\[": r"\]"}
_SENTENCE_END = re.compile(r"[.!?…。！？；;।؟۔။។」』”’\"'»)）\]】*_`]\Z")
_SENTENCE = re.compile(r"\w[.!?] \w|[。！？।؟۔]")
_SCRIPT_WITHOUT_PERIODS = re.compile("[\u0e00-\u0eff\u1780-\u17ff]")


class Line(NamedTuple):
    """One line of a text."""

    start: int
    text: str
    """Without its line break."""
    is_open: bool
    """Whether the line stands in code or a formula, so that no block begins with the next one."""


def cut_to_block(text: str) -> str:
    """Return the text up to the end of its last complete block, with the line breaks behind it.

    A block is a paragraph, a list, a table, a code block or a formula; a list longer than MAX_LIST is cut
    behind an item. A heading, or a label such as "Bug Fixes:", is left to what it introduces. Empty if less
    than MIN_DRAFT characters would be left, as in a text of one block.
    """
    lines = list(_lines(text))
    starts = _list_starts(lines)
    for number in range(len(lines) - 1, 0, -1):
        if not _is_block_start(lines, number, starts):
            continue
        above = number - 1
        while above > 0 and not lines[above].text.strip():
            above -= 1
        before = lines[above].text if lines[above].text.strip() else ""
        if not introduces(before):
            kept = text[: lines[number].start]
            return kept if len(kept.strip()) >= MIN_DRAFT else ""
    return ""


def ends_in_loop(text: str) -> bool:
    """Return whether the text says the same long line again and again at its end."""
    last = [line.strip() for line in text.rsplit("\n", 12)[1:] if line.strip()][-LOOP:]
    return len(last) == LOOP and len(set(last)) == 1 and len(last[0]) > MAX_LABEL // 2


def _lines(text: str) -> Iterator[Line]:
    """Yield the lines; where the text ends with a line break, the empty line behind it too."""
    start, formula = 0, ""
    fence: Fence | None = None
    for whole in text.split("\n"):
        line = whole.rstrip("\r")
        bare = line.strip()
        if fence:
            fence = None if closes(line, fence) else fence
        elif formula:
            formula = "" if bare.endswith(formula) else formula
        elif not (fence := opening(line)):
            mark = next((mark for mark in _MATH if bare.startswith(mark)), "")
            if mark and not (bare.endswith(_MATH[mark]) and len(bare) > len(mark)):
                formula = _MATH[mark]
        yield Line(start, line, bool(fence or formula))
        start += len(whole) + 1


def _list_starts(lines: list[Line]) -> list[int]:
    """Return for each line the number of the line at which its list begins; -1 outside of a list.

    A blank line belongs to the list above it, because a list may have one between two items.
    """
    starts, start = [], -1
    for number, line in enumerate(lines):
        if _ITEM.match(line.text) and not line.is_open:
            start = number if start < 0 else start
        elif line.text.strip() and not line.text.startswith((" ", "\t")):
            is_begun = number == len(lines) - 1 and _BEGUN_ITEM.match(line.text)
            start = start if is_begun else -1
        starts.append(start)
    return starts


def _is_block_start(lines: list[Line], number: int, starts: list[int]) -> bool:
    """Return whether a block begins with this line, or with whatever is to come in its place at the end."""
    line, before, start = lines[number], lines[number - 1], starts[number]
    is_end = number == len(lines) - 1 and not line.text.strip()
    if before.is_open:
        return False
    if 0 <= start < number:
        is_short = line.start - lines[start].start <= MAX_LIST
        if (
            is_end
            and not before.text.strip()
            and all(other.text.strip() for other in lines[start : number - 1])
        ):
            return True  # a list without blank lines has ended with the first one
        return not is_short and (is_end or bool(_ITEM.match(line.text)))
    if not before.text.strip():
        return bool(line.text.strip()) or is_end
    return _is_closed_fence(lines, number - 1) or start == number


def _is_closed_fence(lines: list[Line], number: int) -> bool:
    return not lines[number].is_open and number > 0 and lines[number - 1].is_open


def is_row(line: str) -> bool:
    """Return whether the line is a row of a table."""
    bare = line.strip()
    return len(bare) > 1 and bare.startswith("|") and bare.endswith("|")


def introduces(line: str) -> bool:
    """Return whether the line is a heading, or a label of what comes below it."""
    bare = line.strip().strip("*_").rstrip()
    if _HEADING.match(line) or bare.endswith((":", "：")):
        return True
    if _ITEM.match(line) and not re.match(r"\s*\d+、", line):
        return False
    return (
        len(bare) <= MAX_LABEL
        and not _SCRIPT_WITHOUT_PERIODS.search(bare)
        and not is_row(line)
        and not _SENTENCE_END.search(line.rstrip())
        and not bare.startswith(("```", "~~~", "$$", "\\]"))
    ) or (line.strip().startswith("**") and line.strip().endswith("**"))


def joint(draft: str, rest: str) -> str:
    """Return what is to stand between a draft that ends with a complete block, and the next block.

    An item follows an item, and a row a row, as the draft's line break has it; anything else is set off
    by a blank line, because it would become a part of the block above it.
    """
    last = draft.rstrip().rpartition("\n")[2]
    first = rest.partition("\n")[0]
    own = draft[len(draft.rstrip()) :]
    is_same = (is_row(last) and first.lstrip().startswith("|")) or (_ITEM.match(last) and _ITEM.match(first))
    return "" if own.count("\n") > 1 or (is_same and "\n" in own) else "\n" if "\n" in own else "\n\n"


def ends_within_sentence(text: str) -> bool:
    """Return whether the text breaks off in the middle of a paragraph, or of code that is never closed.

    In doubt it does not: a heading, an item, a row, a short line, a text in a script without periods or
    one that ends no sentence with a period may end as it pleases.
    """
    *before, last = _lines(text.rstrip())
    line = last.text.rstrip()
    if last.is_open:
        return True
    if _HEADING.match(line) or _ITEM.match(line) or "|" in line or _SCRIPT_WITHOUT_PERIODS.search(line):
        return False
    if len(line) <= MAX_LABEL // 2 or _SENTENCE_END.search(line) or line.endswith((":", "：")):
        return False
    return bool(_SENTENCE.search(line)) or any(
        len(other.text) > MAX_LABEL and _SENTENCE_END.search(other.text.rstrip()) for other in before
    )

"""Blocks of a Markdown text that is being written: where the last complete one ends, and what comes next.

A model that cannot continue its own message is asked for the rest from the next block on. Pure functions,
linear in the text.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MIN_DRAFT = 40
"""Characters of a draft below which the answer is requested again from its beginning."""
MAX_LABEL = 80
"""Characters of a line that may be a label; a longer one is a sentence."""
_FENCE = re.compile(r" {0,3}(?:>[ ]?)*(?:[-*+] |\d{1,9}[.)] )?[ ]*(`{3,}|~{3,})([^`\n]*)$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)、])[ \t]+\S")
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

    A block is a paragraph, a list item, a table row, a code block or a formula. A heading, or a label
    such as "Bug Fixes:", is left to what it introduces. Empty if less than MIN_DRAFT characters would be
    left, as in a text of one block.
    """
    lines = list(_lines(text))
    for number in range(len(lines) - 1, 0, -1):
        if not _is_block_start(lines, number):
            continue
        before = next((line.text for line in reversed(lines[:number]) if line.text.strip()), "")
        if not introduces(before):
            kept = text[: lines[number].start]
            return kept if len(kept.strip()) >= MIN_DRAFT else ""
    return ""


def _lines(text: str) -> Iterator[Line]:
    """Yield the lines; where the text ends with a line break, the empty line behind it too."""
    start, fence, formula = 0, "", ""
    for whole in text.split("\n"):
        line = whole.rstrip("\r")
        bare = line.strip()
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        elif formula:
            formula = "" if bare.endswith(formula) else formula
        elif found := _FENCE.match(line):
            fence = found[1]
        else:
            mark = next((mark for mark in _MATH if bare.startswith(mark)), "")
            if mark and not (bare.endswith(_MATH[mark]) and len(bare) > len(mark)):
                formula = _MATH[mark]
        yield Line(start, line, bool(fence or formula))
        start += len(whole) + 1


def _is_block_start(lines: list[Line], number: int) -> bool:
    """Return whether a block begins with this line, or with whatever is to come in its place at the end."""
    line, before = lines[number], lines[number - 1]
    if before.is_open:
        return False
    is_last = number == len(lines) - 1
    if not before.text.strip():
        return bool(line.text.strip()) or is_last
    if _is_closed_fence(lines, number - 1):
        return True
    if is_row(before.text):  # not between the header and the row of dashes below it
        has_header = number > 1 and is_row(lines[number - 2].text) and not set(before.text) <= set("|-: \t")
        return has_header and (line.text.lstrip().startswith("|") or (is_last and not line.text))
    return bool(_ITEM.match(line.text)) or (is_last and not line.text and bool(_ITEM.match(before.text)))


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

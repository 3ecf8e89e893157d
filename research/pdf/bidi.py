"""The Unicode Bidirectional Algorithm (UAX #9), by ICU: which way the characters of a paragraph run.

Each run of code, which is a token where it is coloured, and each address is isolated from what stands around
it, and its own controls have no power: no text makes code read as what it is not ("Trojan Source", UTS #55).
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from research.pdf import fonts
from research.pdf.runs import Run
from research.pdf.unicode import icu, unit_starts

AUTO, LEFT_TO_RIGHT, RIGHT_TO_LEFT = icu.Bidi.DEFAULT_LTR, 0, 1
"""The direction of a paragraph: by its first letter with a direction, or given."""
CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NEUTRAL = "\ufffc"
_MATTERS = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""Without any of these characters, everything is on level 0."""
_RIGHT = re.compile("[\u05d0-\u05f2\u0620-\u064a\u066e-\u06d3\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEFT = re.compile(rf"(?!{_RIGHT.pattern})[^\W\d_]")
_T = TypeVar("_T")


def embedding_levels(text: str, direction: int = AUTO) -> Sequence[int]:
    """Return the embedding level of every character; each line of the text is a paragraph."""
    if direction != RIGHT_TO_LEFT and not _MATTERS.search(text):
        return bytes(len(text))
    bidi = icu.Bidi()
    bidi.setPara(icu.UnicodeString(text), direction)
    levels = bidi.getLevels()
    return [levels[start] for start in unit_starts(text)[:-1]]


def run_levels(runs: Sequence[Run], to_the_left: bool) -> Sequence[int] | None:
    """Return the embedding level of every character of a paragraph's runs; None where all of them are 0.

    `to_the_left` is the direction of the document; see `is_right_to_left`.
    """
    if not any(_MATTERS.search(run.text) for run in runs):
        return None
    text = around_isolates(runs)
    direction = RIGHT_TO_LEFT if is_right_to_left(text, to_the_left) else LEFT_TO_RIGHT
    levels = [*embedding_levels(text, direction)]
    start = 0
    for run in runs:
        end = start + len(run.text)
        if _is_isolated(run):
            own = embedding_levels(CONTROLS.sub(_NEUTRAL, run.text), LEFT_TO_RIGHT)
            levels[start:end] = [
                outer + outer % 2 + inner for outer, inner in zip(levels[start:end], own, strict=True)
            ]
        start = end
    return levels


def is_right_to_left(text: str, to_the_left: bool) -> bool:
    """Return whether a paragraph is laid out from right to left.

    It follows the direction of its document, unless it has letters of the other direction alone.
    """
    return bool(_RIGHT.search(text)) and (to_the_left or not _LEFT.search(text))


def visual_order(line: Sequence[_T], levels: Sequence[int]) -> list[_T]:
    """Return the parts of a line, each with its level, as they stand from left to right (rule L2)."""
    if not any(levels):
        return list(line)
    order = list(range(len(line)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = max(end, start + 1)
    return [line[index] for index in order]


def _is_isolated(run: Run) -> bool:
    return run.box is None and (run.style.family == fonts.CODE or "://" in run.text)


def around_isolates(runs: Sequence[Run]) -> str:
    """Return the text with code and addresses as neutral objects, as isolates are to the text around them."""
    return "".join(re.sub(r"[^\n]", _NEUTRAL, run.text) if _is_isolated(run) else run.text for run in runs)

"""What the offline sample model makes of sources that were read: passages, a section that cites, verdicts.

It finds sentences and compares words, and says nothing that is not in them; but for one sentence, so that the
program has something to find.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from models import LLMCallInput

MAX_PASSAGES = 3
NOTHING = "The sample model has nothing to say."
HEADING = "## What the sources say"
FALSE = "This sentence cites a source that does not say it, so that the program has something to find"

_SENTENCE = re.compile(r"(?<![^\s\"“(])[A-Z][^.!?\n|]{40,300}[.!?](?=\s|$)")


def passages(call: LLMCallInput) -> str:
    """Return the first sentences of a page, as block quotes."""
    found = _SENTENCE.findall("".join(_pieces(call)))
    return "\n\n".join(f"> {sentence}" for sentence in found[:MAX_PASSAGES]) or NOTHING


def section(call: LLMCallInput) -> str:
    """Return a section with a sentence of each source that has one; nothing without any."""
    found = []
    for piece in _pieces(call):
        number, sentence = re.match(r"\s*\[(\d+)\] ", piece), _SENTENCE.search(_quoted(piece))
        if number and sentence:
            found.append((number[1], _escaped(sentence[0])))
    if not found:
        return ""
    lines = [f"- {sentence[:-1]} [{number}]{sentence[-1]}" for number, sentence in found]
    return "\n".join(["", HEADING, "", *lines, "", f"{FALSE} [{found[0][0]}].", ""])


def verdicts(call: LLMCallInput) -> str:
    """Return a line for each statement: supported where a passage has its words, else absent."""
    found = []
    for piece in _pieces(call):
        if statement := re.match(r"\s*(\d+)\. ([^\n]*)", piece):
            is_there = _words(statement[2]) in _words(_quoted(piece))
            found.append(f"{statement[1]}: {'supported' if is_there else 'absent'}")
    return "\n".join(found) or NOTHING


def _pieces(call: LLMCallInput) -> Iterator[str]:
    start = call.material.start
    ends: Sequence[int] = [start, *(start + end for end in accumulate(call.material.pieces))]
    return (call.prompt[begin:end] for begin, end in pairwise(ends))


def _quoted(piece: str) -> str:
    return "\n".join(re.findall(r"^> ?(.*)$", piece, re.MULTILINE))


def _words(text: str) -> str:
    words = re.findall(r"[^\W_]+", text.lower())
    return f" {' '.join(words)} "


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", text)

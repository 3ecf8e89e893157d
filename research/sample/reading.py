"""What the offline sample model makes of sources that were read: passages, sentences that cite, verdicts.

It finds sentences and compares words, and says nothing that is not in them; but for one sentence, so that the
program has something to find.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from models import LLMCallInput

MAX_PASSAGES = 3
MIN_WORD_CHARACTERS = 4
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
            found.append((number[1], escaped(sentence[0])))
    if not found:
        return ""
    lines = [f"- {sentence[:-1]} [{number}]{sentence[-1]}" for number, sentence in found]
    return "\n".join(["", HEADING, "", *lines, "", f"{FALSE} [{found[0][0]}].", ""])


def changes(call: LLMCallInput) -> str:
    """Return that the first section is to change."""
    return f"1: {' '.join(call.wish.split())[:80]}"


def answer(call: LLMCallInput) -> str:
    """Return the sentences of the sources that have most words of the question, or that there is none."""
    asked = {word for word in _words(call.wish).split() if len(word) >= MIN_WORD_CHARACTERS}
    found = [
        (len(asked & set(_words(sentence).split())), number[1], sentence)
        for piece in _pieces(call)
        if (number := re.match(r"\s*\[(\d+)\] ", piece))
        for sentence in _SENTENCE.findall(_quoted(piece))
    ]
    most = max((count for count, _, _ in found), default=0)
    best = [(number, sentence) for count, number, sentence in found if count == most][:MAX_PASSAGES]
    return " ".join(f"{escaped(s[:-1])} [{number}]{s[-1]}" for number, s in best) if most else NOTHING


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


def escaped(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", text)

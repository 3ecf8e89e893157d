"""Rewriting: a model's sentences in the places of statements that the passages do not support."""

import re
from collections.abc import Collection, Sequence

from models import Citation, Verdict
from research.evidence.statements import Statement, cited_statements
from research.formatting import json_bytes

MAX_ANSWER_CHARACTERS = 100_000
MAX_SENTENCE_CHARACTERS, MAX_GROWTH_BYTES = 1_500, 4_000
"""Of one rewritten statement, and by how much all of them may make a text longer."""

_LINE = re.compile(
    r"^[^\w\n]{0,9}(?P<number>\d{1,3})\s{0,3}[.:)：、]\s{0,9}(?P<sentence>\S[^\n]*)$", re.MULTILINE
)
_LEAVE_OUT = re.compile(r"[^\w]*leave[ _-]?out\b", re.IGNORECASE)
_MARK = re.compile(r"[ \t]?[\[【](\d{1,3})[\]】]")
_CELLS = " | "
"""Between the cells of a statement that is a row of a table."""
_BEGINS_LINE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,3}[.)])?[ \t]*\|?[ \t]*")


def to_rewrite(citations: Sequence[Citation]) -> list[Citation]:
    """Return the citations that a writer is asked to rewrite: those that the passages do not support."""
    failed = (Verdict.CONTRADICTED, Verdict.ABSENT)
    return [citation for citation in citations if citation.verdict in failed]


def rewritten(text: str, numbers: Collection[int], asked: Sequence[Citation], answer: str) -> str:
    """Return the text with the sentences that a model's answer gives in place of these statements.

    A statement that the answer does not name stays as it is. What cites nothing gets the statement's own
    marks, and numbers that the statement does not have are no citations.
    """
    lines = {int(line["number"]): line["sentence"] for line in _LINE.finditer(answer[:MAX_ANSWER_CHARACTERS])}
    wanted: dict[tuple[str, tuple[int, ...]], list[str | None]] = {}
    for number, citation in enumerate(asked, start=1):
        wanted.setdefault((citation.statement, citation.sources), []).append(lines.get(number))
    changed = text
    for statement in reversed(cited_statements(text, numbers)):  # so that the places of the others stay
        answers = wanted.get((statement.text, statement.numbers))
        sentence = answers.pop() if answers else None
        if sentence and len(sentence) <= MAX_SENTENCE_CHARACTERS:
            changed = _replaced(changed, statement, sentence)
    return changed if json_bytes(changed) <= json_bytes(text) + MAX_GROWTH_BYTES else text


def _replaced(text: str, statement: Statement, sentence: str) -> str:
    """Return the text with a sentence in place of the statement; a row keeps the number of its cells."""
    start, end = statement.start, statement.end
    if _LEAVE_OUT.match(sentence):
        start, end = _with_line(text, start, end)
        return text[:start] + text[end:]
    is_row = _CELLS in statement.text
    allowed = [number for number in map(int, _MARK.findall(sentence)) if number in statement.numbers]
    words = " ".join(_MARK.sub("", sentence).split()).strip("#>-*+|` ")
    if is_row and words.count(_CELLS) != statement.text.count(_CELLS):
        return text
    words = words if is_row else words.replace("|", "/")
    marks = "".join(f"[{number}]" for number in dict.fromkeys(allowed or statement.numbers))
    stop = words[-1:] if words[-1:] in ".!?。！？।" else ""
    return f"{text[:start]}{words[: len(words) - len(stop)]} {marks}{stop}{text[end:]}" if words else text


def _with_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a place with the space beside it, or with its whole lines where nothing else stands in them."""
    first, stop = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    last = len(text) if stop < 0 else stop
    before, after = text[first:start], text[end:last]
    if _BEGINS_LINE.fullmatch(before) and not after.strip(" \t|"):
        return first, min(last + 1, len(text))
    if after[:1] in (" ", "\t"):
        return start, end + len(after) - len(after.lstrip(" \t"))
    return start - len(before) + len(before.rstrip(" \t")), end

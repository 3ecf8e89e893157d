"""Judging: which statements of a text its passages support, by free checks and by a model's verdicts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from models import Citation, Passage, Verdict
from research.evidence import excerpts
from research.evidence.figures import missing
from research.evidence.statements import Statement, cited_statements

MAX_SHOWN = 3
"""Passages that a statement is judged by: those that say most about it."""
MAX_SENTENCE_CHARACTERS = 1_500
MAX_ANSWER_CHARACTERS = 100_000

_VERDICT = re.compile(
    r"^[^\w\n]{0,9}(?P<number>\d{1,3})[^\w\n]{1,9}(?P<not>not\s+|un)?(?P<word>supported|partly|partially|contradicted|absent)\b",
    re.MULTILINE | re.IGNORECASE,
)
_LINE = re.compile(
    r"^[^\w\n]{0,9}(?P<number>\d{1,3})\s{0,3}[.:)：、]\s{0,9}(?P<sentence>\S[^\n]*)$", re.MULTILINE
)
_LEAVE_OUT = re.compile(r"[^\w]*leave[ _-]?out\b", re.IGNORECASE)
_MARK = re.compile(r"[ \t]?[\[【](\d{1,3})[\]】]")


@dataclass(frozen=True)
class Docket:
    """The statements of a text that cite, some of them to be judged by a model."""

    citations: tuple[Citation, ...]
    open: tuple[int, ...]
    """The positions of those that a model is asked about."""
    words: dict[Passage, str]

    @property
    def asked(self) -> list[tuple[str, list[str]]]:
        """The statements that a model is asked about, with the words of their passages."""
        return [
            (citation.statement, [self.words[passage] for passage in citation.passages])
            for citation in (self.citations[place] for place in self.open)
        ]

    def decided(self, answer: str, judge: str = "") -> tuple[Citation, ...]:
        """Return all citations with a model's verdicts; what it does not say clearly is unchecked."""
        found = verdicts(answer)
        decided = list(self.citations)
        for number, place in enumerate(self.open, start=1):
            verdict = found.get(number, Verdict.UNCHECKED)
            decided[place] = replace(decided[place], verdict=verdict.value, judge=judge)
        return tuple(decided)


def docket(
    text: str, numbers: Collection[int], passages: Mapping[Passage, str], judged: Sequence[Citation]
) -> Docket:
    """Return the statements of a text; those that were judged before keep their verdicts.

    The free checks come first: a figure, a date or quoted words that no passage of the cited sources has are
    absent, whatever a model would say. A statement without any passage cannot be checked.
    """
    known = {(citation.statement, citation.sources): citation for citation in judged}
    citations, asked = [], []
    words: dict[Passage, str] = {}
    for statement in cited_statements(text, numbers):
        before = known.get((statement.text, statement.numbers))
        if before:
            citations.append(before)
            continue
        shown = _shown(statement, passages)
        words |= shown
        citation = Citation(statement.text, statement.numbers, tuple(shown))
        everything = [text for passage, text in passages.items() if passage.source in statement.numbers]
        if shown and missing(statement.text, everything):
            citation = replace(citation, verdict=Verdict.ABSENT.value)
        elif shown:
            asked.append(len(citations))
        citations.append(citation)
    return Docket(tuple(citations), tuple(asked), words)


def _shown(statement: Statement, passages: Mapping[Passage, str]) -> dict[Passage, str]:
    """Return the passages of a statement's sources that say most about it, the best one first."""
    own = [passage for passage in passages if passage.source in statement.numbers]
    scores = excerpts.relevance([passages[passage] for passage in own], [statement.text])
    best = sorted(range(len(own)), key=lambda place: (-scores[place], place))[:MAX_SHOWN]
    return {own[place]: passages[own[place]] for place in best}


def verdicts(answer: str) -> dict[int, Verdict]:
    """Return the verdict for each number in a model's answer; none for a number with two of them."""
    found: dict[int, Verdict] = {}
    unclear: set[int] = set()
    for line in _VERDICT.finditer(answer[:MAX_ANSWER_CHARACTERS]):
        number, word = int(line["number"]), line["word"].lower()
        verdict = Verdict.PARTLY if word.startswith("part") else Verdict(word)
        if line["not"]:
            verdict = Verdict.ABSENT if verdict is Verdict.SUPPORTED else Verdict.UNCHECKED
        if found.setdefault(number, verdict) is not verdict:
            unclear.add(number)
    return {number: verdict for number, verdict in found.items() if number not in unclear}


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
    wanted = {
        (citation.statement, citation.sources): lines[number]
        for number, citation in enumerate(asked, start=1)
        if number in lines
    }
    parts, last = [], 0
    for statement in cited_statements(text, numbers):
        sentence = wanted.pop((statement.text, statement.numbers), None)
        if sentence is None:
            continue
        parts += [text[last : statement.start], _sentence(sentence, statement)]
        last = statement.end
    return _without_empty_items("".join([*parts, text[last:]]))


def _sentence(sentence: str, statement: Statement) -> str:
    if _LEAVE_OUT.match(sentence) or len(sentence) > MAX_SENTENCE_CHARACTERS:
        return ""
    allowed = [number for number in map(int, _MARK.findall(sentence)) if number in statement.numbers]
    words = " ".join(_MARK.sub("", sentence).split()).lstrip("#>-*+|` ").replace("|", "/")
    marks = "".join(f"[{number}]" for number in dict.fromkeys(allowed or statement.numbers))
    stop = words[-1:] if words[-1:] in ".!?。！？।" else ""
    return f"{words[: len(words) - len(stop)]} {marks}{stop}" if words else ""


def _without_empty_items(text: str) -> str:
    """Return the text without list items that have lost their only sentence."""
    return re.sub(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]*\n", "", text, flags=re.MULTILINE)

"""Judging: which statements of a text its passages support, by free checks and by a model's verdicts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from models import Citation, Passage, Verdict
from research.evidence import excerpts
from research.evidence.figures import missing
from research.evidence.statements import Statement, cited_statements
from research.formatting import json_bytes

MAX_BASIS, MAX_UNRANKED, MAX_CITED = 3, 8, 6
"""Passages by which a statement is judged; of sources in another language together; sources at most."""
CITATION_BYTES, PASSAGE_BYTES = 160, 80
"""Of a citation as JSON, without its statement, and of each of its passages."""
MAX_ANSWER_CHARACTERS = 100_000

_VERDICT = re.compile(
    r"^[^\w\n]{0,9}(?P<number>\d{1,3})[^\w\n]{1,9}(?P<not>not\s+|un)?(?P<word>supported|partly|partially|contradicted|absent)\b",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Docket:
    """The statements of a text that cite, some of them to be judged by a model."""

    citations: tuple[Citation, ...]
    open: tuple[int, ...]
    """The positions of those that a model is asked about."""
    words: Mapping[Passage, str]

    @property
    def asked(self) -> list[tuple[str, list[str]]]:
        """The statements that a model is asked about, with the words of their passages."""
        return [
            (citation.statement, [self.words[passage] for passage in citation.passages])
            for citation in (self.citations[place] for place in self.open)
        ]

    def decided(self, answer: str, judge: str, day: str) -> tuple[Citation, ...]:
        """Return all citations with a model's verdicts of that day; what it does not say is unchecked."""
        found = verdicts(answer)
        decided = list(self.citations)
        for number, place in enumerate(self.open, start=1):
            if number in found:
                decided[place] = replace(decided[place], verdict=found[number].value, judge=judge, judged=day)
        return tuple(decided)


def docket(
    text: str,
    numbers: Collection[int],
    passages: Mapping[Passage, str],
    judged: Sequence[Citation],
    max_bytes: int,
) -> Docket:
    """Return the statements of a text that cite one of the numbers: the first ones, in `max_bytes` of JSON.

    Those that were judged before keep their verdicts. For the others the free checks come first: a figure, a
    date or quoted words that none of their passages has are absent, whatever a model would say. A statement
    without any passage is unchecked.
    """
    known = {(citation.statement, citation.sources): citation for citation in judged}
    citations, asked, left = list[Citation](), list[int](), max_bytes
    for statement in cited_statements(text, numbers):
        citation = known.get((statement.text, statement.numbers))
        if not citation:
            chosen = basis(statement, passages)
            citation = Citation(statement.text, statement.numbers, tuple(chosen))
            if chosen and missing(statement.text, list(chosen.values())):
                citation = replace(citation, verdict=Verdict.ABSENT.value)
            elif chosen:
                asked.append(len(citations))
        left -= json_bytes(citation.statement) + CITATION_BYTES + PASSAGE_BYTES * len(citation.passages)
        if left < 0:
            break
        citations.append(citation)
    asked = [place for place in asked if place < len(citations)]
    return Docket(tuple(citations), tuple(asked), passages)


def basis(statement: Statement, passages: Mapping[Passage, str]) -> dict[Passage, str]:
    """Return the passages by which a statement is judged, of the sources that it cites, the best one first.

    They are the best one of each source, those that have its figures and quoted words, and others about it.
    Of a source without a word of the statement, as when it is in another language, they are the first ones.
    """
    own = {p: text for p, text in passages.items() if p.source in statement.numbers}
    scores = dict(zip(own, excerpts.relevance(list(own.values()), [statement.text]), strict=True))
    order = sorted(own, key=lambda p: -scores[p])
    chosen = list[Passage]()
    for number in statement.numbers[:MAX_CITED]:
        of_source = [p for p in order if p.source == number]
        is_ranked = any(scores[p] for p in of_source)
        chosen += of_source[: 1 if is_ranked else max(MAX_UNRANKED // len(statement.numbers), 1)]
    rest = [p for p in order if p not in chosen]
    while rest and (lacking := missing(statement.text, [own[p] for p in chosen])):
        found, count = min(
            ((p, len(missing(statement.text, [own[each] for each in (*chosen, p)]))) for p in rest),
            key=lambda pair: pair[1],
        )
        if count == len(lacking):
            break
        chosen.append(found)
        rest.remove(found)
    chosen += rest[: max(MAX_BASIS - len(chosen), 0)]
    return {p: own[p] for p in chosen}


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

"""What a report shows of its proof: the passages of each reference, and signs at what is not confirmed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

from models import Citation, Passage, PDFGenerationInput, Source, Verdict
from research.checked import CheckedReport, ShownPassage
from research.config import Settings
from research.evidence import store
from research.evidence.citations import check_report
from research.evidence.statements import Statement, cited_statements
from research.output.words import Words, words_for

SIGNS = {
    Verdict.PARTLY: "†", Verdict.UNCHECKED: "†", Verdict.CONTRADICTED: "‡", Verdict.ABSENT: "‡",
}  # fmt: skip
"""Stand behind the numbers of a statement that its passages do not support; † says less than ‡."""


class Judged(Protocol):
    """A statement and what became of it, in a report or in its evidence file."""

    @property
    def verdict(self) -> str:
        """A `Verdict`."""

    @property
    def judge(self) -> str:
        """Who judged; empty for the program itself."""


def checked_report(report: PDFGenerationInput, settings: Settings) -> PDFGenerationInput:
    """Return the report with its citations checked, and with what proves them.

    Raises:
        StepError: a frozen text cannot be had.
    """
    checked = check_report(report)
    return with_proof(checked, settings) if isinstance(checked, CheckedReport) else checked


def with_proof(report: CheckedReport, settings: Settings) -> CheckedReport:
    """Return a checked report with its passages, and with a sign at each statement that is not confirmed.

    Raises:
        StepError: a frozen text cannot be had.
    """
    if not report.passages:
        return report
    known = {(citation.statement, frozenset(citation.sources)): citation for citation in report.citations}
    stated = [
        (statement, known.get((statement.text, frozenset(statement.numbers))) or _unjudged(statement))
        for statement in cited_statements(report.content, [source.number for source in report.sources])
    ]
    citations = tuple(citation for _, citation in stated)
    shown = _shown(citations, report.sources, settings)
    words = words_for(report.content, report.topic)
    judged = [account_of(citations, report.dropped_passages, words)] if citations else []
    account = words("gap").join([report.account, *judged])
    return _with_signs(replace(report, citations=citations, shown=shown, account=account), stated)


def _unjudged(statement: Statement) -> Citation:
    return Citation(statement.text, statement.numbers)


def _shown(
    citations: Sequence[Citation], sources: Sequence[Source], settings: Settings
) -> tuple[ShownPassage, ...]:
    """Return the passages by which the statements were judged, by source."""
    found = {passage for citation in citations for passage in citation.passages}
    texts = {
        source.number: store.thaw_for_step(settings, source.sha256) for source in sources if source.sha256
    }
    return tuple(
        ShownPassage(passage, texts[passage.source][passage.start : passage.end])
        for passage in sorted(found, key=lambda passage: (passage.source, passage.start, passage.end))
        if passage.source in texts
    )


def _with_signs(report: CheckedReport, stated: Sequence[tuple[Statement, Citation]]) -> CheckedReport:
    """Return the report with signs in its content, and the passage to which each of its marks leads."""
    places = {each.passage: place for place, each in enumerate(report.shown, start=1)}
    targets, signs = dict.fromkeys(report.marks, 0), {}
    for statement, citation in stated:
        marks = [mark for mark in report.marks if statement.start <= mark < statement.end]
        for mark in marks:
            number = int(report.content[mark + 2 : report.content.index("]", mark)])
            best = (passage for passage in citation.passages if passage.source == number)
            targets[mark] = places.get(next(best, Passage(0, 0, 0)), 0)
        sign = SIGNS.get(Verdict(citation.verdict), "")
        if marks and sign:
            signs[report.content.index("]", marks[-1]) + 1] = sign
    cuts = [0, *sorted(signs), len(report.content)]
    parts = [f"{report.content[start:end]}{signs.get(end, '')}" for start, end in pairwise(cuts)]
    moved = {
        mark: mark + sum(len(sign) for end, sign in signs.items() if end <= mark) for mark in report.marks
    }
    return replace(
        report, content="".join(parts), marks=tuple(moved.values()), targets=tuple(targets.values())
    )


def account_of(citations: Sequence[Judged], dropped: int, words: Words) -> str:
    """Return in a sentence or two what was judged by whom, and how many passages the models made up."""
    counts = Counter(citation.verdict for citation in citations)
    others = {
        "partly": counts[Verdict.PARTLY],
        "unsupported": counts[Verdict.CONTRADICTED] + counts[Verdict.ABSENT],
        "unchecked": counts[Verdict.UNCHECKED],
    }
    told = "".join(words(name, count) for name, count in others.items() if count)
    judges = sorted({citation.judge for citation in citations} - {""})
    told += words("judged", words.apart(words.all_of(judges))) if judges else ""
    account = [words("supported", counts[Verdict.SUPPORTED], len(citations), told)]
    return words("gap").join([*account, words("dropped", dropped)] if dropped else account)

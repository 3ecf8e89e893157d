"""What a model makes of the set: the passages that it copies, and its verdicts, as in a report.

The calls are those of a report, with its prompts, its parsing and its free checks; only Temporal is left out.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.evidence.testset import KINDS, Stated, groups, pages, paragraphs, section, title
from models import (
    Citation,
    GenerateReportInput,
    LLMCallInput,
    LLMCallOutput,
    Source,
    Step,
    StepKind,
    Verdict,
)
from research import config
from research.config import Settings
from research.evidence import store
from research.llm.draft import Draft
from research.report import writing
from research.report.calls import Calls
from research.report.ledger import Ledger
from research.report.proof import NO_ANSWER
from research.report.sections import Part

REFUSED = (Verdict.CONTRADICTED, Verdict.ABSENT)


@dataclass(frozen=True)
class Judged:
    """A statement, and its citation as it was judged."""

    stated: Stated
    citation: Citation

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the right one."""
        return self.citation.verdict == self.stated.expected

    @property
    def is_right_side(self) -> bool:
        """Whether the statement is kept or refused, as is right; by the program alone it is always absent."""
        if self.citation.verdict == Verdict.UNCHECKED:
            return False
        return (self.citation.verdict in REFUSED) == (self.stated.expected in REFUSED)

    @property
    def is_by_program(self) -> bool:
        """Whether no model was asked."""
        return not self.citation.judge


def run(lists_wrong: bool) -> None:
    """Print what the configured model makes of the set; of the sample model nothing."""
    settings = config.load()
    if config.is_sample(settings.reader_model):
        print("\nNo model is configured. To measure one: set LLM_MODEL, and LLM_API_BASE or LLM_API_KEY.")
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(replace(settings, reports_dir=Path(folder)), lists_wrong))


async def _measure(settings: Settings, lists_wrong: bool) -> None:
    sources = [
        Source(number, title=title(page), sha256=store.freeze(settings.reports_dir, page))
        for number, page in pages().items()
    ]
    taken = [answer async for answer in _answers(_reading(sources), settings)]
    print(f"\n{settings.reader_model}, {sum(each.seconds for each in taken):.0f} s for the passages\n")
    print(passages_table(taken), flush=True)
    together = list(groups())
    answers = [answer async for answer in _answers(_judging(together, sources), settings)]
    judged = [
        Judged(stated, citation)
        for group, answer in zip(together, answers, strict=True)
        for stated, citation in zip(group, answer.citations, strict=True)
    ]
    print(f"\n{settings.reader_model}, {sum(each.seconds for each in answers):.0f} s for the verdicts\n")
    print(f"{kinds_table(judged)}\n\n{confusion_table(judged)}", flush=True)
    for each in judged if lists_wrong else ():
        if not each.is_right and not each.is_by_program:
            print(f"\n{each.stated.expected} → {each.citation.verdict}: {each.stated.sentence}", end="")


async def _answers(calls: Sequence[LLMCallInput], settings: Settings) -> AsyncIterator[LLMCallOutput]:
    for number, call in enumerate(calls, start=1):
        answer = await writing.write(call, settings, Draft(), lambda way, place: None)
        told = f"{call.step.kind} {number} of {len(calls)}: {answer.seconds:.0f} s"
        if answer.finish_reason == NO_ANSWER:
            told = f"{told}, no answer: {' '.join(answer.notes)}"
        print(told, file=sys.stderr, flush=True)
        yield answer


def _reading(sources: Sequence[Source]) -> list[LLMCallInput]:
    """Return the calls for the passages of each page, whose title is the topic of the report."""
    calls = []
    for source in sources:
        topic = GenerateReportInput(source.title, sources=True)
        calls += Calls(topic, Ledger()).passages([source], (), [source.title])
    return calls


def _judging(together: Sequence[Sequence[Stated]], sources: Sequence[Source]) -> list[LLMCallInput]:
    """Return the calls for the verdicts; each group of statements is a section, its passages paragraphs."""
    parts = [
        Part(Step("", number, len(together)), section(group), tuple(sources), ())
        for number, group in enumerate(together, start=1)
    ]
    calls = Calls(GenerateReportInput("", sources=True), Ledger())
    return calls.proof(StepKind.JUDGE, parts, [*paragraphs()])


def passages_table(taken: Sequence[LLMCallOutput]) -> str:
    """Return a table of the passages that the model has given of each page."""
    rows = ["| page | passages given | found in the page | dropped |", "|---|---|---|---|"]
    counts = [(sum(p.is_copied for p in answer.passages), answer.dropped) for answer in taken]
    for page, (found, dropped) in zip(pages().values(), counts, strict=True):
        rows.append(f"| {title(page)} | {found + dropped} | {found} | {dropped} |")
    found, dropped = (sum(column) for column in zip(*counts, strict=True))
    return "\n".join([*rows, f"| all | {found + dropped} | {found} | {dropped} |"])


def kinds_table(judged: Sequence[Judged]) -> str:
    """Return a table of how many statements of each kind were judged rightly."""
    rows = [
        "| | statements | refused without the model | right verdict | kept or refused as is right "
        "| wrongly supported | unchecked |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in (*KINDS, ""):
        own = [each for each in judged if kind in ("", each.stated.kind)]
        verdicts = Counter(each.citation.verdict for each in own if not each.is_right)
        cells = [
            kind or "all",
            len(own),
            sum(each.is_by_program and each.citation.verdict == Verdict.ABSENT for each in own),
            _share(sum(each.is_right for each in own), len(own)),
            _share(sum(each.is_right_side for each in own), len(own)),
            verdicts[Verdict.SUPPORTED],
            verdicts[Verdict.UNCHECKED],
        ]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def confusion_table(judged: Sequence[Judged]) -> str:
    """Return a table of the right verdicts and those that were given, by the program and by the model."""
    names = [*Verdict, "absent, by the program"]
    rows = [f"| right | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for expected in dict.fromkeys(KINDS.values()):
        own = [each for each in judged if each.stated.expected == expected]
        cells = [*_row(own), sum(map(_is_refused_by_program, own))]
        rows.append(f"| {expected} | {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def _row(own: Sequence[Judged]) -> Iterator[int]:
    for verdict in Verdict:
        yield sum(each.citation.verdict == verdict and not _is_refused_by_program(each) for each in own)


def _is_refused_by_program(each: Judged) -> bool:
    return each.is_by_program and each.citation.verdict == Verdict.ABSENT


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})"

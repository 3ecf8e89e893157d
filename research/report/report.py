"""A report in the making: what was asked for, what its steps have brought, and what the next ones need.

Knows nothing of Temporal. The Workflow holds it: `begin_…` returns what a step is given, `take_…` takes
what came of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models import (
    GenerateReportInput,
    GenerateReportOutput,
    LLMCallInput,
    LLMCallOutput,
    Note,
    PDFGenerationInput,
    PDFGenerationOutput,
    Source,
    Step,
    StepKind,
)
from research.formatting import format_note, format_usage, summary_notes
from research.messages import (
    ReadPageInput,
    ReadPageOutput,
    StoredAnswersInput,
    WebSearchInput,
    WebSearchOutput,
)
from research.output.naming import report_filename
from research.report.calls import Calls
from research.report.ledger import Ledger
from research.report.plan import plan_notes
from research.report.planning import Planning, ReportFailed
from research.report.proof import Proof
from research.report.sections import (
    Answer,
    Part,
    Research,
    joined_sections,
    one_text,
    sources_of,
    written_section,
)
from research.sources.cleaning import MAX_TITLE_CHARACTERS, clean_text
from research.sources.documents import MAX_DOCUMENTS
from research.sources.found import FoundSources, gather_sources

MAX_TOPIC_CHARACTERS = 10_000
"""Because the PDF's input also holds the texts, and Temporal accepts 2 MB."""


@dataclass
class Report:
    """A report of a prompt."""

    asked: GenerateReportInput
    run_id: str
    day: str
    """The day on which it was started, as YYYY-MM-DD in UTC."""
    ledger: Ledger = field(default_factory=Ledger)
    calls: Calls = field(init=False)
    plan: Planning = field(init=False)
    _found: FoundSources = field(default_factory=FoundSources)
    _retrieved: str = ""
    """The day of the searches; empty where nothing was searched."""
    _max_pages: int = 0
    _written: list[Answer] = field(default_factory=list)
    """The sections as they were written, or the one text."""
    proof: Proof = field(default_factory=Proof)
    """The passages that it is written from, and the verdicts on what it says."""
    _summary: Answer = field(default_factory=lambda: Answer(None))

    def __post_init__(self) -> None:
        self.calls = Calls(self.asked, self.ledger)
        self.plan = Planning(self.asked, self.calls)

    def begin_documents(self) -> list[ReadPageInput]:
        """Return the person's own documents, which are to be read before anything is paid for.

        Raises:
            ReportFailed: there are too many.
        """
        documents = self.asked.documents
        if len(documents) > MAX_DOCUMENTS:
            raise ReportFailed(f"a report takes at most {MAX_DOCUMENTS} documents, not {len(documents)}")
        names = [clean_text(document.name, MAX_TITLE_CHARACTERS) for document in documents]
        return [
            _reading(number, Source(number, "" if document.sha256 else document.name, name), document.sha256)
            for number, (document, name) in enumerate(zip(documents, names, strict=True), start=1)
        ]

    def take_documents(self, read: Sequence[ReadPageOutput]) -> None:
        """Take the documents as they were read.

        Raises:
            ReportFailed: one of them cannot be read; the person may do without it, or repair it.
        """
        documents = [output.source for output in read]
        failed = [document for document in documents if not document.sha256]
        if failed:
            listed = ", ".join(f"{document.title} ({document.reason})" for document in failed)
            hint = "; READ_ALLOW may name private addresses" if any(page.url for page in failed) else ""
            raise ReportFailed(f"these documents cannot be read: {listed}{hint}")
        self._found = gather_sources((), documents)

    def begin_searches(self) -> list[WebSearchInput]:
        """Return the searches for all queries of the plan."""
        return [
            WebSearchInput(query.text, step=Step(StepKind.SEARCH, number, title=query.text))
            for number, query in enumerate(self.plan.queries, start=1)
        ]

    def take_searches(self, searches: Sequence[WebSearchOutput], day: str) -> None:
        """Take what the searches have found; `day` is the day on which they did."""
        self.ledger.enter_searches(searches)
        self._found, self._retrieved = gather_sources(searches, self._found.sources), day
        self._max_pages = max((search.max_pages for search in searches), default=0)

    def begin_reading(self) -> list[ReadPageInput]:
        """Return the pages that are to be read: the best results of every query."""
        found = self._found.sources[self._found.documents :]
        unread = [replace(source, snippet="") for source in found if not source.sha256]
        most = max(self._max_pages - (len(found) - len(unread)), 0)
        return [_reading(number, source) for number, source in enumerate(unread[:most], start=1)]

    def take_pages(self, read: Sequence[ReadPageOutput]) -> None:
        """Take the pages as they were read, or with the reason why not."""
        self._found = self._found.with_read(output.source for output in read)

    def begin_passages(self) -> list[LLMCallInput]:
        """Return the calls that take the passages of each page that was read."""
        read = self.read if self.asked.evidence else []
        return self.calls.passages(read, self.plan.sections, self._wanted)

    @property
    def read(self) -> list[Source]:
        """The sources that were read."""
        return [source for source in self._found.sources if source.sha256]

    def begin_judging(self) -> list[LLMCallInput]:
        """Return the calls that judge each part as it stands."""
        parts = map(self._part, self.proof.to_judge(self._written))
        return self.calls.proof(StepKind.JUDGE, list(parts), self.proof.passages)

    def begin_rewriting(self) -> list[LLMCallInput]:
        """Return the calls that rewrite what the passages do not support."""
        parts = map(self._part, self.proof.to_rewrite())
        return self.calls.proof(StepKind.REWRITE, list(parts), self.proof.passages)

    def take_rewritten(self, answers: Sequence[Answer]) -> None:
        """Take the texts with their rewritten statements."""
        self._written = self.proof.take_rewritten(self._written, answers)

    def begin_text(self) -> LLMCallInput:
        """Return the call for the research as one text."""
        return self.calls.text(self._found.sources, self._wanted, self.proof.passages)

    def take_text(self, call: LLMCallOutput) -> None:
        """Take the research as one text."""
        self.ledger.enter(call)
        self._written = [Answer(call)]

    def begin_sections(self) -> list[LLMCallInput]:
        """Return the calls for all sections, none of which knows another one's text."""
        sources = [self._sources_of(number) for number in range(1, len(self.plan.sections) + 1)]
        return self.calls.sections(self.plan.sections, sources, self.proof.passages)

    def take_sections(self, answers: Sequence[Answer]) -> None:
        """Take what came of the sections; one that cannot be written leaves its heading with the reason.

        Raises:
            ReportFailed: that is so of all of them.
        """
        if not any(answer.call for answer in answers):
            raise ReportFailed(f"no section could be written: {answers[0].failure}")
        self._written = list(answers)

    def begin_summary(self) -> LLMCallInput:
        """Return the call for the executive summary."""
        return self.calls.summary(self._research.text)

    def take_summary(self, answer: Answer) -> None:
        """Take the summary, or the reason why there is none: the research is paid for."""
        self._summary = answer

    def begin_pdf(self) -> PDFGenerationInput:
        """Return what stands on the page."""
        return PDFGenerationInput(
            content=self._research.text,
            filename=report_filename(self.asked.prompt, self.run_id),
            summary=self._summary.call.text if self._summary.call else "",
            topic=self.asked.prompt[:MAX_TOPIC_CHARACTERS],
            model=self._research.model,
            date=self.day,
            notes=tuple(map(format_note, self._notes)),
            bill=format_usage(self.ledger.usage()),
            sources=self._found.without_snippets(),
            retrieved=self._retrieved,
            citations=self.proof.all_citations(),
            passages=self.proof.passages,
            dropped_passages=self.proof.dropped,
            plan=self.plan.sections,
            remarks=self._notes,
            usage=self.ledger.usage(),
        )

    def begin_cleanup(self) -> StoredAnswersInput | None:
        """Return the answers that the provider keeps; None for a model that keeps none."""
        return StoredAnswersInput(self.ledger.stored) if self.ledger.stored else None

    def output(self, pdf: PDFGenerationOutput) -> GenerateReportOutput:
        """Return what the finished report gives back."""
        return GenerateReportOutput(
            result=f"Successfully created research report PDF with summary: {pdf.filename}",
            filename=pdf.filename,
            path=pdf.path,
            pages=pdf.pages,
            model=self._research.model,
            bill=self.ledger.usage(interrupted_at_end=pdf.interruptions > 0),
            notes=(*map(format_note, self._notes), *pdf.warnings),
            sources=pdf.sources,
        )

    @property
    def _research(self) -> Research:
        """The text as it stands, with what a reader must know about it."""
        titles = [section.title for section in self.plan.sections]
        if titles:
            return joined_sections(list(map(written_section, titles, self._written)))
        return (
            one_text(self._written[0].call) if self._written and self._written[0].call else Research("", "")
        )

    @property
    def _notes(self) -> tuple[Note, ...]:
        """What a reader must know, in the order of the steps."""
        about_plan = plan_notes(self.asked.sections, len(self.plan.sections))
        about_summary = summary_notes(self._summary.call, self._summary.failure)
        return (
            *about_plan,
            *self._found.notes,
            *self._research.notes,
            *self.proof.notes,
            *about_summary,
        )

    @property
    def _wanted(self) -> tuple[str, ...]:
        """What the whole report is about, for the choice of excerpts."""
        return tuple(query.text for query in self.plan.queries) or (self.asked.prompt[:MAX_TOPIC_CHARACTERS],)

    def _sources_of(self, number: int) -> tuple[Source, ...]:
        return sources_of(number, self.plan.queries, self._found)

    def _part(self, place: int) -> Part:
        """Return a part as it stands: a section, or the one text."""
        call, count = self._written[place].call, len(self.plan.sections)
        step = Step("", place + 1, count, self.plan.sections[place].title) if count else Step("")
        sources = self._sources_of(place + 1) if count else self._found.sources
        given, text = {source.number for source in sources}, call.text if call else ""
        named = [
            source for source in self._found.sources if re.search(rf"(?<!\d){source.number}(?!\d)", text)
        ]
        read = tuple(s if s.number in given else replace(s, sha256="") for s in named)
        return Part(step, text, read, self.proof.citations.get(place, ()))


def _reading(number: int, source: Source, document: str = "") -> ReadPageInput:
    return ReadPageInput(source, document, Step(StepKind.READ, number, title=source.title))

"""What crosses the border besides `models`: searches, pages, and what a person says to a report.

Plain dataclasses, to which fields are only added, always with a default.
"""

from dataclasses import dataclass
from enum import StrEnum

from models import Citation, Note, Passage, PlannedSection, Source, Step, StepKind


@dataclass(frozen=True)
class WebSearchInput:
    """One query for the configured search provider."""

    query: str
    max_results: int = 10
    step: Step = Step(StepKind.SEARCH)


@dataclass(frozen=True)
class WebSearchOutput:
    """What a search has found, cleaned and bounded; its cost is None where the price list has none."""

    results: tuple[Source, ...] = ()
    cost: float | None = None
    failure: str = ""
    """Why the provider gave no answer, for a report that continues without it."""
    attempts: int = 1
    max_pages: int = 0
    """How many pages a report reads, by the worker's setting; 0 in results of a version before 0.8."""


@dataclass(frozen=True)
class ReadPageInput:
    """A page or document that is to be read."""

    source: Source
    document: str = ""
    """The hash of the document's bytes; "" for a page."""
    step: Step = Step(StepKind.READ)


@dataclass(frozen=True)
class ReadPageOutput:
    """The source as it was read, its text in the evidence store; or with the reason why it was not."""

    source: Source
    attempts: int = 1


PlanStage = StrEnum("PlanStage", "NONE WAITS CHANGES APPROVED")
"""Whether there is a plan yet, it waits for its person, another one is being written, or it is approved."""


@dataclass(frozen=True)
class PlanReview:
    """What a person says of a plan: that it is approved, another plan in its place, or a wish."""

    revision: int
    """Of the plan that the person has seen."""
    approved: bool = False
    plan: tuple[PlannedSection, ...] = ()
    wish: str = ""


@dataclass(frozen=True)
class PlanState:
    """A plan, and what it waits for."""

    state: str
    """A `PlanStage`."""
    revision: int = 0
    plan: tuple[PlannedSection, ...] = ()
    has_sections: bool = False
    """Else it is queries for a report of one text."""
    estimate: str = ""
    """What the rest will cost and take, in one line."""
    note: str = ""
    ends_at: str = ""
    """When it has waited for as long as was asked for, in UTC (ISO 8601); empty where the wait has no end."""
    then: str = ""
    """What is done at that time: `approve` or `cancel`."""


@dataclass(frozen=True)
class ReviseReportInput:
    """What of a finished report is to change."""

    report: str
    """The name of its PDF, or its Workflow ID."""
    wish: str
    sections: tuple[int, ...] = ()
    """The sections that change, counted from 1; without any the model chooses them."""
    newest: bool = False
    """Whether the newest version of the report is meant, whichever is named."""


@dataclass(frozen=True)
class AskReportInput:
    """A question about a finished report."""

    report: str
    """The name of its PDF, or its Workflow ID."""
    question: str
    newest: bool = False


@dataclass(frozen=True)
class StoredAnswersInput:
    """Answers that the provider keeps and nobody needs any more."""

    ids: tuple[str, ...]
    step: Step = Step(StepKind.CLEANUP)


@dataclass(frozen=True)
class OpenReportInput:
    """A finished report that is to be opened, by the name of its PDF or by its Workflow ID."""

    report: str
    step: Step = Step(StepKind.OPEN)
    newest: bool = False


@dataclass(frozen=True)
class ReportSection:
    """A section of a finished report, in Markdown; the texts of all are the report, to the character."""

    plan: PlannedSection
    """Its title, what it covers and its queries, as far as they are known."""
    heading: str
    text: str
    """What stands below the heading; every citation is a mark `[^n]`."""
    sources: tuple[int, ...] = ()
    """The numbers that it cites."""


@dataclass(frozen=True)
class OpenedReport:
    """What its evidence file has of a finished report."""

    filename: str = ""
    topic: str = ""
    preface: str = ""
    """What stands before the first section."""
    sections: tuple[ReportSection, ...] = ()
    sources: tuple[Source, ...] = ()
    """Those that are cited by their numbers; the others have 0."""
    retrieved: str = ""
    """The day of the searches; empty where nothing was searched."""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    notes: tuple[str, ...] = ()
    """What its readers had to know, each with its version: in English, for versions before 0.10."""
    written_by: str = ""
    """The model; of a later version there may be several."""
    next_version: int = 2
    """The number that the next version of it is to have."""
    remarks: tuple[Note, ...] = ()


@dataclass(frozen=True)
class QuestionInput:
    """An answer that is to be stored with its question, and with what proves it."""

    report: str
    """The name of the PDF that it is about."""
    question: str
    answer: str
    """As the model has written it; empty where no passage says anything."""
    sources: tuple[Source, ...] = ()
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    kept: tuple[int, ...] = ()
    """The sources that keep the number which the report cites them by."""
    model: str = ""
    date: str = ""
    notes: tuple[str, ...] = ()
    bill: str = ""
    step: Step = Step(StepKind.STORE)


@dataclass(frozen=True)
class QuestionOutput:
    """The question with its answer, as it stands in the file."""

    answer: str
    filename: str = ""
    path: str = ""
    sources: tuple[Source, ...] = ()

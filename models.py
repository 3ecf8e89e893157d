"""What crosses the border between processes: plain dataclasses, standard library only.

A report that one version has started completes on the next: fields are only added, always with a default.
Reports and model calls are here; searches, pages, reviews, revisions and questions: `research/messages.py`.
"""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class GenerateReportInput:
    """What a report is started with; from another SDK `{"prompt": "…"}` is enough."""

    prompt: str
    pause_seconds: float = 0.0
    """A durable pause after the research: time to kill the worker and watch nothing be lost."""
    sources: bool = False
    """Whether the web is searched first, so that the text cites what was found."""
    sections: int = 0
    """How many sections are written side by side, 2 to 20; 0 for one text."""
    documents: tuple["Document", ...] = ()
    """What the report is written from besides; without `sources` it is written from them alone."""
    evidence: bool = True
    """Whether passages are taken from what was read, and statements judged by them."""
    review: bool = False
    """Whether the plan waits for its person; after `review_seconds`, if any, `review_then` is done."""
    review_seconds: float = 0.0
    review_then: str = "approve"


@dataclass(frozen=True)
class Document:
    """A file, whose bytes are `documents/<sha256>` beside the reports; or a page, by its address."""

    name: str
    sha256: str = ""


@dataclass(frozen=True)
class Usage:
    """What a report took; costs are US dollars, or None where litellm's price list has no price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    requests: int = 0
    saved_tokens: int = 0
    """Finished or resumed text that starting from scratch would have paid for again."""
    saved_cost: float | None = None
    searches: int = 0
    search_cost: float | None = None


Read = StrEnum("Read", "PAGE RESULT SNIPPET DOCUMENT NO")
"""What of a source was read: its page, or that as the search has sent it; its snippet; a file; nothing."""
Verdict = StrEnum("Verdict", "SUPPORTED PARTLY CONTRADICTED ABSENT UNCHECKED")
"""What passages say of a statement; unchecked where nobody could tell."""


@dataclass(frozen=True)
class Source:
    """A page that a search has found, or a document."""

    number: int = 0
    """By which a text cites it; 0 while it has none."""
    url: str = ""
    title: str = ""
    date: str = ""
    snippet: str = ""
    author: str = ""
    sha256: str = ""
    """The hash of its frozen text, which has so many characters; empty where it was not read."""
    characters: int = 0
    retrieved: str = ""
    read: str = Read.SNIPPET
    reason: str = ""
    """Why it could not be read, as a short clause."""


@dataclass(frozen=True)
class Passage:
    """Words of a source: the characters of its frozen text between which they stand."""

    source: int
    start: int
    end: int
    page: int = 0
    is_copied: bool = True
    """By the model; else the program has chosen the paragraph."""


@dataclass(frozen=True)
class Citation:
    """A statement of a text that cites sources, and what their passages say of it, the best one first."""

    statement: str
    sources: tuple[int, ...]
    passages: tuple[Passage, ...] = ()
    verdict: str = Verdict.UNCHECKED
    judge: str = ""
    """The model that judged, and the day in UTC; empty for the program itself."""
    judged: str = ""


@dataclass(frozen=True)
class Note:
    """What a reader must know: an English wording with its values, and the part that it is about."""

    wording: str
    values: tuple[str | int, ...] = ()
    part: str = ""
    numbers: tuple[int, ...] = ()
    version: int = 0


@dataclass(frozen=True)
class GenerateReportOutput:
    """What a finished report gives back."""

    result: str
    """The sentence a person reads, ending in the file's name."""
    filename: str = ""
    path: str = ""
    pages: int = 0
    model: str = ""
    bill: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    """What the report cites, in the order of citing, without the snippets."""
    answer: str = ""
    """Where a question was asked: the answer, as Markdown."""


StepKind = StrEnum(
    "StepKind",
    "PLAN SEARCH READ PASSAGES RESEARCH SECTION JUDGE REWRITE SUMMARY PDF CLEANUP OPEN CHANGES ANSWER STORE",
)
"""What a step is for. Research is one text, the whole report; from OPEN on they are for finished reports."""


@dataclass(frozen=True)
class Step:
    """What one step of a report is for, and its place among those of its kind."""

    kind: str
    """A `StepKind`; another text where another version has scheduled the step."""
    number: int = 0
    """Its place among those of its kind, counted from 1; 0 for the only one."""
    count: int = 0
    """How many sections the report has, or is to be planned with."""
    title: str = ""
    """The section's title, below which its text is to stand; a search's query, a page's title."""
    topic: str = ""


@dataclass(frozen=True)
class Material:
    """Where a prompt quotes texts: the part that is shortened where a prompt is too long for the model."""

    start: int = 0
    """The character of the prompt at which the first piece begins."""
    pieces: tuple[int, ...] = ()
    """The characters of each piece; the last ones are left out first."""


@dataclass(frozen=True)
class PlannedSection:
    """A section that is to be written; `title` is empty for queries that belong to no section."""

    title: str
    covers: str = ""
    queries: tuple[str, ...] = ()
    number: int = 0
    """Its place in a report that there is, which is to be revised there."""


@dataclass(frozen=True)
class LLMCallInput:
    """One prompt for the configured model."""

    prompt: str
    spent: float = 0.0
    """What the report has cost so far, in US dollars, for the ceiling LLM_MAX_COST."""
    share: int = 1
    """How many calls side by side share what the ceiling leaves."""
    max_bytes: int = 0
    """The longest answer that is wanted, in bytes of its JSON; 0 for as much as a payload holds."""
    step: Step = Step("")
    """What it is for; in a call of a version before 0.7 `label` and a section's `title` say so."""
    material: Material = Material()
    texts: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    """For each piece of the material the hash of a frozen text to quote from, or "", and its source."""
    queries: tuple[str, ...] = ()
    wish: str = ""
    """What a reader wants of a finished report: a change, or an answer."""
    passages: tuple[Passage, ...] = ()
    written: str = ""
    """The text whose statements are judged or rewritten; the citations were judged before."""
    citations: tuple[Citation, ...] = ()
    label: str = ""
    title: str = ""


@dataclass(frozen=True)
class LLMCallOutput:
    """What a model wrote and what it took, in US dollars by litellm's price list."""

    text: str
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    finish_reason: str = ""
    """Why the text ends: "stop", or where it is not whole "length", "too_long", "empty", "unfinished",
    "refused", "cost" or "no answer"; then the notes say why."""
    seconds: float = 0.0
    requests: int = 1
    """Requests to the provider, those of lost workers included."""
    attempts: int = 1
    interruptions: int = 0
    resumed_at: int | None = None
    resumed_by: str = ""
    """Where another attempt resumed an interrupted text, and how: "retrieve", "prefill", "block", "again"."""
    kept_tokens: int = 0
    """Tokens that this attempt did not have to pay again, and their price."""
    kept_cost: float | None = None
    prompt_shortened: bool = False
    prompt_cut: bool = False
    notes: tuple[str, ...] = ()
    """Why there is no answer; from a version before 0.10 clauses whose subject is the text."""
    remarks: tuple[Note, ...] = ()
    stored: tuple[str, ...] = ()
    """IDs of the answers that the provider keeps for this text, until the Workflow has them deleted."""
    plan: tuple[PlannedSection, ...] | None = None
    """The plan that the text is; None for any other text, and in results of a version before 0.7."""
    prices: tuple[float, float] | None = None
    """With a plan, what a million tokens cost, in and out."""
    passages: tuple[Passage, ...] = ()
    dropped: int = 0
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Version:
    """Which version of a report this is, what it changes in the PDF `before`, and what was told of it."""

    number: int = 1
    before: str = ""
    notes: tuple[str, ...] = ()
    wish: str = ""
    changed: tuple[int, ...] = ()
    """The sections that were written anew, counted from 1."""
    kept: tuple[int, ...] = ()
    """The sources that keep the number which they were cited by."""
    remarks: tuple[Note, ...] = ()


@dataclass(frozen=True)
class PDFGenerationInput:
    """A report's parts, in Markdown, and the name of the file to write."""

    content: str
    filename: str = "research_pdf.pdf"
    summary: str = ""
    topic: str = ""
    model: str = ""
    date: str = ""
    """The day the report was started, as YYYY-MM-DD in UTC."""
    notes: tuple[str, ...] = ()
    bill: str = ""
    """The remarks and the usage in English: all that versions before 0.10 say and read."""
    sources: tuple[Source, ...] = ()
    """What the text may cite, numbered, without the snippets."""
    retrieved: str = ""
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    dropped_passages: int = 0
    plan: tuple[PlannedSection, ...] = ()
    version: Version = Version()
    remarks: tuple[Note, ...] = ()
    usage: Usage | None = None
    step: Step = Step(StepKind.PDF)


@dataclass(frozen=True)
class PDFGenerationOutput:
    """The file that was written."""

    filename: str
    path: str = ""
    pages: int = 0
    attempts: int = 1
    interruptions: int = 0
    warnings: tuple[str, ...] = ()
    """What is not on the page as the model wrote it, and what would repair it."""
    sources: tuple[Source, ...] = ()
    """What the text cites, numbered in the order of citing."""

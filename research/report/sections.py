"""A report of sections that were written side by side: their texts under the titles of one plan.

Every section's own headings are brought below its title, which is a second-level heading, so that the
whole has one outline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models import Citation, LLMCallOutput, Note, Source, Step
from research.formatting import call_notes, truncate_json
from research.markdown.outline import below_title
from research.markdown.title import escape_markdown
from research.report.plan import PlannedQuery
from research.sources.found import FoundSources

MAX_SECTION_BYTES = 60_000
"""Bytes of a section as JSON: 20 of them fit into one payload of 2 MB, with summary and sources."""
MAX_OUTLINE_BYTES = 4_000
"""What a section may grow by when its headings are brought below its title."""

MAX_OTHERS_SOURCES = 10
"""For a section whose own queries found nothing."""


@dataclass(frozen=True)
class Research:
    """The research of a report, and what a reader must know about it."""

    text: str
    model: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came of a model call."""

    call: LLMCallOutput | None
    """None where no answer will ever come."""
    failure: str = ""
    """Why, as a clause."""


@dataclass(frozen=True)
class Part:
    """A part of a report, which is judged alone: a section, or its one text."""

    step: Step
    """Its place, without a kind."""
    text: str
    sources: tuple[Source, ...]
    """Those of the report whose numbers stand in it, with the frozen texts of those it was written from."""
    citations: tuple[Citation, ...]
    """Its statements that were judged before."""


@dataclass(frozen=True)
class WrittenSection:
    """A section of the plan, and what became of it."""

    call: LLMCallOutput | None
    """None where it could not be written."""
    markdown: str
    """Its title as a heading, and its text or the reason why there is none."""


def text_below(title: str, text: str) -> str:
    """Return a section's text as it is to stand below its title, with its own headings below that."""
    return truncate_json(below_title(text, title), MAX_SECTION_BYTES + MAX_OUTLINE_BYTES)


def written_section(title: str, answer: Answer) -> WrittenSection:
    """Return a section as it is to stand in the report; one without text has its heading and the reason."""
    failure = f"*This section could not be written: {escape_markdown(answer.failure)}.*"
    return WrittenSection(answer.call, f"## {title}\n\n{answer.call.text if answer.call else failure}")


def sources_of(number: int, queries: Sequence[PlannedQuery], found: FoundSources) -> tuple[Source, ...]:
    """Return what a section's own queries have found, or else the best of what all of them have."""
    own = [place for place, query in enumerate(queries) if number in query.sections]
    return (found.of_queries(own) if found.sources else ()) or found.sources[:MAX_OTHERS_SOURCES]


def one_text(call: LLMCallOutput) -> Research:
    """Return the research that is one text."""
    return Research(call.text, call.model, tuple(_notes(call, with_place=True)))


def joined_sections(sections: Sequence[WrittenSection]) -> Research:
    """Return the research that consists of these sections, of which at least one was written."""
    model = next(section.call.model for section in sections if section.call)
    return Research(join_sections(sections), model, section_notes(sections))


def join_sections(sections: Sequence[WrittenSection]) -> str:
    """Return the sections as one Markdown text, in the plan's order."""
    return "\n\n".join(section.markdown for section in sections) + "\n"


def section_notes(sections: Sequence[WrittenSection]) -> tuple[Note, ...]:
    """Return what the reader must know about the sections: one note for what applies to several."""
    failed = sum(section.call is None for section in sections)
    about: dict[Note, list[int]] = {}
    for number, section in enumerate(sections, start=1):
        for note in _notes(section.call, with_place=False) if section.call else ():
            about.setdefault(note, []).append(number)
    failures = [Note("{0} of {1} sections could not be written.", (failed, len(sections)))] if failed else []
    named = [
        replace(note, part="Sections {0}" if len(numbers) > 1 else "Section {0}", numbers=tuple(numbers))
        for note, numbers in about.items()
    ]
    return (*failures, *named)


def _notes(call: LLMCallOutput, with_place: bool) -> list[Note]:
    some = Note("The text was written from some of its sources: all are too long for the model.")
    return [*call_notes(call, with_place), *([some] if call.prompt_shortened else [])]

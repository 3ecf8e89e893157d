"""Another version of a finished report: only the sections that a wish concerns are written anew.

Everything else stays as it was, to the character: other sections, the numbers of the sources, verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models import (
    GenerateReportInput,
    LLMCallInput,
    LLMCallOutput,
    Note,
    PDFGenerationInput,
    Source,
    Version,
)
from research.messages import OpenedReport, ReviseReportInput, WebSearchOutput
from research.output.naming import version_filename
from research.report.changes import Changes
from research.report.finished import FinishedReport
from research.report.planning import ReportFailed
from research.report.sections import Answer, Research, WrittenSection, section_notes
from research.sources.found import failure_notes


@dataclass
class Revision(FinishedReport):
    """A finished report while it is revised."""

    wanted: ReviseReportInput = field(default_factory=lambda: ReviseReportInput("", ""))
    _failures: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, wanted: ReviseReportInput, day: str) -> "Revision":
        """Return the revision that was asked for on this day."""
        return cls(GenerateReportInput(wanted.report), "", day, newest=wanted.newest, wanted=wanted)

    def take_opened(self, opened: OpenedReport) -> None:
        """Take the report as its evidence file has it.

        Raises:
            ReportFailed: it has no section of a number that was named.
        """
        super().take_opened(opened)
        sections = tuple(section.plan for section in opened.sections)
        self.plan = self.changes = Changes(self.asked, self.calls, sections, wish=self.wanted.wish)
        self.changes.choose(self.wanted.sections)
        model = opened.written_by
        self._written = [Answer(LLMCallOutput(section.text, model)) for section in opened.sections]

    def take_searches(self, searches: Sequence[WebSearchOutput], day: str) -> None:
        """Take what the searches for this version have found, behind what the report had."""
        super().take_searches(searches, day)
        self._found = replace(self._found, notes=tuple(failure_notes(searches)))

    def begin_passages(self) -> list[LLMCallInput]:
        """Return the calls that take the passages of each page that was read for this version."""
        before = self._found.sources[: self._found.documents]
        read = [source for source in self.read if source not in before] if self.asked.evidence else []
        return self.calls.passages(read, self.changes.changing, self._wanted)

    def begin_sections(self) -> list[LLMCallInput]:
        """Return the calls for the sections that change."""
        changing = self.changes.changing
        texts = [self.opened.sections[section.number - 1].text for section in changing]
        sources = [self._sources_of(section.number) for section in changing]
        return self.calls.revisions(
            self.plan.sections, changing, texts, sources, self.proof.passages, self.wanted.wish
        )

    def take_sections(self, answers: Sequence[Answer]) -> None:
        """Take the new texts; a section that cannot be written stays as it was.

        Raises:
            ReportFailed: that is so of all of them.
        """
        if not any(answer.call for answer in answers):
            raise ReportFailed(f"no section could be written: {answers[0].failure}")
        self.proof.citations = dict.fromkeys(range(len(self._written)), ())
        for section, answer in zip(self.changes.changing, answers, strict=True):
            if answer.call:
                self.proof.add_passages(answer.call.passages)
                self._written[section.number - 1] = answer
                del self.proof.citations[section.number - 1]
            else:
                failed = "Section {0} could not be written anew: {1}."
                self._failures.append(Note(failed, (section.number, answer.failure)))

    def begin_pdf(self) -> PDFGenerationInput:
        """Return what stands on the page: the new version, and what it changes."""
        opened = self.opened
        return replace(
            super().begin_pdf(),
            filename=version_filename(opened.filename, opened.next_version),
            citations=(*opened.citations, *self.proof.all_citations()),
            version=Version(
                opened.next_version,
                opened.filename,
                opened.notes,
                self.wanted.wish,
                self._changed,
                self.kept,
                opened.remarks,
            ),
        )

    @property
    def _changed(self) -> tuple[int, ...]:
        """The numbers of the sections that were written anew."""
        before = [section.text for section in self.opened.sections]
        return tuple(
            number
            for number, (text, after) in enumerate(zip(before, self._written, strict=True), start=1)
            if after.call and after.call.text != text
        )

    @property
    def _research(self) -> Research:
        texts = [self.opened.preface]
        for section, answer in zip(self.opened.sections, self._written, strict=True):
            texts += [section.heading, _in_place_of(section.text, answer.call.text if answer.call else "")]
        calls = [answer.call for answer in self._written]
        models = dict.fromkeys(call.model for call in calls if call and call.model)
        notes = section_notes([WrittenSection(call, "") for call in calls])
        return Research("".join(texts), " and ".join(models), notes)

    @property
    def _notes(self) -> tuple[Note, ...]:
        return (*self._failures, *super()._notes)

    def _sources_of(self, number: int) -> tuple[Source, ...]:
        """Return what a section is written anew from: what it cites and what was found now, or else all."""
        section = self.opened.sections[number - 1]
        planned = zip(self.plan.queries, self._found.by_query, strict=False)
        found = {source for query, numbers in planned if number in query.sections for source in numbers}
        given = found.union(section.sources)
        own = tuple(s for s in self._found.sources if s.number in given)
        return own if own and self.asked.sources else self._found.sources


def _in_place_of(before: str, text: str) -> str:
    """Return a text with the white space at its end that the one before had."""
    return before if text == before else text.rstrip() + before[len(before.rstrip()) :]

"""A finished report that was opened again: what it consists of, as its evidence file says."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models import GenerateReportInput, Source
from research.messages import OpenedReport, OpenReportInput, ReadPageOutput
from research.report.report import Report
from research.sources.found import FoundSources


@dataclass
class FinishedReport(Report):
    """A report that is there, and of which something is wanted."""

    opened: OpenedReport = field(default_factory=OpenedReport)
    newest: bool = False
    """Whether its newest version is wanted, whichever is named."""

    def begin_opening(self) -> OpenReportInput:
        """Return which report is to be opened."""
        return OpenReportInput(self.asked.prompt, newest=self.newest)

    def take_opened(self, opened: OpenedReport) -> None:
        """Take the report as its evidence file has it."""
        self.opened = opened
        evidence = bool(opened.passages) or not any(source.sha256 for source in opened.sources)
        self.asked = GenerateReportInput(opened.topic, sources=bool(opened.retrieved), evidence=evidence)
        self.calls = replace(self.calls, asked=self.asked)
        self._found = FoundSources(_numbered(opened.sources), documents=len(opened.sources))
        self.proof.add_passages(opened.passages)

    def take_documents(self, read: Sequence[ReadPageOutput]) -> None:
        """Take nothing: what the report was written from is frozen."""

    @property
    def kept(self) -> tuple[int, ...]:
        """The numbers by which the report cites its sources."""
        return tuple(source.number for source in self.opened.sources if source.number)


def _numbered(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources, those that are not cited with numbers behind all others."""
    cited = [source for source in sources if source.number]
    first = max((source.number for source in cited), default=0) + 1
    others = [source for source in sources if not source.number]
    return (*cited, *[replace(source, number=number) for number, source in enumerate(others, start=first)])

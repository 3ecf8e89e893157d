"""What is to change in a finished report: the sections that a wish concerns, with a query for each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models import LLMCallInput, PlannedSection
from research.llm.reader_prompts import QUERY_WORDS
from research.report.plan import MAX_QUERY_CHARACTERS, MAX_SECTIONS, search_queries
from research.report.planning import Planning, Refused, ReportFailed
from research.report.sections import Answer

_LINE = re.compile(
    r"\W{0,4}(?:\d{1,2}[.)]\s{1,4})?(?:section\s{1,4})?(\d{1,2})\b[^:：\n]{0,200}[:：]\s{0,9}(\S.*)",
    re.IGNORECASE,
)
"""A section's number, perhaps in a numbered list, with its title and a query."""


def read_changes(text: str, count: int) -> tuple[PlannedSection, ...]:
    """Return the sections that a model names, by their numbers from 1 to `count`, each with its query."""
    queries: dict[int, str] = {}
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and 1 <= int(found[1]) <= count:
            queries.setdefault(int(found[1]), found[2].strip(' *_`"')[:MAX_QUERY_CHARACTERS])
    return tuple(
        PlannedSection("", "", (query,) if query != QUERY_WORDS else (), number)
        for number, query in sorted(queries.items())
    )


@dataclass
class Changes(Planning):
    """The sections of a finished report, and those of them that are written anew."""

    wish: str = ""
    changing: tuple[PlannedSection, ...] = ()
    """With their numbers, and the queries for this time alone."""
    _attempt: int = 0

    @property
    def is_needed(self) -> bool:
        """Whether the model has to choose; of one section it is that one."""
        return not self.changing

    def choose(self, numbers: tuple[int, ...]) -> None:
        """Take the sections that the person has named, if any.

        Raises:
            Refused: there is no such section.
        """
        count = len(self.sections)
        if wrong := [number for number in numbers if not 1 <= number <= count]:
            listed = ", ".join(
                f"{place} {section.title}".strip() for place, section in enumerate(self.sections, start=1)
            )
            raise Refused(f"There is no section {wrong[0]} in it, only {listed}.")
        named = sorted(set(numbers)) or ([1] if count == 1 else [])
        self._change([PlannedSection("", "", (), number) for number in named])

    def begin(self, attempt: int) -> LLMCallInput:
        """Return the call that chooses the sections."""
        self._attempt = attempt
        return self.calls.changes(attempt, self.sections, self.wish)

    def take(self, answer: Answer) -> bool:
        """Take the sections that the model has chosen; return False where none can be read.

        Raises:
            ReportFailed: there will never be an answer, or none can be read for the second time.
        """
        self._change((answer.call.plan if answer.call else None) or ())
        if not self.changing and (self._attempt > 1 or not answer.call):
            why = answer.failure or "the model named none"
            raise ReportFailed(
                f'it is not known which sections are to change; name one: "Section 3: …" ({why})'
            )
        return bool(self.changing)

    def _change(self, chosen: Sequence[PlannedSection]) -> None:
        known = [section for section in chosen if 1 <= section.number <= len(self.sections)]
        wish = (" ".join(self.wish.split())[:MAX_QUERY_CHARACTERS],)
        self.changing = tuple(
            replace(self.sections[section.number - 1], queries=section.queries or wish, number=section.number)
            for section in known[:MAX_SECTIONS]
        )
        is_searched = self.changing and self.asked.sources
        queries = search_queries(self.changing, self.wish, MAX_SECTIONS) if is_searched else ()
        numbers = [section.number for section in self.changing]
        self.queries = tuple(
            replace(query, sections=tuple(numbers[place - 1] for place in query.sections))
            for query in queries
        )

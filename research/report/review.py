"""A plan in front of its person: what may be said of it, and what follows.

A refusal changes nothing, and costs nothing: the Workflow asks for it in the validator of its Update.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from models import PlannedSection
from research.formatting import control_character
from research.messages import PlanReview, PlanStage
from research.report.plan import (
    MAX_COVERS_CHARACTERS,
    MAX_QUERY_CHARACTERS,
    MAX_SECTIONS,
    MAX_TITLE_CHARACTERS,
    MIN_SECTIONS,
    PlannedQuery,
)

MAX_WISH_CHARACTERS, MAX_REVIEWED_QUERIES = 2_000, 40


@dataclass
class Review:
    """The plan of a report as it stands."""

    stage: PlanStage = PlanStage.NONE
    revision: int = 0
    plan: tuple[PlannedSection, ...] = ()
    wish: str = ""
    """What the person wants changed, while another plan is written."""
    note: str = ""

    def offer(self, plan: Sequence[PlannedSection]) -> None:
        """Put a plan before the person; without any, the one that stood there."""
        self.note = "" if plan else "The model wrote no plan that could be read."
        if plan or not self.revision:
            self.plan, self.revision = tuple(plan), self.revision + 1
        self.stage, self.wish = PlanStage.WAITS, ""

    @property
    def waits(self) -> bool:
        """Whether there is something to wait for."""
        return self.stage != PlanStage.APPROVED

    def is_answered(self) -> Callable[[], bool]:
        """Return whether the person has said something of the plan as it stands now."""
        seen = self.revision
        return lambda: self.stage != PlanStage.WAITS or self.revision != seen

    def refusal(self, review: PlanReview, has_sections: bool) -> str:
        """Return why this cannot be taken, as a sentence; nothing where it can.

        Without `has_sections` the report is one text, and its plan is queries.
        """
        said = bool(review.plan) + bool(review.wish.strip()) + review.approved
        if self.stage == PlanStage.NONE:
            return "There is no plan yet."
        if review.revision != self.revision:
            return f"The plan has changed: it is revision {self.revision}, not {review.revision}."
        if self.stage == PlanStage.CHANGES:
            return f"Another plan is being written in place of revision {self.revision}: wait for it."
        if self.stage == PlanStage.APPROVED:
            is_same = review.approved and said == 1
            return "" if is_same else "The plan is approved, and the report is being written."
        if not said or (review.wish.strip() and said > 1):
            return "Approve the plan, give another one, or wish for one."
        if len(review.wish) > MAX_WISH_CHARACTERS:
            return f"A wish has at most {MAX_WISH_CHARACTERS:,} characters, not {len(review.wish):,}."
        return problem_of(review.plan, has_sections) if review.plan else ""

    def take(self, review: PlanReview) -> None:
        """Take what is not refused."""
        if review.plan:
            self.plan, self.revision, self.note = review.plan, self.revision + 1, ""
        if review.approved:
            self.stage = PlanStage.APPROVED
        if review.wish.strip():
            self.stage, self.wish = PlanStage.CHANGES, review.wish.strip()


def reviewed_plan(
    sections: Sequence[PlannedSection], queries: Sequence[PlannedQuery]
) -> tuple[PlannedSection, ...]:
    """Return a plan as a person reviews it: with the queries that are searched, and no others."""
    if not sections:
        return (PlannedSection("", "", tuple(query.text for query in queries)),) if queries else ()
    return tuple(
        replace(section, queries=tuple(query.text for query in queries if number in query.sections))
        for number, section in enumerate(sections, start=1)
    )


def problem_of(plan: Sequence[PlannedSection], has_sections: bool) -> str:
    """Return what is wrong with a person's plan, as a sentence; nothing where nothing is."""
    titled = [section for section in plan if section.title.strip()]
    if has_sections and not MIN_SECTIONS <= len(plan) <= MAX_SECTIONS:
        return f"A plan has {MIN_SECTIONS} to {MAX_SECTIONS} sections, not {len(plan)}."
    if has_sections and len(titled) < len(plan):
        return "Each section needs a title."
    if not has_sections and (titled or not any(section.queries for section in plan)):
        return "The plan of a report of one text is search queries, and nothing else."
    for section in plan:
        for text, most, what in (
            (section.title, MAX_TITLE_CHARACTERS, "title"),
            (section.covers, MAX_COVERS_CHARACTERS, "description"),
            *((query, MAX_QUERY_CHARACTERS, "query") for query in section.queries),
        ):
            if len(text) > most or "\n" in text:
                return (
                    f"A {what} is one line of at most {most} characters: {text[:40].strip()!r} … is longer."
                )
            if code := control_character(text):
                return f"A {what} has a control character ({code}): remove it."
    if (count := sum(len(section.queries) for section in plan)) > MAX_REVIEWED_QUERIES:
        return f"A plan has at most {MAX_REVIEWED_QUERIES} queries, not {count}."
    return ""

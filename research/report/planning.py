"""The plan of a report: by the model, and with a review in front of its person until that approves it."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from models import (
    GenerateReportInput,
    LLMCallInput,
    LLMCallOutput,
    PlannedSection,
)
from research.errors import ErrorKind
from research.formatting import format_cost
from research.messages import PlanReview, PlanStage, PlanState
from research.report.calls import Calls
from research.report.estimate import estimate
from research.report.plan import (
    MAX_QUERIES,
    PlannedQuery,
    read_plan,
    search_queries,
    sections_asked_for,
    sections_to_write,
)
from research.report.review import MAX_REVIEWED_QUERIES, Review, reviewed_plan
from research.report.sections import Answer


class ReportFailed(Exception):
    """The report cannot be made; the message says why."""

    kind: ErrorKind | None = None


class Refused(ReportFailed):
    """The person has asked for what is not there; the message is a sentence."""

    kind = ErrorKind.REFUSED


@dataclass
class Planning:
    """What is to be written and searched for, and what the person says of it."""

    asked: GenerateReportInput
    calls: Calls
    sections: tuple[PlannedSection, ...] = ()
    """Those that are written side by side; empty where the report is one text."""
    queries: tuple[PlannedQuery, ...] = ()
    review: Review = field(default_factory=Review)
    _planned: LLMCallOutput | None = None
    """The call that has brought the plan."""
    _ends_at: str = ""
    """When the time to approve the plan as it stands is over; empty where it has no end."""

    @property
    def is_needed(self) -> bool:
        """Whether the model is asked what to search for, or for sections."""
        return self.asked.sources or self._count > 0

    @property
    def is_reviewed(self) -> bool:
        """Whether there is a plan for a person to approve."""
        return self.asked.review and self.is_needed

    def begin(self, attempt: int) -> LLMCallInput:
        """Return the call for a plan of queries, of sections, or of both."""
        return self.calls.plan(attempt, self._count)

    def take(self, answer: Answer) -> bool:
        """Take the plan; return False where sections were asked for and none can be read.

        Without a plan the web is searched for the topic, and the report is one text.
        """
        self._planned = answer.call
        plan = _plan_of(answer.call) if answer.call else ()
        self.sections = sections_to_write(plan) if self._count else ()
        most = max(MAX_QUERIES, len(self.sections))
        queries = search_queries(self.sections or plan, self.asked.prompt, most)
        self.queries = queries if self.asked.sources else ()
        self.review.offer(reviewed_plan(self.sections, self.queries))
        return bool(self.sections) or not self._count or answer.call is None

    def begin_other(self) -> LLMCallInput:
        """Return the call for another plan, as the person wishes."""
        return self.calls.plan(self.review.revision + 1, self._count, self.review.plan, self.review.wish)

    def take_other(self, answer: Answer) -> None:
        """Take another plan; where there is none that can be read, the person has the one before."""
        plan = _plan_of(answer.call) if answer.call else ()
        if sections_to_write(plan) if self._count else plan:
            self.take(answer)
        else:
            self.review.offer(())

    def refusal(self, review: PlanReview, ceiling: float | None = None) -> str:
        """Return why a person's review cannot be taken, as a sentence; nothing where it can.

        `ceiling` is what the report may cost by the worker's setting now, in US dollars.
        """
        if not self.is_reviewed:
            return "This report was started without --review."
        spent = self.calls.ledger.spent
        is_spent = ceiling is not None and spent >= ceiling and self.review.waits
        if is_spent and (review.approved or review.wish):
            fix = "To fix: raise it in .env and restart the worker."
            return f"The report has cost {format_cost(spent)}, and LLM_MAX_COST is ${ceiling:g}. {fix}"
        return self.review.refusal(review, self._count > 0)

    @property
    def timeout(self) -> float | None:
        """How long a person has to approve a plan, in seconds; None for as long as it takes."""
        return self.asked.review_seconds or None

    def begin_wait(self, now: datetime) -> PlanState:
        """Give a person the whole time for the plan as it stands, and return that plan."""
        self._ends_at = ""
        with suppress(OverflowError, ValueError):  # of a time that ends in no year of the calendar
            ends = now.astimezone(UTC) + timedelta(seconds=self.timeout or 0)
            self._ends_at = ends.isoformat(timespec="seconds") if self.timeout else ""
        return self.state()

    def take_review(self, review: PlanReview, now: datetime) -> None:
        """Take what a person says of the plan; a plan in its place has the whole time again."""
        self.review.take(review)
        self.begin_wait(now)

    def end_review(self) -> None:
        """Do what was asked for where nobody has approved the plan in time.

        Raises:
            ReportFailed: the report is not to be written.
        """
        if self.asked.review_then != "approve":
            raise ReportFailed("nobody has approved the plan in time")
        self.review.stage = PlanStage.APPROVED

    def take_approved(self) -> None:
        """Take the plan that was approved, which may be the person's own."""
        self.sections = tuple(section for section in self.review.plan if section.title)
        if self.asked.sources:
            self.queries = search_queries(self.review.plan, self.asked.prompt, MAX_REVIEWED_QUERIES)

    def state(self) -> PlanState:
        """Return the plan, what it waits for, and what the rest will cost and take."""
        review, stage = self.review, self.review.stage
        if stage == PlanStage.WAITS and not self.is_reviewed:
            stage = PlanStage.APPROVED
        rest = "" if stage == PlanStage.NONE else estimate(self.asked, review.plan, self._planned)
        has_sections = self._count > 0
        state = PlanState(stage.value, review.revision, review.plan, has_sections, rest, review.note)
        if stage != PlanStage.WAITS or not self._ends_at:
            return state
        return replace(state, ends_at=self._ends_at, then=self.asked.review_then)

    @property
    def _count(self) -> int:
        """How many sections are asked for; 0 for one text."""
        return sections_asked_for(self.asked.sections)


def _plan_of(call: LLMCallOutput) -> tuple[PlannedSection, ...]:
    """Return the plan; one that a version before 0.7 has recorded as a text is read here.

    That can go when no report of such a version runs any more: in 2027.
    """
    return read_plan(call.text) if call.plan is None else call.plan

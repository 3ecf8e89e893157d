"""A report at one moment: its steps, a pause, and what blocks it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from models import Step, StepKind
from research.temporal.names import expected_steps, step_name


class State(StrEnum):
    """The state of a step."""

    WAITING = "waiting"
    """The steps before it are not done."""
    QUEUED = "queued"
    """It waits for a worker."""
    RUNNING = "running"
    LOST = "lost"
    """Its worker's process is gone, and the service does not know it yet."""
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class StepStatus:
    """One Activity of a report. Times are Unix times, in seconds."""

    step: Step
    activity_id: str = ""
    """Empty until the Workflow schedules the Activity."""
    state: State = State.WAITING
    begun: float = 0.0
    ended: float = 0.0
    text: str = ""
    model: str = ""
    cost: float | None = None
    pages: int = 0
    attempt: int = 1
    reason: str = ""
    """Why the last attempt failed, in one line."""
    next_try: float = 0.0
    found: frozenset[str] = frozenset()
    """The addresses of the pages that a search has found."""
    is_refused: bool = False
    """Whether a page could not be read."""
    counted: str = ""
    """How many of several steps that are shown as one are done, such as "3 of 4"."""

    @property
    def name(self) -> str:
        """The step's name as people read it."""
        return step_name(self.step)

    @property
    def is_section(self) -> bool:
        """Whether this is one section, as against all of them before the plan says which there are."""
        return self.step.kind == StepKind.SECTION and self.step.number > 0


@dataclass(frozen=True)
class Status:
    """A report at one moment."""

    topic: str = ""
    steps: tuple[StepStatus, ...] = tuple(map(StepStatus, expected_steps()))
    """In the order in which they were scheduled, then those to come."""
    pause_ends: float | None = None
    review: str = ""
    """What of the report waits for its person."""
    report_id: str = ""
    """The end of its Workflow ID, by which a person names it."""
    blocked_reason: str = ""
    """Why no step of the report can run, and what to do."""
    is_over: bool = False


_FIRST_SHOWN = (
    *(State.RUNNING, State.QUEUED, State.LOST, State.RETRYING),
    *(State.FAILED, State.CANCELLED, State.DONE, State.WAITING),
)


def in_rows(status: Status) -> Status:
    """Return the status with all steps of each kind as one that a person does not follow one by one.

    Of several plans it has the last one.
    """
    plans = [step for step in status.steps if step.step.kind == StepKind.PLAN]
    status = replace(status, steps=tuple(step for step in status.steps if step not in plans[:-1]))
    for kind in (StepKind.SEARCH, StepKind.READ, StepKind.PASSAGES, StepKind.JUDGE, StepKind.REWRITE):
        status = _in_one_row(status, kind)
    return status


def _in_one_row(status: Status, kind: StepKind) -> Status:
    """Return the status with all steps of a kind as one, in the place of the first."""
    steps = [step for step in status.steps if step.step.kind == kind and step.activity_id]
    if not steps:
        return status
    shown = min(steps, key=lambda step: _FIRST_SHOWN.index(step.state))
    done = [step for step in steps if step.state is State.DONE]
    growing = [step for step in steps if step.state is not State.DONE]
    has_text = kind not in (StepKind.JUDGE, StepKind.REWRITE)  # theirs are lists of numbers
    refused = sum(step.is_refused for step in done)
    whole = replace(
        shown,
        step=Step(kind),
        activity_id=steps[0].activity_id,
        text="\n".join(step.text for step in growing if has_text and step.text),
        begun=min(step.begun for step in steps),
        ended=max(step.ended for step in steps) if shown.ended else 0.0,
        cost=sum(step.cost or 0.0 for step in done),
        found=frozenset(address for step in done for address in step.found),
        counted=f"{len(done) - refused} of {len(steps)}" + (f", {refused} refused" if refused else ""),
    )
    return replace(
        status, steps=tuple(whole if s is steps[0] else s for s in status.steps if s not in steps[1:])
    )

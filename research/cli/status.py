"""A report at one moment: its steps, a pause, and what blocks it."""

from dataclasses import dataclass
from enum import StrEnum

from research.temporal.names import STEP_LABELS


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
class Step:
    """One Activity of a report. Times are Unix times, in seconds."""

    label: str
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


@dataclass(frozen=True)
class Status:
    """A report at one moment."""

    topic: str = ""
    steps: tuple[Step, ...] = tuple(Step(label) for label in STEP_LABELS.values())
    """In the order in which they were scheduled, then those to come."""
    pause_ends: float | None = None
    blocked_reason: str = ""
    """Why no step of the report can run, and what to do."""
    is_over: bool = False

"""How long each step of a report may take, and how it is retried."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

from models import StepKind

# A worker that sends no heartbeat for eight seconds counts as dead, and its step goes to another one;
# a worker that is started where it died knows at once. Less would take a busy worker for a dead one.
# A step that fails is retried for as long as it takes, at most eight seconds apart unless the Activity
# says otherwise, so that a report continues soon after whatever stopped it was fixed.
_STEP = ActivityConfig(
    start_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=timedelta(seconds=8),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=8)),
)
_OTHERS: dict[str, ActivityConfig] = {
    StepKind.SEARCH: {**_STEP, "start_to_close_timeout": timedelta(minutes=5)},
    StepKind.READ: {**_STEP, "start_to_close_timeout": timedelta(minutes=5)},
    StepKind.CLEANUP: {
        "start_to_close_timeout": timedelta(seconds=30),
        "retry_policy": RetryPolicy(maximum_attempts=3),
    },
}


def step_options(kind: str) -> ActivityConfig:
    """Return the options of a step of this kind."""
    return _OTHERS.get(kind, _STEP)

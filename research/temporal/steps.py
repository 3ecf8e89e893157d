"""Steps of a Workflow: how long each may take, how it is retried, and how many run side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Protocol, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityConfig

from models import Step, StepKind
from research.temporal.names import step_summary

MAX_SIDE_BY_SIDE = 20
"""Steps of one kind that a report has the workers do at once."""


class StepInput(Protocol):
    """What an Activity is given: it says what the step is for."""

    @property
    def step(self) -> Step:
        """What the step is for."""


Input = TypeVar("Input", bound=StepInput)
Output = TypeVar("Output")

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


async def run_step(activity: Callable[[Input], Awaitable[Output]], input: Input) -> Output:
    """Have an Activity do a step, with the options of its kind."""
    options = ActivityConfig(**_OTHERS.get(input.step.kind, _STEP), summary=step_summary(input.step))
    return await workflow.execute_activity(activity, input, **options)


async def try_step(activity: Callable[[Input], Awaitable[Output]], input: Input) -> tuple[Output | None, str]:
    """Return the result of a step, or None and the reason why there will never be one."""
    try:
        return await run_step(activity, input), ""
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("%s: %s", step_summary(input.step), error.cause)
        return None, getattr(error.cause, "message", "")


async def run_each(activity: Callable[[Input], Awaitable[Output]], inputs: Iterable[Input]) -> list[Output]:
    """Have an Activity do several steps side by side."""
    return await each(run_step(activity, input) for input in inputs)


async def each(steps: Iterable[Awaitable[Output]]) -> list[Output]:
    """Return the results of steps that run side by side, at most MAX_SIDE_BY_SIDE at once."""
    slots = asyncio.Semaphore(MAX_SIDE_BY_SIDE)

    async def run(step: Awaitable[Output]) -> Output:
        async with slots:
            return await step

    return list(await asyncio.gather(*map(run, steps)))

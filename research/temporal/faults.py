"""What a step's errors are for Temporal: retried when, and for how long."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from research.errors import ErrorKind, StepError
from research.temporal.heartbeat import EmptyDraft, heartbeats, last_draft, run_until_shutdown

Params = ParamSpec("Params")
Result = TypeVar("Result")


async def within_outages(most: int, work: Coroutine[Any, Any, Result]) -> tuple[Result | None, str]:
    """Return what the work returns; None and the reason where it never will, or after `most` outages.

    Raises:
        ApplicationError: the step is to be retried.
    """
    draft = last_draft(EmptyDraft)
    try:
        return await run_until_shutdown(work, draft), ""
    except StepError as error:
        draft.faults -= error.kind is ErrorKind.NEEDS_ACTION  # because a wait for a person may be long
        activity.heartbeat(draft)
        if error.kind is ErrorKind.PERMANENT or draft.faults >= most:
            return None, error.message
        raise as_application_error(error, draft.faults) from None


async def in_thread(work: Callable[Params, Result], *args: Params.args, **options: Params.kwargs) -> Result:
    """Return what a function returns that reads or writes files; it runs in a thread.

    Raises:
        ApplicationError: the step is to be retried, or will never succeed.
    """
    draft = last_draft(EmptyDraft)
    try:
        async with heartbeats(draft):
            return await asyncio.to_thread(work, *args, **options)
    except StepError as error:
        raise as_application_error(error, draft.faults) from None


def as_application_error(error: StepError, count: int) -> ApplicationError:
    """Return the error as Temporal's, with its retry delay after `count` errors."""
    delay = error.delay(count)
    return ApplicationError(
        error.message,
        type=error.kind.value,
        non_retryable=error.kind in (ErrorKind.PERMANENT, ErrorKind.REFUSED),
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
    )

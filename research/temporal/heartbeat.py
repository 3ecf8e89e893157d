"""Heartbeats: what an Activity has so far, kept by the service, so that the next attempt resumes from it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol, TypeVar

from temporalio import activity
from temporalio.client import AsyncActivityCancelledError, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

HEARTBEAT_SECONDS = 0.4
"""Between two heartbeats with new text: a killed worker loses what was written after the last one."""
IDLE_HEARTBEAT_SECONDS = 1.5
"""Between two heartbeats with nothing new; the Workflow's heartbeat timeout is 8 seconds."""
MAX_HEARTBEAT_SECONDS = 2.5
MAX_HEARTBEATS_PER_SECOND = 40
"""From one worker, because each is a write of the service: many steps at once send theirs less often."""
MAX_BYTES_PER_SECOND = 100_000
"""Because each heartbeat carries the whole draft, a long draft is sent less often than a short one."""
WORKER_SHUTDOWN = "WorkerShutdown"
"""Type of the failure of an Activity that its worker gave up because it was asked to shut down."""

SUPERSEDED = "Superseded"
"""Type of the failure of an attempt that woke too late; the service takes no note of it."""


class Draft(Protocol):
    """A dataclass that a heartbeat carries; `text` is the part of it that grows."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    text: str
    faults: int
    """Attempts that failed by themselves, as against those that were lost with their worker."""


@dataclass
class EmptyDraft:
    """The draft of a step that has no text to resume from."""

    text: str = ""
    faults: int = 0


_running = 0
"""Steps that send heartbeats in this process."""

D = TypeVar("D", bound=Draft)
T = TypeVar("T")


def last_draft(kind: type[D]) -> D:
    """Return the draft of the previous attempt's last heartbeat, or an empty one.

    Fields that another version of the program has written and this one does not know are left out.
    """
    details = activity.info().heartbeat_details
    known = details[0] if details and isinstance(details[0], dict) else {}
    return kind(**{field.name: known[field.name] for field in fields(kind) if field.name in known})


def interruptions(draft: Draft) -> int:
    """Return how many attempts before this one a heartbeat timeout or a worker's shutdown has ended."""
    return max(activity.info().attempt - 1 - draft.faults, 0)


async def ensure_ours(draft: Draft) -> None:
    """Ask the service, before an effect, whether this attempt still counts: a frozen worker may wake late.

    Raises:
        ApplicationError: of the type "Superseded": another attempt has the step, or nobody needs it any more.
    """
    handle = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
    try:
        await handle.heartbeat(draft)
    except AsyncActivityCancelledError:
        raise asyncio.CancelledError from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ApplicationError("another attempt has this step now", type=SUPERSEDED) from None


async def is_abandoned() -> bool:
    """Return whether nobody needs this cancelled step any more; else another worker has it now."""
    details, info = activity.cancellation_details(), activity.info()
    if details and details.cancel_requested:
        return True
    handle = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    with suppress(RPCError):
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING
    return False


async def run_until_shutdown(work: Coroutine[Any, Any, T], draft: Draft) -> T:
    """Run the coroutine with heartbeats of its draft, until the worker is asked to shut down.

    Raises:
        ApplicationError: of the type "WorkerShutdown", when the worker is asked to shut down first. The next
            attempt starts at once, on another worker.
    """
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    async with heartbeats(draft):
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                with counting_faults(draft):
                    return working.result()
        finally:
            stopping.cancel()
            working.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await working
        raise ApplicationError(
            f"handed over at character {len(draft.text):,} by a worker that was asked to shut down",
            type=WORKER_SHUTDOWN,
            next_retry_delay=timedelta(milliseconds=1),
        )


@contextmanager
def counting_faults(draft: Draft) -> Iterator[None]:
    """Count a failure of the body in the draft, so that no lost worker is seen in it."""
    try:
        yield
    except Exception:
        draft.faults += 1
        raise


@asynccontextmanager
async def heartbeats(draft: Draft | None = None) -> AsyncIterator[None]:
    """Send heartbeats while the body runs, with the draft, where there is one, as their details."""

    async def send() -> None:
        last_sent, idle_for = draft and replace(draft), 0.0
        while True:
            seconds = _interval(draft)
            await asyncio.sleep(seconds)
            idle_for += seconds
            if draft != last_sent or idle_for >= IDLE_HEARTBEAT_SECONDS:
                activity.heartbeat(draft)
                last_sent, idle_for = draft and replace(draft), 0.0

    global _running
    _running += 1
    sending = asyncio.create_task(send())
    try:
        yield
    except BaseException:
        activity.heartbeat(draft)  # so that the next attempt resumes from the last word
        raise
    finally:
        _running -= 1
        sending.cancel()


def _interval(draft: Draft | None) -> float:
    size = len(draft.text.encode("utf-8", "replace")) if draft else 0
    least = max(HEARTBEAT_SECONDS, size / MAX_BYTES_PER_SECOND, _running / MAX_HEARTBEATS_PER_SECOND)
    return min(least, MAX_HEARTBEAT_SECONDS)

"""Find, list and cancel the reports that the service knows."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistoryEventFilterType,
)
from temporalio.service import RPCError, RPCStatusCode

from models import GenerateReportOutput
from research.cli import terminal
from research.cli.history import first_object, topic_of
from research.cli.progress import Handle, reason, waiting_plan
from research.errors import UserError
from research.programs import STARTER, WORKER
from research.temporal.names import ASK_TYPE, REVISE_TYPE, WORKFLOW_TYPE

MAX_LISTED = 20
MAX_SEARCHED = 1_000
"""Reports among which the end of an ID is searched for."""
CANCEL_SECONDS = 10.0
DONE, RUNNING = "done", "running"
_QUERY = " OR ".join(f'WorkflowType = "{name}"' for name in (WORKFLOW_TYPE, REVISE_TYPE, ASK_TYPE))
_STATES = {
    WorkflowExecutionStatus.RUNNING: RUNNING,
    WorkflowExecutionStatus.COMPLETED: DONE,
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "failed",
}


@dataclass(frozen=True)
class Row:
    """One report of the list."""

    workflow_id: str
    status: str
    topic: str
    started: datetime
    seconds: float
    path: str = ""
    error: str = ""
    review: str = ""
    """What of it waits for its person."""

    def as_json(self) -> dict[str, Any]:
        """Return all fields, for scripts."""
        return {**self.__dict__, "started": self.started.isoformat(), "seconds": round(self.seconds, 1)}

    def for_people(self, width: int) -> str:
        """Return one line, and a second one for the file or the failure."""
        started = self.started.astimezone().strftime("%m-%d %H:%M")
        took = f"{self.seconds:.0f} s" if self.seconds < 600 else f"{self.seconds / 60:.0f} min"
        head = f"{terminal.short_id(self.workflow_id)}  {self.status:<10}  {started}  {took:>7}  "
        lines = [terminal.truncate(head + " ".join(self.topic.split()), width)]
        waits = f"for you: {self.review}" if self.review else ""
        if self.path or self.error or waits:
            lines.append(" " * 10 + (self.path or self.error or waits))
        return "\n".join(lines)


async def latest(client: Client) -> list[Row]:
    """Return the reports that run and those that ended last, the newest first."""
    found = [execution async for execution in client.list_workflows(_QUERY, limit=MAX_LISTED)]
    found.sort(key=lambda execution: execution.start_time, reverse=True)
    return list(await asyncio.gather(*[_row(client, execution) for execution in found]))


async def find(client: Client, identity: str) -> tuple[Handle, str]:
    """Return the report with this Workflow ID, or whose Workflow ID ends so; and its Run ID.

    Raises:
        UserError: there is none, or there are several.
    """
    found = await search(client, identity)
    if len(found) != 1:
        many = f"{len(found)} reports have an ID that ends" if found else "There is no report with an ID"
        raise UserError(f"{many} in {identity!r}: `{STARTER} --list` shows the latest.")
    return found[0]


async def search(client: Client, identity: str) -> list[tuple[Handle, str]]:
    """Return the report with this Workflow ID, or those whose Workflow IDs end so, with their Run IDs."""
    handle = _handle(client, identity)
    try:
        description = await handle.describe()
        return [(handle, description.run_id)]
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise
    newest: dict[str, str] = {}
    async for execution in client.list_workflows(_QUERY, limit=MAX_SEARCHED):
        if execution.id.endswith(identity):
            newest.setdefault(execution.id, execution.run_id)
    return [(_handle(client, workflow_id), run_id) for workflow_id, run_id in newest.items()]


async def state_of(handle: Handle) -> str:
    """Return the state of a report, in a word."""
    status = (await handle.describe()).status
    return _STATES.get(status, "over") if status else "over"


async def cancel(handle: Handle) -> None:
    """Cancel a report, and return when it has ended.

    Raises:
        UserError: it had ended before, or no worker runs that could end it.
    """
    state = await state_of(handle)
    if state != RUNNING:
        raise UserError(f"It cannot be cancelled any more: it is {state}.")
    await handle.cancel()
    try:
        await asyncio.wait_for(handle.result(), CANCEL_SECONDS)
    except WorkflowFailureError:
        return
    except TimeoutError:
        raise UserError(
            f"The service will cancel it as soon as a worker runs: start one with `{WORKER}`."
        ) from None
    raise UserError("It was finished before it could be cancelled.")


async def _row(client: Client, execution: WorkflowExecution) -> Row:
    handle = _handle(client, execution.id, execution.run_id)
    state = _STATES.get(execution.status, RUNNING) if execution.status else RUNNING
    review = await waiting_plan(client, execution.raw_info) if state == RUNNING else ""
    ended = execution.close_time.timestamp() if execution.close_time else time.time()
    path = error = ""
    try:
        topic = await _topic(client, handle)
        if state == DONE:
            output = await handle.result()
            path = output.path or output.filename
        elif state == "failed":
            await handle.result()
    except WorkflowFailureError as failure:
        error = reason(failure)
    except RPCError:  # its history is no longer kept
        topic = ""
    seconds = ended - execution.start_time.timestamp()
    return Row(
        execution.id, "waits" if review else state, topic, execution.start_time, seconds, path, error, review
    )


def _handle(client: Client, workflow_id: str, run_id: str | None = None) -> Handle:
    return client.get_workflow_handle(workflow_id, run_id=run_id, result_type=GenerateReportOutput)


async def _topic(client: Client, handle: Handle) -> str:
    """Return the topic from the report's first event."""
    events = handle.fetch_history_events(
        page_size=1, event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT
    )
    async for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            return topic_of(await first_object(client, payloads))
        break
    return ""

"""The reports that the service knows: finding, listing and cancelling them; opening their PDFs."""

import asyncio
import time
import webbrowser
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
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
from research.cli.progress import Handle, first_object, reason
from research.errors import UserError
from workflow import GenerateReportWorkflow

LISTED = 20
SEARCHED = 1_000
"""Reports among which the end of an ID is looked for."""
CANCEL_SECONDS = 10.0
_OURS = 'WorkflowType = "GenerateReportWorkflow"'
_STATES = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "done",
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

    def as_json(self) -> dict[str, Any]:
        """Everything, for scripts."""
        return {**self.__dict__, "started": self.started.isoformat(), "seconds": round(self.seconds, 1)}

    def for_people(self, width: int) -> str:
        """One line, and a second one for the file or the failure."""
        started = self.started.astimezone().strftime("%m-%d %H:%M")
        took = f"{self.seconds:.0f} s" if self.seconds < 600 else f"{self.seconds / 60:.0f} min"
        head = f"{terminal.short_id(self.workflow_id)}  {self.status:<10}  {started}  {took:>7}  "
        lines = [terminal.truncate(head + " ".join(self.topic.split()), width)]
        if self.path or self.error:
            lines.append(" " * 10 + (self.path or self.error))
        return "\n".join(lines)


async def latest(client: Client) -> list[Row]:
    """The reports that run and those that ended last, the newest first."""
    found = [execution async for execution in client.list_workflows(_OURS, limit=LISTED)]
    found.sort(key=lambda execution: execution.start_time, reverse=True)
    return list(await asyncio.gather(*[_row(client, execution) for execution in found]))


async def find(client: Client, identity: str) -> tuple[Handle, str]:
    """The report with this Workflow ID, or whose Workflow ID ends so; and its Run ID.

    Raises:
        Fixable: there is none, or there are several.
    """
    handle = client.get_workflow_handle_for(GenerateReportWorkflow.run, identity)
    try:
        description = await handle.describe()
        return handle, description.run_id
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise
    found = [
        execution
        async for execution in client.list_workflows(_OURS, limit=SEARCHED)
        if execution.id.endswith(identity)
    ]
    if len(found) != 1:
        many = f"{len(found)} reports have an ID that ends" if found else "There is no report with an ID"
        raise UserError(f"{many} in {identity!r}: `python starter.py --list` shows the latest.")
    return client.get_workflow_handle_for(GenerateReportWorkflow.run, found[0].id), found[0].run_id


async def cancel(handle: Handle) -> None:
    """Cancel it, and return when it has ended.

    Raises:
        Fixable: it had ended before, or no worker is there to end it.
    """
    description = await handle.describe()
    if description.status != WorkflowExecutionStatus.RUNNING:
        state = _STATES.get(description.status, "over") if description.status else "over"
        raise UserError(f"It cannot be cancelled any more: it is {state}.")
    await handle.cancel()
    try:
        await asyncio.wait_for(handle.result(), CANCEL_SECONDS)
    except WorkflowFailureError:
        return
    except (asyncio.TimeoutError, TimeoutError):
        raise UserError(
            "The service will cancel it as soon as a worker runs: start one with `python worker.py`."
        ) from None
    raise UserError("It was finished before it could be cancelled.")


def is_here(path: str) -> bool:
    """Whether the file is at an address, or on this machine: the worker may be on another."""
    return "://" in path or Path(path).is_file()


def open_file(path: str) -> None:
    """Open the PDF with what this machine opens PDFs with.

    Raises:
        Fixable: it is not here, or nothing opens it.
    """
    if "://" in path or not Path(path).is_file():
        raise UserError(f"The PDF cannot be opened from here: it is at {path}.")
    if not webbrowser.open(Path(path).as_uri()):
        raise UserError(f"Nothing here opens PDFs: {path}")


async def _row(client: Client, execution: WorkflowExecution) -> Row:
    handle = client.get_workflow_handle_for(GenerateReportWorkflow.run, execution.id, run_id=execution.run_id)
    state = _STATES.get(execution.status, "running") if execution.status else "running"
    ended = execution.close_time.timestamp() if execution.close_time else time.time()
    path = error = ""
    try:
        topic = await _topic(client, handle)
        if state == "done":
            output: GenerateReportOutput = await handle.result()
            path = output.path or output.filename
        elif state == "failed":
            await handle.result()
    except WorkflowFailureError as failure:
        error = reason(failure)
    except RPCError:  # its history is no longer kept
        topic = ""
    seconds = ended - execution.start_time.timestamp()
    return Row(execution.id, state, topic, execution.start_time, seconds, path, error)


async def _topic(client: Client, handle: Handle) -> str:
    """From the first event: whoever started the report gave it there."""
    events = handle.fetch_history_events(
        page_size=1, event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT
    )
    async for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            return str((await first_object(client, payloads)).get("prompt", ""))
        break
    return ""

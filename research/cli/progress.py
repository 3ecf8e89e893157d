"""Poll what the service knows of a report, whoever started it and whatever runs it.

Finished steps are in the history; what runs or waits is in the description, with the text so
far in its heartbeats. So a report can be watched while no worker is alive.
"""

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.enums.v1 import WorkflowExecutionStatus as WorkflowStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models import GenerateReportOutput
from research.cli import history
from research.cli.history import failure_reason, first_object, unix, with_details
from research.cli.status import State, Status, StepStatus, in_rows
from research.cli.terminal import short_id
from research.errors import ErrorKind
from research.programs import WORKER
from research.temporal.client import Service, storage_problem
from research.temporal.identity import is_lost
from research.temporal.names import TASK_QUEUE
from research.temporal.shown import MEMO, shown_end

POLL_SECONDS = 1.0
"""Each poll is one request, and a second one when the history has grown or no step runs."""
RPC_TIMEOUT = timedelta(seconds=5)
"""Until a service that does not answer counts as unavailable."""
QUEUED_SECONDS = 2.0
"""Until a task that no worker has taken is explained."""
WORKERS_SECONDS = 3.0
"""For which the answer whether a worker runs is used."""
POLLER_SECONDS = 70.0
"""A worker asks for work at least once a minute."""
PERMANENT_STATUSES = (RPCStatusCode.NOT_FOUND, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
"""Errors of the service that stay; all others are waited out."""
NO_WORKER = f"No worker is running: start one with `{WORKER}`. Your report is safe."
NO_ANSWER = "The Temporal service does not answer; your report is safe."
WORKERS_BUSY = "Every worker is busy: the report waits for its turn."

_DAY_AND_TIME = "%m-%d %H:%M"

Handle: TypeAlias = WorkflowHandle[Any, GenerateReportOutput]


class Poller:
    """Polls one report at little cost for the service: the history is read only when it has grown."""

    def __init__(self, client: Client, service: Service, handle: Handle) -> None:
        self._client, self._service, self._handle = client, service, handle
        self._recorded = Status()
        self._history_length = -1
        self._has_workers, self._workers_asked_at = False, float("-inf")

    async def poll(self) -> Status:
        """Return the report's status; while the service does not answer, the last one and the reason.

        Raises:
            RPCError: the service refuses, or the report is no longer there.
        """
        try:
            return in_rows(await self._poll())
        except RPCError as error:
            if error.status in PERMANENT_STATUSES:
                raise
        reason = await asyncio.to_thread(self._outage_reason)
        return replace(in_rows(self._recorded), blocked_reason=reason)

    def _outage_reason(self) -> str:
        """Return why the service does not answer, and what to do."""
        if not self._service.is_dev_server:
            return f"{NO_ANSWER} Waiting …"
        if problem := storage_problem():
            return f"{problem} Your report is safe and continues after that."
        return f"{NO_ANSWER} Waiting (`python -m research.temporal.devserver start`) …"

    async def _poll(self) -> Status:
        description = (await self._handle.describe(rpc_timeout=RPC_TIMEOUT)).raw_description
        info = description.workflow_execution_info
        if info.history_length != self._history_length:
            events = (await self._handle.fetch_history(rpc_timeout=RPC_TIMEOUT)).events
            self._recorded = await history.read(self._client, events)
            self._history_length = info.history_length
        if info.status != WorkflowStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            return _closed(self._recorded, info)
        pending = {activity.activity_id: activity for activity in description.pending_activities}
        steps = [
            await self._with_pending(step, pending[step.activity_id]) if step.activity_id in pending else step
            for step in self._recorded.steps
        ]
        blocked_reason = await self._blocked_reason(description, steps)
        review = await waiting_plan(self._client, info)
        report_id = short_id(self._handle.id)
        return replace(
            self._recorded,
            steps=tuple(steps),
            review=review,
            report_id=report_id,
            blocked_reason=blocked_reason,
        )

    async def _with_pending(self, step: StepStatus, activity: PendingActivityInfo) -> StepStatus:
        """Return the step with what the description says about its running or next attempt."""
        details = await first_object(self._client, activity.heartbeat_details.payloads)
        step = replace(
            with_details(step, details),
            attempt=activity.attempt,
            reason=failure_reason(activity.last_failure),
        )
        if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            due = unix(activity.next_attempt_schedule_time)
            return replace(step, state=State.RETRYING if due > time.time() else State.QUEUED, next_try=due)
        return replace(step, state=State.LOST if is_lost(activity.last_worker_identity) else State.RUNNING)

    async def _blocked_reason(
        self, description: DescribeWorkflowExecutionResponse, steps: list[StepStatus]
    ) -> str:
        """Return what to do about a step whose worker is gone, or a task that no worker takes."""
        queued = time.time() - _queued_since(description) > QUEUED_SECONDS
        if not queued and not any(step.state is State.LOST for step in steps):
            return ""
        if time.monotonic() - self._workers_asked_at > WORKERS_SECONDS:
            self._has_workers = await self._find_workers()
            self._workers_asked_at = time.monotonic()
        if not self._has_workers:
            return NO_WORKER
        return WORKERS_BUSY if queued else ""

    async def _find_workers(self) -> bool:
        """Return whether a worker polls; the service lists a dead one for minutes."""
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=TASK_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        answer = await self._client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
        recent = time.time() - POLLER_SECONDS
        return any(
            unix(poller.last_access_time) > recent and not is_lost(poller.identity)
            for poller in answer.pollers
        )


async def waiting_plan(client: Client, info: WorkflowExecutionInfo) -> str:
    """Return what of a report waits for its person, since when and until when; nothing where nothing does."""
    payload = info.memo.fields.get(MEMO)
    shown = await first_object(client, [payload]) if payload else {}
    if not shown:
        return ""
    since = datetime.fromisoformat(str(shown["since"])).astimezone().strftime(_DAY_AND_TIME)
    until = shown_end(str(shown.get("ends_at", "")), str(shown.get("then", "")), _DAY_AND_TIME)
    return ", ".join(filter(None, (f"plan, revision {shown['revision']}, since {since}", until)))


async def result(handle: Handle) -> GenerateReportOutput:
    """Return the report's result; wait out a service that cannot be reached.

    Raises:
        WorkflowFailureError: the report failed or was cancelled.
        RPCError: the service refuses.
    """
    while True:
        try:
            return await handle.result()
        except RPCError as error:
            if error.status in PERMANENT_STATUSES:
                raise
            await asyncio.sleep(POLL_SECONDS)


def reason(error: BaseException) -> str:
    """Return the innermost message of a failure, in one line."""
    while error.__cause__:
        error = error.__cause__
    return " ".join(str(getattr(error, "message", error)).split())


def is_refused(error: BaseException) -> bool:
    """Return whether a report failed because what was asked of it is not there."""
    while error.__cause__:
        error = error.__cause__
    return isinstance(error, ApplicationError) and error.type == ErrorKind.REFUSED


def _closed(status: Status, info: WorkflowExecutionInfo) -> Status:
    """Return the status of a report that has ended: what had not ended by then never will."""
    is_done = info.status == WorkflowStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
    steps = [
        replace(step, state=State.CANCELLED, ended=unix(info.close_time))
        if step.state is State.QUEUED
        else step
        for step in status.steps
        if step.state is not State.WAITING or not is_done
    ]
    return replace(status, steps=tuple(steps), pause_ends=None, is_over=True)


def _queued_since(description: DescribeWorkflowExecutionResponse) -> float:
    """Return since when a task waits for a worker, as Unix time; infinity where none does."""
    task = description.pending_workflow_task
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return unix(task.scheduled_time)
    return min(
        (
            unix(activity.next_attempt_schedule_time) or unix(activity.scheduled_time)
            for activity in description.pending_activities
            if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        ),
        default=float("inf"),
    )

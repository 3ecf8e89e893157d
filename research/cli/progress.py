"""What is happening to a report, as the service knows it: whoever started it, whatever runs it.

Finished steps are in the history; what runs or waits is in the description, with the text so
far in its heartbeats. So a report can be watched with no worker alive.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueType,
    TimeoutType,
    WorkflowExecutionStatus,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from models import GenerateReportOutput
from research.temporal.client import Service
from research.temporal.identity import is_lost
from research.temporal.names import STEP_LABELS, TASK_QUEUE
from workflow import GenerateReportWorkflow

POLL_SECONDS = 1.0
"""Between two looks; each is one request, and a second one when the history has grown."""
PATIENCE = timedelta(seconds=5)
"""A service that says nothing for so long is as good as away."""
QUEUED_SECONDS = 2.0
"""A task that lies so long has no worker that is free."""
POLLER_SECONDS = 70.0
"""A worker that lives asks for work at least once a minute."""
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
PERMANENT_STATUSES = (RPCStatusCode.NOT_FOUND, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
"""What the service answers for good; everything else may pass."""

Handle: TypeAlias = WorkflowHandle[GenerateReportWorkflow, GenerateReportOutput]


@dataclass(frozen=True)
class Step:
    """One Activity of a report. Times are Unix times, in seconds."""

    name: str
    state: str = "waiting"
    """ "waiting" for the steps before it, "queued" for a worker, "running", "retrying", "done", "failed"."""
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
    steps: tuple[Step, ...] = tuple(Step(name) for name in STEP_LABELS.values())
    pause_ends: float | None = None
    blocked_reason: str = ""
    """What holds up the whole report, and the remedy."""
    is_over: bool = False


class Watcher:
    """Looks at one report, again and again, at little cost for the service."""

    def __init__(self, client: Client, service: Service, handle: Handle) -> None:
        self._client, self._service, self._handle = client, service, handle
        self._finished = Status()
        self._events = -1
        self._trouble, self._trouble_seen = "", 0.0

    async def poll(self) -> Status:
        """The report now; one whose service does not answer is safe, and is so described."""
        try:
            return await self._poll()
        except RPCError as error:
            if error.status in PERMANENT_STATUSES:
                raise
        remedy = " (`python -m research.temporal.devserver start`)" if self._service.is_dev_server else ""
        blocked_reason = (
            f"The Temporal service does not answer; your report is safe. Waiting for it{remedy} …"
        )
        return replace(self._finished, blocked_reason=blocked_reason)

    async def _poll(self) -> Status:
        description = (await self._handle.describe(rpc_timeout=PATIENCE)).raw_description
        events = description.workflow_execution_info.history_length
        if events != self._events:
            history = await self._handle.fetch_history(rpc_timeout=PATIENCE)
            self._finished, self._events = await self._read(history.events), events
        pending = {
            STEP_LABELS[activity.activity_type.name]: activity
            for activity in description.pending_activities
            if activity.activity_type.name in STEP_LABELS
        }
        steps = [
            await self._under_way(step, pending[step.name]) if step.name in pending else step
            for step in self._finished.steps
        ]
        return replace(
            self._finished,
            steps=tuple(steps),
            blocked_reason=await self._obstacle(description),
            is_over=description.workflow_execution_info.status != RUNNING,
        )

    async def _read(self, events: Sequence[HistoryEvent]) -> Status:
        """What the history says: the topic, the steps that have ended, the pause."""
        status, scheduled = Status(), dict[int, str]()
        steps = {step.name: step for step in status.steps}
        pause: dict[int, float] = {}
        for event in events:
            when = unix(event.event_time)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                status = replace(status, topic=(await self._decode(started.input.payloads)).get("prompt", ""))
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activity = event.activity_task_scheduled_event_attributes.activity_type.name
                scheduled[event.event_id] = name = STEP_LABELS.get(activity, activity)
                steps[name] = Step(name, "queued", begun=when)
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                name = scheduled[completed.scheduled_event_id]
                result = await self._decode(completed.result.payloads)
                steps[name] = replace(_with(steps[name], result), state="done", ended=when)
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                name = scheduled[failed.scheduled_event_id]
                reason = _reason(failed.failure)
                steps[name] = replace(steps[name], state="failed", ended=when, reason=reason)
            elif event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
                timer = event.timer_started_event_attributes
                pause[event.event_id] = when + timer.start_to_fire_timeout.ToSeconds()
            elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
                pause.pop(event.timer_fired_event_attributes.started_event_id, None)
        return replace(status, steps=tuple(steps.values()), pause_ends=next(iter(pause.values()), None))

    async def _under_way(self, step: Step, activity: PendingActivityInfo) -> Step:
        """A step that has not ended."""
        step = _with(step, await self._decode(activity.heartbeat_details.payloads))
        failure = activity.last_failure
        step = replace(step, attempt=activity.attempt, reason=_reason(failure))
        if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            due = unix(activity.next_attempt_schedule_time)
            return replace(step, state="retrying" if due > time.time() else "queued", next_try=due)
        return replace(step, state="running")

    async def _obstacle(self, description: DescribeWorkflowExecutionResponse) -> str:
        """What to do about a task that no worker takes; asked at most every three seconds."""
        since = _queued_since(description)
        if since is None or time.time() - since < QUEUED_SECONDS:
            self._trouble = ""
        elif not self._trouble or time.monotonic() - self._trouble_seen > 3:
            self._trouble_seen = time.monotonic()
            if await self._has_workers():
                self._trouble = "Every worker is busy: the report waits for its turn."
            else:
                self._trouble = (
                    "No worker is running: start one with `python worker.py`. Your report is safe."
                )
        return self._trouble

    async def _has_workers(self) -> bool:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=TASK_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        answer = await self._client.workflow_service.describe_task_queue(request)
        recent = time.time() - POLLER_SECONDS
        return any(
            unix(poller.last_access_time) > recent and not is_lost(poller.identity)
            for poller in answer.pollers
        )

    async def _decode(self, payloads: Sequence[Payload]) -> dict[str, Any]:
        return await first_object(self._client, payloads)


async def first_object(client: Client, payloads: Sequence[Payload]) -> dict[str, Any]:
    """The first value, when it is an object: any SDK may have started the report."""
    values = await client.data_converter.decode(payloads)
    return values[0] if values and isinstance(values[0], dict) else {}


async def result(handle: Handle) -> GenerateReportOutput:
    """The report's result; an unreachable service is waited for, the report is safe in it."""
    while True:
        try:
            return await handle.result()
        except RPCError as error:
            if error.status in PERMANENT_STATUSES:
                raise
            await asyncio.sleep(POLL_SECONDS)


def reason(error: BaseException) -> str:
    """The innermost message of a failure, in one line."""
    while error.__cause__:
        error = error.__cause__
    return " ".join(str(getattr(error, "message", error)).split())


def _queued_since(description: DescribeWorkflowExecutionResponse) -> float | None:
    """Since when a task lies there that no worker has taken; None where there is none."""
    task = description.pending_workflow_task
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return unix(task.scheduled_time)
    for activity in description.pending_activities:
        if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            return unix(activity.next_attempt_schedule_time) or unix(activity.scheduled_time)
    return None


def _with(step: Step, known: dict[str, Any]) -> Step:
    """The step with what a heartbeat or a result tells of it; another version may tell less."""
    return replace(
        step,
        text=str(known.get("text", step.text)),
        model=str(known.get("model", step.model)),
        cost=known.get("cost"),
        pages=int(known.get("pages") or 0),
    )


def _reason(failure: Failure) -> str:
    if failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT:
        return "its worker is lost"
    return " ".join(failure.message.split())


def unix(timestamp: Timestamp) -> float:
    """Seconds since 1970; 0.0 where none is set."""
    return timestamp.seconds + timestamp.nanos / 1e9

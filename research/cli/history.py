"""A report's history: its topic, its steps and a pause, from the events that the service recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from models import StepKind
from research.address import normalize_address
from research.cli.status import State, Status, StepStatus
from research.report.plan import MIN_SECTIONS
from research.temporal.names import expected_steps, recorded_step, step_name


async def read(client: Client, events: Iterable[HistoryEvent]) -> Status:
    """Return the report as these events leave it; what runs now is not in them."""
    asked, steps, pauses = dict[str, Any](), dict[int, StepStatus](), dict[int, float]()
    workflow_type = ""
    for event in events:
        when = unix(event.event_time)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                begun = event.workflow_execution_started_event_attributes
                asked = await first_object(client, begun.input.payloads)
                workflow_type = begun.workflow_type.name
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                steps[event.event_id] = await _scheduled(client, event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                number, result = completed.scheduled_event_id, completed.result.payloads
                step = with_details(steps[number], await first_object(client, result))
                steps[number] = replace(step, state=State.DONE, ended=when)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                number, why = failed.scheduled_event_id, failure_reason(failed.failure)
                steps[number] = replace(steps[number], state=State.FAILED, ended=when, reason=why)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                late = event.activity_task_timed_out_event_attributes
                number, why = late.scheduled_event_id, failure_reason(late.failure)
                steps[number] = replace(steps[number], state=State.FAILED, ended=when, reason=why)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                number = event.activity_task_canceled_event_attributes.scheduled_event_id
                steps[number] = replace(steps[number], state=State.CANCELLED, ended=when)
            case EventType.EVENT_TYPE_TIMER_STARTED if _is_written(steps.values()):  # else of a review
                timer = event.timer_started_event_attributes
                pauses[event.event_id] = when + timer.start_to_fire_timeout.ToSeconds()
            case EventType.EVENT_TYPE_TIMER_FIRED:
                pauses.pop(event.timer_fired_event_attributes.started_event_id, None)
    scheduled = {step.step.kind for step in steps.values()}
    has_sections = _wants_sections(asked.get("sections")) and StepKind.RESEARCH not in scheduled
    expected = expected_steps(bool(asked.get("sources")), has_sections, workflow_type)
    to_come = [StepStatus(step) for step in expected if step.kind not in scheduled]
    pause_ends = next(iter(pauses.values()), None)
    return Status(topic_of(asked), (*steps.values(), *to_come), pause_ends)


async def first_object(client: Client, payloads: Sequence[Payload]) -> dict[str, Any]:
    """Decode the first value; {} where it is not an object, because any SDK may start a report."""
    values = await client.data_converter.decode(payloads)
    return values[0] if values and isinstance(values[0], dict) else {}


async def _scheduled(client: Client, event: HistoryEvent) -> StepStatus:
    """Return the step that an event schedules."""
    activity = event.activity_task_scheduled_event_attributes
    name, step = activity.activity_type.name, recorded_step(activity.activity_type.name)
    if step.kind == StepKind.RESEARCH:  # or a plan, or a section; of the others the type says enough
        input = await first_object(client, activity.input.payloads)
        step = recorded_step(name, input)
        if step.kind == StepKind.SECTION and not step.title:  # a version before 0.7 has scheduled it
            summary = await _summary(client, event)
            step = replace(step, title=summary.removeprefix(f"{step_name(step)}: "))
    return StepStatus(step, activity.activity_id, State.QUEUED, begun=unix(event.event_time))


async def _summary(client: Client, event: HistoryEvent) -> str:
    """Return what the Workflow says about a step, for the Web UI; empty where it says nothing."""
    summary = event.user_metadata.summary
    values = await client.data_converter.decode([summary]) if summary.data else []
    return str(values[0]) if values else ""


def topic_of(asked: Mapping[str, Any]) -> str:
    """Return what a Workflow is about, by its input."""
    if "prompt" in asked:
        return str(asked["prompt"])
    return f"{asked.get('report', '')}: {asked.get('wish') or asked.get('question') or ''}"


def _is_written(steps: Iterable[StepStatus]) -> bool:
    return any(step.step.kind in (StepKind.RESEARCH, StepKind.SECTION) for step in steps)


def _wants_sections(number: object) -> bool:
    return isinstance(number, int) and number >= MIN_SECTIONS


def with_details(step: StepStatus, details: dict[str, Any]) -> StepStatus:
    """Return the step with what a heartbeat or a result has; another version may have less."""
    return replace(
        step,
        text=str(details.get("text", step.text)),
        model=str(details.get("model", step.model)),
        cost=details.get("cost"),
        pages=int(details.get("pages") or 0),
        is_refused=bool((details.get("source") or {}).get("reason")),
        found=frozenset(normalize_address(str(source["url"])) for source in details.get("results") or ()),
    )


def failure_reason(failure: Failure) -> str:
    """Return why an attempt failed, in one line."""
    if failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT:
        return "worker lost"
    return " ".join(failure.message.split())


def unix(timestamp: Timestamp) -> float:
    """Return seconds since 1970; 0.0 where none is set."""
    return timestamp.seconds + timestamp.nanos / 1e9

"""What the service's histories say about a report's model calls and pages."""

import json
from typing import Any

from temporalio.api.enums.v1 import EventType

from models import StepKind


def attempts_of(history: Any, kind: str) -> tuple[int, float]:
    """Return how many attempts the service made of a step, and when it recorded the result."""
    scheduled, attempts, ended = set(), 0, 0.0
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if _kind(event) == kind:
                scheduled.add(event.event_id)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            attempts += started.attempt if started.scheduled_event_id in scheduled else 0
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            if completed.scheduled_event_id in scheduled:
                ended = event.event_time.ToMicroseconds() / 1e6
    return attempts, ended


def recorded_text(history: Any, kind: str) -> str | None:
    """Return the text that a step gave back, or None where it has no result."""
    scheduled = set()
    for event in history.events:
        if _kind(event) == kind:
            scheduled.add(event.event_id)
        completed = event.activity_task_completed_event_attributes
        if completed.scheduled_event_id in scheduled:
            return str(json.loads(completed.result.payloads[0].data)["text"])
    return None


def _kind(scheduled: Any) -> str:
    """Return the kind of the text or proof that a scheduled step is to bring; or "page 1" and so on."""
    attributes = scheduled.activity_task_scheduled_event_attributes
    if attributes.activity_type.name == "generate_summary":
        return "s"
    if attributes.activity_type.name == "read_page":
        return f"page {json.loads(attributes.input.payloads[0].data)['source']['number']}"
    if attributes.activity_type.name != "llm_call":
        return ""
    call = json.loads(attributes.input.payloads[0].data)
    step, number = call["step"], str(call["step"]["number"] or "")
    proof = {
        StepKind.PASSAGES: "q",
        StepKind.JUDGE: "k" if call["citations"] else "j",
        StepKind.REWRITE: "w",
    }
    if step["kind"] in proof:
        return f"{proof[step['kind']]}{number}"
    return {StepKind.PLAN: "p", StepKind.RESEARCH: "r"}.get(step["kind"]) or number

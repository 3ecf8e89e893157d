"""Names that the service stores, and what a report's steps are called.

What reads a report's state needs these, not the Workflow's class.
"""

import re
from collections.abc import Mapping
from typing import Any

from models import Step, StepKind
from research.formatting import cut_summary

TASK_QUEUE = "research"
WORKFLOW_TYPE, REVISE_TYPE, ASK_TYPE = "GenerateReportWorkflow", "ReviseReportWorkflow", "AskReportWorkflow"

_KINDS = {
    "web_search": StepKind.SEARCH,
    "read_page": StepKind.READ,
    "llm_call": StepKind.RESEARCH,
    "generate_summary": StepKind.SUMMARY,
    "create_pdf_activity": StepKind.PDF,
    "delete_stored_answers": StepKind.CLEANUP,
    "open_report": StepKind.OPEN,
    "store_answer": StepKind.STORE,
}
"""What Activities are for, by their types; the input of an `llm_call` says so itself."""


def recorded_step(activity_type: str, input: Mapping[str, Any] | None = None) -> Step:
    """Return what a scheduled Activity is for, by its type and its decoded input."""
    step, label = (input or {}).get("step"), str((input or {}).get("label", ""))
    if isinstance(step, dict) and step.get("kind"):
        number, count = int(step.get("number") or 0), int(step.get("count") or 0)
        return Step(str(step.get("kind")), number, count, str(step.get("title") or ""))
    return labelled_step(activity_type, label)


def labelled_step(activity_type: str, label: str, title: str = "") -> Step:
    """Return the same of an Activity that a version before 0.7 has scheduled, whose label was a text.

    It can go when no report of such a version runs or is looked at any more: in 2027.
    """
    section = re.fullmatch(r"Section (\d+) of (\d+)", label)
    if section:
        return Step(StepKind.SECTION, int(section[1]), int(section[2]), title)
    return Step(StepKind.PLAN if label == "Plan" else _KINDS.get(activity_type, activity_type))


def step_name(step: Step) -> str:
    """Return the step's name as people read it."""
    match step.kind:
        case StepKind.SECTION:
            return f"Section {step.number} of {step.count}" if step.number else "Sections"
        case StepKind.PDF:
            return "PDF"
        case kind:
            return kind.capitalize() if kind in {*StepKind} else kind


def step_summary(step: Step) -> str:
    """Return what the Web UI says about a step."""
    match step.kind:
        case StepKind.PLAN:
            return "Plan the report once more" if step.number > 1 else "Plan the report"
        case StepKind.RESEARCH:
            return "Research the topic"
        case StepKind.SUMMARY:
            return "Summarise the research"
        case StepKind.PDF:
            return "Write the PDF"
        case StepKind.CLEANUP:
            return "Delete the stored answers"
        case StepKind.OPEN:
            return "Open the report"
        case StepKind.CHANGES:
            return "Choose what is to change"
        case StepKind.ANSWER:
            return "Answer the question"
        case StepKind.STORE:
            return "Store the answer"
        case _:
            return cut_summary(f"{step_name(step)}: {step.title}")


def expected_steps(
    has_sources: bool = False, has_sections: bool = False, workflow_type: str = WORKFLOW_TYPE
) -> tuple[Step, ...]:
    """Return a Workflow's steps in their order; sections are one until the plan says which there are."""
    if workflow_type == ASK_TYPE:
        return Step(StepKind.OPEN), Step(StepKind.ANSWER), Step(StepKind.STORE)
    kinds = [
        *([StepKind.OPEN] if workflow_type == REVISE_TYPE else []),
        *([StepKind.PLAN] if has_sources or has_sections else []),
        *([StepKind.SEARCH] if has_sources else []),
        *(StepKind.SECTION if has_sections or workflow_type == REVISE_TYPE else StepKind.RESEARCH,),
        *(StepKind.SUMMARY, StepKind.PDF),
    ]
    return tuple(map(Step, kinds))

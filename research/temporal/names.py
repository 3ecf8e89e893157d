"""Names that the service stores: what reads a report's state needs these, not the Workflow's class."""

TASK_QUEUE = "research"
WORKFLOW_TYPE = "GenerateReportWorkflow"
STEP_LABELS = {
    "web_search": "Search",
    "llm_call": "Research",
    "generate_summary": "Summary",
    "create_pdf_activity": "PDF",
    "delete_stored_answers": "Cleanup",
}
"""Activity types, and the step's name as people read it."""
PLAN_LABEL = "Plan"
"""The name of the `llm_call` that plans the report."""
SEARCH_LABEL = STEP_LABELS["web_search"]


SECTIONS_LABEL = "Sections"
"""The name of all sections together, until the plan says which there are."""


def section_label(number: int, count: int) -> str:
    """Return the name of the `llm_call` that writes one section."""
    return f"Section {number} of {count}"


def is_section(label: str) -> bool:
    """Return whether this is the name of a section."""
    return label.startswith("Section ")


def step_labels(has_sources: bool = False, has_sections: bool = False) -> tuple[str, ...]:
    """Return the names of a report's steps in their order."""
    plan = (PLAN_LABEL,) if has_sources or has_sections else ()
    search = (SEARCH_LABEL,) if has_sources else ()
    research = SECTIONS_LABEL if has_sections else STEP_LABELS["llm_call"]
    return (*plan, *search, research, STEP_LABELS["generate_summary"], STEP_LABELS["create_pdf_activity"])

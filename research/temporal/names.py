"""Names that the service stores: what reads a report's state needs these, not the Workflow's class."""

TASK_QUEUE = "research"
WORKFLOW_TYPE = "GenerateReportWorkflow"
STEP_LABELS = {
    "web_search": "Search",
    "llm_call": "Research",
    "generate_summary": "Summary",
    "create_pdf_activity": "PDF",
}
"""Activity types, and the step's name as people read it."""
PLAN_LABEL = "Plan"
"""The name of the `llm_call` that plans the report."""
SEARCH_LABEL = STEP_LABELS["web_search"]


def step_labels(has_sources: bool = False) -> tuple[str, ...]:
    """Return the names of a report's steps in their order."""
    before = (PLAN_LABEL, SEARCH_LABEL) if has_sources else ()
    return (*before, *(label for label in STEP_LABELS.values() if label != SEARCH_LABEL))

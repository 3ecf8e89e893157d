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

"""What a report shows while its plan waits for a person: to the views, and in the Web UI."""

from temporalio import workflow

from research.messages import PlanStage, PlanState
from research.programs import STARTER

MEMO = "review"
"""The name of the memo: the plan's revision, and since when it waits; nothing where it does not."""


def show_plan(plan: PlanState) -> None:
    """Let everybody who looks at the report see that its plan waits, or that it does not any more."""
    if plan.state != PlanStage.WAITS:
        workflow.upsert_memo({MEMO: None})
        workflow.set_current_details("")
        return
    since, identity = workflow.now().isoformat(timespec="seconds"), workflow.info().workflow_id[-8:]
    workflow.upsert_memo({MEMO: {"revision": plan.revision, "since": since}})
    workflow.set_current_details(
        f"Waits for you: plan, revision {plan.revision}, since {since}. {plan.estimate}\n\n"
        f"To see it: `{STARTER} --plan {identity}`. To approve it: `{STARTER} --approve {identity}`."
    )

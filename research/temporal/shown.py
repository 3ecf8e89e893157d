"""What a report shows while its plan waits for a person: to the views, and in the Web UI."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import workflow

from research.messages import PlanStage, PlanState
from research.programs import STARTER

MEMO = "review"
"""The name of the memo: the plan's revision, and since when it waits; nothing where it does not."""


@contextmanager
def waiting_shown(plan: PlanState) -> Iterator[None]:
    """Let everybody see that a plan waits, for as long as it does: what has ended waits for nobody."""
    show_plan(plan)
    try:
        yield
    finally:
        workflow.set_current_details("")


def show_plan(plan: PlanState) -> None:
    """Let everybody who looks at the report see that its plan waits, or that it does not any more."""
    if plan.state != PlanStage.WAITS:
        workflow.upsert_memo({MEMO: None})
        return
    now, identity = workflow.now(), workflow.info().workflow_id[-8:]
    workflow.upsert_memo({MEMO: {"revision": plan.revision, "since": now.isoformat(timespec="seconds")}})
    workflow.set_current_details(
        f"Waits for you: plan, revision {plan.revision}, since {now:%Y-%m-%d %H:%M} UTC.\n\n"
        f"Still to come: {plan.estimate}\n\n"
        f"- To see it: `{STARTER} --plan {identity}`\n- To approve it: `{STARTER} --approve {identity}`"
    )

"""What a report shows while its plan waits for a person: to the views, and in the Web UI."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo

from temporalio import workflow

from research.messages import PlanStage, PlanState
from research.programs import STARTER

MEMO = "review"
"""The name of the memo: the plan's revision, since when and until when it waits; nothing where none waits."""
DAY_AND_TIME = "%Y-%m-%d %H:%M"


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
    end = {"ends_at": plan.ends_at, "then": plan.then} if plan.ends_at else {}
    since = now.isoformat(timespec="seconds")
    workflow.upsert_memo({MEMO: {"revision": plan.revision, "since": since, **end}})
    until = shown_end(plan.ends_at, plan.then, f"{DAY_AND_TIME} UTC", UTC)
    workflow.set_current_details(
        f"Waits for you: plan, revision {plan.revision}, since {now:{DAY_AND_TIME}} UTC"
        f"{until and f', {until}'}.\n\n"
        f"Still to come: {plan.estimate}\n\n"
        f"- To see it: `{STARTER} --plan {identity}`\n- To approve it: `{STARTER} --approve {identity}`"
    )


def shown_end(ends_at: str, then: str, form: str = DAY_AND_TIME, zone: tzinfo | None = None) -> str:
    """Return until when a plan waits, and what is done then; nothing where its wait has no end.

    Without a `zone` the time is the local one.
    """
    if not ends_at:
        return ""
    done = "it is approved" if then == "approve" else "the report fails"
    return f"until {datetime.fromisoformat(ends_at).astimezone(zone):{form}}; then {done}"

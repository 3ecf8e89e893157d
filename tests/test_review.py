"""A person in the loop: the plan waits, may be changed, is approved; what cannot be taken is refused."""

import asyncio
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from models import LLMCallInput, PlannedSection, StepKind
from research.messages import PlanReview, PlanStage, PlanState
from research.report.plan_markdown import BadPlan, edited_plan
from research.temporal.shown import MEMO
from testing.inside import settings_of
from tests.test_story import PLAN, Steps, begun, client, events_of
from workflow import GenerateReportWorkflow

__all__ = ["client"]  # a fixture

OTHER = "## Ice\nWhat ice does.\n- ice query\n\n## Fire\nWhat fire does.\n- fire query\n- shared query\n"
OWN = (PlannedSection("Snow", "", ("snow query",)), PlannedSection("Rain", "What rain does."))
Handle = WorkflowHandle[Any, Any]


def planner(call: LLMCallInput) -> str:
    return OTHER if "more about ice" in call.prompt else PLAN


async def state(handle: Handle) -> PlanState:
    found: PlanState = await handle.query("plan", result_type=PlanState)
    return found


async def waits(handle: Handle) -> PlanState:
    """Wait until the plan waits, and return it."""
    while (found := await state(handle)).state != PlanStage.WAITS:
        await asyncio.sleep(0.02)
    return found


async def review(handle: Handle, revision: int, **said: Any) -> PlanState:
    said_of_it = PlanReview(revision, **said)
    after: PlanState = await handle.execute_update("review_plan", said_of_it, result_type=PlanState)
    return after


async def refusal(handle: Handle, revision: int, **said: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await review(handle, revision, **said)
    return str(refused.value.cause)


async def shown_in_web_ui(handle: Handle) -> str:
    """The current details of the Workflow."""
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def memo(handle: Handle) -> Any:
    return (await (await handle.describe()).memo()).get(MEMO)


async def test_a_plan_waits_until_it_is_approved(client: Client) -> None:
    """Nothing is written or searched before; an approval that comes twice is one."""
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sources=True, sections=3, review=True) as handle:
        plan = await waits(handle)
        assert (plan.revision, [section.title for section in plan.plan]) == (1, ["Moss", "Space", "Heat"])
        assert [section.queries for section in plan.plan] == [
            (f"{title} query", "shared query") for title in ("Moss", "Space", "Heat")
        ]
        assert "3 sections, 5 to 20 pages, passages and verdicts" in plan.estimate
        assert (await memo(handle))["revision"] == 1
        details = await shown_in_web_ui(handle)
        assert details.startswith("Waits for you: plan, revision 1, since ") and plan.estimate in details
        assert f"`python starter.py --approve {handle.id[-8:]}`" in details
        await asyncio.sleep(0.3)
        assert [call.step.kind for call in steps.calls] == [StepKind.PLAN]
        assert steps.queries == []
        assert (await review(handle, 1, approved=True)).state == PlanStage.APPROVED
        assert (await review(handle, 1, approved=True)).state == PlanStage.APPROVED
        await handle.result()
        assert await memo(handle) is None
        assert "Waits for you" not in await shown_in_web_ui(handle)
    assert len(steps.of(StepKind.SECTION)) == 3
    assert sorted(steps.queries) == ["Heat query", "Moss query", "Space query", "shared query"]


async def test_a_wish_brings_another_plan_and_a_person_may_write_one(client: Client) -> None:
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sources=True, sections=3, review=True) as handle:
        await waits(handle)
        changed = await review(handle, 1, wish="more about ice")
        assert (changed.state, changed.revision) == (PlanStage.WAITS, 2)
        assert [section.title for section in changed.plan] == ["Ice", "Fire"]
        [_, anew] = steps.of(StepKind.PLAN)
        assert "> ## Moss\n> What it covers.\n> - Moss query" in anew.prompt
        assert anew.prompt.endswith("\n\n> more about ice")
        own = await review(handle, 2, plan=OWN)
        assert (own.state, own.revision, own.plan) == (PlanStage.WAITS, 3, OWN)
        assert (await memo(handle))["revision"] == 3
        await review(handle, 3, approved=True)
        await handle.result()
    assert [call.step.title for call in steps.of(StepKind.SECTION)] == ["Snow", "Rain"]
    assert steps.queries == ["snow query", "Rain"], "a section without a query is searched by its title"


async def test_another_plan_that_cannot_be_read_leaves_the_one_before(client: Client) -> None:
    steps = Steps({StepKind.PLAN: lambda call: "No." if "wish" in call.prompt else PLAN})
    async with begun(client, steps, sections=3, review=True) as handle:
        before = await waits(handle)
        after = await review(handle, 1, wish="something else")
        assert (after.state, after.revision, after.plan) == (PlanStage.WAITS, 1, before.plan)
        assert after.note == "The model wrote no plan that could be read."
        await review(handle, 1, approved=True)
        await handle.result()
    assert len(steps.of(StepKind.SECTION)) == 3


async def test_queries_alone_are_a_plan_too(client: Client) -> None:
    steps = Steps({StepKind.PLAN: lambda call: "## Queries\n- moss\n- space\n"})
    async with begun(client, steps, sources=True, review=True) as handle:
        plan = await waits(handle)
        assert plan.plan == (PlannedSection("", "", ("moss", "space")),)
        assert "text is search queries" in await refusal(handle, 1, plan=OWN)
        await review(handle, 1, approved=True, plan=(PlannedSection("", "", ("heat", "ice")),))
        await handle.result()
    assert steps.queries == ["heat", "ice"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("## A\n\n## \n## B\n", 'Line 3: a heading has a space and words, such as "## Background".'),
        ("## A\n## B\n##C\n", 'Line 3: a heading has a space and words, such as "## Background".'),
        ("## A\n- \n## B\n", 'Line 2: a query has words, such as "- moss in space".'),
        ("## A\n- moss\n*\n", 'Line 3: a query has words, such as "- moss in space".'),
    ],
)
def test_a_line_that_lacks_its_words_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadPlan, match=f"^{re.escape(problem)}$"):
        edited_plan(text, has_sections=True)


REFUSED: list[tuple[int, dict[str, Any], str]] = [
    (2, {"approved": True}, "The plan has changed: it is revision 1, not 2."),
    (0, {"approved": True}, "The plan has changed: it is revision 1, not 0."),
    (1, {}, "Approve the plan, give another one, or wish for one."),
    (1, {"wish": " \n"}, "Approve the plan, give another one, or wish for one."),
    (1, {"wish": "x", "approved": True}, "Approve the plan, give another one, or wish for one."),
    (1, {"wish": "x" * 2_001}, "A wish has at most 2,000 characters, not 2,001."),
    (1, {"plan": OWN[:1]}, "A plan has 2 to 20 sections, not 1."),
    (1, {"plan": OWN * 11}, "A plan has 2 to 20 sections, not 22."),
    (1, {"plan": (*OWN, PlannedSection(" "))}, "Each section needs a title."),
    (1, {"plan": (*OWN, PlannedSection("x" * 121))}, "A title is one line of at most 120 characters"),
    (1, {"plan": (*OWN, PlannedSection("a\nb"))}, "A title is one line of at most 120 characters"),
    (
        1,
        {"plan": (*OWN, PlannedSection("a\x1b[31m"))},
        "A title has a control character (U+001B): remove it.",
    ),
    (1, {"plan": (*OWN, PlannedSection("a", "\x07"))}, "A description has a control character (U+0007)"),
    (1, {"plan": (*OWN, PlannedSection("a", "", ("\x85",)))}, "A query has a control character (U+0085)"),
    (1, {"plan": (*OWN, PlannedSection("a", "\ud800"))}, "A description has a control character (U+D800)"),
    (1, {"plan": (*OWN, PlannedSection("a", "", ("q",) * 40))}, "A plan has at most 40 queries, not 41."),
]


async def test_what_is_refused_changes_nothing_and_is_not_recorded(client: Client) -> None:
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sections=3, review=True) as handle:
        before = await waits(handle)
        for revision, said, reason in REFUSED:
            assert (await refusal(handle, revision, **said)).startswith(reason)
        assert await state(handle) == before
        accepted = "workflow_execution_update_accepted_event_attributes"
        assert not any(event.HasField(accepted) for event in await events_of(handle))
        await review(handle, 1, approved=True)
        assert (
            await refusal(handle, 1, wish="late") == "The plan is approved, and the report is being written."
        )
        await handle.result()


async def test_an_approval_after_the_ceiling_was_lowered(client: Client) -> None:
    """Nothing could be written any more: it is refused, with what to do, and the plan still waits."""
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sections=3, review=True) as handle:
        await waits(handle)
        with settings_of({"LLM_MAX_COST": "0.01"}):
            for said in ({"approved": True}, {"wish": "more about ice"}):
                reason = await refusal(handle, 1, **said)
                assert reason.startswith("The report has cost $0.0100, and LLM_MAX_COST is $0.01. To fix:")
            assert (await review(handle, 1, plan=OWN)).revision == 2, "which costs nothing"
        with settings_of({"LLM_MAX_COST": "0.02"}):
            await review(handle, 2, approved=True)
        await handle.result()


async def test_two_who_review_at_once(client: Client) -> None:
    """Whoever is second learns that the plan has changed, or is approved."""
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sections=3, review=True) as handle:
        await waits(handle)
        said = review(handle, 1, plan=OWN), review(handle, 1, approved=True)
        done = await asyncio.gather(*said, return_exceptions=True)
        [late] = [each for each in done if isinstance(each, WorkflowUpdateFailedError)]
        changed, approved = "The plan has changed: it is revision 2, not 1.", "The plan is approved"
        assert str(late.cause).startswith(changed if late is done[1] else approved)
        if late is done[1]:
            await review(handle, 2, approved=True)
        await handle.result()


async def test_a_report_without_review_has_nothing_to_approve(client: Client) -> None:
    steps = Steps({StepKind.PLAN: planner})
    async with begun(client, steps, sections=3, pause_seconds=60.0) as handle:
        while not steps.of(StepKind.SECTION):
            await asyncio.sleep(0.02)
        assert await refusal(handle, 1, approved=True) == "This report was started without --review."
        await handle.cancel()


@pytest.mark.parametrize("then", ["approve", "cancel"])
async def test_the_wait_has_an_end(client: Client, then: str) -> None:
    steps = Steps({StepKind.PLAN: planner}, stored=True)
    asked = {"sections": 3, "review": True, "review_seconds": 1.0, "review_then": then}
    async with begun(client, steps, **asked) as handle:
        await waits(handle)
        if then == "approve":
            await handle.result()
            assert len(steps.of(StepKind.SECTION)) == 3
        else:
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()
            assert str(failed.value.cause) == "nobody has approved the plan in time"
            assert steps.of(StepKind.SECTION) == []
            assert steps.deleted == ("resp-1",)
        assert "Waits for you" not in await shown_in_web_ui(handle)


def without_ends(memo: Any) -> None:
    """Take from a memo what versions before 0.10 did not put there."""
    for payload in filter(lambda payload: payload.data, memo.upserted_memo.fields.values()):
        said = json.loads(payload.data)
        payload.data = json.dumps({key: said[key] for key in ("revision", "since")}).encode()


@pytest.mark.parametrize("then", ["approve", "cancel"])
async def test_the_end_of_the_wait_is_shown(client: Client, then: str) -> None:
    """In the state, the memo and the Web UI; each revision has the whole time. No command is new."""
    steps = Steps({StepKind.PLAN: planner})
    asked = {"sections": 3, "review": True, "review_seconds": 3 * 86_400.0, "review_then": then}
    async with begun(client, steps, **asked) as handle:
        first = await waits(handle)
        since = datetime.fromisoformat((await memo(handle))["since"])
        assert datetime.fromisoformat(first.ends_at) == since + timedelta(days=3)
        assert first.ends_at.endswith("+00:00") and first.then == then
        await asyncio.sleep(1.1)
        own = await review(handle, 1, plan=OWN)
        assert own.ends_at > first.ends_at
        assert own == await state(handle)
        await asyncio.sleep(1.1)
        other = await review(handle, 2, wish="more about ice")
        assert other.ends_at > own.ends_at
        assert other == await state(handle)
        shown = await memo(handle)
        assert (shown["revision"], shown["ends_at"], shown["then"]) == (3, other.ends_at, then)
        done = "it is approved" if then == "approve" else "the report fails"
        until = f"until {other.ends_at[:16].replace('T', ' ')} UTC; then {done}.\n"
        assert until in await shown_in_web_ui(handle)
        approved = await review(handle, 3, approved=True)
        assert (approved.ends_at, approved.then) == ("", "")
        await handle.result()
        history = await handle.fetch_history()
    for event in history.events:
        if event.HasField("workflow_properties_modified_event_attributes"):
            without_ends(event.workflow_properties_modified_event_attributes)
    await Replayer(
        workflows=[GenerateReportWorkflow], workflow_runner=UnsandboxedWorkflowRunner()
    ).replay_workflow(history)


async def test_a_wait_without_an_end_shows_none(client: Client) -> None:
    """Also where the end is in no year of the calendar."""
    for seconds in (0.0, 1e12):
        asked = {"sections": 3, "review": True, "review_seconds": seconds}
        async with begun(client, Steps({StepKind.PLAN: planner}), **asked) as handle:
            plan = await waits(handle)
            assert (plan.ends_at, plan.then) == ("", "")
            assert [*await memo(handle)] == ["revision", "since"]
            assert "until" not in await shown_in_web_ui(handle)
            await review(handle, 1, approved=True)
            await handle.result()

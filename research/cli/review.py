"""What a person or a script says of a report's plan: printed, approved, changed, replaced."""

import asyncio
import textwrap
from collections.abc import Awaitable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from models import PlannedSection
from research.cli import listing, terminal
from research.cli.output import Output
from research.cli.progress import Handle, reason
from research.cli.prompt import check, decoded, said
from research.errors import UserError
from research.messages import PlanReview, PlanStage, PlanState
from research.programs import STARTER, WORKER
from research.report.plan_markdown import BadPlan, edited_plan, plan_markdown
from research.report.review import MAX_WISH_CHARACTERS
from research.temporal.shown import shown_end

ANSWER_SECONDS = 10.0
"""For a worker to answer; for another plan, MODEL_SECONDS."""
MODEL_SECONDS = 900.0
MAX_FILE_BYTES = 200_000
APPROVED = "approved"

_Answer = TypeVar("_Answer")


class NoAnswer(UserError):
    """No worker answers."""


async def plan_of(handle: Handle) -> PlanState:
    """Return the plan of a report; one that has ended without it waits for nobody.

    Raises:
        NoAnswer: no worker answers.
        UserError: it is a report without a plan.
    """
    try:
        plan: PlanState = await _answered(handle.query("plan", result_type=PlanState), ANSWER_SECONDS)
    except WorkflowQueryFailedError:
        raise UserError("It has no plan: a plan is reviewed where a report is started.") from None
    if plan.state not in (PlanStage.WAITS, PlanStage.CHANGES):
        return plan
    state = await listing.state_of(handle)
    return plan if state == listing.RUNNING else replace(plan, state=state, ends_at="", then="")


async def send(handle: Handle, review: PlanReview) -> PlanState:
    """Send what a person says of a plan, and return the plan after that.

    Raises:
        NoAnswer: no worker answers, and nothing was sent.
        UserError: it is refused, the report has ended, or the worker was lost after it was sent.
    """
    check(review.wish, "The wish", MAX_WISH_CHARACTERS)
    check(plan_markdown(review.plan), "The plan", MAX_FILE_BYTES)
    await plan_of(handle)  # because an Update that no worker answers now is carried out by a later one
    seconds = MODEL_SECONDS if review.wish else ANSWER_SECONDS
    try:
        update = handle.execute_update("review_plan", review, result_type=PlanState)
        return await _answered(update, seconds)
    except NoAnswer:
        see = f"`{STARTER} --plan {terminal.short_id(handle.id)}`"
        raise UserError(
            f"It was sent, and no worker has answered. It may still be taken: {see} shows it."
        ) from None
    except WorkflowUpdateFailedError as error:
        raise UserError(reason(error)) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        state = await listing.state_of(handle)
        raise UserError(f"The report {_being(state)}: its plan cannot be changed.") from None


async def _answered(answer: Awaitable[_Answer], seconds: float) -> _Answer:
    # Not by `wait_for`, because an Update that is cancelled raises an error of its own.
    task = asyncio.ensure_future(answer)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if not (await asyncio.wait([task], timeout=seconds))[0]:
        task.cancel()
        raise NoAnswer(f"No worker answers: start one with `{WORKER}`, and say it again.")
    return task.result()


def print_plan(state: PlanState, output: Output) -> None:
    """Print a plan with what it waits for: for people, or as JSON."""
    if state.state == PlanStage.NONE:
        output.print_line("There is no plan yet.")
    else:
        plan = plan_markdown(state.plan) or "(no plan)"
        waits = state.state == PlanStage.WAITS
        until = shown_end(state.ends_at, state.then)
        says = f"It waits for you{until and f' {until}'}." if waits else f"It {_being(state.state)}."
        lines = [
            f"Plan, revision {state.revision}\n\n{plan}\n",
            state.note,
            f"Still to come: {state.estimate}" if waits else "",
            says,
        ]
        for line in filter(None, lines):
            output.print_line(_wrapped(line))
    output.emit_result(state.state, asdict(state), plan_markdown(state.plan))


def _being(state: str) -> str:
    return {PlanStage.CHANGES: "is being changed", "failed": "has failed"}.get(state, f"is {state}")


def _wrapped(text: str) -> str:
    """Return the lines in the terminal's width, without a break in a word."""
    return "\n".join(
        textwrap.fill(
            line,
            terminal.width(),
            subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


async def approve(handle: Handle, revision: int | None, output: Output) -> None:
    """Approve the plan: this revision, or the one that stands there."""
    number = (await plan_of(handle)).revision if revision is None else revision
    await send(handle, PlanReview(number, approved=True))
    output.print_line(f"Approved: plan, revision {number}. To follow the report: {output.attach_command()}")
    output.emit_result(APPROVED, {"revision": number})


async def change(handle: Handle, revision: int | None, wish: str, output: Output) -> None:
    """Have the model write another plan, as the person wishes, and print it."""
    wish = said(wish, "The wish", "what is to change", MAX_WISH_CHARACTERS)
    number = (await plan_of(handle)).revision if revision is None else revision
    print_plan(await send(handle, PlanReview(number, wish=wish)), output)


async def put(handle: Handle, revision: int | None, file: str, output: Output) -> None:
    """Put the plan of a Markdown file in the place of the one that stands there, and print it."""
    state = await plan_of(handle)
    number = state.revision if revision is None else revision
    plan = parsed(await asyncio.to_thread(_read, file), state, file)
    print_plan(await send(handle, PlanReview(number, plan=plan)), output)


def _read(file: str) -> str:
    try:
        with Path(file).expanduser().open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UserError(f"--plan-file: {file} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_FILE_BYTES:
        raise UserError(f"--plan-file: {file} is larger than {MAX_FILE_BYTES // 1_000} kB.")
    return decoded(data, f"--plan-file: {file}")


def parsed(text: str, state: PlanState, name: str) -> tuple[PlannedSection, ...]:
    """Return the plan that a person has written.

    Raises:
        UserError: a line of it cannot be read; the message begins with `name`.
    """
    try:
        return edited_plan(text, state.has_sections)
    except BadPlan as error:
        raise UserError(f"{name}: {error}") from None

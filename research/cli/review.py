"""The plan of a report in front of its person: printed, approved, changed, edited."""

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Awaitable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from models import PlannedSection
from research.cli import listing, terminal
from research.cli.output import Output
from research.cli.progress import Handle, reason
from research.errors import UserError
from research.messages import PlanReview, PlanStage, PlanState
from research.programs import WORKER
from research.report.plan_markdown import BadPlan, edited_plan, plan_markdown

ANSWER_SECONDS = 10.0
"""For a worker to answer; for another plan, MODEL_SECONDS."""
MODEL_SECONDS = 900.0
MAX_FILE_BYTES = 200_000
KEYS = "Enter approves it · e edits it · d leaves it waiting · c cancels the report"
WISH = "Anything else is what to change: "
EDIT_HINT = "<!-- A heading for each section, what it covers, and search queries as bullets. -->"
DETACH, CANCEL, APPROVED = "detach", "cancel", "approved"

_Answer = TypeVar("_Answer")


async def plan_of(handle: Handle) -> PlanState:
    """Return the plan of a report.

    Raises:
        UserError: no worker answers.
    """
    return await _answered(handle.query("plan", result_type=PlanState), ANSWER_SECONDS)


async def send(handle: Handle, review: PlanReview) -> PlanState:
    """Send what a person says of a plan, and return the plan after that.

    Raises:
        UserError: it is refused, the report has ended, or no worker answers.
    """
    seconds = MODEL_SECONDS if review.wish else ANSWER_SECONDS
    try:
        update = handle.execute_update("review_plan", review, result_type=PlanState)
        return await _answered(update, seconds)
    except WorkflowUpdateFailedError as error:
        raise UserError(reason(error)) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise UserError(
            f"The report is {await listing.state_of(handle)}: its plan cannot be changed."
        ) from None


async def _answered(answer: Awaitable[_Answer], seconds: float) -> _Answer:
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        raise UserError(f"No worker answers: start one with `{WORKER}`, and say it again.") from None


def print_plan(state: PlanState, output: Output) -> None:
    """Print a plan with what it waits for: for people, or as JSON."""
    if state.state == PlanStage.NONE:
        output.print_line("There is no plan yet.")
    else:
        output.print_line(f"Plan, revision {state.revision}\n\n{plan_markdown(state.plan) or '(no plan)'}\n")
        for line in filter(None, (state.note, f"Still to come: {state.estimate}")):
            output.print_line(line)
        waits = state.state == PlanStage.WAITS
        output.print_line("It waits for you." if waits else f"It is {state.state}.")
    output.emit_result(state.state, asdict(state), plan_markdown(state.plan))


async def approve(handle: Handle, revision: int | None, output: Output) -> None:
    """Approve the plan: this revision, or the one that stands there."""
    number = (await plan_of(handle)).revision if revision is None else revision
    await send(handle, PlanReview(number, approved=True))
    output.print_line(f"Approved: plan, revision {number}. To follow the report: {output.attach_command()}")
    output.emit_result(APPROVED, {"revision": number})


async def change(handle: Handle, revision: int | None, wish: str, output: Output) -> None:
    """Have the model write another plan, as the person wishes, and print it."""
    number = (await plan_of(handle)).revision if revision is None else revision
    print_plan(await send(handle, PlanReview(number, wish=wish)), output)


async def put(handle: Handle, revision: int | None, file: str, output: Output) -> None:
    """Put the plan of a Markdown file in the place of the one that stands there, and print it."""
    state = await plan_of(handle)
    number = state.revision if revision is None else revision
    plan = _parsed(await asyncio.to_thread(_read, file), state, file)
    print_plan(await send(handle, PlanReview(number, plan=plan)), output)


def _read(file: str) -> str:
    try:
        with Path(file).expanduser().open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UserError(f"--plan-file: {file} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_FILE_BYTES:
        raise UserError(f"--plan-file: {file} is larger than {MAX_FILE_BYTES // 1_000} kB.")
    return data.decode("utf-8-sig", "replace")


def _parsed(text: str, state: PlanState, name: str) -> tuple[PlannedSection, ...]:
    try:
        return edited_plan(text, state.has_sections)
    except BadPlan as error:
        raise UserError(f"{name}: {error}") from None


async def ask(handle: Handle, output: Output) -> str:
    """Show the plan, and do what the person types, until it is approved; return that, DETACH or CANCEL."""
    draft, shown = "", 0
    while True:
        state = await plan_of(handle)
        if state.state != PlanStage.WAITS:
            return APPROVED
        if state.revision != shown or state.note:
            terminal.print_line()
            print_plan(state, output)
            shown = state.revision
        terminal.print_line(f"\n{KEYS}")
        try:
            typed = (await asyncio.to_thread(input, WISH)).strip()
        except EOFError:
            return DETACH
        if typed.lower() in ("d", "c"):
            return DETACH if typed.lower() == "d" else CANCEL
        try:
            if typed.lower() == "e":
                draft = draft or f"{EDIT_HINT}\n\n{plan_markdown(state.plan)}\n"
                draft = await asyncio.to_thread(_edit, draft)
                plan = _parsed(draft, state, "Your plan")
                if plan != state.plan:
                    await send(handle, PlanReview(state.revision, plan=plan))
                draft = ""
            else:
                if typed:
                    terminal.print_line("Another plan is being written …")
                await send(handle, PlanReview(state.revision, approved=not typed, wish=typed))
        except UserError as error:
            terminal.print_error(str(error))
            if draft:
                terminal.print_error("Your text is kept: e opens it again.")


def _edit(text: str) -> str:
    """Return what the person makes of a text in an editor of theirs.

    Raises:
        UserError: it cannot be opened.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.md"
        file.write_text(text, encoding="utf-8")
        try:
            status = subprocess.run([*shlex.split(editor), str(file)]).returncode
        except (OSError, ValueError):
            status = 127
        if status:
            raise UserError(f"The editor {editor!r} has failed: set EDITOR to another one.")
        return file.read_text(encoding="utf-8-sig", errors="replace")

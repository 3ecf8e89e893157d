"""What a person wants of a finished report: another version, an answer."""

import asyncio
import uuid

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from models import GenerateReportOutput
from research import config
from research.cli import listing
from research.cli.follow import follow
from research.cli.output import Output
from research.cli.prompt import is_blank, said, static_summary
from research.cli.section_numbers import section_numbers
from research.errors import UserError
from research.messages import AskReportInput, ReviseReportInput
from research.output.naming import first_name, report_name
from research.programs import STARTER
from research.temporal.client import Service
from research.temporal.names import ASK_TYPE, REVISE_TYPE, TASK_QUEUE

MAX_SAID_CHARACTERS = 4_000
"""Of a wish for another version, or of a question."""
_WISH = "The wish", "what is to change"


async def revise(client: Client, service: Service, wanted: tuple[str, str], output: Output) -> int:
    """Start another version of a report, as a person wishes, and follow it; return the exit status.

    Raises:
        UserError: nothing is wished for, the report is not finished, or another version is being written.
    """
    report, text = wanted
    sections, wish = section_numbers(said(text, *_WISH, MAX_SAID_CHARACTERS))
    said(wish, *_WISH, MAX_SAID_CHARACTERS)
    name, newest = await _name(client, report)
    started = ReviseReportInput(name, wish, sections, newest)
    # One at a time, because the next version begins with what this one has changed.
    return await _start(client, service, REVISE_TYPE, started, _revising(name), wish, output)


async def ask(client: Client, service: Service, wanted: tuple[str, str], output: Output) -> int:
    """Ask a question about a report, and print the answer; return the exit status.

    Raises:
        UserError: nothing is asked, or the report is not finished.
    """
    report, text = wanted
    question = said(text, "The question", "what you want to know", MAX_SAID_CHARACTERS)
    name, newest = await _name(client, report)
    started = AskReportInput(name, question, newest)
    return await _start(client, service, ASK_TYPE, started, f"ask-{uuid.uuid4()}", question, output)


def _revising(name: str) -> str:
    """Return the Workflow ID under which a report is revised, by one of its names."""
    return f"revise-{first_name(name)}"


async def _name(client: Client, report: str) -> tuple[str, bool]:
    """Return the name of a report's PDF, and whether its newest version is meant, as it is by an ID.

    Where neither a Workflow nor an evidence file has such an ID, it is what was given.
    """
    report = report_name(report)
    if is_blank(report):
        raise UserError(f"The ID is empty: `{STARTER} --list` shows the latest.")
    # What ends in a report's name is the Workflow that revises it.
    found = [each for each in await listing.search(client, report) if each[0].id != _revising(report)]
    if len(found) > 1:
        raise UserError(f"{len(found)} reports have an ID that ends in {report!r}: give more of it.")
    if not found:
        from research.cli.verify import name_of  # here, because it loads what reads pages

        name = await asyncio.to_thread(name_of, report, config.load())
        return name, name != report
    handle, _ = found[0]
    if handle.id.startswith(_revising("")):  # of the report, whatever became of this revision
        return handle.id.removeprefix(_revising("")), True
    state = await listing.state_of(handle)
    if state != listing.DONE:
        raise UserError(f"The report is {state}: only a finished one can be revised or asked.")
    done = await handle.result()
    if done.answer:
        raise UserError("This is the ID of a question: give that of a report, or its name.")
    return report_name(done.filename), True


async def _start(
    client: Client,
    service: Service,
    workflow_type: str,
    input: ReviseReportInput | AskReportInput,
    workflow_id: str,
    summary: str,
    output: Output,
) -> int:
    output.set_report(workflow_id)
    try:
        handle = await client.start_workflow(
            workflow_type,
            input,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            result_type=GenerateReportOutput,
            static_summary=static_summary(summary),
        )
    except WorkflowAlreadyStartedError:
        follow_it = f"`{STARTER} --attach {workflow_id}`"
        raise UserError(f"Another version of it is being written: {follow_it} follows that.") from None
    output.report_accepted(handle)
    return await follow(client, service, handle, output)

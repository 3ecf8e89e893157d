"""The starter: asks for a topic, starts the report and waits for its PDF.

Exit status: 0 the report is done, 1 it failed, 2 something to put right (an argument, a
setting), 3 no Temporal service, 130 left by Ctrl-C (the report goes on).
"""

import argparse
import asyncio
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from research import console, settings
from research.errors import Fixable

# The prompt is there at once: Temporal is imported when the topic is known.
if TYPE_CHECKING:
    from temporalio.client import (
        WorkflowExecutionDescription,
        WorkflowFailureError,
        WorkflowHandle,
    )

    from models import GenerateReportOutput
    from workflow import GenerateReportWorkflow

    Handle = WorkflowHandle[GenerateReportWorkflow, GenerateReportOutput]

DEFAULT_TOPIC = (
    "Give me 5 fun and fascinating facts about tardigrades. Make them interesting and educational!"
)
LONGEST_TOPIC = 20_000
FOLLOW_SECONDS = 3


def main() -> int:
    """Ask, start, wait; the exit status is as above."""
    options = _parser().parse_args()
    console.take_any_character()
    try:
        console.say("Welcome to the Research Report Generator!")
        topic = checked_topic(ask_topic(options.topic))
        return asyncio.run(report(topic, options.pause))
    except Fixable as error:
        console.complain(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        console.complain("\nLeft. A report that was started goes on by itself.")
        return 130


def ask_topic(words: list[str]) -> str:
    """The topic from the arguments, from a pipe, or from the person at the terminal."""
    if words:
        topic = " ".join(words)
    elif sys.stdin.isatty():
        try:
            topic = input("Enter your research topic or question: ")
        except EOFError:
            raise Fixable("\nNo topic was given, so nothing was started.") from None
    else:
        topic = sys.stdin.read()
    if not topic.strip():
        console.say(f"No topic given, so this one is taken: {DEFAULT_TOPIC}")
    return topic.strip() or DEFAULT_TOPIC


def checked_topic(topic: str) -> str:
    """The topic, when it can be researched and stored.

    Raises:
        Fixable: too long, control characters, not text, or holding a key.
    """
    if len(topic) > LONGEST_TOPIC:
        raise Fixable(f"The topic has {len(topic):,} characters; at most {LONGEST_TOPIC:,} are taken.")
    for character in topic.replace("\r\n", "\n"):
        if (ord(character) < 32 and character not in "\n\t") or 0x7F <= ord(character) < 0xA0:
            raise Fixable(f"The topic holds a control character (U+{ord(character):04X}): remove it.")
        if 0xD800 <= ord(character) < 0xE000:
            raise Fixable("The topic is not UTF-8 text: convert it first.")
    if settings.load().without_secrets(topic) != topic:
        raise Fixable("The topic holds one of your API keys, and topics are stored: remove it.")
    return topic


async def report(topic: str, pause_seconds: float) -> int:
    """Start the report and wait for it, through whatever happens to worker and service."""
    from temporalio.client import WorkflowFailureError

    from models import GenerateReportInput
    from research.temporal import TASK_QUEUE, connect
    from workflow import GenerateReportWorkflow

    client, service = await connect(settings.load(), console.complain)
    handle = await client.start_workflow(
        GenerateReportWorkflow.run,
        GenerateReportInput(prompt=topic, pause_seconds=pause_seconds),
        id=f"generate-research-report-workflow-{uuid.uuid4()}",
        task_queue=TASK_QUEUE,
        static_summary=" ".join(topic.split())[:90],
    )
    run_id = handle.first_execution_run_id or ""
    console.say(f"Started workflow. Workflow ID: {handle.id}, RunID {run_id}")
    if link := service.link(handle.id, run_id):
        console.say(f"Watch it: {link}")
    following = asyncio.create_task(_follow(handle))
    try:
        output = await _result(handle)
    except WorkflowFailureError as error:
        console.complain(f"The report failed: {_reason(error)}")
        return 1
    finally:
        following.cancel()
    _show(output)
    return 0


def _show(output: "GenerateReportOutput") -> None:
    from research import bill

    console.say(f"Result: {output.result}")
    for note in output.notes:
        console.say(f"Note: {note}")
    console.say(f"Bill: {bill.in_one_line(output.bill)}")
    if settings.is_sample(output.model):
        console.say("It is sample text: set LLM_MODEL and a key in .env for real research.")
    if "://" in output.path or Path(output.path).is_file():  # it may be on another machine
        console.say(f"PDF: {output.path}")


async def _result(handle: "Handle") -> "GenerateReportOutput":
    """The report's result; an unreachable service is waited for, the report is safe in it."""
    from temporalio.service import RPCError, RPCStatusCode

    final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
    told = False
    while True:
        try:
            return await handle.result()
        except RPCError as error:
            if error.status in final:
                raise
            if not told:
                console.complain("The Temporal service does not answer; your report is safe. Waiting …")
            told = True
            await asyncio.sleep(1)


async def _follow(handle: "Handle") -> None:
    """Say what holds the report up: no worker that takes it, or a step that fails."""
    from temporalio.service import RPCError

    said = ""
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        try:
            line = _obstacle(await handle.describe())
        except RPCError:
            continue
        if line and line != said:
            console.complain(line)
        said = line


def _obstacle(description: "WorkflowExecutionDescription") -> str:
    for pending in description.raw_description.pending_activities:
        if pending.last_failure.message:
            return f"{pending.activity_type.name} waits: {pending.last_failure.message}"
    if description.history_length <= 2:  # nobody has looked at it yet
        return (
            "No worker has taken the report yet: start one with `python worker.py`. The report waits safely."
        )
    return ""


def _reason(error: "WorkflowFailureError") -> str:
    """The innermost message of a failure, in one line."""
    innermost: BaseException = error
    while innermost.__cause__:
        innermost = innermost.__cause__
    return " ".join(str(getattr(innermost, "message", innermost)).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Research a topic and wait for the report's PDF. A worker must be running:"
        " python worker.py"
    )
    parser.add_argument("topic", nargs="*", help="the topic or question (default: ask for it)")
    parser.add_argument(
        "--pause",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="a durable pause after the research, time to kill the worker",
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


if __name__ == "__main__":
    console.leave(main())

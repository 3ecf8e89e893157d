"""The starter: asks for a topic, starts the report and follows it to its PDF.

Exit status: 0 done (or left on purpose: --detach), 1 the report failed, 2 something to put
right (an argument, a setting), 3 no Temporal service, 4 the report was cancelled, 130 left by
Ctrl-C (the report goes on).
"""

import argparse
import asyncio
import difflib
import json
import os
import sys
import uuid
from typing import TYPE_CHECKING, NoReturn

from research import __version__, config
from research.cli import terminal
from research.cli.prompt import ask as ask_topic
from research.errors import ServiceUnavailable, UserError

# The prompt is there at once: Temporal is imported when the topic is known.
if TYPE_CHECKING:
    from temporalio.client import Client

    from models import GenerateReportOutput
    from research.cli.progress import Handle
    from research.temporal.client import Service

EXAMPLES = """\
examples:
  python starter.py                          ask for a topic, follow the report
  python starter.py "Why is the sky blue?"   the same without asking
  echo "a topic" | python starter.py --quiet print the PDF's path alone
  python starter.py --list                   the latest reports, with their IDs
  python starter.py --attach 1a2b3c4d        come back to one of them

exit status: 0 done, 1 failed, 2 something to put right, 3 no Temporal service,
             4 cancelled, 130 left by Ctrl-C (the report goes on)"""


def main() -> int:
    """Do what the options say; the exit status is as above."""
    options = _parser().parse_args()
    terminal.set_lenient_output()
    starter = Starter(options)
    try:
        return starter.run()
    except UserError as error:
        starter.tell_failure(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        starter.tell_leaving()
        return 130
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


class Starter:
    """One run of the command line."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.silent = options.quiet or options.json
        self.workflow_id = ""

    def run(self) -> int:
        """Ask first, then connect."""
        options, prompt = self.options, ""
        if not (options.list or options.cancel or options.attach):
            self.print_line("Welcome to the Research Report Generator!")
            prompt = ask_topic(options.topic)
        return asyncio.run(self.act(prompt))

    async def act(self, prompt: str) -> int:
        """What the options ask for."""
        from temporalio.service import RPCError

        try:
            if self.options.list:
                return await self.list_reports()
            if self.options.cancel:
                return await self.cancel(self.options.cancel)
            if self.options.attach:
                return await self.attach(self.options.attach)
            return await self.start(prompt)
        except RPCError as error:
            raise ServiceUnavailable(f"The Temporal service cannot do that now: {error.message}") from None

    async def start(self, prompt: str) -> int:
        """Start the report and wait for it, through whatever happens to worker and service."""
        from models import GenerateReportInput
        from research.temporal.names import TASK_QUEUE
        from workflow import GenerateReportWorkflow

        client, service = await self.connect()
        self.workflow_id = f"generate-research-report-workflow-{uuid.uuid4()}"
        handle = await client.start_workflow(
            GenerateReportWorkflow.run,
            GenerateReportInput(prompt=prompt, pause_seconds=self.options.pause),
            id=self.workflow_id,
            task_queue=TASK_QUEUE,
            static_summary=" ".join(prompt.split())[:90],
        )
        run_id = handle.first_execution_run_id or ""
        self.print_line(f"Started workflow. Workflow ID: {handle.id}, RunID {run_id}")
        if self.options.detach:
            self.print_line(f"Come back to it: python starter.py --attach {terminal.short_id(handle.id)}")
            self.emit_result({"workflow_id": handle.id, "run_id": run_id, "status": "running"}, handle.id)
            return 0
        return await self.follow(client, service, handle, run_id)

    async def attach(self, identity: str) -> int:
        """Follow a report that anybody started; of a finished one give the result."""
        from research.cli import listing

        client, service = await self.connect()
        handle, run_id = await listing.find(client, identity)
        self.workflow_id = handle.id
        return await self.follow(client, service, handle, run_id)

    async def follow(self, client: "Client", service: "Service", handle: "Handle", run_id: str) -> int:
        """Show the report's status until it ends, then its result."""
        from temporalio.client import WorkflowFailureError

        from research.cli import live, progress

        link = service.link(handle.id, run_id)
        watcher = progress.Watcher(client, service, handle)
        ending = asyncio.create_task(progress.result(handle))
        display = live.display(link, self.silent)
        if isinstance(display, live.PlainProgress) and link:
            self.print_line(f"Watch it: {link}")
        with display:
            while not ending.done():
                display.show(await watcher.poll())
                await asyncio.wait([ending], timeout=progress.POLL_SECONDS)
            display.show(await watcher.poll())
        identity = {"workflow_id": handle.id, "run_id": run_id}
        try:
            self.show(await ending, identity)
        except WorkflowFailureError as error:
            return self.report_failure(error, identity)
        return 0

    def show(self, output: "GenerateReportOutput", identity: dict[str, str]) -> None:
        """The result: all of it as JSON, or what people want to know."""
        from dataclasses import asdict

        from research.cli import listing
        from research.llm import usage

        self.print_line(f"Result: {output.result}")
        for note in output.notes:
            self.print_line(f"Note: {note}")
        self.print_line(f"Bill: {usage.format_usage(output.bill)}")
        if config.is_sample(output.model):
            self.print_line("It is sample text: set LLM_MODEL and a key in .env for real research.")
        if listing.is_here(output.path):
            self.print_line(f"PDF: {output.path}")
        self.emit_result({**identity, "status": "done", **asdict(output)}, output.path or output.filename)
        if self.options.open:
            listing.open_file(output.path)

    def report_failure(self, error: BaseException, identity: dict[str, str]) -> int:
        """A report that ended without a result: cancelled, or failed and why."""
        from temporalio.exceptions import CancelledError, TerminatedError

        from research.cli.progress import reason

        ended = error.__cause__
        if isinstance(ended, (CancelledError, TerminatedError)):
            terminal.print_error("The report was cancelled.")
            status, exit_status = "cancelled", 4
        else:
            terminal.print_error(f"The report failed: {reason(error)}")
            status, exit_status = "failed", 1
        self.emit_result({**identity, "status": status, "error": reason(error)}, "")
        return exit_status

    async def list_reports(self) -> int:
        """The latest reports."""
        from research.cli import listing

        client, _ = await self.connect()
        rows = await listing.latest(client)
        if self.options.json:
            terminal.print_line(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=2))
        elif not rows:
            self.print_line("There are no reports yet.")
        else:
            width = terminal.width()
            for row in rows:
                terminal.print_line(row.for_people(width))
        return 0

    async def cancel(self, identity: str) -> int:
        """Cancel a report and wait until it has ended."""
        from research.cli import listing

        client, _ = await self.connect()
        handle, run_id = await listing.find(client, identity)
        await listing.cancel(handle)
        self.print_line(f"Cancelled: {handle.id}")
        self.emit_result({"workflow_id": handle.id, "run_id": run_id, "status": "cancelled"}, "")
        return 0

    async def connect(self) -> "tuple[Client, Service]":
        """The client, with the dev server's start told to people only."""
        from research.temporal.client import connect

        return await connect(config.load(), lambda line: None if self.silent else terminal.print_error(line))

    def print_line(self, line: str) -> None:
        """A line for people; scripts that ask for the result alone are spared it."""
        if not self.silent:
            terminal.print_line(line)

    def emit_result(self, result: dict[str, object], alone: str) -> None:
        """The result for scripts: one JSON object, or the one word that matters."""
        if self.options.json:
            terminal.print_line(json.dumps(result, ensure_ascii=False))
        elif self.options.quiet and alone:
            terminal.print_line(alone)

    def tell_failure(self, line: str) -> None:
        """What has to be put right."""
        terminal.print_error(line)
        if self.options.json:
            terminal.print_line(
                json.dumps({"workflow_id": self.workflow_id, "status": "error", "error": line})
            )

    def tell_leaving(self) -> None:
        """After Ctrl-C."""
        if not self.workflow_id:
            terminal.print_error("\nLeft. Nothing was started.")
            return
        back = f"python starter.py --attach {terminal.short_id(self.workflow_id)}"
        terminal.print_error(f"\nLeft; the report goes on. Come back to it: {back}")


class _Parser(argparse.ArgumentParser):
    """Names the nearest option to one that is unknown."""

    def error(self, message: str) -> NoReturn:
        unknown = [word.partition("=")[0] for word in message.split() if word.startswith("-")]
        if message.startswith("unrecognized arguments") and unknown:
            known = [option for action in self._actions for option in action.option_strings]
            near = difflib.get_close_matches(unknown[0], known, 1)
            hint = f": did you mean {near[0]}?" if near else ": see --help."
            message = f"there is no option {unknown[0]}{hint}"
        self.exit(2, f"{self.prog}: {terminal.escape_controls(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        description="Research a topic and wait for its PDF. A worker must run: python worker.py",
        epilog=EXAMPLES,
        usage="%(prog)s [topic …] [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("topic", nargs="*", help="the topic or question (default: ask for it)")
    add("--pause", type=_seconds, default=0.0, metavar="SECONDS", help="a durable pause after the research")
    add("--open", action="store_true", help="open the PDF at the end")
    add("--quiet", action="store_true", help="print the PDF's path and nothing else")
    add("--json", action="store_true", help="print the result as one JSON object and nothing else")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--detach", action="store_true", help="start the report, print its ID, leave")
    action.add_argument("--attach", metavar="ID", help="follow a report that was started before")
    action.add_argument("--cancel", metavar="ID", help="cancel a report")
    action.add_argument("--list", action="store_true", help="show the latest reports")
    add("--version", action="version", version=f"%(prog)s {__version__}")
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
    terminal.exit_now(main())

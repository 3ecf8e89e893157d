"""The starter: ask for a topic, start the report and follow it to its PDF.

The exit statuses are in EXAMPLES, which `--help` shows.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from research import __version__
from research.cli import signals, terminal
from research.cli.output import Output
from research.cli.prompt import ask, is_blank, static_summary
from research.errors import ServiceUnavailable, UserError

# Temporal takes half a second to import, and a person is asked for the topic before that.
if TYPE_CHECKING:
    from temporalio.client import Client

    from research.temporal.client import Service

EXAMPLES = """\
examples:
  python starter.py                          ask for a topic, follow the report
  python starter.py "Why is the sky blue?"   the same without asking
  echo "a topic" | python starter.py --quiet print the PDF's path alone
  python starter.py --list                   the latest reports, with their IDs
  python starter.py --attach 1a2b3c4d        follow one of them again

exit status: 0 done, 1 failed, 2 something to fix, 3 no Temporal service,
             4 cancelled, 130 Ctrl-C, 143 SIGTERM (the report continues)"""


def main() -> int:
    """Do what the arguments say, and return the exit status."""
    output = Output()
    try:
        signals.install()
        terminal.set_lenient_output()
        options = _parse_arguments()
        output.set_format(options.quiet, options.json, options.open)
        topic = _topic(options, output)
        return signals.run_async(lambda: act(options, topic, output))
    except UserError as error:
        output.report_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        output.report_interrupt()
        return signals.end_interrupted()
    except BrokenPipeError:  # the reader of standard output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


async def act(options: argparse.Namespace, topic: str, output: Output) -> int:
    """Connect, and do the one action that the options name."""
    from temporalio.service import RPCError

    from research import config
    from research.temporal.client import connect

    try:
        client, service = await connect(config.load(), output.print_event)
        if options.list:
            return await list_reports(client, output)
        if options.cancel:
            return await cancel(client, options.cancel, output)
        if options.attach:
            return await attach(client, service, options.attach, output)
        return await start(client, service, options, topic, output)
    except RPCError as error:
        raise ServiceUnavailable(f"The Temporal service cannot do that now: {error.message}") from None


async def start(
    client: "Client", service: "Service", options: argparse.Namespace, topic: str, output: Output
) -> int:
    """Start a report, and follow it unless it is to run on its own."""
    import uuid

    from models import GenerateReportInput
    from research.cli.follow import follow
    from research.temporal.names import TASK_QUEUE
    from workflow import GenerateReportWorkflow

    output.set_report(f"generate-research-report-workflow-{uuid.uuid4()}")
    handle = await client.start_workflow(
        GenerateReportWorkflow.run,
        GenerateReportInput(prompt=topic, pause_seconds=options.pause),
        id=output.workflow_id,
        task_queue=TASK_QUEUE,
        static_summary=static_summary(topic),
    )
    output.set_report(handle.id, handle.first_execution_run_id or "")
    output.print_line(f"Started workflow. Workflow ID: {handle.id}, RunID {output.run_id}")
    if options.detach:
        output.report_started()
        return 0
    return await follow(client, service, handle, output)


async def attach(client: "Client", service: "Service", identity: str, output: Output) -> int:
    """Follow a report that was started before; of a finished one show the result."""
    from research.cli import listing
    from research.cli.follow import follow

    handle, run_id = await listing.find(client, identity)
    output.set_report(handle.id, run_id)
    return await follow(client, service, handle, output)


async def cancel(client: "Client", identity: str, output: Output) -> int:
    """Cancel a report, and wait until it has ended."""
    from research.cli import listing

    handle, run_id = await listing.find(client, identity)
    await listing.cancel(handle)
    output.set_report(handle.id, run_id)
    output.print_line(f"Cancelled: {handle.id}")
    output.emit_result("cancelled", {})
    return 0


async def list_reports(client: "Client", output: Output) -> int:
    """Print the latest reports."""
    from research.cli import listing

    output.print_list(await listing.latest(client))
    return 0


def _topic(options: argparse.Namespace, output: Output) -> str:
    """Return the new report's topic; empty for an action that needs none."""
    if options.list or options.cancel or options.attach:
        return ""
    output.print_line("Welcome to the Research Report Generator!")
    return ask(options.topic)


class _Parser(argparse.ArgumentParser):
    """Prints an error as one line that is safe for a terminal."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {terminal.escape_controls(' '.join(message.split()))}\n")


def _parse_arguments() -> argparse.Namespace:
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
    action.add_argument("--detach", action="store_true", help="start the report, print its ID, exit")
    action.add_argument("--attach", type=_report_id, metavar="ID", help="follow a report again")
    action.add_argument("--cancel", type=_report_id, metavar="ID", help="cancel a report")
    action.add_argument("--list", action="store_true", help="show the latest reports")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    options = parser.parse_args()
    if options.topic and (options.attach or options.cancel or options.list):
        parser.error("a topic starts a new report: give either a topic, or --attach, --cancel or --list")
    return options


def _report_id(text: str) -> str:
    """Return the ID; an empty one is a variable that a script did not set."""
    if is_blank(text):
        raise argparse.ArgumentTypeError("the ID is empty: `python starter.py --list` shows the latest")
    return text.strip()


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

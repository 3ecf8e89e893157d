"""The starter: ask for a topic, start the report and follow it to its PDF."""

import argparse
from typing import TYPE_CHECKING, NoReturn

from research.cli import arguments, signals, terminal
from research.cli.output import Output
from research.cli.prompt import ask, static_summary
from research.errors import UserError

# Temporal takes half a second to import, and a person is asked for the topic before that.
if TYPE_CHECKING:
    from temporalio.client import Client

    from research.temporal.client import Service


def main() -> int:
    """Do what the arguments say, and return the exit status."""
    output = Output()
    try:
        signals.install()
        terminal.prepare_output(must_arrive=True)
        options = arguments.parse()
        output.set_format(options.quiet, options.json, options.open)
        if arguments.is_local(options):
            from research.cli import local

            return signals.run_async(lambda: local.act(options))
        topic = _topic(options, output)
        return signals.run_async(lambda: act(options, topic, output))
    except UserError as error:
        output.report_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        output.report_interrupt()
        return signals.end_interrupted()
    except BrokenPipeError:  # the reader of standard output has gone
        return 141


async def act(options: argparse.Namespace, topic: str, output: Output) -> int:
    """Connect, and do the one action that the options name."""
    from temporalio.service import RPCError

    from research import config
    from research.temporal.client import connect, refusal

    try:
        client, service = await connect(config.load(), output.print_event)
        if arguments.is_about_a_report(options):
            from research.cli import actions

            return await actions.act(client, service, options, output)
        if options.sources is None:
            options.sources = config.load().search_provider is not None
        if options.review and not (options.sources or options.sections):
            raise UserError("--review: only a report with --sections or --sources has a plan.")
        return await start(client, service, options, topic, output)
    except RPCError as error:
        raise refusal(error, config.load()) from None


async def start(
    client: "Client", service: "Service", options: argparse.Namespace, topic: str, output: Output
) -> int:
    """Start a report, and follow it unless it is to run on its own."""
    import uuid

    from models import Document, GenerateReportInput, GenerateReportOutput
    from research import config
    from research.cli.follow import follow
    from research.temporal.names import TASK_QUEUE, WORKFLOW_TYPE

    documents: tuple[Document, ...] = ()
    if options.documents:
        from research.cli.documents import store_documents

        documents = await store_documents(options.documents, config.load(), output)
    output.set_report(f"generate-research-report-workflow-{uuid.uuid4()}")
    handle = await client.start_workflow(
        WORKFLOW_TYPE,  # by its name, because the Workflow imports what only a worker needs
        GenerateReportInput(
            topic,
            options.pause,
            options.sources,
            options.sections,
            documents,
            options.evidence,
            options.review,
            options.review_for,
            options.then,
        ),
        id=output.workflow_id,
        task_queue=TASK_QUEUE,
        result_type=GenerateReportOutput,
        static_summary=static_summary(topic),
    )
    output.report_accepted(handle)
    if options.detach:
        output.report_started()
        return 0
    return await follow(client, service, handle, output)


def _topic(options: argparse.Namespace, output: Output) -> str:
    """Return the new report's topic; empty for an action that needs none."""
    if arguments.is_about_a_report(options):
        return ""
    output.print_line("Welcome to the Research Report Generator!")
    return ask(options.topic)


def run() -> NoReturn:
    """Do what the arguments say, and end the process; the command `research-report`."""
    terminal.exit_now(main())


if __name__ == "__main__":
    run()

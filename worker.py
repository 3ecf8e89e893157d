"""The worker: serve reports until it is asked to shut down. Start as many workers as the load needs."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # so that Ctrl-C ends the imports without a traceback

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

import activities
from research import __version__, config, programs
from research.cli import arguments, log_format, signals, startup, terminal
from research.config import Settings
from research.errors import UserError
from research.llm import library
from research.output import storage
from research.sources.allow import parse_allow
from research.sources.search import check_search
from research.temporal import lost_workers, sandbox
from research.temporal.client import connect
from research.temporal.identity import own_identity
from research.temporal.names import TASK_QUEUE
from workflow import AskReportWorkflow, GenerateReportWorkflow, ReviseReportWorkflow

DRAIN_SECONDS = 20
"""For a worker that was asked to shut down to complete a running PDF; model calls are handed over at once."""
ANSWER_SECONDS = 1.5
"""For the service to answer a worker that was asked to shut down."""
WORKFLOW_TASKS = 10
"""Workflow Tasks at a time; each takes milliseconds."""


def main() -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status: 0 once the worker has served."""
    signals.install()
    terminal.prepare_output()
    logging.raiseExceptions = False  # a log that cannot be written, such as on a full disk, stops nothing
    options = _parser().parse_args()
    try:
        settings = config.load()
        parse_allow(settings.read_allow)
        log_format.set_up(settings, options.verbose)
        if options.check:
            from research.cli import check

            return signals.run_async(lambda: check.run(settings, call=options.check == "call"))
        signals.run_async(lambda: serve(settings, options.simulate_failure, options.verbose))
    except UserError as error:
        terminal.print_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:  # before it served
        return signals.end_interrupted()
    return 0


async def serve(settings: Settings, simulate_failure: bool, verbose: bool) -> None:
    """Connect, register and serve; on a signal drain, and end the process.

    Raises:
        UserError: what prevents serving, and how to fix it.
    """
    identity = own_identity()
    client, service = await connect(settings, terminal.print_error, identity, verbose)
    worker = create_worker(client, settings.max_calls, simulate_failure)
    stopping = asyncio.create_task(signals.stop_signal().wait())
    terminal.print_line(startup.banner(settings, service, identity))
    if simulate_failure:
        terminal.print_line("  Every summary fails until a worker without --simulate-failure takes over.")
    running = asyncio.create_task(worker.run())
    loading = asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(1), _load, settings)
    releasing = asyncio.create_task(lost_workers.release_steps(client))
    terminal.print_line(f"Ready. Start a report with `{programs.STARTER}`; Ctrl-C stops this worker.")
    ends: list[asyncio.Future[Any]] = [running, stopping]
    try:
        await asyncio.wait([*ends, loading], return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        terminal.print_line("Stopping; the next worker continues what is unfinished …")
        releasing.cancel()
        await _drain(client, worker)
    if running.done():
        await running  # for its error, if it has one
    terminal.exit_now(0)  # because asyncio would wait for threads, which may still import litellm


async def _drain(client: Client, worker: Worker) -> None:
    """Let the Activities end or hand over, unless the service that they need for it does not answer."""
    shutting_down = asyncio.create_task(worker.shutdown())
    try:
        await client.workflow_service.get_system_info(
            GetSystemInfoRequest(), timeout=timedelta(seconds=ANSWER_SECONDS)
        )
    except RPCError:
        return
    await shutting_down


def create_worker(client: Client, max_calls: int, simulate_failure: bool = False) -> Worker:
    """Return a Worker for the Workflows and the Activities, at most `max_calls` of them at a time."""
    summary = activities.failing_generate_summary if simulate_failure else activities.generate_summary
    steps: list[Any] = [
        activities.llm_call, activities.web_search, activities.read_page, activities.create_pdf_activity,
        activities.open_report, activities.store_answer, activities.delete_stored_answers,
    ]  # fmt: skip
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[GenerateReportWorkflow, ReviseReportWorkflow, AskReportWorkflow],
        workflow_runner=sandbox.workflow_runner(),
        activities=[summary, *steps],
        # So that the history says for every step which version made it.
        deployment_config=WorkerDeploymentConfig(
            WorkerDeploymentVersion(TASK_QUEUE, __version__), use_worker_versioning=False
        ),
        max_concurrent_activities=max_calls,
        max_concurrent_workflow_tasks=WORKFLOW_TASKS,
        # A Workflow waits so long for the worker that has it in its cache, which may be dead.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=0.5),
        graceful_shutdown_timeout=timedelta(seconds=DRAIN_SECONDS),
        # Because heartbeats carry the text so far, and the SDK holds them back for longer by default.
        max_heartbeat_throttle_interval=timedelta(seconds=0.3),
        default_heartbeat_throttle_interval=timedelta(seconds=0.3),
    )


def _load(settings: Settings) -> None:
    """Import what takes seconds, while the worker polls already, and check the settings that need it."""
    storage.check(settings.reports_dir)
    library.check(settings)
    if settings.search_provider:
        check_search(settings)
    from research.pdf import document  # noqa: F401


def _parser() -> arguments.Parser:
    parser = arguments.Parser(description=__doc__)
    parser.add_argument(
        "--simulate-failure",
        action="store_true",
        help="let every summary fail, to show the retries; a worker without it is the fix",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        const="all",
        choices=("all", "call"),
        help="check service, model, reports folder and fonts, and exit; =call sends the model one word",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show all logging of Temporal and litellm too")
    return parser


def run() -> NoReturn:
    """Serve, and end the process; the command `research-worker`."""
    terminal.exit_now(main())


if __name__ == "__main__":
    run()

"""The worker: serves reports until it is told to stop. Start as many as you like."""

import argparse
import asyncio
import signal
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities import create_pdf_activity, failing_generate_summary, generate_summary, llm_call
from research import __version__, config
from research.cli import log_format, signals, terminal
from research.config import Settings
from research.errors import UserError
from research.llm import library
from research.reports import storage
from research.temporal.client import Service, connect
from research.temporal.identity import own_identity
from research.temporal.names import TASK_QUEUE
from workflow import GenerateReportWorkflow

DRAIN = timedelta(seconds=20)
"""How long a worker that was told to stop waits for its running steps."""
WORKFLOW_TASKS = 10
"""Workflow Tasks at a time; each takes milliseconds."""


def main() -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status: 0 once the worker has served."""
    options = _parser().parse_args()
    terminal.set_lenient_output()
    signals.install()
    try:
        settings = config.load()
        log_format.set_up(settings, options.verbose)
        if options.check:
            from research.cli import check

            return signals.run_async(lambda: check.run(settings, call=options.check == "call"))
        signals.run_async(lambda: serve(settings, options.simulate_failure, options.verbose))
    except KeyboardInterrupt:  # before the worker served
        return signals.end_interrupted()
    except UserError as error:
        terminal.print_error(str(error))
        return error.exit_status
    return 0


async def serve(settings: Settings, simulate_failure: bool, verbose: bool) -> None:
    """Connect, register, serve; on a signal drain and return.

    Until the worker serves, `research.cli.signals` ends the process; from then on a signal drains it.

    Raises:
        UserError: the worker can't serve; the message says what to fix.
    """
    identity = own_identity()
    client, service = await connect(settings, terminal.print_error, identity, verbose)
    worker = create_worker(client, settings.max_calls, simulate_failure)
    terminal.print_line(_banner(settings, service, identity))
    if simulate_failure:
        terminal.print_line("  Every summary fails until a worker without --simulate-failure takes over.")
    stopping = asyncio.create_task(_stop_signal().wait())
    running = asyncio.create_task(worker.run())
    checking = asyncio.create_task(asyncio.to_thread(_prepare, settings))
    terminal.print_line("Ready. Start a report with `python starter.py`; Ctrl-C stops this worker.")
    try:
        await asyncio.wait([running, stopping, checking], return_when=asyncio.FIRST_COMPLETED)
        if checking.done():
            checking.result()
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        terminal.print_line("Stopping; the next worker continues what is unfinished …")
        await worker.shutdown()
    await running


def _prepare(settings: Settings) -> None:
    """Import what takes seconds to import, beside the first polls, and check the settings."""
    storage.check(settings.reports_dir)
    library.check(settings)
    from research.pdf import document  # noqa: F401


def create_worker(client: Client, max_calls: int, simulate_failure: bool = False) -> Worker:
    """Return a Worker for the Workflow and the three Activities on the task queue "research"."""
    summary = failing_generate_summary if simulate_failure else generate_summary
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[GenerateReportWorkflow],
        activities=[llm_call, summary, create_pdf_activity],
        # So that every step in the history says which version made it.
        deployment_config=WorkerDeploymentConfig(
            WorkerDeploymentVersion(TASK_QUEUE, __version__), use_worker_versioning=False
        ),
        max_concurrent_activities=max_calls,
        max_concurrent_workflow_tasks=WORKFLOW_TASKS,
        # Because a dead worker's reports are offered to it first, for so long.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=0.5),
        graceful_shutdown_timeout=DRAIN,
        # Because heartbeats carry the text so far, the SDK must not hold them back.
        max_heartbeat_throttle_interval=timedelta(seconds=0.4),
        default_heartbeat_throttle_interval=timedelta(seconds=0.4),
    )


def _stop_signal() -> asyncio.Event:
    """Return an event that the first Ctrl-C or SIGTERM sets; a second Ctrl-C ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    return stop


def _banner(settings: Settings, service: Service, identity: str) -> str:
    model = settings.model
    if settings.is_sample:
        model += "  (sample text; see .env.example)"
    else:
        model += f"  (from {settings.sources['LLM_MODEL']})"
    rows = [
        ("Temporal service", service.address + ("  (local dev server)" if service.is_dev_server else "")),
        ("Namespace", service.namespace),
        ("Web UI", service.ui_url or "not known: set TEMPORAL_UI_URL"),
        ("Task queue", TASK_QUEUE),
        ("Model", model),
        ("Reports", f"{settings.reports_dir}  (from {settings.sources['REPORTS_DIR']})"),
        ("Identity", identity),
    ]
    return f"Research report worker {__version__}\n" + terminal.table(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--simulate-failure",
        action="store_true",
        help="let every summary fail, to watch the retries; a worker without it is the fix",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        const="all",
        choices=("all", "call"),
        help="check service, model, reports folder and fonts, and leave; =call asks the model one word",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show all logging of Temporal and litellm too")
    return parser


if __name__ == "__main__":
    terminal.exit_now(main())

"""`make report`: run a worker while one report is made. The variable TOPIC has the topic."""

import os
import subprocess
import sys
import time

from research import config
from research.cli import signals, terminal
from research.config import ROOT
from research.errors import UserError
from research.temporal.client import connect
from testing.processes import Program, ProgramError, start_worker


def main() -> int:
    """Start a worker, run the starter, stop the worker; return the starter's exit status."""
    try:
        signals.install()
        terminal.prepare_output()
        signals.run_async(lambda: connect(config.load(), terminal.print_error))
        if config.load().is_sample:
            terminal.print_line("No key is set: the built-in sample model writes the text.")
        with start_worker() as worker:
            return _run_starter(worker)
    except UserError as error:
        terminal.print_error(str(error))
        return error.exit_status
    except ProgramError as error:
        terminal.print_error(f"The worker did not start:\n{error}")
        return 2
    except KeyboardInterrupt:
        terminal.print_error("\nInterrupted.")
        return signals.end_interrupted()


def _run_starter(worker: Program) -> int:
    topic = os.environ.get("TOPIC", "").strip()
    # Behind "--", because a topic may begin with a dash.
    command = [sys.executable, "starter.py", *(["--", topic] if topic else [])]
    with subprocess.Popen(command, cwd=ROOT) as starter:
        try:
            while starter.poll() is None and worker.process.poll() is None:
                time.sleep(0.1)
        finally:
            if starter.poll() is None:
                starter.terminate()
    if worker.process.returncode is None:
        return starter.returncode
    terminal.print_error(f"The worker stopped: {worker.text.splitlines()[-1]}")
    terminal.print_error("The report continues with the next worker.")
    return worker.process.returncode or 1


if __name__ == "__main__":
    terminal.exit_now(main())

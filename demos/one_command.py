"""`make report`: a worker for as long as one report takes. TOPIC in the environment is the topic."""

import asyncio
import os
import subprocess
import sys

from research import config
from research.cli import terminal
from research.config import ROOT
from research.errors import UserError
from research.temporal.client import connect
from testing.processes import Program, ProgramError, start_worker


def main() -> int:
    """Start a worker, run the starter, stop the worker; the exit status is the starter's."""
    try:
        asyncio.run(connect(config.load(), terminal.print_error))
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
        return 130


def _run_starter(worker: Program) -> int:
    topic = os.environ.get("TOPIC", "").strip()
    starter = subprocess.Popen([sys.executable, "starter.py", *([topic] if topic else [])], cwd=ROOT)
    while starter.poll() is None:
        try:
            status = worker.process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
        starter.terminate()
        starter.wait(10)
        terminal.print_error(f"\nThe worker stopped: {worker.text.splitlines()[-1]}")
        terminal.print_error("What was started waits for the next worker.")
        return status or 1
    return starter.returncode


if __name__ == "__main__":
    terminal.exit_now(main())

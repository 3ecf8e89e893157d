"""`make report`: a worker for as long as one report takes. TOPIC in the environment is the topic."""

import asyncio
import os
import subprocess
import sys

from demos.processes import Program, ProgramError, start_worker
from research import console, settings
from research.errors import Fixable
from research.settings import ROOT
from research.temporal import connect


def main() -> int:
    """Start a worker, run the starter, stop the worker; the exit status is the starter's."""
    try:
        asyncio.run(connect(settings.load(), console.complain))
        if settings.load().is_sample:
            console.say("No key is set: the built-in sample model writes the text.")
        with start_worker() as worker:
            return _run_starter(worker)
    except Fixable as error:
        console.complain(str(error))
        return error.exit_status
    except ProgramError as error:
        console.complain(f"The worker did not start:\n{error}")
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
        console.complain(f"\nThe worker stopped: {worker.text.splitlines()[-1]}")
        console.complain("What was started waits for the next worker.")
        return status or 1
    return starter.returncode


if __name__ == "__main__":
    console.leave(main())

"""`make report`: run a worker while one report is made. The variable TOPIC has the topic."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from research import config
from research.cli import signals, terminal
from research.config import ROOT
from research.errors import UserError
from research.temporal.client import connect

READY = "Ready."
READY_SECONDS, STOP_SECONDS = 120.0, 40.0


def main() -> int:
    """Start a worker, run the starter, stop the worker; return the starter's exit status."""
    try:
        signals.install()
        terminal.prepare_output()
        signals.run_async(lambda: connect(config.load(), terminal.print_error))
        if config.load().is_sample:
            terminal.print_line("No key is set: the built-in sample model writes the text.")
        with TemporaryDirectory() as folder, _worker(log := Path(folder) / "worker.log") as worker:
            return _run_starter(worker, log)
    except UserError as error:
        terminal.print_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        terminal.print_error("\nInterrupted.")
        return signals.end_interrupted()


@contextmanager
def _worker(log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker that is ready to serve, and stop it at the end.

    Raises:
        UserError: it does not start; the message has its log.
    """
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    command, stdin = [sys.executable, "worker.py"], subprocess.DEVNULL
    with log.open("wb") as output:
        worker = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=stdin, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while READY not in _text(log):
            if worker.poll() is not None or time.monotonic() > deadline:
                raise UserError(f"The worker did not start:\n{_text(log)}")
            time.sleep(0.05)
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _run_starter(worker: "subprocess.Popen[bytes]", log: Path) -> int:
    topic = os.environ.get("TOPIC", "").strip()
    # Behind "--", because a topic may begin with a dash.
    command = [sys.executable, "starter.py", *(["--", topic] if topic else [])]
    with subprocess.Popen(command, cwd=ROOT) as starter:
        try:
            while starter.poll() is None and worker.poll() is None:
                time.sleep(0.1)
        finally:
            if starter.poll() is None:
                starter.terminate()
    if worker.returncode is None:
        return starter.returncode
    terminal.print_error(f"The worker stopped: {_text(log).splitlines()[-1]}")
    terminal.print_error("The report continues with the next worker.")
    return worker.returncode or 1


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").strip()


if __name__ == "__main__":
    terminal.exit_now(main())

"""The program's own processes, started and ended from a script."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType

from research.config import ROOT
from testing.forkserver import ForkedProcess, ForkServer

READY = "Ready."
SCRIPT_SECONDS = 120.0
FORK_SERVER = "FORK_SERVER_SOCKET"
"""The variable by which the tests let programs that start programs, such as the demo, use their server."""
fork_server = ForkServer(Path(os.environ[FORK_SERVER])) if FORK_SERVER in os.environ else None
"""Where there is one, programs are started by it."""
Process = ForkedProcess | subprocess.Popen[bytes]


def launch(
    arguments: Sequence[str],
    root: Path,
    environ: Mapping[str, str],
    stdin: int,
    stdout: int,
    stderr: int,
    has_terminal: bool = False,
) -> Process:
    """Start a Python program with these streams.

    With `has_terminal`, `stdin` is a terminal that becomes the process's own, so that Ctrl-C reaches it.
    """
    if fork_server and fork_server.can_start(arguments, environ):
        return fork_server.start(arguments, root, environ, (stdin, stdout, stderr), has_terminal)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=root,
        env=environ,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=_take_terminal if has_terminal else None,
    )


def _take_terminal() -> None:
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class ProgramError(Exception):
    """A process did not do what was waited for; the message is all that it printed."""


class Program:
    """One Python process and the lines that it prints; ended, if need be, on leaving the context."""

    def __init__(self, *arguments: str, root: Path = ROOT, environ: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **(environ or {})}
        reading, writing = os.pipe()
        with open(os.devnull, "rb") as nothing, open(writing, "wb") as output:  # noqa: PTH123
            self.process = launch(arguments, root, env, nothing.fileno(), output.fileno(), output.fileno())
        self._output = open(reading, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, words: str, seconds: float = 120) -> None:
        """Return when a line with these words was printed.

        Raises:
            ProgramError: not in time, or the process ended without.
        """
        deadline = time.monotonic() + seconds
        with self._news:
            while not any(words in line for line in self.lines):
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise ProgramError(self.text)
                self._news.wait(min(left, 0.2))

    def exit_status(self, seconds: float = 120) -> int:
        """Wait for the process to end by itself."""
        status = self.process.wait(seconds)
        self._reader.join(10)
        return status

    def kill(self) -> None:
        """SIGKILL: no last word, no cleaning up."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the process to end, and wait for it."""
        self.process.send_signal(number)
        try:
            return self.exit_status(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def _read(self) -> None:
        with self._output:
            for line in self._output:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()


def run_program(
    *arguments: str, root: Path = ROOT, environ: Mapping[str, str] | None = None, typed: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end as a script does: what it reads is typed before, nothing is a terminal."""
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **(environ or {})}
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(typed.encode())
        stdin.seek(0)
        process = launch(arguments, root, env, stdin.fileno(), stdout.fileno(), stderr.fileno())
        try:
            status = process.wait(SCRIPT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        for stream in (stdout, stderr):
            stream.seek(0)
        return subprocess.CompletedProcess(
            arguments,
            status,
            stdout.read().decode("utf-8", "replace"),
            stderr.read().decode("utf-8", "replace"),
        )


def start_worker(*options: str, root: Path = ROOT, environ: Mapping[str, str] | None = None) -> Program:
    """A worker that is ready to serve."""
    worker = Program("worker.py", *options, root=root, environ=environ)
    try:
        worker.wait_for(READY, seconds=900)  # the first start may build the dev server
    except BaseException:
        worker.__exit__(None, None, None)
        raise
    return worker


def workflow_id(starter: Program) -> str:
    """The Workflow ID that a starter printed."""
    starter.wait_for("Started workflow.")
    [line] = [line for line in starter.lines if line.startswith("Started workflow.")]
    return line.split("Workflow ID: ")[1].split(",")[0]

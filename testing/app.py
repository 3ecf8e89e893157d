"""The program in a clone of its own, on a dev server of its own: for tests, demos and benchmarks."""

import compileall
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

from filelock import FileLock
from temporalio.client import Client, WorkflowHandle

from research.config import ROOT
from testing.processes import Program, run_program, start_worker

PRODUCT = ["*.py", "Makefile", "*.txt", "*.lock", ".env.example"]
SHARED = "TESTS_SHARED_FOLDER"
"""The variable with the folder that all pytest processes of a run share."""
_EACH = """
import io, json, sys
import starter
from research.cli import terminal

def end(status):
    raise SystemExit(status)

exit_now, terminal.exit_now = terminal.exit_now, end
for arguments in json.loads(sys.argv[1]):
    sys.argv, sys.stdin = ["starter.py", *arguments], io.StringIO()
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    try:
        status = starter.main()
    except SystemExit as ended:
        status = ended.code
    print(json.dumps([status, sys.stdout.getvalue(), sys.stderr.getvalue()]), file=sys.__stdout__, flush=True)
sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
exit_now(0)
"""


def copy_clone(target: Path) -> Path:
    """The product's files as a clone has them, without anyone's .env or data; compiled once for all tests.

    The clones share these files, so no test may change one of them; programs replace what they compile.
    """
    if SHARED not in os.environ:  # for a benchmark
        return _copy_product(target)
    compiled = Path(os.environ[SHARED]) / "compiled"
    with FileLock(compiled.with_suffix(".lock")):
        if not compiled.exists():
            part = _copy_product(compiled.with_suffix(".part"))
            compileall.compile_dir(part, quiet=1)
            part.rename(compiled)
    return Path(shutil.copytree(compiled, target, copy_function=_link))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def _copy_product(target: Path) -> Path:
    target.mkdir(parents=True)
    for pattern in PRODUCT:
        for file in ROOT.glob(pattern):
            shutil.copy2(file, target)
    for folder in ("research", "demos", "testing"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def checkout(commit: str, target: Path) -> Path:
    """The program as it was at that commit."""
    target.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive, check=True)
    return target


def free_port() -> int:
    """A port that is free, with the one 1,000 above it for the Web UI.

    Both are below those that a system gives to connections, because one of them would take it before
    the server does.
    """
    while True:
        port = SystemRandom().randrange(12_000, 31_000)
        with socket.socket() as low, socket.socket() as high, suppress(OSError):
            low.bind(("127.0.0.1", port))
            high.bind(("127.0.0.1", port + 1000))
            return port


def wait_until(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Poll a condition that the test's processes bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about in time"
        time.sleep(0.05)


async def kept_text(handle: WorkflowHandle[Any, Any]) -> str:
    """The text that the service has of a running step: what a kill at this moment cannot take."""
    for step in (await handle.describe()).raw_description.pending_activities:
        for payload in step.heartbeat_details.payloads:
            return str(json.loads(payload.data)["text"])
    return ""


class DevServer:
    """A dev server of the tests' own, by the program's own command."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self.environ = {"DEV_SERVER_PORT": str(port)}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return run_program("-m", "research.temporal.devserver", command, root=self.root, environ=self.environ)

    @property
    def pid(self) -> int:
        """The running server's process."""
        return int(json.loads((self.root / ".temporal" / "server.json").read_text())["pid"])

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        import psutil

        process = psutil.Process(self.pid)
        process.kill()
        process.wait(10)


class App:
    """The program as a user runs it, in one clone with one environment."""

    def __init__(self, root: Path, environ: dict[str, str]) -> None:
        self.root, self.environ = root, environ
        self._running: list[Program] = []

    def worker(self, *options: str, **environ: str) -> Program:
        """A worker that is ready."""
        worker = start_worker(*options, root=self.root, environ={**self.environ, **environ})
        self._running.append(worker)
        return worker

    def run(self, *arguments: str, **environ: str) -> Program:
        """A program of the clone, not waited for."""
        program = Program(*arguments, root=self.root, environ={**self.environ, **environ})
        self._running.append(program)
        return program

    def starter(self, *arguments: str, **environ: str) -> Program:
        """The starter, with a topic unless the arguments say otherwise."""
        return self.run("starter.py", *(arguments or ["How does durable execution work?"]), **environ)

    def starters(self, commands: Sequence[Sequence[str]]) -> "list[subprocess.CompletedProcess[str]]":
        """The starter with each of these arguments, one after the other in one process, to its end."""
        done = run_program("-c", _EACH, json.dumps(commands), root=self.root, environ=self.environ)
        assert done.returncode == 0, done.stderr
        printed = [json.loads(line) for line in done.stdout.splitlines()]
        return [
            subprocess.CompletedProcess(arguments, *ended)
            for arguments, ended in zip(commands, printed, strict=True)
        ]

    def stop(self) -> None:
        for program in self._running:
            if program.process.poll() is None:
                program.kill()

    async def client(self) -> Client:
        return await Client.connect(
            f"127.0.0.1:{self.environ['DEV_SERVER_PORT']}", namespace=self.environ["TEMPORAL_NAMESPACE"]
        )

    def reports(self) -> list[Path]:
        """What is in the reports folder, but for the Markdown and the evidence file beside each PDF."""
        others = (".md", ".evidence.json")
        return sorted(path for path in (self.root / "reports").glob("*") if not path.name.endswith(others))

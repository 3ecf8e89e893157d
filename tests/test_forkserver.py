"""The server that starts the tests' programs: a fork is the same as a start in the ordinary way."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from testing import forkserver, processes
from testing.forkserver import IMPORT_ENVIRON
from testing.processes import run_program

WORKER = ["worker.py"]
pytestmark = pytest.mark.skipif(not processes.fork_server, reason="there is a fork server on Linux only")


def test_what_a_fork_stands_for() -> None:
    """A program in the tests' environment, also after a test has loaded litellm; not one in another."""
    server = processes.fork_server
    assert server
    assert server.can_start(WORKER, os.environ)
    assert server.can_start(WORKER, {**os.environ, **IMPORT_ENVIRON, "LLM_MODEL": "openai/gpt-4o"})
    assert not server.can_start(WORKER, {**os.environ, "LITELLM_MODE": "DEV"})
    assert not server.can_start(WORKER, {**os.environ, "LC_ALL": "C"})
    assert not server.can_start(["-X", "importtime", *WORKER], os.environ)


@pytest.mark.parametrize("how", ["fork", "start"])
@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('because')", 1, "because"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_how_a_program_ends(
    monkeypatch: pytest.MonkeyPatch, how: str, ending: str, status: int, error: str
) -> None:
    """With its status, once its threads have ended, and with all that it has printed."""
    if how == "start":
        monkeypatch.setattr(processes, "fork_server", None)
    script = (
        "import atexit, concurrent.futures, os, signal, sys, time\n"
        "pool = concurrent.futures.ThreadPoolExecutor()\n"
        "atexit.register(print, 'last', end='')\n"
        f"pool.submit(lambda: (time.sleep(0.2), print('thread', flush=True)))\n{ending}"
    )
    done = run_program("-c", script)
    assert done.returncode == status
    assert done.stdout == ("" if status < 0 else "thread\nlast")
    assert error in done.stderr
    assert bool(done.stderr) == bool(error)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(closed: str) -> None:
    """They are None, and their descriptors are the first that are given to what is opened."""
    script = (
        "import os, sys; none = [s for s in (sys.stdin, sys.stdout, sys.stderr) if s is None]\n"
        "opened = [os.open('/', os.O_RDONLY) for _ in none]; sys.exit(10 * len(none) + max(opened))\n"
    )
    fork = [sys.executable, "-S", forkserver.__file__, os.environ[processes.FORK_SERVER]]
    last = 2 if "2" in closed else 1 if ">" in closed else 0
    for python in ([sys.executable], fork):
        command = f"{shlex.join([*python, '-c', script])} {closed}"
        done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL)
        assert done.returncode == 10 * closed.count("-") + last

"""The server that starts the tests' programs: a fork is the same as a start in the ordinary way."""

import os
import signal

import pytest

from testing import processes
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

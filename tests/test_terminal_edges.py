"""Output that is closed or full, or whose reader has gone: no worker ends, and no traceback is shown.

And a dev server whose folder is gone or whose disk is full.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from demos.stage import Album
from research.errors import UserError
from testing import forkserver, processes
from testing.app import App, DevServer, wait_until
from testing.processes import Program, run_program
from testing.provider import Call, Provider, Reply, default_reply, rest_of
from tests.conftest import PROMPT_SECONDS

pytestmark = pytest.mark.proof

TOPIC = "How do tardigrades survive in space?"
FULL = "Standard output cannot be written: No space left on device."
CLOSED, FULL_DISK, GONE, ALL_FULL, ALL_CLOSED = REDIRECTIONS = (
    ">&-",
    ">/dev/full",
    "| true",
    ">/dev/full 2>&1",
    "<&- >&- 2>&-",
)
# Each action with its exit status, and with some kinds of output, so that each kind meets several actions.
ACTIONS: dict[str, tuple[int, Sequence[str]]] = {
    "starter.py --help": (0, [FULL_DISK, ALL_CLOSED]),
    "starter.py --nothing-of-this-name": (2, [ALL_FULL]),
    "starter.py --list": (0, [CLOSED, GONE]),
    "starter.py --detach --quiet Moss": (0, REDIRECTIONS),
    "worker.py --check": (0, [FULL_DISK]),
    "-m research.temporal.devserver status": (0, [GONE]),
    "-m research.temporal.devserver stop now": (2, [CLOSED]),
}


def python() -> str:
    """The words of a shell that start Python, where there is a fork server by a fork."""
    forks = ["-S", forkserver.__file__, os.environ[processes.FORK_SERVER]] if processes.fork_server else []
    return shlex.join([sys.executable, *forks])


def shell(app: App, command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """A line of bash in the clone, with Python's ordinary buffers; the status is the program's."""
    return subprocess.run(
        ["bash", "-c", f'python() {{ {python()} "$@"; }}; {command}; exit "${{PIPESTATUS[0]}}"'],
        cwd=app.root,
        env={**os.environ, "PYTHONUNBUFFERED": "", **app.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.long
def test_no_output_ends_in_a_traceback(app: App) -> None:
    """The exit status is the one of the action, or says that the output could not be written."""
    for action, (usual, redirections) in ACTIONS.items():
        for redirection in redirections:
            done = shell(app, f"python {action} {redirection}")
            other = {2} if ">/dev/full" in redirection else {141} if "|" in redirection else set()
            assert done.returncode in {usual, *other}, (action, redirection, done.stderr)
            for words in ("Traceback", "Exception ignored", "BrokenPipe", "Errno", "destroyed"):
                assert words not in done.stdout + done.stderr, (action, redirection, done.stderr)


def reports(app: App) -> list[str]:
    """The Workflow IDs, newest first."""
    listed = json.loads(shell(app, "python starter.py --list --json").stdout)
    return [row["workflow_id"] for row in listed]


def test_a_result_that_cannot_be_printed(app: App) -> None:
    """The reason, how to see the result all the same, and a status that a script notices."""
    lost = []
    for options in ("--detach --json", "--detach --quiet"):
        done = shell(app, f"python starter.py {options} '{TOPIC}' >/dev/full")
        assert done.returncode == 2
        lost.append(done.stderr)
    for command in (f"starter.py '{TOPIC}'", "starter.py --list", "starter.py --list --json"):
        done = shell(app, f"python {command} >/dev/full")
        assert (done.returncode, done.stderr) == (2, f"{FULL}\n")
    attach = "The report is not lost: python starter.py --attach"
    assert [f"{FULL} {attach} {identity[-8:]}\n" for identity in reports(app)[::-1]] == lost


def test_a_report_goes_where_nobody_reads(app: App) -> None:
    """`>&-` is a person's own choice: the report is made, and the status says so."""
    worker = app.worker()
    for redirection in ("2>&-", ">&- 2>&-"):
        assert shell(app, f"python starter.py '{TOPIC}' {redirection}").returncode == 0
    assert len(app.reports()) == 2
    assert worker.process.poll() is None


def start_worker(app: App, log: Path, redirection: str) -> processes.Process:
    """A worker with these streams; "|" is a reader that goes after the first line."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "", **app.environ}
    if "&-" in redirection:
        command = ["bash", "-c", f"exec {python()} worker.py {redirection}"]
        with log.open("wb") as errors:
            return subprocess.Popen(command, cwd=app.root, env=environ, stderr=errors)
    reading, writing = os.pipe() if "|" in redirection else (-1, os.open("/dev/full", os.O_WRONLY))
    with Path(os.devnull).open("rb") as nothing, os.fdopen(writing, "wb") as output, log.open("wb") as errors:
        last = output if "2>&1" in redirection else errors
        worker = processes.launch(
            ["worker.py"], app.root, environ, nothing.fileno(), output.fileno(), last.fileno()
        )
    if reading >= 0:
        with os.fdopen(reading, "rb") as reader:
            assert reader.readline()
    return worker


@pytest.mark.long
@pytest.mark.parametrize("redirection", ["2>&1 | head -1", ">/dev/full 2>&1", "<&- >&- 2>&-"])
def test_a_worker_serves_without_its_output(app: App, tmp_path: Path, redirection: str) -> None:
    log = tmp_path / "log"
    worker = start_worker(app, log, redirection)
    try:
        done = run_program("starter.py", "--quiet", TOPIC, root=app.root, environ=app.environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert Path(done.stdout.strip()).exists()
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PROMPT_SECONDS + 20) == 0
    finally:
        worker.terminate()
        worker.wait()
    assert "Traceback" not in log.read_text() and "destroyed" not in log.read_text()
    assert "Research complete!" in log.read_text() or "2>&" in redirection


DEMOS = [("demos.kill_the_worker", ">/dev/full"), ("research.cli.one_command", "<&- >&- 2>&-")]


@pytest.mark.long
@pytest.mark.parametrize(("demo", "redirection"), DEMOS)
def test_a_demo_without_its_output(app: App, tmp_path: Path, demo: str, redirection: str) -> None:
    """It is played to its end, with its own exit status, and none of its processes stays; all are forks."""
    executable = tmp_path / "python"
    executable.write_text(f'#!/bin/bash\nexec {python()} "$@"\n')
    executable.chmod(0o755)
    run = f"runpy.run_module({demo!r}, run_name='__main__')"
    code = f"import runpy, sys; sys.executable = {str(executable)!r}; {run}"
    settings = {"TOPIC": "Moss", "LLM_MODEL": "sample/report", "LLM_API_KEY": "", "LLM_API_BASE": ""}
    done = shell(app, f"python -c {shlex.quote(code)} {redirection}", **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") <= 1 and "Traceback" not in done.stderr, done.stderr
    assert list((app.root / "reports").glob("*.pdf"))
    assert processes_in(app.root) == []


def processes_in(folder: Path) -> list[str]:
    """The commands that run in this folder."""
    found = psutil.process_iter(["cwd", "cmdline"])
    return [" ".join(p.info["cmdline"] or []) for p in found if p.info["cwd"] == str(folder)]


def test_a_picture_of_the_demo_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, not a traceback after the whole demo."""
    album = Album(tmp_path / "no" / "demo.svg")
    with pytest.raises(UserError, match=r"demo\.svg cannot be written: No such file or directory\."):
        album.save()


def test_a_log_that_is_full_for_a_while(app: App) -> None:
    """A disk that has room again gets the next line, without a traceback in between."""
    script = (
        "import logging, os, sys\n"
        "import worker\n"
        "from research.cli import terminal\n"
        "def main():\n"
        "    terminal.prepare_output(); os.dup2(os.open('/dev/full', os.O_WRONLY), 2)\n"
        "    log = logging.getLogger('research'); log.warning('lost'); terminal.print_error('lost too')\n"
        "    os.dup2(1, 2); log.warning('there')\n"
        "worker.serve, worker.signals.run_async = None, lambda run: main()\n"
        "sys.exit(worker.main())\n"
    )
    done = run_program("-c", script, root=app.root, environ=app.environ)
    assert "there" in done.stdout and "Traceback" not in done.stdout and "Logging error" not in done.stdout


def test_stop_finds_a_server_whose_folder_is_gone(own_server: DevServer) -> None:
    """And nobody else's: not a program that has the same words, nor a server of another database."""
    assert own_server.run("start").returncode == 0
    server = psutil.Process(own_server.pid)
    database = own_server.root / ".temporal" / "temporal.db"
    shutil.rmtree(own_server.root / ".temporal")
    words = ["server", "start-dev", "--db-filename"]
    try:
        with (
            Program("-c", "import time; time.sleep(60)", *words, f"{database}.old") as other,
            Program("-c", "import time; time.sleep(60)", str(database)) as editor,
        ):
            assert own_server.run("stop").stdout.startswith("Stopped the Temporal dev server.")
            assert other.process.poll() is None and editor.process.poll() is None
        wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, PROMPT_SECONDS)
    finally:
        with suppress(psutil.NoSuchProcess):
            server.kill()
    assert own_server.run("stop").stdout.startswith("No Temporal dev server")


@pytest.fixture
def small_disk(own_server: DevServer) -> Iterator[Path]:
    """`.temporal/` on a disk of 24 MB of its own."""
    folder = own_server.root / ".temporal"
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only an administrator can make a small disk")
    yield folder
    own_server.run("stop")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def held_research(call: Call) -> Reply:
    """The research stops after a few words, until the provider releases it."""
    text = default_reply(call).text
    return Reply(rest_of(text, call), held_after=None if call.is_summary else 5)


@pytest.mark.long
def test_a_full_disk(own_server: DevServer, small_disk: Path, app: App, provider: Provider) -> None:
    """The reason is said, whether the server is to start or runs already; and then all goes on.

    To who starts a report, and in the view of who follows one.
    """
    reason = f"The dev server's data cannot be written to {small_disk}: No space left on device."
    ballast = fill(small_disk)
    refused = own_server.run("start")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith(f"{reason} To fix: ")
    ballast.unlink()
    app.environ.update(own_server.environ)
    provider.reply = held_research
    worker = app.worker()
    starter = app.starter()
    starter.wait_for("Research: running")
    ballast = fill(small_disk)
    starter.wait_for(
        f"{reason} To fix: free space there, or make it writable."
        " Your report is safe and continues after that."
    )
    other = ["starter.py", "--detach", "--quiet", "Moss " * 2_000]
    for _ in range(5):  # what the database has set aside may be enough for the first of them
        started = run_program(*other, root=own_server.root, environ=own_server.environ)
        if started.returncode:
            break
    assert started.returncode in (2, 3) and started.stderr.startswith(f"{reason} To fix: "), started.stderr
    ballast.unlink()
    provider.release()
    assert starter.exit_status() == 0, starter.text
    assert worker.process.poll() is None


@pytest.mark.long
def test_a_server_that_died_because_of_its_folder(
    own_server: DevServer, app: App, provider: Provider
) -> None:
    """The folder is the first thing to repair; then the view has the command that starts the server."""
    app.environ.update(own_server.environ)
    provider.reply = held_research
    app.worker()
    starter = app.starter()
    starter.wait_for("Research: running")
    folder = own_server.root / ".temporal"
    own_server.kill()
    folder.rename(folder.with_suffix(".old"))
    folder.write_text("a file where the folder should be")
    starter.wait_for(f"The dev server's data cannot be written to {folder}: File exists. To fix: ")
    folder.unlink()
    folder.with_suffix(".old").rename(folder)
    starter.wait_for("The Temporal service does not answer; your report is safe. Waiting (`python -m ")
    assert own_server.run("start").returncode == 0
    provider.release()
    assert starter.exit_status() == 0, starter.text

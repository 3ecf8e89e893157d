"""Finding and starting the local Temporal dev server."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sysconfig
import threading
import urllib.error
import urllib.request
import venv
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from research.temporal import binary, devserver
from testing.app import App, DevServer, free_port, wait_until
from testing.processes import Program
from tests.conftest import PROMPT_SECONDS

SLOW = """#!/bin/sh
[ "$1" = server ] && sleep 3
exec {} "$@"
"""
NEVER_SERVES = "#!/bin/sh\nexec sleep 60\n"


class Machine:
    """A Python environment with the program's packages, but without the Temporal CLI."""

    def __init__(self, folder: Path, clone: Path, port: int) -> None:
        venv.create(folder / "venv", symlinks=True)
        self.scripts, self.on_path = folder / "venv" / "bin", folder / "tools"
        self.on_path.mkdir()
        [packages] = folder.glob("venv/lib/python*/site-packages")
        (packages / "shared.pth").write_text(sysconfig.get_path("purelib"))
        self.clone = clone
        self.environ = {
            **os.environ,
            "PATH": f"{self.on_path}:/usr/bin:/bin",
            "DEV_SERVER_PORT": str(port),
        }

    def install(self, folder: Path, script: str) -> Path:
        path = folder / "temporal"
        path.write_text(script)
        path.chmod(0o755)
        return path

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(self.scripts / "python"), "-m", "research.temporal.devserver", "start"],
            cwd=self.clone,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def found(self) -> str:
        show = "from research.temporal import binary; print(binary.find())"
        python = [str(self.scripts / "python"), "-c", show]
        done = subprocess.run(python, cwd=self.clone, env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def server_pid(self) -> int | None:
        """The process of the server that was started and may not serve yet."""
        record = self.clone / ".temporal" / "server.json"
        try:
            return int(json.loads(record.read_text())["pid"])
        except (OSError, ValueError):
            return None


@pytest.fixture
def machine(tmp_path: Path, own_server: DevServer) -> Machine:
    return Machine(tmp_path, own_server.root, own_server.port)


def real_temporal() -> str:
    found = binary.find()
    assert found
    return str(found)


def test_the_environments_own_cli_comes_before_the_one_on_the_path(machine: Machine) -> None:
    assert machine.found() == "None"
    on_path = machine.install(machine.on_path, NEVER_SERVES)
    assert machine.found() == str(on_path)
    own = machine.install(machine.scripts, NEVER_SERVES)
    assert machine.found() == str(own)


def test_without_any_cli_the_way_out_is_one_line(machine: Machine) -> None:
    starting = machine.start()
    output, _ = starting.communicate(timeout=60)
    assert starting.returncode == 2
    assert output.splitlines()[-1].startswith(
        "There is no Temporal CLI here: install it from https://docs.temporal.io/cli"
    )
    assert "Traceback" not in output


@pytest.mark.proof
def test_a_second_process_waits_until_the_server_serves(machine: Machine) -> None:
    """The server is slow to start: both return when it serves, one started it, both show progress."""
    machine.install(machine.scripts, SLOW.format(real_temporal()))
    processes = [machine.start(), machine.start()]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("Starting the local Temporal dev server" in output for output in outputs) == 1
    assert sum("The Temporal dev server starts … 2 s" in output for output in outputs) == 1
    assert sum("Another process starts the Temporal dev server … 2 s" in output for output in outputs) == 1


def test_a_signal_ends_a_server_that_does_not_serve_yet(machine: Machine) -> None:
    """Ctrl-C while the server starts: both processes and the server are gone."""
    machine.install(machine.scripts, NEVER_SERVES)
    starting = machine.start()
    wait_until(lambda: machine.server_pid() is not None)
    server = psutil.Process(machine.server_pid())
    waiting = machine.start()
    assert waiting.stdout
    assert waiting.stdout.readline() == "Another process starts the Temporal dev server … 2 s\n"
    for process in (waiting, starting):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PROMPT_SECONDS)
        assert process.returncode == 130
    wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.proof
def test_a_server_is_taken_over_from_a_process_that_was_killed_while_it_started(machine: Machine) -> None:
    machine.install(machine.scripts, SLOW.format(real_temporal()))
    first = machine.start()
    wait_until(lambda: machine.server_pid() is not None)
    server = machine.server_pid()
    first.kill()
    first.communicate()
    second = machine.start()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert machine.server_pid() == server


@pytest.mark.long
@pytest.mark.proof
def test_another_program_on_the_port(clone: Path) -> None:
    """The port's holder is no Temporal service: say so, with the setting that helps."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        if port > 64535:
            pytest.skip("the system gave a port that DEV_SERVER_PORT cannot be")
        starter = Program("starter.py", "A topic", root=clone, environ={"DEV_SERVER_PORT": str(port)})
        assert starter.exit_status(90) == 3
    assert starter.lines[-1] == (
        f"Another program holds port {port}, and it is not a Temporal service: stop it, or"
        f" set DEV_SERVER_PORT={port + 1} in .env for both worker and starter."
    )


def no_database(path: Path) -> None:
    path.write_text("this is no database" * 100)


def database_of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table notes (text)")


@pytest.mark.proof
def test_a_database_that_cannot_be_used(own_server: DevServer) -> None:
    """One line with the server's reason and what to do; what was there stays as it was."""
    database = own_server.root / ".temporal" / "temporal.db"
    database.parent.mkdir()
    for write in (no_database, database_of_another_program):
        write(database)
        started = own_server.run("start")
        assert started.returncode == 3
        line = started.stderr.splitlines()[-1]
        assert line.startswith("The Temporal dev server does not start: ")
        assert line.endswith(f"rename {database} to start with an empty one.")
        database.rename(database.with_suffix(".old"))
    assert own_server.run("start").returncode == 0


def test_a_stale_record_harms_nobody(own_server: DevServer) -> None:
    """The recorded process id belongs to somebody else by now: it is left alone."""
    with Program("-c", "import time; time.sleep(60)") as stranger:
        record = {"pid": stranger.process.pid, "create_time": 1.0, "port": 1, "ui_port": 2}
        (own_server.root / ".temporal").mkdir()
        (own_server.root / ".temporal" / "server.json").write_text(json.dumps(record))
        stopped = own_server.run("stop")
        assert "No Temporal dev server of this clone is running." in stopped.stdout
        assert stranger.process.poll() is None


def test_stop_leaves_another_clones_server_alone(app: App, server: DevServer) -> None:
    app.environ.update(server.environ)
    program = app.run("-m", "research.temporal.devserver", "stop")
    assert program.exit_status() == 2
    assert "was not started from" in program.lines[-1]
    assert server.run("status").returncode == 0


def posted(address: str) -> int:
    """The status for a report that another site's page starts: a browser sends such a request unasked."""
    request = urllib.request.Request(
        f"{address}/api/v1/namespaces/default/workflows/from-a-web-page",
        data=b'{"workflowType":{"name":"GenerateReportWorkflow"},"taskQueue":{"name":"research"},"input":["x"]}',
        headers={"Origin": "http://other.example", "Content-Type": "text/plain"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:  # no HTTP there
        return 0


@pytest.mark.proof
async def test_a_server_for_its_owner_alone(own_server: DevServer) -> None:
    """Its data is; no web page starts a report, on none of its ports; the Web UI works all the same.

    Here with its Web UI elsewhere, because the port is taken, which the start says. Another one is not
    started in the same clone, because two servers on one database would spoil it.
    """
    with socket.socket() as other:
        other.bind(("127.0.0.1", own_server.port + 1000))
        other.listen()
        started = own_server.run("start")
    assert started.returncode == 0, started.stderr
    folder = own_server.root / ".temporal"
    ui_port = json.loads((folder / "server.json").read_text())["ui_port"]
    ui = f"http://localhost:{ui_port}"
    assert ui_port != own_server.port + 1000 and ui in started.stdout
    refused = DevServer(own_server.root, own_server.port - 1).run("start")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"The dev server of this clone runs on port {own_server.port}: set ")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "temporal.db").stat().st_mode) == 0o600

    listening = [
        connection.laddr
        for connection in psutil.Process(own_server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    ports = {address.port for address in listening}
    assert {own_server.port, ui_port} < ports and {address.ip for address in listening} == {"127.0.0.1"}
    statuses = [posted(f"http://127.0.0.1:{port}") for port in sorted(ports)]
    assert 403 in statuses and not any(200 <= status < 300 for status in statuses)
    client = await Client.connect(f"127.0.0.1:{own_server.port}")
    assert [found async for found in client.list_workflows()] == []
    await client.start_workflow("Nothing", id="by-the-client", task_queue="nobody")

    def listed() -> bool:
        try:
            with urllib.request.urlopen(f"{ui}/api/v1/namespaces/default/workflows", timeout=5) as answer:
                return b"by-the-client" in answer.read()
        except urllib.error.HTTPError:  # 503 until the Web UI has its connection
            return False

    wait_until(listed)
    assert b"<html" in urllib.request.urlopen(ui, timeout=5).read()


def test_a_server_that_ends_at_once_is_recorded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its end is seen before anything else is: then the reason is said, and no traceback."""
    for name in ("FOLDER", "DATABASE", "LOG", "RECORD"):
        monkeypatch.setattr(devserver, name, tmp_path / name if name != "FOLDER" else tmp_path)
    ended: list[object] = []

    class AtOnce(threading.Thread):
        def start(self) -> None:
            self.run()
            ended.append(self)

    monkeypatch.setattr("research.temporal.devserver.threading.Thread", AtOnce)
    process = devserver._spawn(Path("/bin/false"), free_port())
    assert ended and not process.is_running()
    assert json.loads((tmp_path / "RECORD").read_text())["pid"] == process.pid

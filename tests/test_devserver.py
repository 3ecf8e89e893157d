"""Finding, fetching and starting the local Temporal dev server."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from research.config import ROOT
from testing.processes import Program
from tests.conftest import App, DevServer

FAKE_GO = """#!/bin/sh
echo building >> "$COUNTER"
sleep 1
mkdir -p "$GOBIN"
printf '#!/bin/sh\\necho a temporal built from %s\\n' "$3" > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"
exit ${GO_STATUS:-0}
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A machine without any Temporal CLI, with a quick Go that counts its builds."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "go").write_text(FAKE_GO)
    (tools / "go").chmod(0o755)
    return {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COUNTER": str(tmp_path / "counter"),
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
        # The SDK's download goes nowhere: no test needs the internet.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }


def fetch(clone: Path, machine: dict[str, str]) -> Program:
    return Program("-m", "research.temporal.devserver", "fetch", root=clone, environ=machine)


def test_the_cli_on_the_path_is_taken_first(clone: Path, machine: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "tools" / "temporal"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    program = fetch(clone, machine)
    assert program.exit_status() == 0
    assert program.lines == [str(own)]


def test_two_processes_at_once_build_it_once(clone: Path, machine: dict[str, str]) -> None:
    """What the download cannot bring is built by Go; the second process waits and uses it."""
    programs = [fetch(clone, machine), fetch(clone, machine)]
    for program in programs:
        assert program.exit_status() == 0, program.text
    assert programs[0].lines[-1] == programs[1].lines[-1]
    said = subprocess.run([programs[0].lines[-1]], capture_output=True, text=True).stdout
    assert said == "a temporal built from github.com/temporalio/cli/cmd/temporal@v1.5.1\n"
    assert Path(machine["COUNTER"]).read_text() == "building\n"
    assert fetch(clone, machine).exit_status() == 0
    assert Path(machine["COUNTER"]).read_text() == "building\n"


def test_half_a_binary_is_never_used(clone: Path, machine: dict[str, str]) -> None:
    """A build that fails after writing something leaves nothing, and the way out is one line."""
    program = fetch(clone, {**machine, "GO_STATUS": "1"})
    assert program.exit_status(120) == 2
    assert program.lines[-1].startswith(
        "There is no Temporal CLI here, and it could be neither downloaded nor built: install it"
        " from https://docs.temporal.io/cli"
    )
    assert "Traceback" not in program.text
    cache = Path(machine["XDG_CACHE_HOME"]) / "research-report"
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["lock"]


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


def test_the_web_uis_port_is_taken(own_server: DevServer) -> None:
    """The server starts all the same, with its Web UI elsewhere, and says where."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", own_server.port + 1000))
        other.listen()
        started = own_server.run("start")
    assert started.returncode == 0, started.stderr
    record = json.loads((own_server.root / ".temporal" / "server.json").read_text())
    assert record["ui_port"] != own_server.port + 1000
    assert f"http://localhost:{record['ui_port']}" in started.stdout


def test_its_data_is_for_its_owner_alone(own_server: DevServer) -> None:
    own_server.run("start")
    folder = own_server.root / ".temporal"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "temporal.db").stat().st_mode) == 0o600


def test_a_server_that_does_not_start_says_why(own_server: DevServer) -> None:
    (own_server.root / ".temporal").mkdir()
    (own_server.root / ".temporal" / "temporal.db").write_text("this is no database" * 100)
    started = own_server.run("start")
    assert started.returncode == 3
    assert started.stderr.splitlines()[-1].startswith("The Temporal dev server does not start: ")


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


def test_the_starter_imports_no_litellm_and_no_reportlab() -> None:
    """Nor does it before the prompt import Temporal."""
    script = (
        "import sys, starter\n"
        "assert not {'temporalio', 'litellm', 'reportlab'} & set(sys.modules)\n"
        "import workflow, research.temporal.client\n"
        "assert not {'litellm', 'reportlab'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=os.environ, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()

"""Every command of the README does what the README says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from temporalio.client import Client

from research.config import ROOT
from research.temporal import binary
from testing.app import App, DevServer, copy_clone, free_port
from testing.terminal import Terminal
from tests.test_make import HOSTILE

BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
COMMANDS = [line for block in BLOCK.findall((ROOT / "README.md").read_text()) for line in block.splitlines()]

TESTED_ELSEWHERE = {
    "python worker.py": "test_report.py",
    "python starter.py": "test_report.py",
    "kill -9 WORKER_PID": "test_kills.py",
    'python starter.py "What do my notes say about moss?" --documents paper.pdf notes/': "test_reading.py",
    "python starter.py --verify reports/how-moss-lives-1a2b3c4d5e6f.pdf": "test_verify.py",
    'python starter.py "Moss" --sections 8 --review': "test_review_programs.py",
    'python starter.py --revise 1a2b3c4d "Section 3: more on costs, with figures of 2025"': (
        "test_revise_programs.py"
    ),
    "python starter.py --diff how-moss-lives-1a2b3c4d5e6f": "test_revise_programs.py",
    'python starter.py --ask 1a2b3c4d "What do the sources say about safety?"': "test_revise_programs.py",
    "python worker.py --simulate-failure": "test_kills.py",
    "make chaos": "test_chaos.py",
    "python starter.py --list": "test_terminal.py",
    "python starter.py --attach 1a2b3c4d": "test_terminal.py",
    "python starter.py --cancel 1a2b3c4d": "test_terminal.py",
    'echo "Why is the sky blue?" | python starter.py --quiet': "test_terminal.py",
}
TESTED_HERE = {
    'make report TOPIC="How do tardigrades survive in space?"',
    "make test",
    "make demo",
    "make stop",
    "pip install -r requirements.txt",
    "temporal workflow start --type GenerateReportWorkflow --task-queue research"
    ' --input \'{"prompt":"Why is the sky blue?"}\'',
}


@pytest.fixture(scope="module")
def make_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A clone with its own dev server port, whose virtual environment is the one of this run."""
    if not (ROOT / ".venv" / "dev").exists():
        pytest.skip("make's own virtual environment is not there: run the tests by make test")
    root = copy_clone(tmp_path_factory.mktemp("make") / "clone")
    (root / ".venv").symlink_to(ROOT / ".venv")
    server = DevServer(root, free_port())
    yield server
    server.run("stop")


def make(server: DevServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The installed environment is newer than the copied lock files, so nothing is installed again.
    stamps = ["-o", ".venv/run", "-o", ".venv/dev"]
    return subprocess.run(
        ["make", *stamps, *arguments],
        cwd=server.root,
        env={**os.environ, **server.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_command_has_its_test() -> None:
    assert set(COMMANDS) == set(TESTED_ELSEWHERE) | TESTED_HERE


@pytest.mark.long
@pytest.mark.usefixtures("cold_starts")
async def test_make_report(make_clone: DevServer) -> None:
    """One command, a PDF whose path is the last thing said, and the worker is gone again.

    Of a hostile topic, which reaches the service as it was typed.
    """
    topic = "\n".join(HOSTILE[::-1])  # it begins with a dash
    made = make(make_clone, "report", f"TOPIC={topic}")
    assert made.returncode == 0, made.stderr
    assert "No key is set: the built-in sample model writes the text." in made.stdout
    path = made.stdout.splitlines()[-1].removeprefix("PDF: ")
    assert Path(path).read_bytes().startswith(b"%PDF-")
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert f"{make_clone.root}/worker.py" not in processes
    client = await Client.connect(f"127.0.0.1:{make_clone.port}")
    [report] = [found async for found in client.list_workflows()]
    started = (await client.get_workflow_handle(report.id).fetch_history()).events[0]
    [given] = started.workflow_execution_started_event_attributes.input.payloads
    assert json.loads(given.data)["prompt"] == topic
    assert not list(make_clone.root.glob("pwned"))


@pytest.mark.long
@pytest.mark.proof
def test_make_demo(make_clone: DevServer) -> None:
    """At a terminal: three panes in which the kill is seen; two calls against one, and a link."""
    command = ["make", "-o", ".venv/run", "demo"]
    terminal = Terminal(
        "-c",
        f"import os; os.execvp('make', {command})",
        root=make_clone.root,
        environ=make_clone.environ,
        rows=60,
    )
    terminal.see("✓ Research 33 words", "Killed (SIGKILL).", "No worker is running", "summary 0")
    assert terminal.exit_status() == 0, terminal.screen
    shown = terminal.see("The claim held.")
    assert re.search(r"✓ Research.*✓ Summary.*✓ PDF.*research 1   summary 1", shown, re.DOTALL)
    assert re.search(r"calls for research +2 +1\b", shown)
    assert re.search(r"calls for summary +1 +1\b", shown)
    assert f"http://localhost:{make_clone.port + 1000}/namespaces/demo/workflows" in shown


@pytest.mark.long
@pytest.mark.proof
def test_make_demo_with_sections(make_clone: DevServer) -> None:
    """The kill in the middle of sections: two were paid once, and the others were resumed."""
    made = make(make_clone, "demo", "SECTIONS=4")
    assert made.returncode == 0, made.stderr
    rows = re.findall(r"section (\d) +(\d) +(\d+) +(\d+)", made.stdout)
    assert [(row[0], row[1]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "2"), ("4", "2")]
    assert all(int(again) < int(words) / 2 for _, _, words, again in rows)
    assert "The claim held." in made.stdout
    refused = make(make_clone, "demo", "SECTIONS=many")
    assert "SECTIONS=many is not a number of sections from 3 to 8." in refused.stderr


@pytest.mark.long
@pytest.mark.proof
def test_make_demo_of_a_review(make_clone: DevServer) -> None:
    """The plan waits with its price while no worker runs; nothing else is asked for before the approval."""
    made = make(make_clone, "demo", "REVIEW=1")
    assert made.returncode == 0, made.stdout + made.stderr
    assert re.search(r"Still to come: \$[\d.]+ to \$[\d.]+, .* minutes: 3 sections, at \$", made.stdout)
    assert re.search(r"waits .*\n +for you: plan, revision 1, since", made.stdout)
    assert "before you approved      1 request, the plan's" in made.stdout
    assert "The claim held." in made.stdout


def test_make_stop(make_clone: DevServer) -> None:
    make_clone.run("start")
    assert make(make_clone, "stop").stdout.startswith("Stopped the Temporal dev server.")
    assert make(make_clone, "stop").stdout.startswith("No Temporal dev server")


def test_make_test_is_what_runs_these() -> None:
    """And it runs the linter, the formatter's check and the type checker too."""
    recipe = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True).stdout
    for check in ("ruff check .", "ruff format --check .", "mypy", "pytest"):
        assert check in recipe


@pytest.mark.proof
def test_pip_install() -> None:
    """The direct dependencies fit what is installed from the lock."""
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--dry-run", "-r", "requirements.txt"]
    done = subprocess.run(pip, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout


def test_a_start_by_the_temporal_cli(app: App) -> None:
    """The README's command as it stands, but for the address of the test's own service."""
    worker = app.worker()
    [command] = [line for line in COMMANDS if line.startswith("temporal ")]
    temporal = binary.find()
    assert temporal
    folder = app.root / "bin"
    folder.mkdir()
    (folder / "temporal").symlink_to(temporal)
    started = subprocess.run(
        ["bash", "-c", command],
        env={
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{app.environ['DEV_SERVER_PORT']}",
            "TEMPORAL_NAMESPACE": app.environ["TEMPORAL_NAMESPACE"],
        },
        capture_output=True,
        text=True,
    )
    assert started.returncode == 0, started.stderr
    worker.wait_for("Summary generated!")


def test_the_lock_is_what_the_requirements_mean() -> None:
    """Each requirement is pinned in its lock, within its bounds, and everything has its hashes."""
    for stem in ("requirements", "requirements-dev", "benchmarks/requirements"):
        locked = (ROOT / f"{stem}.lock").read_text()
        blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", locked, flags=re.M))
        pinned = {Requirement(b.split(" \\")[0]).name: b for b in blocks if "==" in b}
        assert all("--hash=sha256:" in block for block in pinned.values())
        for line in (ROOT / f"{stem}.txt").read_text().splitlines():
            text = line.split("#")[0].strip()
            if text and not text.startswith("-r"):
                wanted = Requirement(text)
                [version] = Requirement(pinned[wanted.name].split(" \\")[0]).specifier
                assert wanted.specifier.contains(version.version), line

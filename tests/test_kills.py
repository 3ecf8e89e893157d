"""Worker and service are killed and stopped at every moment, and the report is completed all the same."""

import ctypes
import signal
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from research.temporal.client import CONNECT_SECONDS
from testing.app import App, DevServer, free_port, wait_until
from testing.processes import Program, workflow_id
from testing.provider import Call, Provider, Reply, default_reply
from tests.conftest import PROMPT_SECONDS

PHASES = ("research", "pause", "summary", "pdf")
LONG = "A paragraph with a few words in it, again and again.\n\n" * 1_000


def phase_of(call: Call) -> str:
    return next(phase for phase in PHASES if f"phase {phase}" in call.prompt)


def held_in_its_phase(call: Call) -> Reply:
    """Hold the call in whose phase the worker is to be killed; the last phase is long for its many pages."""
    phase = phase_of(call)
    is_held = phase == ("summary" if call.is_summary else "research")
    text = "In short." if call.is_summary else f"In phase {phase}.\n\n" + (LONG if phase == "pdf" else "")
    return Reply(text, chunk_words=1_000, before_seconds=60 if is_held else 0)


def long_research(call: Call) -> Reply:
    return default_reply(call) if call.is_summary else Reply(LONG, chunk_words=1_000)


def test_a_killed_worker_loses_nothing_that_was_finished(app: App, provider: Provider) -> None:
    """SIGKILL in each phase of a report, another worker: only the calls that were broken are repeated."""
    provider.reply = held_in_its_phase
    worker = app.worker()
    starters = [app.starter("phase research"), app.starter("phase summary")]
    wait_until(lambda: (provider.research_calls, provider.summary_calls) == (2, 1))
    starters.append(app.starter("--pause", "10", "phase pause"))
    wait_until(lambda: worker.text.count("Research complete!") == 2)
    starters.append(app.starter("phase pdf"))
    worker.wait_for("Summary generated!")
    worker.kill()
    assert all(path.name.startswith(".") for path in app.reports())
    provider.reply = lambda call: replace(held_in_its_phase(call), before_seconds=0)
    app.worker()
    for starter in starters:
        assert starter.exit_status(90) == 0, starter.text
    made = Counter((phase_of(call), call.is_summary) for call in provider.calls)
    once = Counter((phase, is_summary) for phase in PHASES for is_summary in (False, True))
    assert made == once + Counter([("research", False), ("summary", True)])
    assert [report.suffix for report in app.reports()] == [".pdf"] * 4


@pytest.mark.usefixtures("cold_starts")
def test_a_signal_while_a_worker_imports(own_server: DevServer) -> None:
    """Ctrl-C: Python itself would print a traceback, as it does not for SIGTERM."""
    with Program("worker.py", root=own_server.root, environ=own_server.environ) as worker:
        wait_until(lambda: "temporal_sdk_bridge" in Path(f"/proc/{worker.process.pid}/maps").read_text())
        worker.process.send_signal(signal.SIGINT)
        assert worker.exit_status(PROMPT_SECONDS) in (-signal.SIGINT, 128 + signal.SIGINT)
    assert "Traceback" not in worker.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_service_hangs(app: App, number: signal.Signals) -> None:
    """A service that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        worker = app.run("worker.py", TEMPORAL_ADDRESS=f"127.0.0.1:{service.getsockname()[1]}")
        service.accept()
        worker.process.send_signal(number)
        assert worker.exit_status(PROMPT_SECONDS) == 128 + number
    assert "Traceback" not in worker.text


@pytest.mark.parametrize("program", ["worker.py", "starter.py"])
def test_a_signal_that_another_thread_receives(app: App, program: str) -> None:
    """The system may choose any of them; Python's handlers run in the main thread, which waits here."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        arguments = ["A topic"] if program == "starter.py" else []
        address = f"127.0.0.1:{service.getsockname()[1]}"
        process = app.run(program, *arguments, TEMPORAL_ADDRESS=address)
        service.accept()
        main = process.process.pid
        other = max(int(task.name) for task in Path(f"/proc/{main}/task").iterdir())
        assert ctypes.CDLL(None).tgkill(main, other, signal.SIGTERM) == 0
        assert process.exit_status(CONNECT_SECONDS / 2) == 128 + signal.SIGTERM


@pytest.mark.proof
def test_a_service_that_hangs_is_given_up(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        address = f"localhost:{service.getsockname()[1]}"
        worker = app.run("worker.py", TEMPORAL_ADDRESS=address)
        assert worker.exit_status() == 3
    assert worker.lines[-1].startswith(f"No Temporal service answers at {address}: check TEMPORAL_ADDRESS")


@pytest.mark.usefixtures("cold_starts")
def test_a_signal_right_after_the_start(app: App) -> None:
    """While a thread still imports litellm."""
    worker = app.worker()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.exit_status(PROMPT_SECONDS) == 0
    assert "Traceback" not in worker.text


def test_a_named_address_is_not_ours_to_start(app: App) -> None:
    """Not even the dev server's own: nothing is started or created there, and no namespace is registered."""
    port = app.environ["DEV_SERVER_PORT"]
    worker = app.run("worker.py", TEMPORAL_ADDRESS=f"localhost:{port}")
    assert worker.exit_status() == 3
    [line] = worker.lines
    assert line.startswith(f"The Temporal service at localhost:{port} has no namespace 'test-")
    port = str(free_port())
    worker = app.run("worker.py", TEMPORAL_ADDRESS=f"localhost:{port}", DEV_SERVER_PORT=port)
    assert worker.exit_status() == 3
    [line] = worker.lines
    assert line.startswith(f"No Temporal service answers at localhost:{port}: check TEMPORAL_ADDRESS")
    assert not (app.root / ".temporal").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port))).close()


@pytest.mark.proof
async def test_the_simulated_failure_is_fixed_by_a_restart(app: App, provider: Provider) -> None:
    """The retries show attempt and message; a worker without the switch completes the report."""
    worker = app.worker("--simulate-failure")
    starter = app.starter()
    client = await app.client()
    handle = client.get_workflow_handle(workflow_id(starter))

    message = "Simulated failure: Summary service temporarily unavailable"
    worker.wait_for(f"Summary, attempt 2: {message}")
    [pending] = (await handle.describe()).raw_description.pending_activities
    assert pending.activity_type.name == "generate_summary"
    assert pending.attempt >= 2
    assert pending.last_failure.message == message
    assert "Traceback" not in worker.text

    worker.stop()
    app.worker()
    assert starter.exit_status() == 0, starter.text
    assert (provider.research_calls, provider.summary_calls) == (1, 1)


@pytest.mark.proof
def test_the_life_of_a_server(own_server: DevServer, app: App) -> None:
    """It outlives the worker that started it; two starters at once start one; a worker ends without it."""
    app.environ.update(own_server.environ)
    worker = app.worker()
    assert "Starting the local Temporal dev server" in worker.text
    worker.kill()
    assert own_server.run("status").returncode == 0
    assert "Stopped the Temporal dev server." in own_server.run("stop").stdout
    assert own_server.run("status").returncode == 1

    starters = [app.starter("One topic"), app.starter("Another topic")]
    for starter in starters:
        starter.wait_for("Started workflow.")
    worker = app.worker()
    for starter in starters:
        assert starter.exit_status() == 0, starter.text
    assert sum("Starting the local Temporal dev server" in s.text for s in starters) == 1
    assert len(app.reports()) == 2

    service = psutil.Process(own_server.pid)
    service.suspend()
    try:  # a service that hangs takes nothing that a worker could hand over
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status(PROMPT_SECONDS) == 0
    finally:
        service.resume()
    assert "Traceback" not in worker.text

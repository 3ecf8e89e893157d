"""Worker and service are killed and stopped at every moment, and the report is completed all the same."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from testing.app import App, DevServer, free_port, wait_until
from testing.processes import Program, workflow_id
from testing.provider import Call, Provider, Reply, default_reply
from tests.conftest import PROMPT_SECONDS


def slow_research(call: Call) -> Reply:
    return Reply(default_reply(call).text, before_seconds=0 if call.is_summary else 3)


def slow_summary(call: Call) -> Reply:
    return Reply(default_reply(call).text, before_seconds=3 if call.is_summary else 0)


def long_research(call: Call) -> Reply:
    if call.is_summary:
        return default_reply(call)
    return Reply("A paragraph with a few words in it, again and again.\n\n" * 6000, chunk_words=1000)


def in_research(worker: Program, provider: Provider) -> None:
    wait_until(lambda: provider.research_calls == 1)


def in_pause(worker: Program, provider: Provider) -> None:
    worker.wait_for("Research complete!")


def in_summary(worker: Program, provider: Provider) -> None:
    wait_until(lambda: provider.summary_calls == 1)


def in_pdf(worker: Program, provider: Provider) -> None:
    worker.wait_for("Summary generated!")


PHASES = [
    pytest.param(in_research, slow_research, 0, (2, 1), id="research"),
    pytest.param(in_pause, default_reply, 2, (1, 1), id="pause"),
    pytest.param(in_summary, slow_summary, 0, (1, 2), id="summary"),
    pytest.param(in_pdf, long_research, 0, (1, 1), id="pdf"),
]


@pytest.mark.parametrize(("phase", "reply", "pause", "calls"), PHASES)
def test_a_killed_worker_loses_nothing_that_was_finished(
    app: App,
    provider: Provider,
    phase: Callable[[Program, Provider], None],
    reply: Callable[[Call], Reply],
    pause: int,
    calls: tuple[int, int],
) -> None:
    """SIGKILL in the phase, another worker: the report comes, only the broken call is repeated."""
    provider.reply = reply
    worker = app.worker()
    starter = app.starter("--pause", str(pause), "A topic")
    phase(worker, provider)
    worker.kill()
    assert app.reports() == [] or all(path.name.startswith(".") for path in app.reports())
    app.worker()
    assert starter.exit_status(90) == 0, starter.text
    assert (provider.research_calls, provider.summary_calls) == calls
    [report] = app.reports()
    assert report.suffix == ".pdf"


@pytest.mark.usefixtures("cold_starts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_worker_imports(own_server: DevServer, number: signal.Signals) -> None:
    with Program("worker.py", root=own_server.root, environ=own_server.environ) as worker:
        wait_until(lambda: "temporal_sdk_bridge" in Path(f"/proc/{worker.process.pid}/maps").read_text())
        worker.process.send_signal(number)
        assert worker.exit_status(PROMPT_SECONDS) in (-number, 128 + number)
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_told_to_stop_drains(app: App, provider: Provider, number: int) -> None:
    """Ctrl-C and SIGTERM: exit status 0, and the running report goes on with the next worker."""
    provider.reply = slow_summary
    worker = app.worker()
    starter = app.starter()
    in_summary(worker, provider)
    assert worker.stop(number) == 0
    assert "Traceback" not in worker.text
    app.worker()
    assert starter.exit_status() == 0, starter.text
    assert provider.research_calls == 1


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


@pytest.mark.long
async def test_the_service_is_killed_in_the_middle(
    own_server: DevServer, app: App, provider: Provider
) -> None:
    """The dev server dies during the summary; started again from its file, it completes the report."""
    app.environ.update(own_server.environ)
    provider.reply = slow_summary
    worker = app.worker()
    starter = app.starter()
    in_summary(worker, provider)
    own_server.kill()
    starter.wait_for("The Temporal service does not answer; your report is safe.")
    assert own_server.run("start").returncode == 0
    assert starter.exit_status() == 0, starter.text
    assert provider.research_calls == 1
    assert worker.process.poll() is None


def test_a_signal_while_the_service_no_longer_answers(own_server: DevServer, app: App) -> None:
    """A worker that serves can hand nothing over to a service that hangs, so it ends."""
    app.environ.update(own_server.environ)
    worker = app.worker()
    service = psutil.Process(own_server.pid)
    service.suspend()
    try:
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status(PROMPT_SECONDS) == 0
    finally:
        service.resume()
    assert "Traceback" not in worker.text


def test_the_server_outlives_the_worker(own_server: DevServer, app: App) -> None:
    """The worker starts it, its SIGKILL and Ctrl-C do not reach it, `stop` ends it."""
    app.environ.update(own_server.environ)
    worker = app.worker()
    assert "Starting the local Temporal dev server" in worker.text
    worker.kill()
    assert own_server.run("status").returncode == 0
    stopped = own_server.run("stop")
    assert "Stopped the Temporal dev server." in stopped.stdout
    assert own_server.run("status").returncode == 1


def test_two_starters_at_once_start_one_server(own_server: DevServer, app: App) -> None:
    """Neither fails, both reports come, and one of the two has started the server."""
    app.environ.update(own_server.environ)
    starters = [app.starter("One topic"), app.starter("Another topic")]
    for starter in starters:
        starter.wait_for("Started workflow.")
    app.worker()
    for starter in starters:
        assert starter.exit_status() == 0, starter.text
    assert sum("Starting the local Temporal dev server" in s.text for s in starters) == 1
    assert len(app.reports()) == 2

"""A worker that is out of reach while its connections look open: another one takes over within seconds."""

import signal
import time

import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.client import Client, WorkflowHandle

from testing.app import App, wait_until
from testing.black_hole import BlackHole
from testing.processes import workflow_id
from testing.provider import Call, Provider, Reply, default_reply

TAKEOVER_SECONDS = 25.0
"""To the report: of them, 8 are the heartbeat timeout. Without pings of the service it took 31 to 40."""
RECONNECTION_SECONDS = 35.0
"""To the report: of them, 20 are the client's pings. With those of the SDK it took 45 to 64."""


@pytest.mark.long
@pytest.mark.proof
@pytest.mark.parametrize("how", ["cut off", "frozen"])
async def test_an_idle_worker_takes_over(app: App, provider: Provider, client: Client, how: str) -> None:
    """In the summary, with the Workflow in the lost worker's cache and its polls open at the service."""
    hold_first_summary(provider)
    with BlackHole(int(app.environ["DEV_SERVER_PORT"])) as network:
        first = app.worker(TEMPORAL_ADDRESS=network.address)
        starter = app.starter()
        wait_until(lambda: provider.summary_calls == 1)
        app.worker()
        lost_at = time.monotonic()
        if how == "frozen":
            first.process.send_signal(signal.SIGSTOP)
        else:
            network.go_dark()
        try:
            assert starter.exit_status() == 0, starter.text
            assert time.monotonic() - lost_at < TAKEOVER_SECONDS
        finally:
            first.process.send_signal(signal.SIGCONT)
        handle = client.get_workflow_handle(workflow_id(starter))
        assert not await lost_workflow_tasks(handle)
        assert (provider.research_calls, provider.summary_calls) == (1, 2)
        assert len(app.reports()) == 1


@pytest.mark.long
@pytest.mark.proof
def test_a_worker_whose_network_changes_connects_again(app: App, provider: Provider, client: Client) -> None:
    """The only worker: it continues its own report, though nothing has closed its old connection."""
    hold_first_summary(provider)
    with BlackHole(int(app.environ["DEV_SERVER_PORT"])) as network:
        app.worker(TEMPORAL_ADDRESS=network.address)
        starter = app.starter()
        wait_until(lambda: provider.summary_calls == 1)
        lost_at = time.monotonic()
        network.lose_connections()
        assert starter.exit_status() == 0, starter.text
        assert time.monotonic() - lost_at < RECONNECTION_SECONDS
    assert (provider.research_calls, provider.summary_calls) == (1, 2)


def hold_first_summary(provider: Provider) -> None:
    """Let the first summary never come beyond its third word."""

    def reply(call: Call) -> Reply:
        is_held = call.is_summary and provider.summary_calls == 1
        return Reply(default_reply(call).text, held_after=3 if is_held else None)

    provider.reply = reply


async def lost_workflow_tasks(handle: WorkflowHandle[object, object]) -> int:
    """Return how many Workflow Tasks were given to a worker that never answered."""
    ends = [
        event.workflow_task_timed_out_event_attributes.timeout_type
        async for event in handle.fetch_history_events()
        if event.HasField("workflow_task_timed_out_event_attributes")
    ]
    return ends.count(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE)

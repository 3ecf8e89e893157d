"""What a worker does for the steps of one that was killed, and what it leaves alone."""

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import AsyncActivityHandle, Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from models import GenerateReportInput
from research.temporal import lost_workers
from research.temporal.identity import is_certain, is_lost, own_identity
from research.temporal.lost_workers import WORKER_LOST
from testing.app import App, DevServer, kept_text, wait_until
from testing.processes import Program
from testing.provider import Provider, Reply, default_reply, rest_of
from tests.test_sections import are_under_way, slowly, start

pytestmark = pytest.mark.proof

HEARTBEAT_TIMEOUT = 8.0


@pytest.fixture
async def report(app: App, provider: Provider, client: Client) -> "Report":
    """A report in the middle of its research."""
    text = " ".join(f"word{number}" for number in range(300))
    provider.reply = lambda call: (
        default_reply(call) if call.is_summary else Reply(rest_of(text, call), held_after=100)
    )
    worker = app.worker()
    handle = await client.start_workflow(
        "GenerateReportWorkflow", GenerateReportInput("A topic"), id="report", task_queue="research"
    )
    report = Report(handle, worker, text, provider)
    while "word99" not in await kept_text(handle):
        await asyncio.sleep(0.1)
    return report


@dataclass
class Report:
    """A running report, the worker that runs it, and the text that its research is to have."""

    handle: WorkflowHandle[Any, Any]
    worker: Program
    text: str
    provider: Provider

    async def step(self) -> PendingActivityInfo:
        """Return the running step."""
        while True:
            for step in (await self.handle.describe()).raw_description.pending_activities:
                return step
            await asyncio.sleep(0.1)

    async def research(self) -> tuple[int, str]:
        """Wait for the end of the report, and return the attempts that its research took, and the failure."""
        self.provider.release()
        await self.handle.result()
        events = (await self.handle.fetch_history()).events
        started = [
            event.activity_task_started_event_attributes
            for event in events
            if event.HasField("activity_task_started_event_attributes")
        ]
        completed = [
            event.activity_task_completed_event_attributes.result.payloads[0].data
            for event in events
            if event.HasField("activity_task_completed_event_attributes")
        ]
        assert f'"text":"{self.text}"'.encode() in completed[0]
        return started[0].attempt, started[0].last_failure.application_failure_info.type


async def test_a_lost_workers_step_is_released_at_once(app: App, provider: Provider, report: Report) -> None:
    """The next worker does not wait for the heartbeat timeout; it resumes from the last heartbeat."""
    report.worker.kill()
    killed = time.monotonic()
    app.worker()
    started_in = time.monotonic() - killed
    attempts, failure = await report.research()
    assert attempts == 2
    # On a machine so busy that the worker needs longer to start, the heartbeat timeout comes first.
    assert failure == WORKER_LOST or started_in > HEARTBEAT_TIMEOUT / 2
    again = provider.calls[1].messages[1]["content"]
    assert report.text.startswith(again) and len(again.split()) >= 99


async def test_a_step_that_waits_for_its_next_attempt_is_left_alone(report: Report, client: Client) -> None:
    report.worker.kill()
    while (await report.step()).state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        await asyncio.sleep(0.1)
    await lost_workers.release_steps(client)
    step = await report.step()
    assert (step.attempt, step.last_failure.HasField("timeout_failure_info")) == (2, True)


async def test_a_release_that_errs_loses_nothing(
    provider: Provider, report: Report, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of the living are left alone.

    One that is failed all the same: its late result is refused, and the next attempt has what it wrote.
    """
    await lost_workers.release_steps(client)
    step = await report.step()
    assert (step.attempt, step.state) == (1, PendingActivityState.PENDING_ACTIVITY_STATE_STARTED)
    monkeypatch.setattr(lost_workers, "is_lost", lambda identity: True)
    await lost_workers.release_steps(client)
    assert await report.research() == (2, WORKER_LOST)
    assert all(report.text.startswith(call.draft) for call in provider.calls if not call.is_summary)
    assert provider.summary_calls == 1


async def test_a_step_whose_release_is_refused_keeps_no_other_waiting(
    app: App, provider: Provider, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three sections the first that is asked for cannot be released; the other two are, at once."""
    provider.reply = slowly(1, 2, 3)
    worker = app.worker()
    handle = await start(client, "A topic", 3)
    await asyncio.to_thread(wait_until, lambda: are_under_way(provider, 1, 2, 3))
    worker.kill()
    asked = []
    fail = AsyncActivityHandle.fail

    async def fail_but_once(self: AsyncActivityHandle, error: Exception) -> None:
        asked.append(error)
        if len(asked) == 1:
            raise RPCError("not this one", RPCStatusCode.RESOURCE_EXHAUSTED, b"")
        await fail(self, error)

    monkeypatch.setattr(AsyncActivityHandle, "fail", fail_but_once)
    await lost_workers.release_steps(client)
    pending = (await handle.describe()).raw_description.pending_activities
    started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    assert len(asked) == 3
    assert sum(step.state == started and step.attempt == 1 for step in pending) == 1


async def test_a_service_that_refuses_is_no_obstacle(app: App, server: DevServer) -> None:
    nowhere = await Client.connect(f"127.0.0.1:{server.port}", namespace="never-registered", lazy=True)
    await lost_workers.release_steps(nowhere)


def test_whose_identity_is_lost() -> None:
    """Only a process of this machine, since its boot, that has certainly ended."""
    own = own_identity()
    assert own.startswith(f"{os.getpid()}@{socket.gethostname()}#")
    show = "from research.temporal.identity import own_identity; print(own_identity())"
    with Program("-c", show) as program:
        assert program.exit_status() == 0, program.text
    [ended] = program.lines
    assert not is_lost(own) and is_lost(ended) and is_certain(ended)
    name, start, _ = ended.split("#")
    # The ID is in use again, by a process that started at another time.
    assert is_lost(own.replace("#", "#1", 1))
    # Another machine, container or boot; what other programs write.
    for other in (
        f"{name}#{start}#00000000",
        f"{name}#{start}",
        "",
        "1@x@y",
        f"{10**30}@{socket.gethostname()}",
    ):
        assert not is_lost(other)
    # The short form is believed where nothing contradicts it, but it is not certain.
    assert is_lost(name) and not is_certain(name)
    assert not is_lost(own.split("#")[0])
    assert not is_lost(f"{name}-elsewhere")

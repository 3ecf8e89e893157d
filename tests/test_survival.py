"""Reports through kills and faults, end to end: nothing repairable fails one, little is paid for twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from models import GenerateReportInput, GenerateReportOutput
from research import errors
from testing.app import App, kept_text
from testing.inside import Inside
from testing.provider import Call, Provider, Reply, default_reply, rest_of
from tests.conftest import KEY, pdf_text
from workflow import GenerateReportWorkflow

TEXT = " ".join(f"word{number}" for number in range(600))


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.long
async def test_a_kill_at_points_of_a_stream(app: App, provider: Provider, client: Client) -> None:
    """At its first word, in its middle, near its end: nothing is sent again but a last word or two."""
    points = {f"topic {point}": point for point in (1, 40, 300, 590)}

    def streaming(call: Call) -> Reply:
        if call.is_summary:
            return default_reply(call)
        return Reply(rest_of(TEXT, call), held_after=points[call.prompt])

    provider.reply = streaming
    worker = app.worker()
    handles = [
        await client.start_workflow(
            GenerateReportWorkflow.run, GenerateReportInput(topic), id=topic, task_queue="research"
        )
        for topic in points
    ]
    for handle in handles:
        while words(await kept_text(handle)) < points[handle.id]:
            await asyncio.sleep(0.1)
    worker.kill()
    provider.release()
    app.worker()
    for handle in handles:
        output = await handle.result()
        calls = [call for call in provider.calls if call.prompt == handle.id]
        again = sum(words(call.sent) for call in calls) - words(TEXT)
        assert again <= 2, handle.id  # because the last word may have been half a word
        assert " ".join(pdf_text(Path(output.path)).split()).count(TEXT[-60:]) == 1
        history = await handle.fetch_history()
        [research] = [
            event.activity_task_completed_event_attributes.result.payloads[0]
            for event in history.events
            if event.HasField("activity_task_completed_event_attributes")
        ][:1]
        assert f'"text":"{TEXT}"'.encode() in research.data
        if points[handle.id] > 2:
            assert any("resumed at character" in note for note in output.notes)
            assert output.bill.saved_tokens > 0


async def reason_to_wait(handle: WorkflowHandle[Any, Any]) -> str:
    """Return why the running step waits for its next attempt, once it does."""
    while True:
        for step in (await handle.describe()).raw_description.pending_activities:
            if step.last_failure.message:
                return step.last_failure.message
        await asyncio.sleep(0.02)


def page_of(output: GenerateReportOutput) -> str:
    """The text of the report's PDF."""
    return " ".join(pdf_text(Path(output.path)).split())


async def test_a_cut_stream_is_gone_on_with(inside: Inside, provider: Provider) -> None:
    """The connection breaks in the middle; the next attempt asks for the rest only."""

    def cut_once(call: Call) -> Reply:
        if call.is_summary:
            return default_reply(call)
        if provider.research_calls > 1:
            return Reply(rest_of(TEXT, call))
        # A reset takes with it what was sent and not yet read, so it is not sent all at once.
        return Reply(TEXT, chunk_seconds=0.01, cut_bytes=40_000)

    provider.reply = cut_once
    async with inside.worker():
        output = await inside.report("A topic")
    assert provider.research_calls == 2
    asked = provider.calls[1].messages
    assert TEXT.startswith(asked[1]["content"])
    assert words(asked[1]["content"]) > 30
    [note] = output.notes
    assert note.startswith("The text was interrupted and resumed at character")
    assert note in page_of(output)


async def test_a_wrong_key_waits_for_the_right_one(
    inside: Inside, provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report waits and says what to repair; a worker with the right key completes it."""
    provider.reply = lambda call: (
        default_reply(call)
        if call.headers["Authorization"] == f"Bearer {KEY}"
        else Reply(status=401, error={"message": "Incorrect API key provided: sk-wrong-key-0123456789"})
    )
    monkeypatch.setattr(errors, "NEEDS_ACTION_RETRY_SECONDS", 0.5)
    async with inside.worker(LLM_API_KEY="sk-wrong-key-0123456789"):
        handle = await inside.start("A topic")
        reason = await reason_to_wait(handle)
        assert reason.startswith("the provider refused the key: set LLM_API_KEY in ")
    async with inside.worker():
        await handle.result()
    history = (await handle.fetch_history()).to_json()
    assert "sk-wrong-key" not in caplog.text + reason + history


async def test_a_research_that_can_never_be_fails_with_its_reason(inside: Inside, provider: Provider) -> None:
    provider.reply = lambda call: Reply(status=400, error={"message": "this topic is not for us"})
    async with inside.worker():
        with pytest.raises(WorkflowFailureError) as failed:
            await inside.report("A topic")
    reason = failed.value.cause.__cause__
    assert isinstance(reason, ApplicationError)
    assert reason.message == "the provider refuses this request (400): this topic is not for us"
    assert len(provider.calls) == 1


async def test_a_summary_that_can_never_be_still_leaves_a_report(inside: Inside, provider: Provider) -> None:
    provider.reply = lambda call: (
        Reply(status=422, error={"message": "no summaries here"}) if call.is_summary else default_reply(call)
    )
    async with inside.worker():
        text = page_of(await inside.report("A topic"))
    assert "There is no executive summary: the provider refuses this request (422): no summaries" in text
    assert "Every finished step is recorded" in text
    assert (provider.research_calls, provider.summary_calls) == (1, 1)


async def test_the_ceiling_leaves_the_next_call_out(inside: Inside, provider: Provider) -> None:
    """Over LLM_MAX_COST no summary is paid for, the PDF is made, and both say so."""
    provider.reply = lambda call: Reply(TEXT)
    async with inside.worker(LLM_MAX_COST="0.001"):
        output = await inside.report("A topic")
    assert provider.summary_calls == 0
    [note] = output.notes
    assert note.startswith("There is no executive summary: the report has cost $0.0")
    assert note in page_of(output)


@pytest.mark.long
@pytest.mark.proof
async def test_a_burst_of_reports_is_taken_at_the_workers_pace(
    app: App, provider: Provider, client: Client
) -> None:
    """More streams at once than a process can read: none of its calls is taken for dead."""
    text = " ".join(TEXT.split()[:200])
    provider.reply = lambda call: default_reply(call) if call.is_summary else Reply(text)
    app.worker(LLM_MAX_STREAMS="100")
    handles = [
        await client.start_workflow(
            GenerateReportWorkflow.run,
            GenerateReportInput(f"topic {n}"),
            id=f"topic {n}",
            task_queue="research",
        )
        for n in range(10)
    ]
    outputs = await asyncio.gather(*[handle.result() for handle in handles])
    assert len({output.filename for output in outputs}) == len(provider.calls) / 2 == 10
    for handle in handles:
        history = await handle.fetch_history()
        started = [event.activity_task_started_event_attributes for event in history.events]
        assert max(attributes.attempt for attributes in started) == 1


async def test_a_store_that_fails_waits_until_it_is_repaired(
    inside: Inside, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "NEEDS_ACTION_RETRY_SECONDS", 0.5)
    store = "ftp://127.0.0.1:9/reports"
    async with inside.worker(REPORTS_DIR=store):
        handle = await inside.start("A topic")
        assert (await reason_to_wait(handle)).startswith(f"the report cannot be written to {store}: ")
    async with inside.worker():
        await handle.result()
    assert (provider.research_calls, provider.summary_calls) == (1, 1)

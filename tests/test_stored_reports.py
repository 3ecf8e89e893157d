"""Reports whose answers the provider keeps, end to end: a kill costs no token, and nothing stays there."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from testing.app import App, wait_until
from testing.inside import Inside
from testing.provider import Call, Provider, Reply, default_reply
from testing.texts import templated

TEXT = templated(8, "steps", 3_000, "en")


def slow(call: Call) -> Reply:
    """Three seconds for the research, in many pieces."""
    return default_reply(call) if call.is_summary else Reply(TEXT, chunk_characters=50, chunk_seconds=0.05)


def test_a_kill_costs_no_token(app: App, provider: Provider) -> None:
    """The answer is written on while no worker is alive; the next one gets all of it; then it is deleted."""
    provider.reply = slow
    app.environ["LLM_STORE"] = "yes"
    worker = app.worker()
    starter = app.starter()
    wait_until(lambda: bool(provider.calls) and len(provider.calls[0].sent) > 1_000)
    worker.kill()
    wait_until(lambda: provider.calls[0].finished)
    second = app.worker()
    assert starter.exit_status() == 0, starter.text
    assert "the provider keeps the answer" in second.text
    assert (provider.research_calls, provider.summary_calls) == (1, 1)
    assert sum(len(call.sent) for call in provider.calls if not call.is_summary) == len(TEXT)
    [markdown] = (app.root / "reports").glob("*.md")
    assert TEXT.strip() in markdown.read_text(encoding="utf-8")
    assert "Note:" not in starter.text
    assert len(provider.stored) == 2
    assert all(answer.deleted for answer in provider.stored.values())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    await asyncio.to_thread(wait_until, condition, 20)


async def cancelled(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, CancelledError)


async def test_a_report_that_is_cancelled_cancels_what_is_being_written(
    inside: Inside, provider: Provider
) -> None:
    provider.reply = slow
    async with inside.worker(LLM_STORE="yes"):
        handle = await inside.start("A topic")
        await until(lambda: bool(provider.calls) and len(provider.calls[0].sent) > 500)
        await cancelled(handle)
        [answer] = provider.stored.values()
        await until(lambda: answer.deleted)
    assert answer.cancelled
    assert len(provider.calls[0].sent) < len(TEXT)


async def test_a_report_that_is_cancelled_later_leaves_nothing_at_the_provider(
    inside: Inside, provider: Provider
) -> None:
    """Not even the research that was recorded before."""
    provider.reply = lambda call: Reply(default_reply(call).text, chunk_seconds=2 if call.is_summary else 0)
    async with inside.worker(LLM_STORE="yes"):
        handle = await inside.start("A topic")
        await until(lambda: provider.summary_calls == 1 and len(provider.stored) == 2)
        await cancelled(handle)
        await until(lambda: all(answer.deleted for answer in provider.stored.values()))


async def test_nothing_is_stored_against_the_setting(inside: Inside, provider: Provider) -> None:
    async with inside.worker(LLM_STORE="no"):
        await inside.report("A topic")
    assert provider.stored == {}
    assert not any("background" in call.body or "store" in call.body for call in provider.calls)

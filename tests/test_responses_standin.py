"""The stand-in for OpenAI's Responses API, driven by OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx
import openai
import pytest

from testing.provider import Provider, Reply
from testing.texts import templated

TEXT = templated(seed=7, length=900) + " the list, the list, the list"
"""Its parts and words repeat."""


@pytest.fixture
async def client(provider: Provider) -> AsyncIterator[Any]:
    async with openai.AsyncOpenAI(base_url=provider.url, api_key="sk-none", max_retries=0) as client:
        yield client


def answer_with(provider: Provider, text: str = TEXT, **fields: Any) -> None:
    """Answer each request with the text, in about fifty chunks."""
    provider.reply = lambda call: Reply(text, **{"chunk_words": 3, **fields})


async def start(client: Any, stream: bool = True, background: bool = True, **fields: Any) -> Any:
    return await client.responses.create(
        model="m", input="A topic", stream=stream, background=background, **fields
    )


async def received(stream: Any, stop_after: int | None = None) -> list[Any]:
    """Return a stream's events; the connection is closed after so many."""
    events: list[Any] = []
    async with stream:
        async for event in stream:
            events.append(event)
            if len(events) == stop_after:
                break
    return events


async def resumed(client: Any, response_id: str, after: int) -> list[Any]:
    return await received(await client.responses.retrieve(response_id, stream=True, starting_after=after))


async def polled(client: Any, response_id: str) -> Any:
    """Poll a response until its final status."""
    while (response := await client.responses.retrieve(response_id)).status in ("queued", "in_progress"):
        assert response.output_text == ""
        await asyncio.sleep(0.01)
    return response


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def text_of(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


async def test_a_stream_has_the_events_of_openai(provider: Provider, client: Any) -> None:
    answer_with(provider, reasoning="First, think of it.", usage=(11, 222))
    messages = [
        {"role": "user", "content": "A topic"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "A draft"}]},
    ]
    stream = await client.responses.create(model="m", input=messages, stream=True, background=True)
    events = await received(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    types = [event.type.removeprefix("response.") for event in events]
    assert [kind for kind, last in zip(types, ["", *types], strict=False) if kind != last] == [
        *("created", "queued", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert type(events[-1]).__name__ == "ResponseCompletedEvent"
    whole = events[-1].response
    assert (whole.status, whole.output_text, text_of(events)) == ("completed", TEXT, TEXT)
    assert whole.output[0].summary[0].text == "First, think of it."
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (11, 222)
    (call,) = provider.calls
    assert (call.prompt, call.draft, call.sent, call.finished) == ("A topic", "A draft", TEXT, True)


async def test_a_stream_resumes_after_each_event(provider: Provider, client: Any) -> None:
    """The generation continues when the client leaves; the rest comes again from any event, and live."""
    answer_with(provider, chunk_seconds=0.001, held_after=20)
    first = await received(await start(client), stop_after=15)
    await until(lambda: provider.calls[0].sent.count(" ") > 50)
    assert provider.in_flight == 1
    stored = provider.stored[first[0].response.id]
    assert stored.status == "in_progress"
    rest = asyncio.create_task(resumed(client, stored.id, first[-1].sequence_number))
    await until(lambda: bool(stored.retrieved))
    provider.release()
    events = first + await rest
    assert text_of(events) == TEXT
    for cut in range(0, len(events), 5):
        again = await resumed(client, stored.id, events[cut].sequence_number)
        assert [event.sequence_number for event in again] == list(range(cut + 1, len(events)))
        assert text_of(events[: cut + 1] + again) == TEXT
    assert len(provider.calls) == 1
    assert provider.in_flight == 0


async def test_each_connection_is_cut_and_the_text_is_whole(provider: Provider, client: Any) -> None:
    answer_with(provider, cut_events=9, chunk_seconds=0.001)
    events: list[Any] = []
    stream = await start(client)
    while True:
        with suppress(httpx.HTTPError, openai.APIConnectionError):
            async for event in stream:
                events.append(event)
        if events[-1].type == "response.completed":
            break
        after = events[-1].sequence_number
        stream = await client.responses.retrieve(events[0].response.id, stream=True, starting_after=after)
    assert text_of(events) == TEXT
    assert len(provider.stored[events[0].response.id].retrieved) > 3


async def test_a_response_is_polled(provider: Provider, client: Any) -> None:
    answer_with(provider, before_seconds=0.02, held_after=5)
    response = await start(client, stream=False)
    assert (response.status, response.output) == ("queued", [])
    await until(lambda: provider.stored[response.id].status == "in_progress")
    assert (await client.responses.retrieve(response.id)).status == "in_progress"
    provider.release()
    response = await polled(client, response.id)
    assert (response.status, response.output_text) == ("completed", TEXT)
    with pytest.raises(openai.BadRequestError, match="not created with stream=true"):
        await client.responses.retrieve(response.id, stream=True)


async def test_a_cancelled_response(provider: Provider, client: Any) -> None:
    answer_with(provider, held_after=5)
    stream = await start(client)
    events = [await anext(stream) for _ in range(8)]
    response_id = events[0].response.id
    for _ in range(2):
        assert (await client.responses.cancel(response_id)).status == "cancelled"
    events += [event async for event in stream]
    assert (events[-1].type, events[-1].response.status) == ("response.failed", "cancelled")
    provider.release()
    await until(lambda: provider.in_flight == 0)
    assert (await client.responses.retrieve(response_id)).status == "cancelled"
    (call,) = provider.calls
    assert (call.finished, TEXT.startswith(call.sent), len(call.sent.split())) == (False, True, 15)


async def test_a_response_that_ended_is_not_cancelled(provider: Provider, client: Any) -> None:
    answer_with(provider, "Short.")
    done = await polled(client, (await start(client, stream=False)).id)
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a completed response"):
        await client.responses.cancel(done.id)
    provider.ignores_cancel = True
    answer_with(provider, "Short.", held_after=1)
    response = await start(client, stream=False)
    assert (await client.responses.cancel(response.id)).status == "cancelled"
    provider.release()
    assert (await polled(client, response.id)).status == "completed"
    assert provider.stored[response.id].cancelled


async def test_a_deleted_and_an_expired_response_are_not_found(provider: Provider, client: Any) -> None:
    answer_with(provider, "Short.")
    ids = [(await start(client, stream=False)).id for _ in range(3)]
    await client.responses.delete(ids[0])
    provider.expire(ids[1])
    for gone in (*ids[:2], "resp_unknown"):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{gone}' not found"):
            await client.responses.retrieve(gone)
    assert (await polled(client, ids[2])).output_text == "Short."
    provider.expire()
    with pytest.raises(openai.NotFoundError):
        await client.responses.cancel(ids[2])


async def test_an_error_event_in_the_middle(provider: Provider, client: Any) -> None:
    answer_with(provider, error_after=4, error_code="rate_limit_exceeded")
    events = await received(await start(client))
    assert [event.type for event in events[-2:]] == ["error", "response.failed"]
    assert (events[-2].code, events[-2].sequence_number) == ("rate_limit_exceeded", len(events) - 2)
    assert events[-1].response.error.code == "rate_limit_exceeded"
    assert len(text_of(events).split()) == 12
    provider.nests_error_events = True
    with pytest.raises(openai.APIError, match="server had an error"):
        await received(await start(client))


@pytest.mark.parametrize(
    ("finish_reason", "status", "reason"),
    [
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("failed", "failed", None),
    ],
)
async def test_other_ends(
    provider: Provider, client: Any, finish_reason: str, status: str, reason: str | None
) -> None:
    answer_with(provider, finish_reason=finish_reason)
    events = await received(await start(client))
    assert events[-1].type == f"response.{status}"
    response = await polled(client, events[0].response.id)
    assert (response.status, response.incomplete_details and response.incomplete_details.reason) == (
        status,
        reason,
    )
    assert response.output_text == ("" if reason is None else TEXT)
    assert (response.error and response.error.code) == (None if reason else "server_error")


async def test_a_generation_that_dies(provider: Provider, client: Any) -> None:
    answer_with(provider, finish_reason=None, ends_cleanly=True)
    events = await received(await start(client))
    assert events[-1].type == "response.output_text.delta"
    assert (await polled(client, events[0].response.id)).status == "failed"
    answer_with(provider, finish_reason=None)
    with pytest.raises((httpx.HTTPError, openai.APIConnectionError)):
        await received(await start(client))


async def test_what_is_refused(provider: Provider, client: Any) -> None:
    answer_with(provider, "Short.")
    with pytest.raises(openai.BadRequestError, match="store=true"):
        await start(client, store=False)
    events = await received(await start(client))
    provider.refuses_resume_stream = True
    with pytest.raises(openai.BadRequestError, match="more than 5 minutes old"):
        await resumed(client, events[0].response.id, 3)
    assert (await polled(client, events[0].response.id)).status == "completed"
    provider.refuses_background = True
    with pytest.raises(openai.BadRequestError, match="not supported") as refused:
        await start(client)
    assert refused.value.param == "background"
    provider.reply = lambda call: Reply(status=429, error={"message": "Slow down."})
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        await start(client, background=False)
    assert [call.sent for call in provider.calls] == ["", "Short.", "", ""]


async def test_without_background_the_generation_ends_with_the_connection(
    provider: Provider, client: Any
) -> None:
    answer_with(provider, chunk_seconds=0.001)
    assert (await start(client, stream=False, background=False)).output_text == TEXT
    events = await received(await start(client, background=False))
    assert (text_of(events), events[1].type) == (TEXT, "response.in_progress")
    response_id = events[0].response.id
    assert (await client.responses.retrieve(response_id)).output_text == TEXT
    with pytest.raises(openai.BadRequestError, match="not created with background=true"):
        await resumed(client, response_id, 3)
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        await client.responses.cancel(response_id)
    answer_with(provider, chunk_seconds=0.02)
    (created,) = await received(await start(client, background=False), stop_after=1)
    await until(lambda: provider.calls[-1].closed and provider.in_flight == 0)
    assert not provider.calls[-1].finished
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(created.response.id)


async def test_the_ways_of_vllm(provider: Provider, client: Any) -> None:
    provider.speaks_vllm = True
    answer_with(provider, reasoning="Think.", finish_reason="length")
    events = await received(await start(client))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert "response.reasoning_text.delta" in [event.type for event in events]
    assert (events[-1].type, events[-1].response.status) == ("response.completed", "incomplete")
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        await client.responses.cancel(events[0].response.id)
    answer_with(provider, "Short.", finish_reason="failed")
    stream = await start(client)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), stream:
            async for event in stream:
                assert event.type != "response.failed"
    assert (await client.responses.retrieve(list(provider.stored)[-1])).status == "queued"


async def test_chat_streams_reason_too(provider: Provider, client: Any) -> None:
    answer_with(provider, "Short.", reasoning="Think of it.")
    messages: Any = [{"role": "user", "content": "A topic"}]
    stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
    deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Think of it."
    assert provider.calls[0].sent == "Short."

"""The stand-in for OpenAI's Responses API, driven by OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext, suppress
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
    fields = {"model": "m", "input": "A topic", "stream": stream, "background": background, **fields}
    return await client.responses.create(**fields)


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
    events = await received(await start(client, input=messages))
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
    stored = provider.stored[first[0].response.id]
    assert stored.status == "in_progress"
    rest = asyncio.create_task(resumed(client, stored.id, first[-1].sequence_number))
    await until(lambda: bool(stored.retrieved))
    provider.release()
    events = first + await rest
    assert text_of(events) == TEXT
    for cut in range(0, len(events), 9):
        again = await resumed(client, stored.id, events[cut].sequence_number)
        assert [event.sequence_number for event in again] == list(range(cut + 1, len(events)))
        assert text_of(events[: cut + 1] + again) == TEXT
    assert len(provider.calls) == 1


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


async def test_a_response_is_polled_and_one_that_is_deleted_or_expired_is_not_found(
    provider: Provider, client: Any
) -> None:
    answer_with(provider, before_seconds=0.02, held_after=5)
    first, second = [await start(client, stream=False) for _ in range(2)]
    assert (first.status, first.output) == ("queued", [])
    await until(lambda: provider.stored[first.id].status == "in_progress")
    assert (await client.responses.retrieve(first.id)).status == "in_progress"
    provider.release()
    done = await polled(client, first.id)
    assert (done.status, done.output_text) == ("completed", TEXT)
    with pytest.raises(openai.BadRequestError, match="not created with stream=true"):
        await client.responses.retrieve(first.id, stream=True)
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a completed response"):
        await client.responses.cancel(first.id)
    await client.responses.delete(first.id)
    provider.expire(second.id)
    for gone in (first.id, second.id, "resp_unknown"):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{gone}' not found"):
            await client.responses.retrieve(gone)
    with pytest.raises(openai.NotFoundError):
        await client.responses.cancel(second.id)


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
    await until(lambda: provider.stored[response_id].ended)
    assert (await client.responses.retrieve(response_id)).status == "cancelled"
    (call,) = provider.calls
    assert (call.finished, TEXT.startswith(call.sent), len(call.sent.split())) == (False, True, 15)


@pytest.mark.parametrize(
    ("reply", "events", "status", "reason"),
    [
        ({"finish_reason": "length"}, ["incomplete"], "incomplete", "max_output_tokens"),
        ({"finish_reason": "content_filter"}, ["incomplete"], "incomplete", "content_filter"),
        ({"finish_reason": "failed"}, ["failed"], "failed", None),
        ({"error_after": 4}, ["error", "response.failed"], "failed", None),
        ({"finish_reason": None, "ends_cleanly": True}, ["output_text.delta"], "failed", None),
        ({"finish_reason": None}, [], "failed", None),
    ],
)
async def test_other_ends(
    provider: Provider, client: Any, reply: dict[str, Any], events: list[str], status: str, reason: str | None
) -> None:
    """A limit, a filter, a failure, an error in the middle, and a generation that dies, cleanly or not."""
    answer_with(provider, **reply)
    with pytest.raises((httpx.HTTPError, openai.APIConnectionError)) if not events else nullcontext():
        seen = await received(await start(client))
        types = [event.type for event in seen[-len(events) :]]
        assert [kind.endswith(end) for kind, end in zip(types, events, strict=True)] == [True] * len(events)
        assert len(text_of(seen).split()) == (12 if "error" in events else len(TEXT.split()))
    [identity] = provider.stored
    response = await polled(client, identity)
    details = response.incomplete_details
    assert (response.status, details and details.reason) == (status, reason)
    assert response.output_text == ("" if reason is None else TEXT)
    assert (response.error and response.error.code) == (None if reason else "server_error")


async def test_what_is_refused(provider: Provider, client: Any) -> None:
    answer_with(provider, "Short.")
    with pytest.raises(openai.BadRequestError, match="store=true"):
        await start(client, store=False)
    with pytest.raises(openai.BadRequestError, match="background mode only"):
        await start(client, background=False)
    events = await received(await start(client))
    provider.refuses_resume_stream = True
    with pytest.raises(openai.BadRequestError, match="more than 5 minutes old"):
        await resumed(client, events[0].response.id, 3)
    assert (await polled(client, events[0].response.id)).status == "completed"
    provider.refuses_background = True
    with pytest.raises(openai.BadRequestError, match="not supported") as refused:
        await start(client)
    assert refused.value.param == "background"
    provider.refuses_background = False
    provider.reply = lambda call: Reply(status=429, error={"message": "Slow down."})
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        await start(client)
    assert [call.sent for call in provider.calls] == ["", "", "Short.", "", ""]

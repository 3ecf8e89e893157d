"""The stand-in provider, on which the tests stand: it continues as asked, and records what was closed."""

import asyncio
import json

import aiohttp
import pytest

from testing.app import wait_until
from testing.background import Background
from testing.provider import HUNDRED_TOKENS, Call, Continuation, Provider, Reply, position, rest_of
from testing.texts import KINDS, templated


def asking_to_continue(draft: str) -> Call:
    return Call([{"role": "user", "content": "A topic"}, {"role": "assistant", "content": draft}], {}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_is_continued_as_asked(kind: str) -> None:
    """At any character, although the text's parts and words repeat."""
    text = templated(seed=3, kind=kind, length=600)
    for cut in range(1, len(text), 7):
        draft = text[:cut]
        assert draft + rest_of(text, asking_to_continue(draft), Continuation.EXACT) == text
        assert draft + rest_of(text, asking_to_continue(draft)) == draft + text[cut:].lstrip()
        again = rest_of(text, asking_to_continue(draft), Continuation.OVERLAP)
        assert again.endswith(text[cut:])
        assert draft.endswith(again.removesuffix(text[cut:]))
        assert rest_of(text, asking_to_continue(draft), Continuation.RESTART) == text
        assert rest_of(text, asking_to_continue(draft), Continuation.REMARK).startswith("Sure")


def test_a_damaged_draft_is_continued_after_its_last_words() -> None:
    text = templated(seed=5, kind="days", length=2_000, language="en")
    for cut in range(200, len(text), 97):
        assert position(text, text[:40] + text[60:cut]) == cut
    assert position(text, "something else altogether") == 0


async def events(provider: Provider, stop_after: int | None = None) -> list[str]:
    """The chunks of a streamed answer; the connection is closed after so many."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "A topic"}]}
    received: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{provider.url}/chat/completions", json=body) as response,
    ):
        async for line in response.content:
            if line.startswith(b"data: "):
                received.append(line.decode().removeprefix("data: ").strip())
            if len(received) == stop_after:
                break
    return received


async def test_large_chunks_chosen_usage_and_a_stream_that_the_client_closes(provider: Provider) -> None:
    text = templated(seed=1, length=3_000)
    reply = Reply(text, chunk_characters=HUNDRED_TOKENS, usage=(11, 222))
    provider.reply = lambda call: reply
    received = await events(provider)
    chunks = [json.loads(event) for event in received[:-1]]
    deltas = [c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]]
    assert "".join(deltas) == text
    assert all(len(delta) == HUNDRED_TOKENS for delta in deltas[:-2])
    assert (chunks[-1]["usage"]["prompt_tokens"], chunks[-1]["usage"]["completion_tokens"]) == (11, 222)
    assert (provider.calls[0].finished, provider.calls[0].closed) == (True, False)
    reply.chunk_seconds = 0.05
    await events(provider, stop_after=2)
    wait_until(lambda: provider.calls[1].closed)
    assert not provider.calls[1].finished
    assert len(provider.calls[1].sent) < len(text)


def test_a_connection_that_comes_as_a_stand_in_ends_is_closed() -> None:
    """Its task has not begun by then; what it leaves open fails whatever test runs when Python finds it."""

    class Ends(Background):
        is_closed = False

        async def serve(self) -> None:
            self._started.set()
            await self._stop.wait()
            # Not here, because then it would still begin.
            self._loop.call_soon(lambda: setattr(self, "last", self._loop.create_task(self.connection())))

        async def connection(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                self.is_closed = True

    with Ends() as ending:
        pass
    assert ending.is_closed

"""Answers that the provider keeps: nothing is paid again, whatever is killed in between."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models import LLMCallInput
from research.config import Settings
from research.errors import ErrorKind
from research.llm import client as llm
from research.llm import resume, stored
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from research.llm.resume import Way
from testing.provider import Provider, Reply, rest_of
from testing.texts import templated
from tests.test_model_call import configured

TEXT = templated(5, "questions", 2_000, "en")


@pytest.fixture
def settings(provider: Provider) -> Settings:
    """A provider that keeps answers; by this setting, because it is not OpenAI's own address."""
    provider.reply = lambda call: Reply(TEXT, chunk_seconds=0.002)
    return configured("openai/gpt-4o", provider, store="yes")


@pytest.fixture(params=[16, 0], ids=["streamed", "whole"])
def either(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return replace(settings, max_streams=request.param)


async def killed_at(settings: Settings, draft: Draft, provider: Provider, characters: int) -> None:
    """Begin an answer, and end this attempt as a kill would once so much was written."""
    call = asyncio.create_task(llm.complete(LLMCallInput("A topic"), settings, draft))
    async with asyncio.timeout(20):
        while not draft.response_id or len(provider.calls[0].sent) < characters:
            assert not call.done(), call.exception()
            await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_a_kill_costs_nothing(provider: Provider, either: Settings) -> None:
    """The next attempt attaches to the answer, which was written on; one request, its tokens paid once."""
    undisturbed = await llm.complete(LLMCallInput("A topic"), either)
    provider.calls.clear()
    draft = Draft()
    await killed_at(either, draft, provider, 300)
    said: list[tuple[Way, int]] = []
    answer = await llm.complete(
        LLMCallInput("A topic"), either, draft, on_resume=lambda way, at: said.append((way, at))
    )
    assert (answer.text, answer.resumed_by, said[0][0]) == (TEXT, "retrieve", Way.RETRIEVE)
    assert len(provider.calls) == 1
    assert answer.requests == 1
    assert (answer.input_tokens, answer.output_tokens) == (
        undisturbed.input_tokens,
        undisturbed.output_tokens,
    )
    [kept] = answer.stored
    asked = provider.stored[kept].retrieved
    assert ("starting_after=" in asked[0]) is bool(either.max_streams)


async def test_killed_again_and_again(provider: Provider, settings: Settings) -> None:
    draft = Draft()
    for characters in (100, 400, 800, 1_200):
        await killed_at(settings, draft, provider, characters)
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert (answer.text, len(provider.calls), answer.requests) == (TEXT, 1, 1)


async def test_an_answer_that_ended_while_nobody_was_alive(provider: Provider, either: Settings) -> None:
    draft = Draft()
    await killed_at(either, draft, provider, 100)
    async with asyncio.timeout(20):
        while not provider.calls[0].finished:
            await asyncio.sleep(0.02)
    assert (await llm.complete(LLMCallInput("A topic"), either, draft)).text == TEXT
    assert len(provider.calls) == 1


async def test_a_stream_that_is_refused_again_is_polled(provider: Provider, settings: Settings) -> None:
    """OpenAI lets a stream be read again for some minutes only; the answer itself stays longer."""
    draft = Draft()
    await killed_at(settings, draft, provider, 500)
    provider.refuses_resume_stream = True
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert (answer.text, len(provider.calls)) == (TEXT, 1)


async def test_connections_that_break_lose_nothing(provider: Provider, settings: Settings) -> None:
    """Each attempt gets a few events more; none of them is a request, and none is counted as paid."""
    provider.reply = lambda call: Reply(TEXT, chunk_words=20, cut_events=12)
    draft = Draft()
    for _ in range(30):
        try:
            answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
            break
        except ProviderError as fault:
            assert fault.kind is ErrorKind.TRANSIENT
    assert (answer.text, answer.finish_reason, len(provider.calls)) == (TEXT, "stop", 1)


@pytest.mark.parametrize("takes_prefill", [True, False])
async def test_an_answer_that_is_gone_is_resumed_in_the_next_way(
    provider: Provider, settings: Settings, takes_prefill: bool
) -> None:
    """Expired, or deleted by somebody: the text so far is not lost; the Responses API takes no prefill."""
    provider.takes_prefill = takes_prefill
    draft = Draft()
    await killed_at(settings, draft, provider, 900)
    provider.expire()
    provider.reply = lambda call: Reply(rest_of(TEXT, call).lstrip())
    said: list[Way] = []
    answer = await llm.complete(
        LLMCallInput("A topic"), settings, draft, on_resume=lambda way, at: said.append(way)
    )
    assert answer.text == TEXT
    assert said == [Way.RETRIEVE, Way.BLOCK]
    assert len(provider.calls) == 2
    assert answer.kept_tokens > 0


async def test_an_answer_that_failed_is_resumed_from_its_text(provider: Provider, settings: Settings) -> None:
    provider.reply = lambda call: Reply(rest_of(TEXT, call).lstrip(), error_after=None if call.draft else 150)
    draft = Draft()
    with pytest.raises(ProviderError) as raised:
        await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert raised.value.kind is ErrorKind.TRANSIENT
    answer = None
    for _ in range(3):
        try:
            answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
            break
        except ProviderError as fault:
            assert fault.kind is ErrorKind.TRANSIENT
    assert answer is not None
    assert answer.text == TEXT


async def test_a_length_limit_is_continued(provider: Provider, either: Settings) -> None:
    """In another answer, which is kept too; killed in it, its own beginning is found again."""
    cut = TEXT.index("\n\n", 800) + 30
    provider.reply = lambda call: Reply(
        rest_of(TEXT, call).lstrip()[: None if call.draft else cut],
        chunk_seconds=0.002,
        finish_reason="stop" if call.draft else "length",
    )
    draft = Draft()
    call = asyncio.create_task(llm.complete(LLMCallInput("A topic"), either, draft))
    async with asyncio.timeout(20):
        while len(provider.calls) < 2 or len(provider.calls[1].sent) < 200:
            await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    answer = await llm.complete(LLMCallInput("A topic"), either, draft)
    assert (answer.text, len(provider.calls), len(answer.stored)) == (TEXT, 2, 2)


@pytest.mark.proof
async def test_a_provider_that_keeps_none_is_asked_as_before(provider: Provider, settings: Settings) -> None:
    """An organisation without data retention, a model or a server without this API; asked once only."""
    provider.refuses_background = True
    for _ in range(2):
        answer = await llm.complete(LLMCallInput("A topic"), settings)
        assert (answer.text, answer.stored) == (TEXT, ())
    paths = ["messages" if "messages" in call.body else "input" for call in provider.calls]
    assert paths == ["input", "messages", "messages"]
    assert not stored.is_used(settings)


@pytest.mark.parametrize(
    ("model", "base", "store", "is_used"),
    [
        ("openai/gpt-4o", None, "auto", True),
        ("openai/gpt-4o", "https://eu.api.openai.com/v1", "auto", True),
        ("openai/gpt-4o", None, "no", False),
        ("openai/gpt-4o", "http://127.0.0.1:8000/v1", "auto", False),
        ("openai/gpt-4o", "http://127.0.0.1:8000/v1", "yes", True),
        ("openai/gpt-4o", "https://api.openai.com.example.org/v1", "auto", False),
        ("azure/my-deployment", "https://mine.openai.azure.com", "auto", True),
        ("anthropic/claude-sonnet-4-5", None, "yes", False),
        ("sample/report", None, "yes", False),
    ],
)
def test_who_keeps_answers(
    provider: Provider, model: str, base: str | None, store: str, is_used: bool
) -> None:
    """OpenAI and Azure, another server of their protocol if asked to; never against LLM_STORE=no."""
    settings = replace(configured(model, provider), api_base=base, store=store)
    assert stored.is_used(settings) is is_used
    assert (resume.known_way(settings) is Way.RETRIEVE) is is_used
    without_key = replace(settings, api_key=None)
    assert not stored.is_used(without_key) or store == "yes", "a token of another kind is litellm's affair"


async def test_what_is_discarded_is_cancelled_and_deleted(provider: Provider, settings: Settings) -> None:
    draft = Draft()
    await killed_at(settings, draft, provider, 100)
    assert await stored.discard([*draft.stored, "resp_unknown"], settings) == 1
    [kept] = provider.stored.values()
    assert kept.cancelled and kept.deleted
    sent = len(provider.calls[0].sent)
    await asyncio.sleep(0.1)
    assert len(provider.calls[0].sent) <= sent + 40
    assert len(TEXT) > sent + 200


FAULTS: list[tuple[int, Any, ErrorKind]] = [
    (401, {"message": "no such key"}, ErrorKind.NEEDS_ACTION),
    (429, {"message": "slow down"}, ErrorKind.TRANSIENT),
    (429, {"message": "no credit", "code": "insufficient_quota"}, ErrorKind.NEEDS_ACTION),
    (503, {"message": "busy"}, ErrorKind.TRANSIENT),
    (400, {"message": "violates our policy", "code": "content_policy_violation"}, ErrorKind.PERMANENT),
    (400, {"message": "too long", "code": "context_length_exceeded"}, ErrorKind.PERMANENT),
]


@pytest.mark.parametrize(("status", "error", "kind"), FAULTS)
async def test_the_faults_of_this_api(
    provider: Provider, settings: Settings, status: int, error: Any, kind: ErrorKind
) -> None:
    """Sorted as those of any other; the report neither falls back nor forgets its answer."""
    provider.reply = lambda call: Reply(status=status, error=error, headers={"Retry-After": "7"})
    with pytest.raises(ProviderError) as raised:
        await llm.complete(LLMCallInput("A topic"), settings)
    assert (raised.value.kind, len(provider.calls)) == (kind, 1)
    if kind is ErrorKind.TRANSIENT:
        assert raised.value.delay(count=1) == 7
    assert stored.is_used(settings)


async def test_reasoning_and_silence_are_bounded_here_too(provider: Provider, settings: Settings) -> None:
    provider.reply = lambda call: Reply("", reasoning="I think. " * 60_000, chunk_words=2_000)
    draft, kinds = Draft(), []
    for _ in range(8):
        with pytest.raises(ProviderError) as raised:
            await llm.complete(LLMCallInput("A topic"), settings, draft)
        kinds.append(raised.value.kind)
        if raised.value.kind is ErrorKind.PERMANENT:
            break
    assert kinds == [ErrorKind.TRANSIENT] * 4 + [ErrorKind.PERMANENT]
    assert len(provider.calls) == 5


async def test_a_text_that_has_come_whole_before_the_kill(provider: Provider, settings: Settings) -> None:
    """Only its end is missing: attached again, no word comes, and none is asked for again."""
    draft = Draft()
    await killed_at(settings, draft, provider, 300)
    async with asyncio.timeout(20):
        while not provider.calls[0].finished:
            await asyncio.sleep(0.02)
    [kept] = provider.stored.values()
    deltas = [event for event in kept.events if event["type"] == "response.output_text.delta"]
    draft.text, draft.response_event = TEXT, deltas[-1]["sequence_number"]
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert (answer.text, answer.finish_reason, len(provider.calls)) == (TEXT, "stop", 1)


async def test_an_answer_that_died_behind_a_clean_end_is_asked_for_at_once(
    provider: Provider, settings: Settings
) -> None:
    """The stream alone does not say so; the answer's state does."""
    provider.reply = lambda call: Reply(
        rest_of(TEXT, call).lstrip()[: None if call.draft else 900],
        finish_reason="stop" if call.draft else None,
        ends_cleanly=True,
    )
    draft = Draft()
    with pytest.raises(ProviderError):
        await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert draft.response_id == ""
    assert (await llm.complete(LLMCallInput("A topic"), settings, draft)).text == TEXT


async def test_an_answer_that_cannot_be_deleted_now_is_no_success(
    provider: Provider, settings: Settings
) -> None:
    """The step is retried; one that is gone already is none of its business."""
    assert await stored.discard(["resp_gone"], settings) == 0
    with pytest.raises(Exception, match=r"(?i)connection"):
        await stored.discard(["resp_1"], replace(settings, api_base="http://127.0.0.1:9/v1"))

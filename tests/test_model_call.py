"""A model call: its faults sorted, its text resumed, its bill counted. Real HTTP through litellm."""

import asyncio
import json
import math
import re
import time
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from models import LLMCallInput, StepKind
from research.config import Settings, load
from research.errors import ErrorKind, UserError
from research.llm import client as llm
from research.llm import errors, library, outcome
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from research.llm.limits import CostCeiling
from research.llm.prompts import summary_prompt
from testing.asked import call_for
from testing.provider import Call, Provider, Reply, rest_of
from tests.conftest import KEY, remarks_of

WORDS = " ".join(f"word{number}" for number in range(400))
MARKDOWN = (
    "# Tardigrades\n\nThey live in moss — naïve façades, 水熊虫, and *more*.\n\n"
    "| Name | Size |\n| --- | --- |\n| one | 0.5 mm |\n| two | 0.7 mm |\n\n"
    "```python\ndef tun(animal):\n    for leg in animal.legs:\n        leg.pull_in()\n\n"
    "    return animal\n```\n\n1. First of all\n2. Then the second\n   with a line below\n\nThe end.\n"
)


@pytest.fixture
def settings(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A paid model at the local endpoint."""
    monkeypatch.setattr(library, "STREAM_IDLE_SECONDS", 2.0)
    return configured("openai/gpt-4o", provider)


def configured(model: str, provider: Provider, **more: Any) -> Settings:
    values = {**load.__wrapped__().__dict__, "model": model, "api_key": KEY, "api_base": provider.url}
    return Settings(**{**values, "secrets": (KEY,), **more})


async def fault_of(settings: Settings, draft: Draft | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await llm.complete(LLMCallInput("A topic"), settings, draft)
    return raised.value


# Faults: status, what the provider says, and what the report makes of it.
TABLE = [
    (429, {"message": "slow down"}, ErrorKind.TRANSIENT, "the provider answered 429: "),
    (408, {"message": "late"}, ErrorKind.TRANSIENT, "the provider answered 408: "),
    (409, {"message": "conflict"}, ErrorKind.TRANSIENT, "the provider answered 409: "),
    (500, {"message": "oops"}, ErrorKind.TRANSIENT, "the provider answered 500: "),
    (502, {"message": "oops"}, ErrorKind.TRANSIENT, "the provider answered 502: "),
    (503, {"message": "oops"}, ErrorKind.TRANSIENT, "the provider answered 503: "),
    (504, {"message": "oops"}, ErrorKind.TRANSIENT, "the provider answered 5"),
    (529, {"message": "overloaded"}, ErrorKind.TRANSIENT, "the provider answered 529: "),
    (
        401,
        {"message": f"bad key {KEY}"},
        ErrorKind.NEEDS_ACTION,
        "the provider refused the key: set LLM_API_KEY in ",
    ),
    (
        403,
        {"message": "forbidden"},
        ErrorKind.NEEDS_ACTION,
        "the provider refused the key: set LLM_API_KEY in ",
    ),
    (
        402,
        {"message": "pay"},
        ErrorKind.NEEDS_ACTION,
        "the quota at the provider is used up: add credit, or ",
    ),
    (
        429,
        {"message": "You exceeded your current quota", "code": "insufficient_quota"},
        ErrorKind.NEEDS_ACTION,
        "the quota at the provider is used up: add credit, or ",
    ),
    (
        404,
        {"message": "no such model"},
        ErrorKind.NEEDS_ACTION,
        "the provider does not know openai/gpt-4o: set ",
    ),
    (400, {"message": "bad"}, ErrorKind.PERMANENT, "the provider refuses this request (400): "),
    (422, {"message": "bad"}, ErrorKind.PERMANENT, "the provider refuses this request (422): "),
    (
        400,
        {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"},
        ErrorKind.PERMANENT,
        "the prompt is too long for openai/gpt-4o: ",
    ),
    (
        400,
        {"message": "violates our content policy", "code": "content_policy_violation"},
        ErrorKind.PERMANENT,
        "the provider's content policy refuses this request: ",
    ),
]


@pytest.mark.parametrize(("status", "error", "kind", "message"), TABLE)
async def test_an_answer_of_the_provider_is_sorted(
    provider: Provider, settings: Settings, status: int, error: dict[str, str], kind: ErrorKind, message: str
) -> None:
    """One request, the right kind, one line that says what to do, no key in it."""
    provider.reply = lambda call: Reply(status=status, error=error)
    fault = await fault_of(settings)
    assert (fault.kind, len(provider.calls)) == (kind, 1)
    assert fault.message.startswith(message), fault.message
    assert "\n" not in fault.message
    assert KEY not in fault.message
    delay = fault.delay(count=3)
    if kind is ErrorKind.NEEDS_ACTION:
        assert delay is not None
        assert delay <= 15
        assert fault.message.endswith("the report then continues by itself")
    if kind is ErrorKind.TRANSIENT:
        assert delay is not None
        assert 2 <= delay <= 4
        assert 30 <= (fault.delay(count=99) or 0) <= 60


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(error="this is not JSON", status=200), "the provider"),
        (Reply("cut between two chunks", finish_reason=None), "the provider"),
        (Reply("cut in the middle of a chunk", cut_bytes=450), "the provider"),
        (Reply("水熊虫 " * 20, cut_bytes=301), "the provider"),
        (Reply("ended as if it were whole", finish_reason=None, ends_cleanly=True), "the provider"),
        (Reply("silence", before_seconds=8), "nothing answers at http://127.0.0.1:"),
        (Reply(""), "the model gave an empty answer"),
    ],
)
async def test_an_answer_that_breaks_off_is_no_answer(
    provider: Provider, settings: Settings, reply: Reply, message: str
) -> None:
    provider.reply = lambda call: reply
    fault = await fault_of(settings)
    assert (fault.kind, len(provider.calls)) == (ErrorKind.TRANSIENT, 1), fault.message
    assert fault.message.startswith(message)


async def test_nobody_listens_at_the_providers_address(provider: Provider) -> None:
    fault = await fault_of(configured("openai/gpt-4o", provider, api_base="http://127.0.0.1:9/v1"))
    assert fault.kind is ErrorKind.TRANSIENT


async def test_an_empty_answer_is_paid_for_a_few_times_only(provider: Provider, settings: Settings) -> None:
    """Counted over all attempts in what they leave each other; attempts for other reasons do not count."""
    provider.reply = lambda call: Reply("")
    draft = Draft()
    kinds = [(await fault_of(settings, draft)).kind for _ in range(5)]
    assert kinds == [ErrorKind.TRANSIENT] * 4 + [ErrorKind.PERMANENT]


async def test_an_empty_continuation_is_not_the_end(provider: Provider, settings: Settings) -> None:
    """Asked for the rest, a model that says nothing is asked once from the beginning; the page says so."""
    replies = iter([Reply(WORDS[:900], finish_reason=None), Reply(""), Reply("")])
    provider.reply = lambda call: next(replies, None) or Reply(rest_of(WORDS, call))
    draft = Draft()
    for _ in range(2):
        assert (await fault_of(settings, draft)).kind is ErrorKind.TRANSIENT
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert (answer.text, answer.finish_reason) == (WORDS, "stop")
    assert "written again from its beginning" in remarks_of(answer)[0]


@pytest.mark.parametrize("again", [WORDS[:300], WORDS[:1200]], ids=["shorter", "longer"])
async def test_of_two_incomplete_texts_the_longer_one_is_kept(
    provider: Provider, settings: Settings, again: str
) -> None:
    """What was written again ends by a length limit that cannot be continued either."""
    provider.reply = lambda call: Reply("" if len(call.messages) > 1 else again, finish_reason="length")
    draft = Draft(text=WORDS[:900])
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    longest = max(again, WORDS[:900], key=len)
    assert longest.startswith(answer.text.strip())
    assert len(answer.text) > len(longest) - 30
    assert answer.finish_reason in ("empty", "length")
    assert len(provider.calls) <= 5


async def test_a_filtered_answer_is_final(provider: Provider, settings: Settings) -> None:
    provider.reply = lambda call: Reply("It begins", finish_reason="content_filter")
    fault = await fault_of(settings)
    assert (fault.kind, fault.message) == (
        ErrorKind.PERMANENT,
        "the provider's content filter stopped the answer: change the topic",
    )


async def test_retry_after_is_honoured(provider: Provider, settings: Settings) -> None:
    """As a number of seconds, and as a date."""

    def in_half_a_minute() -> str:
        return formatdate(time.time() + 30, usegmt=True)

    for header, seconds in [(lambda: "7", 7), (in_half_a_minute, 30)]:
        provider.reply = lambda call, value=header: Reply(  # type: ignore[misc]
            status=429, error={"message": "slow down"}, headers={"Retry-After": value()}
        )
        delay = (await fault_of(settings)).delay(count=1)
        assert delay is not None
        assert math.isclose(delay, seconds, abs_tol=2)


def test_a_bug_is_ours(settings: Settings) -> None:
    fault = errors.classify(KeyError("choices"), settings)
    assert (fault.kind, fault.delay(1), fault.message) == (ErrorKind.INTERNAL, None, "KeyError: 'choices'")


# Resuming


async def test_a_usage_that_comes_early_ends_nothing(provider: Provider, settings: Settings) -> None:
    provider.reply = lambda call: Reply(WORDS, counts_along=True)
    answer = await llm.complete(LLMCallInput("A topic"), settings)
    assert (answer.text, answer.output_tokens) == (WORDS, len(WORDS.split()))


async def test_an_answer_is_bounded(provider: Provider, settings: Settings) -> None:
    """Far over what Temporal can store, it is cut and says so; nothing is asked for again."""
    provider.reply = lambda call: Reply("語" * 500 * 1000, chunk_words=1)
    answer = await llm.complete(LLMCallInput("A topic"), settings)
    assert answer.finish_reason == "too_long"
    assert 800_000 < len(json.dumps(answer.text)) <= 900_002
    assert len(provider.calls) == 1


async def test_a_prompt_too_long_is_shortened(provider: Provider, settings: Settings) -> None:
    """At a paragraph's end, until it fits; anything shorter is final."""

    def small_model(call: Call) -> Reply:
        if len(call.prompt) > 5000:
            error = {"message": "maximum context length", "code": "context_length_exceeded"}
            return Reply(status=400, error=error)
        return Reply("A summary of the beginning.")

    provider.reply = small_model
    call = call_for(summary_prompt("One paragraph of the research.\n\n" * 500), StepKind.SUMMARY)
    answer = await llm.complete(call, settings)
    assert answer.prompt_shortened
    assert re.fullmatch(r"(?s).*the research\.\n\nWrite the summary [^\n]*", provider.calls[-1].prompt)


@pytest.mark.long
async def test_the_sample_model_goes_on_where_it_was(provider: Provider) -> None:
    sample = configured("sample/report", provider, api_key=None, api_base=None)
    whole = (await llm.complete(LLMCallInput("Why is the sky blue?"), sample)).text
    assert "Why is the sky blue?" in whole
    answer = await llm.complete(
        LLMCallInput("Why is the sky blue?"), sample, Draft(text=whole[:700], requests=1)
    )
    assert answer.text == whole
    assert answer.resumed_at


# The bill


async def test_the_bill_of_a_call(provider: Provider, settings: Settings) -> None:
    """The provider's own count of tokens, at the price list's price."""
    provider.reply = lambda call: Reply(WORDS)
    answer = await llm.complete(LLMCallInput("Two words"), settings)
    assert (answer.input_tokens, answer.output_tokens, answer.requests) == (2, 400, 1)
    prices = library.load().cost_per_token("openai/gpt-4o", 2, 400)
    assert answer.cost == pytest.approx(sum(prices))


async def test_an_unknown_price_is_unknown(provider: Provider, settings: Settings) -> None:
    answer = await llm.complete(LLMCallInput("Two words"), configured("openai/my-own-model", provider))
    assert answer.cost is None


async def test_the_ceiling_is_checked_before_a_call(provider: Provider) -> None:
    capped = configured("openai/gpt-4o", provider, max_cost=0.01)
    with pytest.raises(CostCeiling, match=r"the report has cost \$0.0200, LLM_MAX_COST is \$0.01"):
        await llm.complete(LLMCallInput("A topic", spent=0.02), capped)
    assert provider.calls == []


# Calls beyond LLM_MAX_STREAMS get their answers whole.


@pytest.mark.parametrize("begun", ["", MARKDOWN[:60]])
async def test_a_whole_answer_is_what_a_stream_brings(provider: Provider, begun: str) -> None:
    provider.reply = lambda call: Reply(rest_of(MARKDOWN, call))
    draft = Draft(text=begun)
    answer = await llm.complete(
        LLMCallInput("A topic"), configured("openai/gpt-4o", provider, max_streams=0), draft
    )
    [call] = provider.calls
    assert not call.body.get("stream")
    assert (answer.text, answer.finish_reason) == (MARKDOWN, "stop")
    assert answer.output_tokens and answer.cost


async def test_only_so_many_calls_stream(provider: Provider) -> None:
    provider.reply = lambda call: Reply(WORDS, chunk_words=20, chunk_seconds=0.02)
    few = configured("openai/gpt-4o", provider, max_streams=2)
    answers = await asyncio.gather(
        *[llm.complete(LLMCallInput(f"topic {number}"), few) for number in range(5)]
    )
    assert {answer.text for answer in answers} == {WORDS}
    assert sorted(bool(call.body.get("stream")) for call in provider.calls) == [False] * 3 + [True] * 2
    await llm.complete(LLMCallInput("and then"), few)
    assert provider.calls[-1].body["stream"]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply("", finish_reason="content_filter"), "the provider's content filter stopped the answer"),
        (Reply("  "), "the model gave an empty answer"),
        (Reply(error={"message": "no"}, status=401), "the provider refused the key"),
        (Reply(error="<html>not JSON</html>"), "the provider"),
    ],
)
async def test_the_faults_of_a_whole_answer(provider: Provider, reply: Reply, message: str) -> None:
    provider.reply = lambda call: reply
    fault = await fault_of(configured("openai/gpt-4o", provider, max_streams=0))
    assert fault.message.startswith(message)


async def test_a_whole_answer_cut_by_its_length_is_continued(provider: Provider) -> None:
    parts = [Reply(WORDS[:900], finish_reason="length"), Reply(WORDS[:1500], finish_reason="stop")]

    def reply(call: Call) -> Reply:
        part = parts[len(provider.calls) - 1]
        return replace(part, text=rest_of(part.text, call))

    provider.reply = reply
    answer = await llm.complete(LLMCallInput("A topic"), configured("openai/gpt-4o", provider, max_streams=0))
    assert (answer.text, answer.requests) == (WORDS[:1500], 2 + len(provider.probes))


# What is paid for is bounded, and what was written is kept.


async def test_the_ceiling_in_the_middle_of_a_text_keeps_the_text(provider: Provider) -> None:
    """No further request is made; the note says which ceiling, and that the text is not whole."""
    provider.reply = lambda call: Reply(WORDS, finish_reason="length")
    capped = configured("openai/gpt-4o", provider, max_cost=0.001)
    answer = await llm.complete(LLMCallInput("A topic"), capped)
    assert (len(provider.calls), answer.finish_reason) == (1, "cost")
    assert WORDS.startswith(answer.text.strip())
    assert remarks_of(answer) == [
        "The text ends where LLM_MAX_COST ($0.001) was reached; it is not complete."
    ]


async def test_a_stream_without_a_finish_reason_is_not_paid_for_ever(
    provider: Provider, settings: Settings
) -> None:
    """Such a gateway exists: after a few tries over all attempts the text is taken."""
    provider.reply = lambda call: Reply(
        "" if len(call.messages) > 1 else WORDS, finish_reason=None, ends_cleanly=True
    )
    draft = Draft()
    for _ in range(outcome.MAX_FRUITLESS - 1):
        with pytest.raises(ProviderError) as raised:
            await llm.complete(LLMCallInput("A topic"), settings, draft)
        assert raised.value.kind is ErrorKind.TRANSIENT
    answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert answer.finish_reason == "unfinished"
    assert answer.text.split() == WORDS.split()[: len(answer.text.split())]
    assert len(answer.text) > len(WORDS) - 120
    assert len(provider.calls) == outcome.MAX_FRUITLESS


async def test_an_interrupted_request_is_billed_by_its_text(provider: Provider, settings: Settings) -> None:
    """Whether a chunk is a word or a hundred."""
    counted = []
    for words in (1, 100):
        provider.reply = lambda call, words=words: Reply(  # type: ignore[misc]
            WORDS, chunk_words=words, finish_reason=None, ends_cleanly=True
        )
        draft = Draft()
        with pytest.raises(ProviderError):
            await llm.complete(LLMCallInput("A topic"), settings, draft)
        counted.append(draft.output_tokens)
    assert counted[0] == counted[1]
    assert counted[0] == pytest.approx(len(WORDS) / 4, rel=0.1)


async def test_reasoning_is_in_no_answer(provider: Provider, settings: Settings) -> None:
    provider.reply = lambda call: Reply(f"<think>\nI count words.\n</think>\n\n{WORDS}")
    assert (await llm.complete(LLMCallInput("A topic"), settings)).text == WORDS


@pytest.mark.parametrize("header", ["86400", "1e300", "nan", "-5", "inf", "soon"])
async def test_a_retry_after_never_parks_a_report(
    provider: Provider, settings: Settings, header: str
) -> None:
    provider.reply = lambda call: Reply(
        status=429, error={"message": "You exceeded your current quota"}, headers={"Retry-After": header}
    )
    fault = await fault_of(settings)
    assert fault.kind is ErrorKind.TRANSIENT
    assert 0 <= (fault.delay(count=1) or 0.0) <= 300


async def test_a_stream_that_is_given_up_is_closed(provider: Provider, settings: Settings) -> None:
    """The provider sees that nobody reads any more, and stops writing."""
    provider.reply = lambda call: Reply(WORDS, chunk_seconds=0.05)
    call = asyncio.create_task(llm.complete(LLMCallInput("A topic"), settings))
    while not (provider.calls and len(provider.calls[0].sent) > 100):
        await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    async with asyncio.timeout(5):
        while not provider.calls[0].closed:
            await asyncio.sleep(0.01)
    assert len(provider.calls[0].sent) < len(WORDS) / 2


def test_a_ceiling_needs_a_price(provider: Provider) -> None:
    with pytest.raises(
        UserError, match="LLM_MAX_COST cannot be kept: there is no price for LLM_MODEL=openai/own"
    ):
        library.check(configured("openai/own", provider, max_cost=1.0))


@pytest.mark.long
async def test_the_sample_model_answers_whole_too(provider: Provider) -> None:
    sample = configured("sample/report", provider, api_key=None, api_base=None)
    streamed = await llm.complete(LLMCallInput("Why is the sky blue?"), sample)
    whole = await llm.complete(LLMCallInput("Why is the sky blue?"), replace(sample, max_streams=0))
    assert whole.text == streamed.text


async def test_a_continuation_that_is_refused_leaves_the_text(provider: Provider, settings: Settings) -> None:
    """The text was paid for: it becomes the report, with the reason why it ends."""
    provider.reply = lambda call: Reply(
        status=400, error={"message": "not this", "code": "content_policy_violation"}
    )
    answer = await llm.complete(LLMCallInput("A topic"), settings, Draft(text=WORDS[:1500], requests=1))
    assert answer.finish_reason == "refused"
    assert WORDS.startswith(answer.text.strip())
    assert len(answer.text) > 1400
    assert remarks_of(answer)[0].startswith(
        "The text is not complete, because it could not be continued: the provider's content"
    )

"""An interrupted text is resumed in the best way that its provider has: by HTTP, through litellm."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models import LLMCallInput
from research.config import Settings
from research.errors import ErrorKind
from research.llm import client as llm
from research.llm import resume
from research.llm.blocks import cut_to_block
from research.llm.continuation import MAX_TRIM
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from research.llm.resume import CONTINUE_PROMPT, PROBE_PREFILL, Way
from testing.provider import Call, Provider, Reply, rest_of
from testing.texts import KINDS, templated
from tests.conftest import remarks_of
from tests.test_model_call import configured

TEXT = templated(5, "questions", 2_000, "en")


def draft(text: str = TEXT[:900]) -> Draft:
    """A draft as version 0.6 left it: its text, and no field that came later."""
    return Draft(text=text, requests=1)


@pytest.fixture
def settings(provider: Provider) -> Settings:
    """An own server, of which no list knows whether it continues messages."""
    return configured("openai/own", provider)


async def complete(settings: Settings, begun: Draft) -> tuple[Any, list[tuple[Way, int]]]:
    """The answer to a topic, and how it was resumed."""
    said: list[tuple[Way, int]] = []
    answer = await llm.complete(
        LLMCallInput("A topic"), settings, begun, on_resume=lambda way, at: said.append((way, at))
    )
    return answer, said


# Prefill


@pytest.mark.parametrize("streams", [16, 0], ids=["streamed", "whole"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_continues_messages_gives_the_undisturbed_text(
    provider: Provider, settings: Settings, kind: str, streams: int
) -> None:
    """Asked once what it does; then the message is the last one, and the text exact to the character."""
    text = templated(3, kind, 900)
    provider.reply = lambda call: Reply(rest_of(text, call))
    settings = replace(settings, max_streams=streams)
    for place in (len(text) // 4, len(text) // 2, len(text) * 3 // 4):
        answer, said = await complete(settings, draft(text[:place]))
        assert answer.text == text
        assert said == [(Way.PREFILL, answer.resumed_at)]
        assert place - MAX_TRIM <= answer.resumed_at <= place
        assert answer.kept_tokens > 0
        assert provider.calls[-1].is_prefill
        assert "continue_final_message" in provider.calls[-1].body
    assert len(provider.probes) == 1


@pytest.mark.parametrize("echo", [True, False], ids=["message comes back", "rest alone"])
@pytest.mark.parametrize("streams", [16, 0], ids=["streamed", "whole"])
async def test_a_message_that_comes_back_stands_there_once(
    provider: Provider, settings: Settings, streams: int, echo: bool
) -> None:
    """Also where the text is about to repeat its beginning: the probe has shown what the server does."""
    text = "The pump is checked again and again. " * 40
    provider.echoes = echo
    provider.reply = lambda call: Reply((call.draft if echo else "") + rest_of(text, call))
    answer, _ = await complete(replace(settings, max_streams=streams), draft(text[:370]))
    assert answer.text.strip() == text.strip()


MODELS = [
    ("deepseek/deepseek-chat", {"prefix": True}),
    ("mistral/mistral-large-latest", {"prefix": True}),
    ("moonshot/kimi-k2.5", {"partial": True}),
    ("dashscope/qwen-max", {"partial": True}),
]


@pytest.mark.parametrize(("model", "flag"), MODELS)
async def test_what_is_known_is_not_asked(provider: Provider, model: str, flag: dict[str, bool]) -> None:
    provider.reply = lambda call: Reply(rest_of(TEXT, call))
    answer, said = await complete(configured(model, provider), draft())
    assert (answer.text, said[0][0]) == (TEXT, Way.PREFILL)
    assert provider.probes == []
    assert flag.items() <= provider.calls[-1].messages[-1].items()


async def test_many_texts_at_once_ask_once(provider: Provider, settings: Settings) -> None:
    """And its price is on one of their bills."""
    provider.reply = lambda call: Reply(rest_of(TEXT, call))
    answers = await asyncio.gather(*[complete(settings, draft(TEXT[: 300 + 50 * n])) for n in range(8)])
    assert {answer.text for answer, _ in answers} == {TEXT}
    assert len(provider.probes) == 1
    assert sorted(answer.requests for answer, _ in answers) == [2] * 7 + [3]


async def test_a_server_that_cannot_be_asked_now_is_asked_later(
    provider: Provider, settings: Settings
) -> None:
    """The text stays as it is; nothing is remembered."""
    provider.probe_status = 503
    begun = draft()
    with pytest.raises(ProviderError) as raised:
        await complete(settings, begun)
    assert (raised.value.kind, begun.text) == (ErrorKind.TRANSIENT, TEXT[:900])
    provider.probe_status = 200
    provider.reply = lambda call: Reply(rest_of(TEXT, call))
    assert (await complete(settings, begun))[0].text == TEXT


async def test_many_texts_that_wait_for_the_same_answer_are_retried_like_one(
    provider: Provider, settings: Settings
) -> None:
    """A server that cannot be asked now cancels none of them."""
    provider.probe_status = 503
    outcomes = await asyncio.gather(
        *[complete(settings, draft(TEXT[: 300 + 50 * n])) for n in range(4)], return_exceptions=True
    )
    kinds = [outcome.kind if isinstance(outcome, ProviderError) else outcome for outcome in outcomes]
    assert kinds == [ErrorKind.TRANSIENT] * 4


async def test_a_server_that_fails_on_such_a_message_is_asked_for_the_rest(
    provider: Provider, settings: Settings
) -> None:
    """Some chat templates raise an error, which is a 500; what was an outage is asked again the next time."""
    provider.probe_status = 500
    provider.reply = lambda call: Reply(rest_of(TEXT, call).lstrip())
    answer, said = await complete(settings, draft())
    assert (answer.text, said[0][0]) == (TEXT, Way.BLOCK)
    provider.probe_status = 200
    assert (await complete(settings, draft()))[1][0][0] is Way.PREFILL


# By block


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses such a message", "answers in a new one"])
async def test_another_server_is_asked_for_the_rest_from_the_next_block_on(
    provider: Provider, settings: Settings, refuses: bool
) -> None:
    """Behind a complete block, with the text as material; a seam in mid-sentence is never asked for."""
    provider.takes_prefill, provider.probe_status = False, 400 if refuses else 200
    provider.reply = lambda call: Reply(rest_of(TEXT, call).lstrip())
    answer, said = await complete(settings, draft())
    kept = cut_to_block(TEXT[:900])
    assert (answer.text, said) == (TEXT, [(Way.BLOCK, len(kept))])
    assert answer.resumed_by == "block"
    [asked] = provider.calls[-1].messages
    before, between, behind = CONTINUE_PROMPT
    assert asked == {"role": "user", "content": f"{before}A topic{between}{kept.rstrip()}{behind}"}
    assert "continue_final_message" not in provider.calls[-1].body


@pytest.mark.parametrize("model", ["gemini/gemini-2.5-flash", "openai/gpt-4o", "anthropic/claude-opus-4-6"])
def test_models_that_answer_in_a_new_message_are_not_asked(provider: Provider, model: str) -> None:
    """By their own providers: what OpenAI, Gemini and the newest Claude do is known."""
    official = replace(configured(model, provider), api_base=None, store="no")
    assert resume.known_way(official) is Way.BLOCK


async def test_a_probe_is_not_fooled_by_a_model_that_knows_its_numbers(
    provider: Provider, settings: Settings
) -> None:
    """A new message begins with the 8 itself, a continued one with the space before it."""
    provider.takes_prefill = False
    provider.reply = lambda call: Reply(rest_of(TEXT, call))
    assert (await complete(settings, draft()))[1][0][0] is Way.BLOCK
    assert provider.probes[-1].messages[-1]["content"] == PROBE_PREFILL


async def test_a_draft_of_one_block_is_written_again(provider: Provider, settings: Settings) -> None:
    provider.takes_prefill = False
    provider.reply = lambda call: Reply("A summary of one paragraph, which is not long at all.")
    answer, said = await complete(settings, draft("A summary of one paragraph, which is n"))
    assert answer.text == "A summary of one paragraph, which is not long at all."
    assert said == [(Way.AGAIN, 0)]
    assert (answer.resumed_at, answer.kept_tokens, answer.remarks) == (None, 0, ())


async def test_a_text_whose_second_version_is_refused_is_kept_with_the_reason(
    provider: Provider, settings: Settings
) -> None:
    """A text of one block is requested from its beginning; what was written before is not lost with it."""
    provider.takes_prefill = False
    refusal = {"message": "Not this one.", "code": "content_policy_violation"}
    provider.reply = lambda call: Reply(status=400, error=refusal)
    begun = "A summary of one paragraph, which was begun and is long enough to be kept, but is not"
    answer, _ = await complete(settings, draft(begun))
    assert (answer.text, answer.finish_reason) == (begun, "refused")
    [remark] = remarks_of(answer)
    assert remark.startswith("The text is not complete, because it could not be continued: the provider's")


# Again


@pytest.mark.parametrize(
    "rest",
    ["", " ", "It ends in the middle of a sentence, without a period, long before all of it is"],
    ids=["nothing", "white space", "broken off"],
)
@pytest.mark.parametrize("takes_prefill", [True, False], ids=["prefill", "block"])
async def test_what_is_no_continuation_is_written_again_once(
    provider: Provider, settings: Settings, rest: str, takes_prefill: bool
) -> None:
    """The whole text is kept, and the page says how it came about."""
    provider.takes_prefill = takes_prefill
    provider.reply = lambda call: Reply(rest if call.draft else TEXT)
    answer, said = await complete(settings, draft())
    assert (answer.text, answer.finish_reason) == (TEXT, "stop")
    assert said[-1] == (Way.AGAIN, 0)
    assert remarks_of(answer) == [
        "The text was interrupted and could not be resumed; it was written again from its beginning."
    ]
    assert len(provider.calls) == 2


async def test_what_is_written_again_survives_a_kill_too(provider: Provider, settings: Settings) -> None:
    """Both texts are in the draft; the second is resumed as the first was, and no third is asked for."""
    broken = Reply(TEXT[:700], finish_reason=None, ends_cleanly=True)
    provider.reply = lambda call: Reply("") if call.draft else broken
    begun = draft()
    with pytest.raises(ProviderError):
        await complete(settings, begun)
    assert begun.is_again
    assert (TEXT.startswith(begun.first), begun.text) == (True, TEXT[:700])
    provider.reply = lambda call: Reply(rest_of(TEXT, call))
    answer, said = await complete(settings, begun)
    assert (answer.text, said[0][0]) == (TEXT, Way.PREFILL)
    assert sum(not call.draft for call in provider.calls) == 1


async def test_an_answer_cut_by_its_length_is_continued(provider: Provider, settings: Settings) -> None:
    """Up to a bound; what is cut even then says so. In both ways."""
    text = templated(4, "questions", 4_000, "en")

    def in_parts(call: Call) -> Reply:
        rest = rest_of(text, call)
        return Reply(rest[:1800], finish_reason="length" if len(rest) > 1800 else "stop")

    for takes_prefill in (True, False):
        resume._probed.clear()
        provider.takes_prefill, provider.reply = takes_prefill, in_parts
        answer, said = await complete(settings, Draft())
        assert (answer.text, answer.finish_reason, said) == (text, "stop", [])

        provider.calls.clear()
        provider.reply = lambda call: Reply(rest_of(text, call)[:900], finish_reason="length")
        answer, _ = await complete(settings, Draft())
        assert (answer.finish_reason, len(provider.calls)) == ("length", 4)
        assert text.startswith(answer.text.rstrip())

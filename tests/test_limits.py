"""Limits of an answer: calls side by side stay below the ceiling together, and a section has a length."""

import asyncio
import sys
from dataclasses import replace

import pytest

from models import LLMCallInput
from research.formatting import json_bytes
from research.llm import client as llm
from research.llm.draft import Draft
from research.llm.limits import CostCeiling, max_material_bytes
from testing.pages import Pages
from testing.provider import Call, Provider, Reply, rest_of
from testing.texts import LANGUAGES, templated
from tests.conftest import remarks_of
from tests.test_model_call import WORDS, configured

CEILING = 0.02
CALLS = 8


def obedient(call: Call) -> Reply:
    """A model that stops after so many tokens, a word each, as the request says."""
    text, most = rest_of(WORDS, call), call.body.get("max_tokens")
    words = text.split(" ")
    if most is None or len(words) <= most:
        return Reply(text)
    return Reply(" ".join(words[:most]), finish_reason="length")


@pytest.mark.parametrize("streams", [16, 0], ids=["streamed", "whole"])
async def test_calls_side_by_side_keep_the_ceiling_together(provider: Provider, streams: int) -> None:
    """Each may use its part of what the others have left, and says where it had to end."""
    provider.reply = obedient
    settings = configured("openai/gpt-4o", provider, max_cost=CEILING, max_streams=streams)
    call = LLMCallInput("", spent=0.004, share=CALLS)
    answers = await asyncio.gather(
        *[
            llm.complete(replace(call, prompt=f"Section {number}"), settings, Draft())
            for number in range(CALLS)
        ]
    )
    assert {answer.finish_reason for answer in answers} == {"cost"}
    assert all(answer.text and WORDS.startswith(answer.text.strip()) for answer in answers)
    costs = [answer.cost or 0.0 for answer in answers]
    assert 0.004 + sum(costs) <= CEILING
    assert 0.004 + sum(costs) > CEILING * 0.9, "what the ceiling leaves is used"
    assert "LLM_MAX_COST ($0.02)" in remarks_of(answers[0])[0]


async def test_a_share_that_is_large_enough_bounds_nothing(provider: Provider) -> None:
    """No limit is sent where the model's own is lower, because a provider refuses one that is higher."""
    provider.reply = obedient
    settings = configured("openai/gpt-4o", provider, max_cost=10.0)
    answer = await llm.complete(LLMCallInput("A topic", share=CALLS), settings)
    assert (answer.text, answer.finish_reason) == (WORDS, "stop")
    assert "max_tokens" not in provider.calls[0].body


async def test_a_share_that_pays_for_nothing_sends_nothing(provider: Provider) -> None:
    settings = configured("openai/gpt-4o", provider, max_cost=0.001)
    with pytest.raises(CostCeiling, match=r"one of 20 texts may use its part of the rest"):
        await llm.complete(LLMCallInput("A topic", spent=0.0005, share=20), settings)
    assert provider.calls == []


@pytest.mark.parametrize("streams", [16, 0], ids=["streamed", "whole"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_answer_has_at_most_its_bytes(provider: Provider, language: str, streams: int) -> None:
    """In the JSON that is stored, in which a Chinese character has six of them."""
    assert language in LANGUAGES
    text = templated(seed=3, length=20_000, language=language)
    provider.reply = lambda call: Reply(text, chunk_characters=400)
    settings = configured("openai/gpt-4o", provider, max_streams=streams)
    answer = await llm.complete(LLMCallInput("A topic", max_bytes=9_000), settings)
    assert answer.finish_reason == "too_long"
    assert text.startswith(answer.text)
    assert 9_000 - 12 <= json_bytes(answer.text) <= 9_000


async def test_reasoning_is_not_counted(provider: Provider) -> None:
    """A model that thinks for longer than it writes gives its whole answer."""
    thoughts = f"<think>\n{'I count. ' * 2_000}\n</think>\n\n"
    provider.reply = lambda call: Reply(thoughts + WORDS, chunk_characters=100)
    settings = configured("openai/gpt-4o", provider)
    answer = await llm.complete(LLMCallInput("A topic", max_bytes=6_000), settings)
    assert (answer.text, answer.finish_reason) == (WORDS, "stop")
    answer = await llm.complete(LLMCallInput("A topic", max_bytes=300), replace(settings, max_streams=0))
    assert answer.finish_reason == "too_long"
    assert len(answer.text) > 280
    assert WORDS.startswith(answer.text.strip())


def test_no_ollama_is_asked_for_what_a_prompt_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """As litellm would, and block; of other models it knows the context."""
    with Pages() as ollama:
        monkeypatch.setenv("OLLAMA_API_BASE", ollama.address().rstrip("/"))
        assert max_material_bytes("ollama/llama3.2") == max_material_bytes("ollama_chat/x") == sys.maxsize
        assert ollama.accepted == 0
    assert max_material_bytes("openai/gpt-4") == 8_192 // 2 * 3
    assert max_material_bytes("nobody/nothing") == sys.maxsize

"""Prompts that are too long for the model: they get shorter or it ends; a strange count proves nothing."""

from collections.abc import Iterator

import pytest

from models import LLMCallInput, Source, StepKind
from research.llm import client as llm
from research.llm.draft import Draft
from research.llm.errors import PromptTooLong
from research.llm.prompts import research_prompt, summary_prompt
from testing.asked import call_for
from testing.dialects import MultiProtocolProvider
from testing.provider import Call, Provider, Reply
from tests.test_model_call import configured

RESEARCH = "## Part\n\nThe pump is checked, and then it is checked again by the other one.\n\n" * 400
SOURCES = [Source(n, f"https://example.org/{n}", f"Title {n}", snippet="word " * 200) for n in range(1, 9)]
SUMMARY = call_for(summary_prompt(RESEARCH), StepKind.SUMMARY)
CONTEXT = 2_048
"""Tokens that Ollama reads of a prompt by default."""


@pytest.fixture
def ollama() -> Iterator[MultiProtocolProvider]:
    with MultiProtocolProvider() as provider:
        yield provider


@pytest.mark.parametrize(
    "call",
    [
        SUMMARY,
        call_for(research_prompt("What is a pump? " * 3_000, SOURCES), StepKind.RESEARCH),
        call_for(research_prompt("What is it?", SOURCES), StepKind.RESEARCH),
    ],
    ids=["summary", "sources below a long topic", "sources"],
)
@pytest.mark.parametrize("error", ["context_length_exceeded", "prompt of 5000 tokens, context of 4096"])
async def test_a_prompt_gets_shorter_or_it_ends(provider: Provider, call: LLMCallInput, error: str) -> None:
    """Against a model for which everything is too long: no prompt is sent twice."""
    provider.reply = lambda call: Reply(status=400, error={"message": error, "code": error[:23]})
    with pytest.raises(PromptTooLong):
        await llm.complete(call, configured("openai/gpt-4o", provider), Draft())
    lengths = [len(call.prompt) for call in provider.calls]
    assert lengths == sorted(set(lengths), reverse=True)
    assert 1 <= len(lengths) <= 8


@pytest.mark.parametrize("model", ["openai/gpt-4o", "hosted_vllm/own"])
async def test_a_gateway_that_counts_wrong_cuts_nothing(provider: Provider, model: str) -> None:
    """One that always reports 20 tokens is asked once, and the page says nothing."""
    provider.reply = lambda call: Reply("A summary.", usage=(20, 5))
    answer = await llm.complete(SUMMARY, configured(model, provider), Draft())
    assert (answer.prompt_cut, answer.prompt_shortened, answer.remarks) == (False, False, ())
    assert len(provider.calls) == 1


@pytest.mark.parametrize("counted", [0, 20, 900])
async def test_an_ollama_that_counts_something_else_cuts_nothing(
    ollama: MultiProtocolProvider, counted: int
) -> None:
    """Of a prompt that it knows from before, it counts the new part only."""
    ollama.reply = lambda call: Reply("A summary.", usage=(counted, 5))
    settings = configured("ollama/llama3.2", ollama, api_base=ollama.root)
    answer = await llm.complete(SUMMARY, settings, Draft())
    assert (answer.prompt_cut, answer.prompt_shortened, len(ollama.calls)) == (False, False, 1)


@pytest.mark.parametrize("fits_then", [True, False])
async def test_an_ollama_that_has_cut_the_prompt_is_asked_once_more(
    ollama: MultiProtocolProvider, fits_then: bool
) -> None:
    """With as much as it reads, and with the instruction at its end, which was cut off first."""

    def reply(call: Call) -> Reply:
        tokens = len(call.prompt.split())
        return Reply("A summary.", usage=(min(tokens, CONTEXT) if fits_then else max(1_000, tokens // 3), 5))

    ollama.reply = reply
    settings = configured("ollama/llama3.2", ollama, api_base=ollama.root)
    answer = await llm.complete(SUMMARY, settings, Draft())
    assert len(ollama.calls) == 2
    first, second = (call.prompt for call in ollama.calls)
    assert len(second.split()) < CONTEXT < len(first.split())
    assert second.count("executive summary") == 2
    assert answer.prompt_shortened
    assert answer.prompt_cut is not fits_then

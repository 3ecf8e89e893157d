"""Four of litellm's providers, each in its own protocol: a report completes, faults are sorted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import LLMCallInput
from research.errors import ErrorKind
from research.llm import client as llm
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from testing.dialects import MultiProtocolProvider
from testing.inside import Inside
from testing.provider import Reply, default_reply
from tests.conftest import KEY, pdf_text
from tests.test_model_call import configured

ROUTES = [
    ("openai/gpt-4o", "/v1"),
    ("anthropic/claude-sonnet-4-5", ""),
    ("gemini/gemini-2.5-flash", ""),
    ("ollama/llama3.2", ""),
]


@pytest.fixture
def provider() -> Iterator[MultiProtocolProvider]:
    polyglot = MultiProtocolProvider()
    with polyglot:
        yield polyglot


@pytest.mark.parametrize(("model", "path"), ROUTES)
async def test_a_report_by_this_provider(
    inside: Inside, provider: MultiProtocolProvider, model: str, path: str
) -> None:
    async with inside.worker(LLM_MODEL=model, LLM_API_BASE=provider.root + path):
        output = await inside.report("A topic")
    assert (provider.research_calls, provider.summary_calls) == (1, 1)
    assert KEY in json.dumps(provider.calls[0].headers)
    assert "Every finished step is recorded" in " ".join(pdf_text(Path(output.path)).split())
    tokens = output.bill.input_tokens, output.bill.output_tokens
    assert tokens == (14, 18) or model.startswith("openai")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.NEEDS_ACTION),
        (429, ErrorKind.TRANSIENT),
        (503, ErrorKind.TRANSIENT),
        (400, ErrorKind.PERMANENT),
    ],
)
@pytest.mark.parametrize(("model", "path"), ROUTES)
async def test_this_providers_faults(
    provider: MultiProtocolProvider, model: str, path: str, status: int, kind: ErrorKind
) -> None:
    """Sorted rightly, after one request, with the provider's own words and nothing of litellm's."""
    provider.reply = lambda call: Reply(status=status, error={"message": "so it is"})
    settings = configured(model, provider, api_base=provider.root + path)
    with pytest.raises(ProviderError) as raised:
        await llm.complete(LLMCallInput("A topic"), settings)
    assert (raised.value.kind, len(provider.calls)) == (kind, 1)
    if kind is not ErrorKind.NEEDS_ACTION:
        assert raised.value.message.endswith(": so it is"), raised.value.message


@pytest.mark.parametrize(("model", "path"), ROUTES[1:3])
async def test_prefill_is_used_where_the_model_takes_it(
    provider: MultiProtocolProvider, model: str, path: str
) -> None:
    """Claude goes on from its own words; another model is asked to, in a further turn."""
    provider.reply = default_reply
    settings = configured(model, provider, api_base=provider.root + path)
    begun = "## Durable execution\n\nEvery finished step is recorded by a"
    await llm.complete(LLMCallInput("A topic"), settings, Draft(text=begun, requests=1))
    last = provider.calls[0].messages[-1]
    assert last["role"] == ("assistant" if model.startswith("anthropic") else "user")

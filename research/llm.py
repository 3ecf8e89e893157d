"""One prompt in, the model's text and its bill out, by litellm. Knows nothing of Temporal.

Importing litellm takes seconds, so it happens when a model is first needed, in a thread,
while the event loop goes on.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from models import LLMCallOutput
from research.errors import Fixable
from research.settings import SAMPLE_MODEL, Settings

SILENCE_SECONDS = 120.0
"""How long a model may say nothing, before its first word or between two."""

_loading = threading.Lock()


class LLMError(Exception):
    """The provider did not give an answer; the message is one line."""


def load() -> Any:
    """litellm, imported once and set up; blocks for seconds the first time."""
    with _loading:
        return _load()


@cache
def _load() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it fetches a price list at import
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # or it reads .env once more, by its own rules
    import litellm

    from research.sample import SampleModel

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = True
    litellm.custom_provider_map = [{"provider": "sample", "custom_handler": SampleModel()}]
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


def check(settings: Settings) -> None:
    """Whether a call with these settings can be made at all. Nothing is sent.

    Raises:
        Fixable: litellm does not know the provider, or the key it needs is missing.
    """
    litellm = load()
    try:
        _, provider, _, _ = litellm.get_llm_provider(settings.model, api_base=settings.api_base)
    except litellm.exceptions.BadRequestError:
        raise Fixable(
            f"LLM_MODEL={settings.model} names no provider that litellm knows: write it as"
            " provider/model, such as openai/gpt-4o, anthropic/claude-sonnet-4-5 or ollama/llama3.2."
        ) from None
    if settings.api_key or settings.api_base:
        return
    missing = litellm.validate_environment(settings.model)["missing_keys"]
    if missing:
        raise Fixable(
            f"LLM_MODEL={settings.model} needs a key: set LLM_API_KEY or {' and '.join(missing)}"
            f" in .env or the environment, or LLM_MODEL={SAMPLE_MODEL} to do without one."
        )
    del provider


async def complete(
    prompt: str, settings: Settings, on_text: Callable[[str], None] = lambda text: None
) -> LLMCallOutput:
    """The model's answer, streamed; `on_text` is called with each piece as it arrives.

    Raises:
        LLMError: anything else than a whole answer.
    """
    litellm = await asyncio.to_thread(load)
    text: list[str] = []
    finish_reason = ""
    usage: Any = None
    try:
        stream = await litellm.acompletion(
            model=settings.model,
            messages=[{"role": "user", "content": prompt}],
            api_key=settings.api_key or ("none" if settings.api_base else None),
            api_base=settings.api_base,
            stream=True,
            stream_options={"include_usage": True},
            timeout=SILENCE_SECONDS,
            # Retries are Temporal's, where they are seen, counted and outlive this process.
            num_retries=0,
            max_retries=0,
        )
        async for chunk in stream:
            usage = getattr(chunk, "usage", None) or usage
            for choice in chunk.choices[:1]:
                finish_reason = choice.finish_reason or finish_reason
                if choice.delta.content:
                    text.append(choice.delta.content)
                    on_text(choice.delta.content)
    except litellm.exceptions.OpenAIError as error:
        raise LLMError(one_line(error)) from None
    if not finish_reason:
        raise LLMError("the provider's stream ended in the middle of the answer")
    if not "".join(text).strip():
        raise LLMError("the model gave an empty answer")
    input_tokens = getattr(usage, "prompt_tokens", None)
    output_tokens = getattr(usage, "completion_tokens", None)
    return LLMCallOutput(
        text="".join(text),
        model=settings.model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost=_cost(litellm, settings.model, input_tokens, output_tokens),
        finish_reason=finish_reason,
    )


def one_line(error: BaseException, limit: int = 300) -> str:
    """An error's message in one line of bounded length."""
    return " ".join(str(error).split())[:limit] or type(error).__name__


def _cost(litellm: Any, model: str, input_tokens: int | None, output_tokens: int | None) -> float | None:
    if input_tokens is None or output_tokens is None:
        return None
    try:
        prices = litellm.cost_per_token(model, input_tokens, output_tokens)
    except Exception:  # litellm raises a bare Exception for a model that it has no price for
        return None
    return float(sum(prices))

"""litellm, imported once and set up. Importing it takes seconds, so it is done in a thread, when needed."""

import gc
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from research.config import SAMPLE_MODEL, Settings
from research.errors import UserError
from research.llm import wire
from research.llm.usage import is_ollama, price

STREAM_IDLE_SECONDS = 120.0
"""How long a model may send nothing, before its first word or between two."""
WHOLE_ANSWER_SECONDS = 900.0
"""How long an answer that is not streamed may take."""

_loading = threading.Lock()


def load() -> Any:
    """Return litellm, imported once and set up; the first time takes seconds."""
    with _loading:
        return _load()


@cache
def _load() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it fetches a price list at import
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # or it reads .env once more, by its own rules
    # Because LLM_MAX_CALLS bounds the calls; in litellm they would wait unseen, after 500 to one host.
    os.environ["AIOHTTP_CONNECTOR_LIMIT"] = os.environ["AIOHTTP_CONNECTOR_LIMIT_PER_HOST"] = "10000"
    gc.disable()  # because the collector takes a fifth of the import, and finds nothing
    try:
        import litellm
        import openai.resources  # noqa: F401

        from research.sample.model import SampleModel

        litellm.token_counter(text="")  # or the first call would load what this and the import above load
    finally:
        gc.enable()
    gc.freeze()

    wire.install()
    litellm.disable_hf_tokenizer_download = True  # or it fetches a tokenizer where a name has "llama" in it
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.custom_provider_map = [{"provider": "sample", "custom_handler": SampleModel()}]
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    return litellm


async def send(
    messages: Sequence[Mapping[str, Any]],
    settings: Settings,
    streams: bool,
    max_tokens: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Any:
    """Send one request, with `fields` added to its body as they are; return litellm's stream or answer."""
    model = settings.model
    if is_ollama(model):  # because the route "ollama/" says "stop" even where the length limit has cut
        model = f"ollama_chat/{model.partition('/')[2]}"
    return await load().acompletion(
        model=model,
        messages=list(messages),
        api_key=settings.api_key or ("none" if settings.api_base else None),
        api_base=settings.api_base,
        stream=streams,
        max_tokens=max_tokens,
        stream_options={"include_usage": True} if streams else None,
        timeout=STREAM_IDLE_SECONDS if streams else WHOLE_ANSWER_SECONDS,
        # Because retries are Temporal's, where they are seen, counted and outlive this process.
        num_retries=0,
        max_retries=0,
        **({"extra_body": dict(fields)} if fields else {}),
    )


def provider_of(settings: Settings) -> str:
    """Return litellm's name of the model's provider, such as "openai"; empty where it knows none."""
    if is_ollama(settings.model):
        return "ollama"
    try:
        return str(load().get_llm_provider(settings.model, api_base=settings.api_base)[1])
    except Exception:  # because litellm raises what it likes for a model that it does not know
        return ""


def model_info(model: str) -> Mapping[str, Any]:
    """Return what litellm's list says of a model; nothing of one that it does not know, and of Ollama's.

    For those litellm would ask the Ollama of this machine, and block.
    """
    if is_ollama(model):
        return {}
    try:
        return dict(load().get_model_info(model))
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return {}


def can_stream(settings: Settings) -> bool:
    """Return whether litellm can read the provider's streams: Cohere's break off at their first event."""
    return not provider_of(settings).startswith("cohere")


def check(settings: Settings) -> None:
    """Check that calls can be made with these settings, for writing and for reading; nothing is sent.

    Raises:
        UserError: litellm does not know the provider, its key is missing, or LLM_MAX_COST is set for a
            model that has no price.
    """
    _check(settings, "LLM_MODEL")
    if settings.reader_model != settings.model:
        _check(settings.for_reading(), "LLM_READER_MODEL")


def _check(settings: Settings, name: str) -> None:
    litellm = load()
    try:
        litellm.get_llm_provider(settings.model, api_base=settings.api_base)
    except litellm.exceptions.BadRequestError:
        raise UserError(
            f"{name}={settings.model} names no provider that litellm knows: write it as"
            " provider/model, such as openai/gpt-4o, anthropic/claude-sonnet-4-5 or ollama/llama3.2."
        ) from None
    if settings.max_cost is not None and price(settings.model, 1, 1) is None:
        raise UserError(
            f"LLM_MAX_COST cannot be kept: there is no price for {name}={settings.model}. To fix: unset"
            " LLM_MAX_COST, or choose a model with a price."
        )
    if settings.api_key or settings.api_base:
        return
    missing = litellm.validate_environment(settings.model)["missing_keys"]
    if missing:
        keys = " and ".join(missing)
        if name == "LLM_MODEL":
            keys = f"LLM_API_KEY or {keys}"
        raise UserError(
            f"{name}={settings.model} needs a key: set {keys} in .env or the environment, or"
            f" {name}={SAMPLE_MODEL} to do without one."
        )

"""One prompt in, the model's text and its bill out, streamed by litellm. Knows nothing of Temporal.

What was written so far is in a `Draft`. Whoever keeps a copy of it can go on from there after a
crash, in another process, without buying the text again.

Importing litellm takes seconds, so it happens when a model is first needed, in a thread,
while the event loop goes on.
"""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from models import LLMCallOutput
from research.config import SAMPLE_MODEL, Settings
from research.errors import UserError
from research.llm import continuation, errors
from research.llm.errors import ErrorKind, PromptTooLong, ProviderError

STREAM_IDLE_SECONDS = 120.0
"""How long a model may say nothing, before its first word or between two."""
WHOLE_ANSWER_SECONDS = 900.0
"""How long an answer that is not streamed may take."""
MAX_CONTINUATIONS = 4
"""How often an answer is continued that the model's own length limit has cut."""
MAX_EMPTY_ANSWERS = 5
"""Empty answers after which it is pointless to ask again."""
MIN_PROMPT_CHARACTERS = 1_000
"""Characters below which a prompt is not shortened any more."""
MAX_ANSWER_BYTES = 900_000
"""Bytes of an answer as JSON, well under the 2 MB that Temporal takes."""

_loading = threading.Lock()
_streaming = 0


@dataclass
class Draft:
    """What a model has written so far, and what that took: enough for another process to go on."""

    text: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    """Both over all requests; those of a request that was broken off are estimates."""
    requests: int = 0
    seconds: float = 0.0
    resumed_at: int | None = None
    """The character at which another attempt went on, the last time."""
    kept_tokens: int = 0
    """What a resumption did not have to buy again."""
    faults: int = 0
    """Attempts that failed at the provider, as against those that a dead worker left."""
    empty_answers: int = 0
    replaced: bool = False
    """Whether the model began its answer again, and the new one took the place of the first."""
    doubled: bool = False
    """Whether it did so, and the new one stands behind the first, because it was shorter."""


class CostCeiling(ProviderError):
    """LLM_MAX_COST is reached before the call."""


def load() -> Any:
    """litellm, imported once and set up; blocks for seconds the first time."""
    with _loading:
        return _load()


@cache
def _load() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it fetches a price list at import
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # or it reads .env once more, by its own rules
    # What bounds the calls is LLM_MAX_CALLS; here they would wait unseen, after 500 to one host.
    os.environ["AIOHTTP_CONNECTOR_LIMIT"] = os.environ["AIOHTTP_CONNECTOR_LIMIT_PER_HOST"] = "10000"
    import litellm
    import openai.resources  # noqa: F401

    from research.llm.sample import SampleModel

    litellm.token_counter(text="")  # this and the import above would else be the first call's to load

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.custom_provider_map = [{"provider": "sample", "custom_handler": SampleModel()}]
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    return litellm


def check(settings: Settings) -> None:
    """Whether a call with these settings can be made at all. Nothing is sent.

    Raises:
        Fixable: litellm does not know the provider, or the key it needs is missing.
    """
    litellm = load()
    try:
        litellm.get_llm_provider(settings.model, api_base=settings.api_base)
    except litellm.exceptions.BadRequestError:
        raise UserError(
            f"LLM_MODEL={settings.model} names no provider that litellm knows: write it as"
            " provider/model, such as openai/gpt-4o, anthropic/claude-sonnet-4-5 or ollama/llama3.2."
        ) from None
    if settings.api_key or settings.api_base:
        return
    missing = litellm.validate_environment(settings.model)["missing_keys"]
    if missing:
        raise UserError(
            f"LLM_MODEL={settings.model} needs a key: set LLM_API_KEY or {' and '.join(missing)}"
            f" in .env or the environment, or LLM_MODEL={SAMPLE_MODEL} to do without one."
        )


async def complete(
    prompt: str, settings: Settings, draft: Draft | None = None, spent: float = 0.0
) -> LLMCallOutput:
    """The model's whole answer; it grows in `draft`, and goes on from what stands there.

    `spent` is what the report has cost so far, in dollars, for the ceiling LLM_MAX_COST.

    Raises:
        Fault: no whole answer; its kind says what that means.
    """
    litellm = await asyncio.to_thread(load)
    draft = draft or Draft()
    draft.model = settings.model
    _prepare_resume(draft)
    finish_reason = "length"
    for part in range(MAX_CONTINUATIONS):
        if part:  # the last word before a length limit may be half a word
            draft.text = continuation.trim_partial_word(draft.text) or draft.text
        _check_ceiling(litellm, settings, draft, spent)
        started = time.monotonic()
        try:
            finish_reason = await _ask(litellm, prompt, settings, draft)
        except ProviderError:
            raise
        except Exception as error:
            fault = errors.classify(error, settings)
            if fault.kind is ErrorKind.INTERNAL:
                raise  # a bug keeps its traceback
            raise fault from None
        finally:
            draft.seconds += time.monotonic() - started
        if finish_reason != "length":
            break
    return LLMCallOutput(
        text=draft.text,
        model=settings.model,
        input_tokens=draft.input_tokens,
        output_tokens=draft.output_tokens,
        cost=_cost(litellm, settings.model, draft.input_tokens, draft.output_tokens),
        finish_reason=finish_reason,
        seconds=round(draft.seconds, 2),
        requests=draft.requests,
        resumed_at=draft.resumed_at,
        kept_tokens=draft.kept_tokens,
        kept_cost=_cost(litellm, settings.model, 0, draft.kept_tokens),
        replaced=draft.replaced,
        doubled=draft.doubled,
    )


async def complete_shortening(
    prompt: str, settings: Settings, draft: Draft, spent: float = 0.0
) -> LLMCallOutput:
    """The same; a prompt that is too long for the model loses its second half until it fits."""
    shorter = prompt
    while True:
        try:
            answer = await complete(shorter, settings, draft, spent)
            return replace(answer, prompt_shortened=shorter != prompt)
        except PromptTooLong:
            if len(shorter) < MIN_PROMPT_CHARACTERS:
                raise
            shorter = continuation.first_half(shorter)


def _prepare_resume(draft: Draft) -> None:
    """Prepare what another attempt has left for going on from it."""
    if draft.text and len(draft.text) != draft.resumed_at:  # the same place is as good again
        draft.text = continuation.trim_partial_word(draft.text)
        draft.resumed_at = len(draft.text) or None
        draft.kept_tokens = len(draft.text) // 4


async def _ask(litellm: Any, prompt: str, settings: Settings, draft: Draft) -> str:
    """One request, its text put to the draft's end; the reason why it stopped."""
    input_before, output_before = draft.input_tokens, draft.output_tokens
    draft.requests += 1
    draft.input_tokens += (len(prompt) + len(draft.text)) // 4  # exact when the usage comes
    prefill = _takes_prefill(litellm, settings.model)
    joiner = continuation.ContinuationJoiner(draft.text, prefill=prefill)
    with _stream_slot(settings.max_streams) as streams:
        answer = await _request(litellm, prompt, settings, draft.text, streams)
        end = await (_read_stream if streams else _read_whole)(answer, draft, joiner)
    draft.text = joiner.end(is_whole=bool(end.finish_reason))
    draft.replaced |= joiner.replaced
    draft.doubled |= joiner.doubled
    if joiner.restarted:
        draft.resumed_at, draft.kept_tokens = None, 0
    if end.usage is not None and end.usage.prompt_tokens:
        draft.input_tokens = input_before + end.usage.prompt_tokens
        draft.output_tokens = output_before + end.usage.completion_tokens
    return _validate_answer(draft, end.finish_reason, end.refusal, joiner.is_empty)


@contextmanager
def _stream_slot(most: int) -> Iterator[bool]:
    """Whether this call may stream: to read every stream there is would be more than a process can."""
    global _streaming
    free = _streaming < most
    _streaming += free
    try:
        yield free
    finally:
        _streaming -= free


@dataclass
class _End:
    """What comes with an answer beside its text."""

    finish_reason: str = ""
    refusal: str = ""
    usage: Any = None


async def _read_stream(stream: Any, draft: Draft, joiner: continuation.ContinuationJoiner) -> _End:
    end = _End()
    async for chunk in stream:
        end.usage = getattr(chunk, "usage", None) or end.usage
        for choice in chunk.choices[:1]:
            end.refusal += getattr(choice.delta, "refusal", None) or ""
            if choice.delta.content:
                draft.output_tokens += 1
                draft.text = joiner.add(choice.delta.content)
        # After its end and its usage litellm only accounts for the stream, to those who log with it.
        if (end.usage and stream.received_finish_reason) or len(draft.text) > MAX_ANSWER_BYTES:
            break
        await asyncio.sleep(0)  # a full socket must not keep the loop from the heartbeats
    # The chunks cannot be asked: where a stream breaks off, litellm makes up a "stop".
    end.finish_reason = stream.received_finish_reason or stream.intermittent_finish_reason or ""
    return end


async def _read_whole(answer: Any, draft: Draft, joiner: continuation.ContinuationJoiner) -> _End:
    if not answer.choices:
        raise ProviderError(ErrorKind.TRANSIENT, "the provider's answer holds no text")
    choice = answer.choices[0]
    draft.text = joiner.add(choice.message.content or "")
    refusal = getattr(choice.message, "refusal", None) or ""
    return _End(choice.finish_reason or "", refusal, getattr(answer, "usage", None))


async def _request(litellm: Any, prompt: str, settings: Settings, text: str, streams: bool) -> Any:
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    if text:
        partial = {"role": "assistant", "content": text.rstrip()}
        if _takes_prefill(litellm, settings.model):
            messages.append({**partial, "prefix": True})
        else:
            messages += [partial, {"role": "user", "content": continuation.CONTINUE_PROMPT}]
    return await litellm.acompletion(
        model=settings.model,
        messages=messages,
        api_key=settings.api_key or ("none" if settings.api_base else None),
        api_base=settings.api_base,
        stream=streams,
        stream_options={"include_usage": True} if streams else None,
        timeout=STREAM_IDLE_SECONDS if streams else WHOLE_ANSWER_SECONDS,
        # Retries are Temporal's, where they are seen, counted and outlive this process.
        num_retries=0,
        max_retries=0,
    )


def _validate_answer(draft: Draft, finish_reason: str, refusal: str, is_empty: bool) -> str:
    """The reason why the stream stopped, when what it brought is an answer."""
    if refusal:
        raise ProviderError(ErrorKind.PERMANENT, f"the model refuses: {errors.to_one_line(refusal)}")
    if finish_reason == "content_filter":
        raise ProviderError(
            ErrorKind.PERMANENT, "the provider's content filter stopped the answer: change the topic"
        )
    if _size(draft.text) > MAX_ANSWER_BYTES:
        draft.text = _shortened(draft.text)
        return "too_long"
    if not finish_reason:
        raise ProviderError(
            ErrorKind.TRANSIENT, "the provider's stream broke off before the end of the answer"
        )
    if is_empty:
        draft.empty_answers += 1
        if draft.empty_answers < MAX_EMPTY_ANSWERS:
            raise ProviderError(ErrorKind.TRANSIENT, "the model gave an empty answer")
        if not draft.text.strip():
            raise ProviderError(ErrorKind.PERMANENT, "the model gave nothing but empty answers")
        return "empty"
    return finish_reason


def _check_ceiling(litellm: Any, settings: Settings, draft: Draft, spent: float) -> None:
    if settings.max_cost is None:
        return
    own = _cost(litellm, settings.model, draft.input_tokens, draft.output_tokens) or 0.0
    if spent + own >= settings.max_cost:
        raise CostCeiling(
            ErrorKind.PERMANENT,
            f"the report has cost ${spent + own:.4f}, and LLM_MAX_COST is ${settings.max_cost:g}",
        )


def _takes_prefill(litellm: Any, model: str) -> bool:
    try:
        return bool(litellm.get_model_info(model).get("supports_assistant_prefill"))
    except Exception:  # litellm raises a bare Exception for a model that it does not know
        return False


def _cost(litellm: Any, model: str, input_tokens: int, output_tokens: int) -> float | None:
    if model == SAMPLE_MODEL:
        return 0.0
    try:
        prices = litellm.cost_per_token(model, input_tokens, output_tokens)
    except Exception:  # likewise for a model that it has no price for
        return None
    return round(float(sum(prices)), 9)


def _size(text: str) -> int:
    """Bytes of the text as the JSON that Temporal stores; counted only where it can matter."""
    return len(json.dumps(text)) if len(text) * 12 > MAX_ANSWER_BYTES else len(text)


def _shortened(text: str) -> str:
    while _size(text) > MAX_ANSWER_BYTES:
        text = text[: len(text) * 9 // 10]
    return text

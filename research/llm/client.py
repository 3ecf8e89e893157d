"""One prompt in, the model's text and its usage out, streamed by litellm. Knows nothing of Temporal.

The text so far is in a `Draft`. Whoever keeps a copy of it can resume from there after a crash, in
another process, without paying for the text again.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from models import LLMCallOutput
from research.config import Settings
from research.formatting import truncate_json
from research.llm import answer, continuation, errors, outcome, prompts, stream
from research.llm.draft import Draft
from research.llm.errors import ErrorKind, PromptTooLong, ProviderError
from research.llm.library import load
from research.llm.limits import NO_LIMITS, CostCeiling, Limits
from research.llm.usage import estimate_tokens, is_ollama, price

STREAM_IDLE_SECONDS = 120.0
"""How long a model may send nothing, before its first word or between two."""
WHOLE_ANSWER_SECONDS = 900.0
"""How long an answer that is not streamed may take."""
MAX_CONTINUATIONS = 4
"""Requests for one answer that the model's own length limit cuts."""
MIN_PROMPT_CHARACTERS = 1_000
"""A shorter prompt is not shortened any more."""
MIN_CONTEXT_TOKENS = 1_000
"""No provider cuts a prompt to less."""
PROMPT_CUT_RATIO = 0.8
"""Tokens read, against the least that the prompt can have, below which the provider has cut the prompt."""


async def complete(
    prompt: str, settings: Settings, draft: Draft | None = None, limits: Limits = NO_LIMITS
) -> LLMCallOutput:
    """Return the model's whole answer; it grows in `draft`, and resumes from the text that is there.

    Raises:
        ProviderError: no answer; its kind says what that means. The draft keeps what was written.
    """
    draft = draft or Draft()
    with _counting_faults(draft):
        try:
            return await _complete(prompt, settings, draft, limits)
        except PromptTooLong as fault:  # with what was written so far, where there is anything
            return _output(settings, draft, limits, "refused", outcome.kept_in_spite_of(fault, draft))


async def complete_shortening(
    prompt: str, settings: Settings, draft: Draft, limits: Limits = NO_LIMITS
) -> LLMCallOutput:
    """Return the same as `complete`; a prompt that is too long for the model is halved until it fits.

    A provider that cuts long prompts by itself gets the instruction once more, after the text.
    """
    with _counting_faults(draft):
        return await _complete_shortening(prompt, settings, draft, limits)


@contextmanager
def _counting_faults(draft: Draft) -> Iterator[None]:
    """Count a failure in the draft, so that it is not taken for an attempt that a dead worker has lost."""
    try:
        yield
    except Exception:
        draft.faults += 1
        raise


async def _complete(prompt: str, settings: Settings, draft: Draft, limits: Limits) -> LLMCallOutput:
    draft.model = settings.model
    await asyncio.to_thread(load)
    _prepare_resume(draft)
    reason = ""
    try:
        finish_reason = await _write(prompt, settings, draft, limits)
    except PromptTooLong:
        raise
    except ProviderError as fault:
        finish_reason, reason = "refused", outcome.kept_in_spite_of(fault, draft)
    return _output(settings, draft, limits, finish_reason, reason)


def _output(
    settings: Settings, draft: Draft, limits: Limits, finish_reason: str, reason: str
) -> LLMCallOutput:
    text = answer.clean(draft.text, finished=finish_reason == "stop")
    if not text.strip():  # nothing but reasoning
        draft.text = ""
        raise outcome.empty_answer(draft)
    return LLMCallOutput(
        text=truncate_json(text, limits.max_bytes),
        model=settings.model,
        input_tokens=draft.input_tokens,
        output_tokens=draft.output_tokens,
        cost=price(settings.model, draft.input_tokens, draft.output_tokens),
        finish_reason=finish_reason,
        seconds=round(draft.seconds, 2),
        requests=draft.requests,
        resumed_at=draft.resumed_at,
        kept_tokens=draft.kept_tokens,
        kept_cost=price(settings.model, 0, draft.kept_tokens),
        notes=outcome.notes(draft, finish_reason, settings, reason),
        prompt_cut=draft.prompt_cut,
    )


async def _complete_shortening(
    prompt: str, settings: Settings, draft: Draft, limits: Limits
) -> LLMCallOutput:
    length, shorter, output = len(prompt), prompt, None
    while True:
        try:
            output = await _complete(shorter, settings, draft, limits)
        except CostCeiling:
            if output is None:
                raise
            return output  # an answer to a part of the prompt is better than none
        except PromptTooLong:
            if length < MIN_PROMPT_CHARACTERS:
                raise
        else:
            if not output.prompt_cut or length < MIN_PROMPT_CHARACTERS:
                return replace(output, prompt_shortened=shorter != prompt)
            draft.text, draft.prompt_cut = "", False
        length //= 2
        shorter = prompts.shorten_prompt(prompt, length, repeat_instruction=output is not None)


def _prepare_resume(draft: Draft) -> None:
    """Trim the draft of an earlier attempt to where a continuation can begin."""
    if draft.text and len(draft.text) != draft.resumed_at:  # or it was trimmed there before
        draft.text = continuation.trim_partial_word(draft.text)
        draft.resumed_at = len(draft.text) or None
        draft.kept_tokens = estimate_tokens(draft.text)


async def _write(prompt: str, settings: Settings, draft: Draft, limits: Limits) -> str:
    """Send requests until the answer ends; return its finish reason."""
    for part in range(MAX_CONTINUATIONS):
        if part:  # because the last word before a length limit may be half a word
            draft.text = continuation.trim_partial_word(draft.text) or draft.text
        try:
            max_tokens = limits.max_tokens(prompt, settings, draft)
        except CostCeiling:
            if not draft.text.strip():
                raise
            return "cost"
        started = time.monotonic()
        try:
            finish_reason = await _send_request(prompt, settings, draft, limits.max_bytes, max_tokens)
        finally:
            draft.seconds += time.monotonic() - started
        if finish_reason != "length":
            return finish_reason
    return "length"


async def _send_request(
    prompt: str, settings: Settings, draft: Draft, max_bytes: int, max_tokens: int | None
) -> str:
    """Send one request and extend the draft by its answer; return the finish reason."""
    input_before, output_before = draft.input_tokens, draft.output_tokens
    draft.requests += 1
    draft.input_tokens += estimate_tokens(prompt + draft.text)  # until the usage comes
    least = stream.minimum_tokens(prompt) + stream.minimum_tokens(draft.text)
    prefill = _takes_prefill(settings.model)
    joiner = continuation.ContinuationJoiner(draft.text, prefill=prefill)
    accepted, started = False, time.monotonic()
    try:
        with stream.stream_slot(settings.max_streams) as streams:
            response = await _request(prompt, settings, draft.text, prefill, streams, max_tokens)
            accepted = True
            read = stream.read_stream if streams else stream.read_whole
            end = await read(response, draft, joiner, max_bytes)
    except Exception as error:
        fault = error if isinstance(error, ProviderError) else errors.classify(error, settings)
        idle = STREAM_IDLE_SECONDS if streams else WHOLE_ANSWER_SECONDS
        was_silent = time.monotonic() - started >= idle
        is_free = fault.is_free or not (accepted or was_silent)
        if is_free and draft.output_tokens == output_before:
            draft.input_tokens = input_before
        elif fault.kind in (ErrorKind.TRANSIENT, ErrorKind.INTERNAL) and outcome.is_worth_no_more(draft):
            return "unfinished"
        if fault.kind is ErrorKind.INTERNAL:
            raise  # because a bug keeps its traceback
        raise fault from None
    draft.text = joiner.end(is_whole=bool(end.finish_reason))
    draft.replaced |= joiner.replaced
    draft.doubled |= joiner.doubled
    if joiner.restarted:
        draft.resumed_at, draft.kept_tokens = None, 0
    if end.usage is not None and end.usage.prompt_tokens:
        draft.input_tokens = input_before + end.usage.prompt_tokens
        draft.output_tokens = output_before + end.usage.completion_tokens
        draft.prompt_cut |= least >= MIN_CONTEXT_TOKENS and end.usage.prompt_tokens < least * PROMPT_CUT_RATIO
    return outcome.validate_answer(draft, end, joiner.is_empty, max_bytes)


async def _request(
    prompt: str, settings: Settings, text: str, prefill: bool, streams: bool, max_tokens: int | None
) -> Any:
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    if text:
        partial = {"role": "assistant", "content": text.rstrip()}
        if prefill:
            messages.append({**partial, "prefix": True})
        else:
            messages += [partial, {"role": "user", "content": continuation.CONTINUE_PROMPT}]
    model = settings.model
    if is_ollama(model):  # because the route "ollama/" says "stop" even where the length limit has cut
        model = f"ollama_chat/{model.partition('/')[2]}"
    return await load().acompletion(
        model=model,
        messages=messages,
        api_key=settings.api_key or ("none" if settings.api_base else None),
        api_base=settings.api_base,
        stream=streams,
        max_tokens=max_tokens,
        stream_options={"include_usage": True} if streams else None,
        timeout=STREAM_IDLE_SECONDS if streams else WHOLE_ANSWER_SECONDS,
        # Because retries are Temporal's, where they are seen, counted and outlive this process.
        num_retries=0,
        max_retries=0,
    )


def _takes_prefill(model: str) -> bool:
    if is_ollama(model):  # because litellm would ask the Ollama of this machine, and block
        return False
    try:
        return bool(load().get_model_info(model).get("supports_assistant_prefill"))
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return False

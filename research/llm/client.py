"""One prompt in, the model's text and its usage out, streamed by litellm. Knows nothing of Temporal.

The text so far is in a `Draft`. Whoever keeps a copy of it can resume from there after a crash, in
another process, without paying for the text again.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any

from models import LLMCallOutput
from research.config import Settings
from research.llm import answer, continuation, errors, prompts, stream
from research.llm.draft import Draft
from research.llm.errors import ErrorKind, PromptTooLong, ProviderError
from research.llm.library import load
from research.llm.usage import price

STREAM_IDLE_SECONDS = 120.0
"""How long a model may send nothing, before its first word or between two."""
WHOLE_ANSWER_SECONDS = 900.0
"""How long an answer that is not streamed may take."""
MAX_CONTINUATIONS = 4
"""Requests for one answer that the model's own length limit cuts."""
MAX_EMPTY_ANSWERS = 5
MAX_FRUITLESS = 4
"""Paid requests without news after which the text is taken as it is."""
MIN_PROMPT_CHARACTERS = 1_000
"""A shorter prompt is not shortened any more."""
PROMPT_CUT_FACTOR = 4
"""A provider that read less than a quarter of the tokens that the prompt must have has cut the prompt."""


class CostCeiling(ProviderError):
    """LLM_MAX_COST is reached before anything was written."""


async def complete(
    prompt: str, settings: Settings, draft: Draft | None = None, spent: float = 0.0
) -> LLMCallOutput:
    """Return the model's whole answer; it grows in `draft`, and resumes from the text that is there.

    `spent` is what the report has cost so far, in US dollars, for the ceiling LLM_MAX_COST.

    Raises:
        ProviderError: no answer; its kind says what that means. The draft keeps what was written.
    """
    draft = draft or Draft()
    draft.model = settings.model
    await asyncio.to_thread(load)
    _prepare_resume(draft)
    try:
        finish_reason = await _write(prompt, settings, draft, spent)
        text = answer.clean(draft.text, finished=finish_reason == "stop")
        if not text.strip():  # nothing but reasoning
            draft.text = ""
            raise _empty_answer(draft)
    except Exception:
        draft.faults += 1
        raise
    return LLMCallOutput(
        text=text,
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
        notes=_notes(draft, finish_reason, settings),
        prompt_cut=draft.prompt_cut,
    )


async def complete_shortening(
    prompt: str, settings: Settings, draft: Draft, spent: float = 0.0
) -> LLMCallOutput:
    """Return the same as `complete`; a prompt that is too long for the model is halved until it fits.

    A provider that cuts long prompts by itself gets the instruction once more, after the text.
    """
    length, shorter, again = len(prompt), prompt, False
    while True:
        try:
            output = await complete(shorter, settings, draft, spent)
        except PromptTooLong:
            if length < MIN_PROMPT_CHARACTERS:
                raise
        else:
            if not output.prompt_cut or length < MIN_PROMPT_CHARACTERS:
                return replace(output, prompt_shortened=shorter != prompt)
            again, draft.text, draft.prompt_cut = True, "", False
        length //= 2
        shorter = prompts.shorten_prompt(prompt, length, repeat_instruction=again)


def _prepare_resume(draft: Draft) -> None:
    """Trim the draft of an earlier attempt to where a continuation can begin."""
    if draft.text and len(draft.text) != draft.resumed_at:  # or it was trimmed there before
        draft.text = continuation.trim_partial_word(draft.text)
        draft.resumed_at = len(draft.text) or None
        draft.kept_tokens = stream.estimate_tokens(draft.text)


async def _write(prompt: str, settings: Settings, draft: Draft, spent: float) -> str:
    """Send requests until the answer ends; return its finish reason."""
    for part in range(MAX_CONTINUATIONS):
        if part:  # because the last word before a length limit may be half a word
            draft.text = continuation.trim_partial_word(draft.text) or draft.text
        cost = spent + (price(settings.model, draft.input_tokens, draft.output_tokens) or 0.0)
        if settings.max_cost is not None and cost >= settings.max_cost:
            if draft.text.strip():
                return "cost"
            raise CostCeiling(
                ErrorKind.PERMANENT,
                f"the report has cost ${cost:.4f}, and LLM_MAX_COST is ${settings.max_cost:g}",
            )
        started = time.monotonic()
        try:
            finish_reason = await _send_request(prompt, settings, draft)
        finally:
            draft.seconds += time.monotonic() - started
        if finish_reason != "length":
            return finish_reason
    return "length"


async def _send_request(prompt: str, settings: Settings, draft: Draft) -> str:
    """Send one request and extend the draft by its answer; return the finish reason."""
    input_before, output_before, text_before = draft.input_tokens, draft.output_tokens, draft.text
    sent = stream.estimate_tokens(prompt + draft.text)
    draft.requests += 1
    draft.input_tokens += sent  # until the usage comes
    prefill = _takes_prefill(settings.model)
    joiner = continuation.ContinuationJoiner(draft.text, prefill=prefill)
    was_accepted = False
    try:
        with stream.stream_slot(settings.max_streams) as streams:
            response = await _request(prompt, settings, draft.text, prefill, streams)
            was_accepted = True
            read = stream.read_stream if streams else stream.read_whole
            end = await read(response, draft, joiner)
    except Exception as error:
        fault = error if isinstance(error, ProviderError) else errors.classify(error, settings)
        if fault.kind is ErrorKind.INTERNAL:
            raise  # because a bug keeps its traceback
        if fault.kind is ErrorKind.TRANSIENT and was_accepted and len(draft.text) <= len(text_before):
            return _give_up_waiting(draft, fault)
        raise fault from None
    draft.text = joiner.end(is_whole=bool(end.finish_reason))
    draft.replaced |= joiner.replaced
    draft.doubled |= joiner.doubled
    if joiner.restarted:
        draft.resumed_at, draft.kept_tokens = None, 0
    if end.usage is not None and end.usage.prompt_tokens:
        draft.input_tokens = input_before + end.usage.prompt_tokens
        draft.output_tokens = output_before + end.usage.completion_tokens
        long = sent > MIN_PROMPT_CHARACTERS
        draft.prompt_cut |= long and end.usage.prompt_tokens * PROMPT_CUT_FACTOR < sent
    return _validate_answer(draft, end, joiner.is_empty)


async def _request(prompt: str, settings: Settings, text: str, prefill: bool, streams: bool) -> Any:
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    if text:
        partial = {"role": "assistant", "content": text.rstrip()}
        if prefill:
            messages.append({**partial, "prefix": True})
        else:
            messages += [partial, {"role": "user", "content": continuation.CONTINUE_PROMPT}]
    model = settings.model
    if model.startswith("ollama/"):  # whose route says "stop" even where the length limit has cut
        model = f"ollama_chat/{model.removeprefix('ollama/')}"
    return await load().acompletion(
        model=model,
        messages=messages,
        api_key=settings.api_key or ("none" if settings.api_base else None),
        api_base=settings.api_base,
        stream=streams,
        stream_options={"include_usage": True} if streams else None,
        timeout=STREAM_IDLE_SECONDS if streams else WHOLE_ANSWER_SECONDS,
        # Because retries are Temporal's, where they are seen, counted and outlive this process.
        num_retries=0,
        max_retries=0,
    )


def _validate_answer(draft: Draft, end: stream.AnswerEnd, is_empty: bool) -> str:
    """Return the finish reason of what is an answer.

    Raises:
        ProviderError: it is none.
    """
    if end.refusal:
        raise ProviderError(ErrorKind.PERMANENT, f"the model refuses: {errors.to_one_line(end.refusal)}")
    if end.finish_reason == "content_filter":
        raise ProviderError(
            ErrorKind.PERMANENT, "the provider's content filter stopped the answer: change the topic"
        )
    if answer.json_bytes(draft.text) > stream.MAX_ANSWER_BYTES:
        draft.text = answer.truncate(draft.text, stream.MAX_ANSWER_BYTES)
        return "too_long"
    if not end.finish_reason:
        broken = "the provider's stream broke off before the end of the answer"
        return _give_up_waiting(draft, ProviderError(ErrorKind.TRANSIENT, broken))
    if is_empty:
        fault = _empty_answer(draft)
        if draft.empty_answers >= MAX_EMPTY_ANSWERS and draft.text.strip():
            return "empty"
        raise fault
    return end.finish_reason


def _give_up_waiting(draft: Draft, fault: ProviderError) -> str:
    """Count a paid request without news; after MAX_FRUITLESS of them return "unfinished".

    Raises:
        ProviderError: the fault, as long as it is worth another attempt.
    """
    draft.fruitless += 1
    if draft.fruitless < MAX_FRUITLESS:
        raise fault from None
    if draft.text.strip():
        return "unfinished"
    if draft.fruitless < 3 * MAX_FRUITLESS:
        raise fault from None
    raise ProviderError(
        ErrorKind.PERMANENT, f"the model began {draft.fruitless} answers and wrote nothing: {fault.message}"
    ) from None


def _empty_answer(draft: Draft) -> ProviderError:
    draft.empty_answers += 1
    if draft.empty_answers < MAX_EMPTY_ANSWERS:
        return ProviderError(ErrorKind.TRANSIENT, "the model gave an empty answer")
    return ProviderError(ErrorKind.PERMANENT, "the model gave nothing but empty answers")


def _notes(draft: Draft, finish_reason: str, settings: Settings) -> tuple[str, ...]:
    """Return what a reader must know about the text, as clauses whose subject is the text."""
    clauses = {
        f"ends where LLM_MAX_COST (${settings.max_cost or 0:g}) was reached; it is not complete": (
            finish_reason == "cost"
        ),
        "was begun again by the model; its second answer replaced the first, which was incomplete": (
            draft.replaced
        ),
        "was begun again by the model; the second, shorter answer stands behind the first": draft.doubled,
        "was written from a part of its prompt: the provider cut the rest off": draft.prompt_cut,
    }
    return tuple(clause for clause, applies in clauses.items() if applies)


def _takes_prefill(model: str) -> bool:
    try:
        return bool(load().get_model_info(model).get("supports_assistant_prefill"))
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return False

"""One prompt in, the model's text and its usage out, streamed by litellm. Knows nothing of Temporal.

The text so far is in a `Draft`. Whoever keeps a copy of it can resume from there after a crash, in
another process, without paying for the text again.
"""

import asyncio
import time
from dataclasses import replace

from models import LLMCallInput, LLMCallOutput
from research.config import Settings
from research.formatting import truncate_json
from research.llm import answer, outcome, prompts
from research.llm.draft import Draft
from research.llm.endings import Ending
from research.llm.errors import PromptTooLong, ProviderError
from research.llm.library import load
from research.llm.limits import CostCeiling, Limits
from research.llm.request import OnResume, Request
from research.llm.resume import Way
from research.llm.usage import price

MAX_CONTINUATIONS = {Ending.LENGTH.value: 3, Ending.UNKNOWN.value: 1}
"""Further requests for one answer that the model's own length limit has cut, or that ended with a reason
that nobody knows."""
MIN_MATERIAL_CHARACTERS = 500
"""Less material is not shortened any more."""
SHORTENING = 0.8
"""Of what the provider reads of a prompt, the part that is sent in its place."""


async def complete(
    call: LLMCallInput,
    settings: Settings,
    draft: Draft | None = None,
    on_resume: OnResume = lambda way, place: None,
) -> LLMCallOutput:
    """Return the model's whole answer; it grows in `draft`, and resumes from the text that is there.

    The material of a prompt that is too long for the model is halved until the prompt fits. A provider that
    cuts long prompts by itself gets the instruction of a summary once more, behind the text.

    `on_resume` is called when it resumes, with the way and the character of the text.

    Raises:
        ProviderError: no answer; its kind says what that means. The draft keeps what was written.
    """
    draft = draft or Draft()
    try:
        return await _complete_shortening(call, settings, draft, on_resume)
    except PromptTooLong as fault:  # with what was written so far, where there is anything
        limits = Limits.of(call)
        return _output(settings, draft, limits, "refused", outcome.kept_in_spite_of(fault, draft))


async def _complete(
    call: LLMCallInput, settings: Settings, draft: Draft, on_resume: OnResume
) -> LLMCallOutput:
    draft.model = settings.model
    await asyncio.to_thread(load)
    limits, reason = Limits.of(call), ""
    try:
        finish_reason = await _write(call, settings, draft, limits, on_resume)
    except PromptTooLong:
        raise
    except ProviderError as fault:
        finish_reason, reason = "refused", outcome.kept_in_spite_of(fault, draft)
    return _output(settings, draft, limits, finish_reason, reason)


def _output(
    settings: Settings, draft: Draft, limits: Limits, finish_reason: str, reason: str
) -> LLMCallOutput:
    finish_reason = outcome.keep_the_better(draft, finish_reason)
    text = answer.clean(draft.text, finished=finish_reason == "stop")
    if not text.strip():  # nothing but reasoning
        draft.text = ""
        raise outcome.no_text(draft)
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
        resumed_by=draft.way,
        kept_tokens=draft.kept_tokens,
        kept_cost=price(settings.model, 0, draft.kept_tokens),
        remarks=outcome.notes(draft, finish_reason, settings, reason),
        prompt_cut=draft.prompt_part < 1,
        stored=tuple(draft.stored),
    )


async def _complete_shortening(
    call: LLMCallInput, settings: Settings, draft: Draft, on_resume: OnResume
) -> LLMCallOutput:
    shorter, length, output = call, sum(call.material.pieces), None
    while True:
        try:
            output = await _complete(shorter, settings, draft, on_resume)
        except CostCeiling:
            if output is None:
                raise
            return output  # an answer to a part of the prompt is better than none
        except PromptTooLong:
            length //= 2
            before, shorter = shorter, prompts.shorten(call, length)
            if length < MIN_MATERIAL_CHARACTERS or len(shorter.prompt) >= len(before.prompt):
                raise
            continue
        if not output.prompt_cut or shorter is not call:
            return replace(output, prompt_shortened=shorter is not call)
        # Once more, with as much as the provider reads of it, and with the instruction at its end.
        left_out = int(len(call.prompt) * (1 - draft.prompt_part * SHORTENING))
        shorter = prompts.shorten(call, max(length - left_out, 0), repeat_instruction=True)
        if len(shorter.prompt) >= len(call.prompt):
            return output
        draft.text, draft.prompt_part = "", 1.0


async def _write(
    call: LLMCallInput, settings: Settings, draft: Draft, limits: Limits, on_resume: OnResume
) -> str:
    """Send requests until the answer ends; return its finish reason."""
    is_resumed, continuations = bool(draft.text or draft.response_id), 0
    while True:
        try:
            max_tokens = limits.max_tokens(call.prompt, settings, draft)
        except CostCeiling:
            if not (draft.text.strip() or draft.first):
                raise
            return "cost"
        started = time.monotonic()
        try:
            request = Request(call, settings, draft, limits.max_bytes, max_tokens)
            finish_reason = await request.send(on_resume if is_resumed else None)
        finally:
            draft.seconds += time.monotonic() - started
        is_resumed = False
        if finish_reason == outcome.NO_CONTINUATION:
            draft.first, draft.text, draft.is_again = draft.text, "", True
            draft.resumed_at, draft.kept_tokens = None, 0
            on_resume(Way.AGAIN, 0)
        elif finish_reason not in MAX_CONTINUATIONS:
            return finish_reason
        elif continuations >= MAX_CONTINUATIONS[finish_reason]:
            return "unfinished" if finish_reason == Ending.UNKNOWN else finish_reason
        else:
            continuations += 1

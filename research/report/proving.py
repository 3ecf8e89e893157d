"""The model calls that prove a report: passages of a page, verdicts on statements, statements once more.

Each makes its prompt from the frozen texts and reads the model's answer. Where the reading model will never
answer, the program chooses the passages, and statements stay unchecked: the report comes first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from models import LLMCallInput, LLMCallOutput, Passage, StepKind
from research.config import Settings
from research.errors import ErrorKind, StepError
from research.evidence import excerpts, judging, rewriting, taking
from research.llm import evidence_prompts
from research.llm.draft import Draft
from research.llm.limits import max_material_bytes
from research.llm.prompts import Prompt
from research.llm.usage import price
from research.report.proof import NO_ANSWER

KINDS = (StepKind.PASSAGES, StepKind.JUDGE, StepKind.REWRITE)
MAX_PAGE_BYTES = 60_000
"""Of a page, some 15,000 tokens; of a longer one the model gets what is most about the report."""

Complete = Callable[[LLMCallInput, Settings], Awaitable[LLMCallOutput]]
"""Has the model of the settings answer a call."""


async def prove(
    call: LLMCallInput, frozen: Mapping[int, str], settings: Settings, draft: Draft, complete: Complete
) -> LLMCallOutput:
    """Return the passages, the verdicts, or the text with its statements rewritten.

    `frozen` has the texts of the call's sources by their numbers.

    Raises:
        StepError: no answer now; for a rewriting also that none will ever come.
    """
    reading = settings.for_reading()

    async def read(prompt: Prompt) -> LLMCallOutput:
        try:
            return await complete(_asking(call, prompt), reading)
        except StepError as error:
            if error.kind is not ErrorKind.PERMANENT:
                raise
            return replace(_unasked(reading, draft), finish_reason=NO_ANSWER, notes=(error.message,))

    words = {p: frozen[p.source][p.start : p.end] for p in call.passages if p.source in frozen}
    match call.step.kind:
        case StepKind.PASSAGES:
            prompt = await asyncio.to_thread(_passages_prompt, call, frozen, reading)
            answer = await read(prompt)
            return await asyncio.to_thread(_with_passages, call, frozen, answer)
        case StepKind.JUDGE:
            docket = await asyncio.to_thread(_docket, call, words)
            asked = docket.asked
            answer = await read(evidence_prompts.judge_prompt(asked)) if asked else _unasked(reading, draft)
            day = datetime.now(UTC).date().isoformat()
            return replace(answer, text="", citations=docket.decided(answer.text, answer.model, day))
        case _:
            return await _rewrite(call, words, settings, complete)


def _passages_prompt(call: LLMCallInput, frozen: Mapping[int, str], settings: Settings) -> Prompt:
    [(_, page)] = frozen.items()
    most = min(MAX_PAGE_BYTES, max_material_bytes(settings.model))
    if len(page.encode()) > most:
        page = "\n\n".join(excerpt.text for excerpt in excerpts.choose(frozen, call.queries, most))
    return evidence_prompts.with_page(call.prompt, page)


def _with_passages(call: LLMCallInput, frozen: Mapping[int, str], answer: LLMCallOutput) -> LLMCallOutput:
    [(source, page)] = frozen.items()
    passages, dropped = taking.take(answer.text, source, page, call.queries)
    return replace(answer, text="", passages=passages, dropped=dropped)


def _docket(call: LLMCallInput, words: Mapping[Passage, str]) -> judging.Docket:
    return judging.docket(call.written, call.numbers, words, call.citations, call.max_bytes)


async def _rewrite(
    call: LLMCallInput, words: Mapping[Passage, str], settings: Settings, complete: Complete
) -> LLMCallOutput:
    asked = rewriting.to_rewrite(call.citations)
    shown = [(citation, [words[p] for p in citation.passages if p in words]) for citation in asked]
    answer = await complete(_asking(call, evidence_prompts.rewrite_prompt(shown)), settings)
    text = await asyncio.to_thread(rewriting.rewritten, call.written, call.numbers, asked, answer.text)
    return replace(answer, text=text)


def _asking(call: LLMCallInput, prompt: Prompt) -> LLMCallInput:
    return replace(call, prompt=prompt.text, material=prompt.material)


def _unasked(settings: Settings, draft: Draft) -> LLMCallOutput:
    """Return a call without an answer, with what was paid for it all the same."""
    tokens = draft.input_tokens, draft.output_tokens
    return LLMCallOutput(
        "",
        settings.model,
        *tokens,
        price(settings.model, *tokens) if any(tokens) else 0.0,
        seconds=round(draft.seconds, 2),
        requests=draft.requests,
        stored=tuple(draft.stored),
    )

"""Model calls whose prompts the Activity completes from the evidence store, and whose answers it reads."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from models import LLMCallInput, LLMCallOutput, Passage, StepKind
from research.config import Settings
from research.errors import ErrorKind, StepError
from research.evidence import excerpts, judging, store, taking
from research.evidence.excerpts import Excerpt
from research.llm import client, evidence_prompts, prompts
from research.llm.draft import Draft
from research.llm.limits import max_material_bytes
from research.llm.request import OnResume
from research.output.storage import needs_repair

MAX_TEXT_BYTES, MAX_SECTION_TEXT_BYTES = 60_000, 30_000
"""Of what is quoted in a prompt: some 15,000 tokens, and half of that for one section of several."""

Complete = Callable[[LLMCallInput], Awaitable[LLMCallOutput]]


async def write(call: LLMCallInput, settings: Settings, draft: Draft, on_resume: OnResume) -> LLMCallOutput:
    """Return what the model makes of the call: a text, the passages of a page, or verdicts.

    Raises:
        StepError: no answer, or a frozen text cannot be had.
    """
    frozen = await asyncio.to_thread(_thaw, call, settings)

    async def complete(prompt: LLMCallInput) -> LLMCallOutput:
        reads = call.step.kind in (StepKind.PASSAGES, StepKind.JUDGE)
        return await client.complete(prompt, settings.for_reading() if reads else settings, draft, on_resume)

    match call.step.kind:
        case StepKind.PASSAGES:
            return await _take_passages(call, frozen, settings, complete)
        case StepKind.JUDGE:
            return await _judge(call, frozen, complete)
        case StepKind.REWRITE:
            return await _rewrite(call, frozen, complete)
        case _:
            return await complete(await asyncio.to_thread(with_quotes, call, frozen, settings))


def with_quotes(call: LLMCallInput, frozen: dict[int, str], settings: Settings) -> LLMCallInput:
    """Return the call with what is quoted of its sources: their passages, or else excerpts."""
    if not frozen:
        return call
    most = MAX_SECTION_TEXT_BYTES if call.step.kind == StepKind.SECTION else MAX_TEXT_BYTES
    taken = {passage.source for passage in call.passages}
    found = [
        *[
            Excerpt(p.source, p.start, p.end, text, p.page)
            for p, text in _words(call.passages, frozen).items()
        ],
        *excerpts.choose({n: text for n, text in frozen.items() if n not in taken}, call.queries, most),
    ]
    chosen: dict[int, list[str]] = {}
    for excerpt in excerpts.best(found, call.queries, min(most, max_material_bytes(settings.model))):
        page = f"Page {excerpt.page}:\n" if excerpt.page else ""
        chosen.setdefault(call.numbers.index(excerpt.source), []).append(f"{page}{excerpt.text}")
    return prompts.with_quotes(call, chosen)


async def _take_passages(
    call: LLMCallInput, frozen: dict[int, str], settings: Settings, complete: Complete
) -> LLMCallOutput:
    [(source, text)] = frozen.items()
    most = min(MAX_TEXT_BYTES, max_material_bytes(settings.reader_model))
    page = text
    if len(text.encode()) > most:
        found = await asyncio.to_thread(excerpts.choose, frozen, call.queries, most)
        page = "\n\n".join(excerpt.text for excerpt in found)
    prompt = evidence_prompts.with_page(call.prompt, page)
    answer = await complete(replace(call, prompt=prompt.text, material=prompt.material))
    passages, dropped = await asyncio.to_thread(taking.take, answer.text, source, text, call.queries)
    return replace(answer, text="", passages=passages, dropped=dropped)


async def _judge(call: LLMCallInput, frozen: dict[int, str], complete: Complete) -> LLMCallOutput:
    words = _words(call.passages, frozen)
    docket = await asyncio.to_thread(judging.docket, call.written, call.numbers, words, call.citations)
    if not docket.asked:
        return LLMCallOutput("", requests=0, citations=docket.decided(""))
    prompt = evidence_prompts.judge_prompt(docket.asked)
    try:
        answer = await complete(replace(call, prompt=prompt.text, material=prompt.material))
    except StepError as error:
        if error.kind is not ErrorKind.PERMANENT:
            raise
        return LLMCallOutput("", requests=0, citations=docket.decided(""), notes=(error.message,))
    return replace(answer, text="", citations=docket.decided(answer.text, answer.model))


async def _rewrite(call: LLMCallInput, frozen: dict[int, str], complete: Complete) -> LLMCallOutput:
    asked = [
        (citation, list(_words(citation.passages, frozen).values()))
        for citation in judging.to_rewrite(call.citations)
    ]
    prompt = evidence_prompts.rewrite_prompt(asked)
    answer = await complete(replace(call, prompt=prompt.text, material=prompt.material))
    statements = [citation for citation, _ in asked]
    return replace(answer, text=judging.rewritten(call.written, call.numbers, statements, answer.text))


def _words(passages: Iterable[Passage], frozen: dict[int, str]) -> dict[Passage, str]:
    """Return passages with their words; without those whose text is not at hand."""
    return {p: frozen[p.source][p.start : p.end] for p in passages if p.source in frozen}


def _thaw(call: LLMCallInput, settings: Settings) -> dict[int, str]:
    """Return the frozen texts of the call's sources, by the sources' numbers."""
    numbered = zip(_numbers(call), call.texts, strict=True)
    return {number: _text(sha256, settings) for number, sha256 in numbered if sha256}


def _numbers(call: LLMCallInput) -> Sequence[int]:
    return call.numbers or range(len(call.texts))


def _text(sha256: str, settings: Settings) -> str:
    try:
        return store.thaw(settings.reports_dir, sha256)
    except OSError as error:
        what = f"{store.TEXTS}/{sha256}.txt, from which this text is written, is not to be had in"
        raise needs_repair(f"{what} {settings.reports_dir}", error, settings) from None

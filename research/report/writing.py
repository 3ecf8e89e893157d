"""Model calls whose prompts the Activity completes from the evidence store, and whose answers it reads."""

import asyncio
from dataclasses import replace

from models import LLMCallInput, LLMCallOutput, Passage, StepKind
from research.config import Settings
from research.evidence import excerpts, store
from research.evidence.excerpts import Excerpt
from research.llm import client, prompts
from research.llm.draft import Draft
from research.llm.limits import max_material_bytes
from research.llm.request import OnResume
from research.report import proving

MAX_TEXT_BYTES, MAX_SECTION_TEXT_BYTES = 60_000, 30_000
"""Of what is quoted in a prompt: some 15,000 tokens, and half of that for one section of several."""


async def write(call: LLMCallInput, settings: Settings, draft: Draft, on_resume: OnResume) -> LLMCallOutput:
    """Return what the model makes of the call: a text, the passages of a page, or verdicts.

    Raises:
        StepError: no answer, or a frozen text cannot be had.
    """
    frozen = await asyncio.to_thread(_thaw, call, settings)

    async def complete(call: LLMCallInput, settings: Settings) -> LLMCallOutput:
        return await client.complete(call, settings, draft, on_resume)

    if call.step.kind in proving.KINDS:
        return await proving.prove(call, frozen, settings, draft, complete)
    call, quoted = await asyncio.to_thread(with_quotes, call, frozen, settings)
    answer = await complete(call, settings)
    return replace(answer, passages=quoted) if call.wish else answer


def with_quotes(
    call: LLMCallInput, frozen: dict[int, str], settings: Settings
) -> tuple[LLMCallInput, tuple[Passage, ...]]:
    """Return the call with what is quoted of its sources, and that: their passages, or else excerpts.

    A wish may be about what no passage of the report has, so then both are quoted.
    """
    if not frozen:
        return call, ()
    most = MAX_SECTION_TEXT_BYTES if call.step.kind == StepKind.SECTION else MAX_TEXT_BYTES
    taken = set() if call.wish else {passage.source for passage in call.passages}
    found = [
        *[
            Excerpt(p.source, p.start, p.end, frozen[p.source][p.start : p.end], p.page)
            for p in call.passages
            if p.source in frozen
        ],
        *excerpts.choose({n: text for n, text in frozen.items() if n not in taken}, call.queries, most),
    ]
    chosen: dict[int, list[str]] = {}
    best = excerpts.best(found, call.queries, min(most, max_material_bytes(settings.model)))
    for excerpt in best:
        page = f"Page {excerpt.page}:\n" if excerpt.page else ""
        chosen.setdefault(call.numbers.index(excerpt.source), []).append(f"{page}{excerpt.text}")
    quoted = (Passage(e.source, e.start, e.end, e.page, is_copied=False) for e in best)
    return prompts.with_quotes(call, chosen), tuple(quoted)


def _thaw(call: LLMCallInput, settings: Settings) -> dict[int, str]:
    """Return the frozen texts of the call's sources, by the sources' numbers."""
    use, numbered = ", from which this text is written,", zip(call.numbers, call.texts, strict=True)
    return {number: store.thaw_for_step(settings, sha256, use) for number, sha256 in numbered if sha256}

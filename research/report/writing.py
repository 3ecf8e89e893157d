"""Writing: the model's answer to a prompt, with excerpts of the frozen texts that it is written from."""

import asyncio

from models import LLMCallInput, LLMCallOutput, StepKind
from research.config import Settings
from research.evidence import excerpts, store
from research.llm import client, prompts
from research.llm.draft import Draft
from research.llm.limits import max_material_bytes
from research.llm.request import OnResume
from research.output.storage import needs_repair

MAX_TEXT_BYTES, MAX_SECTION_TEXT_BYTES = 60_000, 30_000
"""Of all excerpts in a prompt: some 15,000 tokens, and half of that for one section of several."""


async def write(call: LLMCallInput, settings: Settings, draft: Draft, on_resume: OnResume) -> LLMCallOutput:
    """Return the model's answer to the prompt with its excerpts; see `client.complete`.

    Raises:
        StepError: no answer, or a frozen text cannot be had.
    """
    prompt = await asyncio.to_thread(with_excerpts, call, settings)
    return await client.complete(prompt, settings, draft, on_resume)


def with_excerpts(call: LLMCallInput, settings: Settings) -> LLMCallInput:
    """Return the call with excerpts of the frozen texts behind the pieces that they belong to.

    Raises:
        StepError: a frozen text cannot be had.
    """
    if not any(call.texts):
        return call
    frozen = {piece: _thaw(sha256, settings) for piece, sha256 in enumerate(call.texts) if sha256}
    most = MAX_SECTION_TEXT_BYTES if call.step.kind == StepKind.SECTION else MAX_TEXT_BYTES
    chosen: dict[int, list[str]] = {}
    for excerpt in excerpts.choose(frozen, call.queries, min(most, max_material_bytes(settings.model))):
        page = f"Page {excerpt.page}:\n" if excerpt.page else ""
        chosen.setdefault(excerpt.source, []).append(f"{page}{excerpt.text}")
    return prompts.with_quotes(call, chosen)


def _thaw(sha256: str, settings: Settings) -> str:
    try:
        return store.thaw(settings.reports_dir, sha256)
    except OSError as error:
        what = f"{store.TEXTS}/{sha256}.txt, from which this text is written, is not to be had in"
        raise needs_repair(f"{what} {settings.reports_dir}", error, settings) from None

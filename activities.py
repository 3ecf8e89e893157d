"""The three Activities: each takes one dataclass, calls one function of `research/`, gives one back.

The workflow imports this file, and with it the starter; so litellm and reportlab, which take
seconds to import, are left to the functions that need them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from models import LLMCallInput, LLMCallOutput, PDFGenerationInput, PDFGenerationOutput
from research import llm, settings

HEARTBEAT_SECONDS = 1.0


@activity.defn
async def llm_call(input: LLMCallInput) -> LLMCallOutput:
    """The research: the model's answer to the prompt."""
    async with heartbeats():
        return await llm.complete(input.prompt, settings.load())


@activity.defn
async def generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """The executive summary: the model's answer to the summary prompt."""
    async with heartbeats():
        return await llm.complete(input.prompt, settings.load())


@activity.defn(name="generate_summary")
async def failing_generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """What `python worker.py --simulate-failure` registers in place of `generate_summary`."""
    raise ApplicationError("Simulated failure: Summary service temporarily unavailable")


@activity.defn
async def create_pdf_activity(input: PDFGenerationInput) -> PDFGenerationOutput:
    """The report on paper, written atomically into the reports folder."""
    from research import pdf

    async with heartbeats():
        return await asyncio.to_thread(pdf.write_report, input, settings.load().reports_dir)


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Tell the service every second that this worker lives, so that its death is noticed soon."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()

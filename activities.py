"""The five Activities: each takes one dataclass, calls one function of `research/`, returns one dataclass.

The Workflow imports this file, and the starter imports the Workflow; so litellm and reportlab, which
take seconds to import, are imported by the functions that need them.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from models import (
    LLMCallInput,
    LLMCallOutput,
    PDFGenerationInput,
    PDFGenerationOutput,
    StepKind,
    StoredAnswersInput,
    WebSearchInput,
    WebSearchOutput,
)
from research import config
from research.formatting import format_call, pluralize
from research.llm import client as llm
from research.llm import resume, stored
from research.llm.draft import Draft
from research.llm.errors import NEEDS_ACTION_RETRY_SECONDS, ErrorKind, ProviderError
from research.output.naming import UnsafeName
from research.report.plan import read_plan
from research.report.plan_forms import as_headings
from research.report.sections import text_below
from research.sources import search
from research.sources.cleaning import clean_results
from research.temporal import kept
from research.temporal.heartbeat import (
    EmptyDraft,
    ensure_ours,
    heartbeats,
    interruptions,
    is_abandoned,
    last_draft,
    run_until_shutdown,
)
from research.temporal.names import labelled_step, step_name

activity.logger.activity_info_on_message = False  # one line for people's logs
_RENDERING = ThreadPoolExecutor(2, "rendering")  # because more at once would hold up the event loop


@activity.defn
async def llm_call(input: LLMCallInput) -> LLMCallOutput:
    """Return the model's answer to the prompt: a plan, a section, or the research as one text."""
    return await _call(input)


@activity.defn
async def web_search(input: WebSearchInput) -> WebSearchOutput:
    """Return what the web has for a query; after MAX_OUTAGES, why the search provider does not answer."""
    draft, attempt = last_draft(EmptyDraft), activity.info().attempt
    try:
        answer = await run_until_shutdown(search.search(input.query, config.load(), input.max_results), draft)
    except ProviderError as error:
        draft.faults += error.kind is not ErrorKind.NEEDS_ACTION  # a wait for a person may be long
        activity.heartbeat(draft)
        if error.kind is ErrorKind.PERMANENT or draft.faults >= search.MAX_OUTAGES:
            activity.logger.warning("Search failed: %s", error)
            return WebSearchOutput(failure=error.message, attempts=attempt)
        raise _as_application_error(error, draft.faults) from None
    results = clean_results(answer.results, input.max_results)
    activity.logger.info("Search finished: %s for %r", pluralize(len(results), "result"), input.query)
    return WebSearchOutput(results, answer.cost, attempts=attempt)


@activity.defn
async def read_page(input: ReadPageInput) -> ReadPageOutput:
    """Read a page, and freeze its text; or return why it cannot be read, so that its snippet serves."""
    draft, attempt = last_draft(EmptyDraft), activity.info().attempt
    if interruptions(draft) >= reading.MAX_LOST_WORKERS:
        failed = reading.failed(input.source, "ended the worker that read it")
        return ReadPageOutput(failed, attempt)
    settings = config.load()
    try:
        source, text = await run_until_shutdown(reading.read_page(input.source, settings), draft)
    except reading.NotRead as error:
        draft.faults += 1
        activity.heartbeat(draft)
        if error.is_transient and draft.faults < reading.MAX_FAULTS:
            raise ApplicationError(
                error.reason,
                type=ErrorKind.TRANSIENT.value,
                next_retry_delay=timedelta(seconds=error.retry_after or reading.RETRY_SECONDS),
            ) from None
        activity.logger.info("Not read: %s (%s)", input.source.url, error.reason)
        return ReadPageOutput(reading.failed(input.source, error.reason), attempt)
    with _to_be_repaired(settings):
        sha256 = await asyncio.to_thread(store.freeze, settings.reports_dir, text)
    activity.logger.info("Read: %s, %s characters", source.url, f"{source.characters:,}")
    return ReadPageOutput(replace(source, sha256=sha256), attempt)


@activity.defn
async def generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """Return the executive summary."""
    return await _call(input)


@activity.defn(name="generate_summary")
async def failing_generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """Fail, in place of `generate_summary`, for `python worker.py --simulate-failure`."""
    draft = last_draft(Draft)
    draft.faults += 1  # so that nothing counts as saved: no worker was lost
    activity.heartbeat(draft)
    raise ApplicationError("Simulated failure: Summary service temporarily unavailable")


@activity.defn
async def create_pdf_activity(input: PDFGenerationInput) -> PDFGenerationOutput:
    """Write the report as a PDF, and as Markdown beside it, to the reports folder or store."""
    from research.evidence import citations
    from research.output import storage
    from research.pdf import document

    settings, draft = config.load(), last_draft(EmptyDraft)
    lost = interruptions(draft)
    try:
        async with heartbeats(draft):
            run = asyncio.get_running_loop().run_in_executor
            with _counting_faults(draft):
                report = await run(_RENDERING, citations.check_report, input)
                pdf = await run(_RENDERING, document.render, report, settings.page_size, settings.fonts)
                await ensure_ours(draft)
                path = await run(_RENDERING, storage.store_report, report, settings.reports_dir, pdf.data)
    except UnsafeName as error:
        raise ApplicationError(str(error), type="Permanent", non_retryable=True) from None
    except OSError as error:
        reason = settings.redact(error.strerror or str(error))
        raise ApplicationError(
            f"the report cannot be written to {settings.reports_dir}: {reason}."
            " To fix: repair it; the report then continues by itself",
            type="NeedsAction",
            next_retry_delay=timedelta(seconds=NEEDS_ACTION_RETRY_SECONDS),
        ) from None
    activity.logger.info("PDF written: %s, %s", pluralize(pdf.pages, "page"), path)
    return PDFGenerationOutput(
        filename=input.filename,
        path=path,
        pages=pdf.pages,
        attempts=activity.info().attempt,
        interruptions=lost,
        warnings=pdf.warnings,
        sources=report.sources,
    )


async def _call(input: LLMCallInput) -> LLMCallOutput:
    """Call the model, from where the last attempt's text ends, and hand the text over when told to stop."""
    attempt = activity.info().attempt
    step = input.step
    if not step.kind:
        step = labelled_step(activity.info().activity_type, input.label, input.title)
    name = step_name(step)
    answer: LLMCallOutput | None
    draft, answer = kept.recall(last_draft(Draft))
    lost = interruptions(draft)
    kept.keep(draft, answer)

    def on_resume(way: resume.Way, place: int) -> None:
        activity.logger.info("%s resumes at character %s: %s", name, f"{place:,}", resume.describe(way))

    if attempt == 1:
        activity.logger.info("%s begins", name)
    try:
        if answer is None:  # or this worker had it, and could not hand it in
            answer = await run_until_shutdown(llm.complete(input, config.load(), draft, on_resume), draft)
    except ProviderError as error:
        if error.kind is ErrorKind.PERMANENT:
            await stored.discard_quietly(draft.stored, config.load())
        raise _as_application_error(error, draft.faults) from None
    except asyncio.CancelledError:
        if draft.stored and await is_abandoned():
            await stored.discard_quietly(draft.stored, config.load())
        raise asyncio.CancelledError(name) from None
    kept.keep(draft, answer)
    activity.logger.info("%s finished: %s", name, format_call(answer))
    answer = replace(answer, attempts=attempt, interruptions=lost)
    if step.kind == StepKind.PLAN:
        text = as_headings(answer.text)
        return replace(answer, text=text, plan=read_plan(text))
    return replace(answer, text=text_below(step.title, answer.text)) if step.title else answer


@activity.defn
async def delete_stored_answers(input: StoredAnswersInput) -> None:
    """Delete the answers that the provider keeps: the history has their texts."""
    await stored.discard(input.ids, config.load())


@contextmanager
def _counting_faults(draft: EmptyDraft) -> Iterator[None]:
    """Count a failure in the draft, before its last heartbeat, as one that is no interruption."""
    try:
        yield
    except Exception:
        draft.faults += 1
        raise


def _as_application_error(error: ProviderError, count: int) -> ApplicationError:
    delay = error.delay(count)
    return ApplicationError(
        error.message,
        type=error.kind.value,
        non_retryable=error.kind is ErrorKind.PERMANENT,
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
    )

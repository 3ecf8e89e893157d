"""The Activities: each takes one dataclass, calls one function of `research/`, returns one dataclass.

The Workflow imports this file, and a worker imports both before it serves; so litellm and reportlab,
which take seconds to import, are imported by the functions that need them.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from models import (
    LLMCallInput,
    LLMCallOutput,
    PDFGenerationInput,
    PDFGenerationOutput,
    StepKind,
)
from research import config
from research.errors import ErrorKind, StepError
from research.formatting import format_call, format_note, pluralize
from research.llm import resume, stored, usage
from research.llm.draft import Draft
from research.messages import (
    OpenedReport,
    OpenReportInput,
    QuestionInput,
    QuestionOutput,
    ReadPageInput,
    ReadPageOutput,
    StoredAnswersInput,
    WebSearchInput,
    WebSearchOutput,
)
from research.report import writing
from research.report.changes import read_changes
from research.report.plan import read_plan
from research.report.plan_forms import as_headings
from research.report.sections import text_below
from research.sources import search
from research.temporal import kept
from research.temporal.faults import as_application_error, in_thread, within_outages
from research.temporal.heartbeat import (
    EmptyDraft,
    counting_faults,
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
    from research.evidence import reading

    settings, attempt = config.load(), activity.info().attempt
    work = reading.search_web(input.query, settings, input.max_results)
    answer, failure = await within_outages(search.MAX_OUTAGES, work)
    if answer is None:
        activity.logger.warning("Search failed: %s", failure)
        return WebSearchOutput(failure=failure, attempts=attempt)
    activity.logger.info("Search finished: %s for %r", pluralize(len(answer.results), "result"), input.query)
    return WebSearchOutput(answer.results, answer.cost, attempts=attempt, max_pages=settings.max_pages)


@activity.defn
async def read_page(input: ReadPageInput) -> ReadPageOutput:
    """Read a page or document and freeze its text; or return why it cannot be read."""
    from research.evidence import reading

    source, attempt = input.source, activity.info().attempt
    name = source.url or source.title
    read, failure = await within_outages(reading.MAX_OUTAGES, reading.read(input, config.load()))
    if read is None:
        activity.logger.warning("Not read: %s (%s)", name, failure)
        return ReadPageOutput(replace(source, reason=failure), attempt)
    activity.logger.info("Read: %s, %s characters", name, f"{read.characters:,}")
    return ReadPageOutput(read, attempt)


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
    """Write the report as PDF, Markdown and evidence file to the reports folder or store."""
    from research.evidence import shown
    from research.evidence.manifest import evidence_file
    from research.output import storage
    from research.pdf import document

    settings, draft = config.load(), last_draft(EmptyDraft)
    lost = interruptions(draft)
    try:
        async with heartbeats(draft):
            run = asyncio.get_running_loop().run_in_executor
            with counting_faults(draft):
                report = await run(_RENDERING, shown.checked_report, input, settings)
                pdf = await run(_RENDERING, document.render, report, settings.page_size, settings.fonts)
                await ensure_ours(draft)
                others = evidence_file(report, activity.info().workflow_id or "")
                path = await run(_RENDERING, storage.store_report, report, settings, pdf.data, others)
    except StepError as error:
        raise as_application_error(error, draft.faults) from None
    activity.logger.info("PDF written: %s, %s", pluralize(pdf.pages, "page"), path)
    return PDFGenerationOutput(
        filename=input.filename,
        path=path,
        pages=pdf.pages,
        attempts=activity.info().attempt,
        interruptions=lost,
        warnings=tuple(map(format_note, pdf.warnings)),
        sources=report.sources,
    )


async def _call(input: LLMCallInput) -> LLMCallOutput:
    """Call the model from where the last attempt's text ends; hand the text over when asked to shut down."""
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
            answer = await run_until_shutdown(writing.write(input, config.load(), draft, on_resume), draft)
    except StepError as error:
        if error.kind is ErrorKind.PERMANENT:
            await stored.discard_quietly(draft.stored, config.load())
        raise as_application_error(error, draft.faults) from None
    except asyncio.CancelledError:
        if draft.stored and await is_abandoned():
            await stored.discard_quietly(draft.stored, config.load())
        raise asyncio.CancelledError(name) from None
    kept.keep(draft, answer)
    activity.logger.info("%s finished: %s", name, format_call(answer))
    answer = replace(answer, attempts=attempt, interruptions=lost)
    if step.kind == StepKind.PLAN:
        text = as_headings(answer.text)
        return replace(answer, text=text, plan=read_plan(text), prices=usage.prices(answer.model))
    if step.kind == StepKind.CHANGES:
        return replace(answer, plan=read_changes(answer.text, step.count))
    if step.kind == StepKind.SECTION:
        return replace(answer, text=text_below(step.title, answer.text))
    return answer


@activity.defn
async def open_report(input: OpenReportInput) -> OpenedReport:
    """Return what the evidence file of a finished report says of it."""
    from research.report import opening

    return await in_thread(opening.open_report, input, config.load())


@activity.defn
async def store_answer(input: QuestionInput) -> QuestionOutput:
    """Append a question with its answer to the report's file of questions."""
    from research.evidence import answers

    run_id = activity.info().workflow_run_id or ""
    stored = await in_thread(answers.store_answer, input, config.load(), run_id)
    activity.logger.info("Answer written: %s", stored.path)
    return stored


@activity.defn
async def delete_stored_answers(input: StoredAnswersInput) -> None:
    """Delete the answers that the provider keeps: the history has their texts."""
    await stored.discard(input.ids, config.load())

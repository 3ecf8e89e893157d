"""GenerateReportWorkflow: plan and sources where they are asked for, research, summary, PDF. Start here.

Temporal records the result of every step. When a worker dies, another one replays this function:
it receives the recorded results and continues with the first step that has none.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import (
        create_pdf_activity,
        delete_stored_answers,
        generate_summary,
        llm_call,
        web_search,
    )
    from models import (
        GenerateReportInput,
        GenerateReportOutput,
        LLMCallInput,
        LLMCallOutput,
        PDFGenerationInput,
        Source,
        StoredAnswersInput,
        WebSearchInput,
        WebSearchOutput,
    )
    from research.formatting import cut_summary, format_usage, summary_notes
    from research.llm import usage
    from research.llm.prompts import (
        plan_prompt,
        research_prompt,
        section_prompt,
        sections_plan_prompt,
        summary_prompt,
    )
    from research.reports.naming import report_filename
    from research.reports.plan import (
        MAX_PLAN_BYTES,
        MAX_QUERIES,
        PlannedSection,
        plan_notes,
        read_plan,
        search_queries,
        sections_asked_for,
        sections_to_write,
    )
    from research.reports.sections import (
        MAX_SECTION_BYTES,
        Research,
        WrittenSection,
        joined_sections,
        one_text,
        sources_of,
        written_section,
    )
    from research.reports.sources import gather_sources
    from research.temporal.names import PLAN_LABEL, section_label

MAX_TOPIC_CHARACTERS = 10_000
"""Because the PDF's input also holds the texts, and Temporal accepts 2 MB."""

# Because people read the log; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False

# A worker that sends no heartbeat for eight seconds counts as dead, and its step goes to another one;
# a worker that is started where it died knows at once. Less would take a busy worker for a dead one.
# A step that fails is retried for as long as it takes, at most eight seconds apart unless the Activity
# says otherwise, so that a report continues soon after whatever stopped it was fixed.
RETRIES = RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=8))
STEP: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=6),
    "heartbeat_timeout": timedelta(seconds=8),
    "retry_policy": RETRIES,
}


@workflow.defn
class GenerateReportWorkflow:
    """Makes a PDF of a prompt."""

    def __init__(self) -> None:
        self._stages: list[list[LLMCallOutput]] = []
        """The model's answers; those of one stage were written side by side, and stand as they came."""
        self._searches: list[WebSearchOutput] = []

    @workflow.run
    async def run(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Make the report; whatever comes of it, no answer stays with the provider."""
        try:
            return await self._make_report(input)
        finally:
            await self._delete_stored_answers()

    async def _make_report(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Plan and search if that is asked for, research the prompt, summarise, write a PDF."""
        asked = sections_asked_for(input.sections)
        plan = await self._plan(input, asked) if input.sources or asked else ()
        sections = sections_to_write(plan) if asked else ()
        queries = search_queries(sections or plan, input.prompt, max(MAX_QUERIES, len(sections)))
        if input.sources:
            await self._search(queries)
        retrieved = workflow.now().date().isoformat() if input.sources else ""
        found = gather_sources(self._searches)

        if sections:
            sources = [sources_of(section, queries, found) for section in sections]
            research = await self._write_sections(input.prompt, sections, sources)
        else:
            research = await self._write_text(research_prompt(input.prompt, found.sources))
        workflow.logger.info("Research complete!")

        if input.pause_seconds > 0:
            await workflow.sleep(
                input.pause_seconds, summary="Durable pause: kill the worker, nothing is lost"
            )

        summary, failure = await self._summarise(research.text, MAX_SECTION_BYTES if sections else 0)
        about_plan = plan_notes(input.sections, len(sections))
        notes = (*about_plan, *found.notes, *research.notes, *summary_notes(summary, failure))

        pdf = await workflow.execute_activity(
            create_pdf_activity,
            PDFGenerationInput(
                content=research.text,
                filename=report_filename(input.prompt, workflow.info().run_id),
                summary=summary.text if summary else "",
                topic=input.prompt[:MAX_TOPIC_CHARACTERS],
                model=research.model,
                date=workflow.info().start_time.date().isoformat(),
                notes=notes,
                bill=format_usage(usage.total(self._stages, self._searches)),
                sources=found.without_snippets(),
                retrieved=retrieved,
            ),
            summary="Write the PDF",
            **STEP,
        )
        total = usage.total(self._stages, self._searches, interrupted_at_end=pdf.interruptions > 0)
        workflow.set_current_details(format_usage(total))
        return GenerateReportOutput(
            result=f"Successfully created research report PDF with summary: {pdf.filename}",
            filename=pdf.filename,
            path=pdf.path,
            pages=pdf.pages,
            model=research.model,
            bill=total,
            notes=(*notes, *pdf.warnings),
            sources=pdf.sources,
        )

    async def _plan(self, input: GenerateReportInput, asked: int) -> tuple[PlannedSection, ...]:
        """Return the model's plan, empty where it writes none; one that cannot be read is repeated once."""
        prompt = plan_prompt(input.prompt, MAX_QUERIES)
        if asked:
            prompt = sections_plan_prompt(input.prompt, asked, input.sources)
        plan: tuple[PlannedSection, ...] = ()
        for summary in ("Plan the report", "Plan the report once more")[: 2 if asked else 1]:
            self._stages.append([])
            call = LLMCallInput(prompt, self._spent, max_bytes=MAX_PLAN_BYTES, label=PLAN_LABEL)
            answer, _ = await self._ask(llm_call, call, summary)
            plan = read_plan(answer.text) if answer else ()
            if answer is None or sections_to_write(plan):
                break
        return plan

    async def _search(self, queries: Sequence[str]) -> None:
        """Search the web for all queries side by side."""
        self._searches += await asyncio.gather(
            *[
                workflow.execute_activity(
                    web_search, WebSearchInput(query), summary=cut_summary(f"Search: {query}"), **STEP
                )
                for query in queries
            ]
        )

    async def _write_text(self, prompt: str) -> Research:
        """Write the research as one text."""
        research = await workflow.execute_activity(
            llm_call, LLMCallInput(prompt, self._spent), summary="Research the topic", **STEP
        )
        self._stages.append([research])
        return one_text(research)

    async def _write_sections(
        self, topic: str, plan: Sequence[PlannedSection], sources: Sequence[Sequence[Source]]
    ) -> Research:
        """Write all sections side by side; one that cannot be written leaves its heading with the reason."""
        spent, lines, count = self._spent, [section.line() for section in plan], len(plan)
        self._stages.append([])

        async def write(number: int, title: str, sources: Sequence[Source]) -> WrittenSection:
            label, prompt = section_label(number, count), section_prompt(topic, lines, number, sources)
            call = LLMCallInput(prompt, spent, count, MAX_SECTION_BYTES, label=label, title=title)
            answer, failure = await self._ask(llm_call, call, cut_summary(f"{label}: {title}"))
            return written_section(title, answer, failure)

        written = await asyncio.gather(
            *[write(number, plan[number - 1].title, sources[number - 1]) for number in range(1, count + 1)]
        )
        if not any(section.call for section in written):
            raise ApplicationError(f"no section could be written: {written[0].failure}", non_retryable=True)
        return joined_sections(written)

    async def _summarise(self, research: str, max_bytes: int) -> tuple[LLMCallOutput | None, str]:
        """Return the summary, or None and the reason: the research is paid for, so the PDF is still made."""
        call = LLMCallInput(summary_prompt(research), self._spent, max_bytes=max_bytes)
        self._stages.append([])
        summary, failure = await self._ask(generate_summary, call, "Summarise the research")
        if summary:
            workflow.logger.info("Summary generated!")
        return summary, failure

    async def _ask(
        self, step: Callable[..., Any], call: LLMCallInput, summary: str
    ) -> tuple[LLMCallOutput | None, str]:
        """Return the model's answer, or None and the reason why it will never come."""
        try:
            answer: LLMCallOutput = await workflow.execute_activity(step, call, summary=summary, **STEP)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("%s: %s", summary, error.cause)
            return None, getattr(error.cause, "message", "")
        self._stages[-1].append(answer)
        return answer, ""

    async def _delete_stored_answers(self) -> None:
        """Delete the answers that the provider keeps; those of a model that keeps none need no step."""
        ids = tuple(number for stage in self._stages for call in stage for number in call.stored)
        if not ids:
            return
        try:
            await workflow.execute_activity(
                delete_stored_answers,
                StoredAnswersInput(ids),
                summary="Delete the stored answers",
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(maximum_attempts=3),
            )
        except ActivityError as error:
            workflow.logger.warning("Stored answers are not deleted: %s", error.cause)

    @property
    def _spent(self) -> float:
        """Return what the report has cost so far, for the ceiling LLM_MAX_COST."""
        return usage.spent(self._stages, self._searches)

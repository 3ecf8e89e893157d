"""GenerateReportWorkflow: sources where they are asked for, research, summary, PDF. Start reading here.

Temporal records the result of every step. When a worker dies, another one replays this function:
it receives the recorded results and continues with the first step that has none.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import create_pdf_activity, generate_summary, llm_call, web_search
    from models import (
        GenerateReportInput,
        GenerateReportOutput,
        LLMCallInput,
        LLMCallOutput,
        PDFGenerationInput,
        WebSearchInput,
        WebSearchOutput,
    )
    from research.formatting import cut_summary, format_usage, report_notes
    from research.llm import usage
    from research.llm.prompts import plan_prompt, research_prompt, summary_prompt
    from research.reports.naming import report_filename
    from research.reports.plan import MAX_QUERIES, PlannedSection, read_plan, search_queries
    from research.reports.sources import gather_sources
    from research.temporal.names import PLAN_LABEL

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
        self._calls: list[LLMCallOutput] = []
        self._searches: list[WebSearchOutput] = []

    @workflow.run
    async def run(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Find sources if they are asked for, research the prompt, summarise, write a PDF."""
        retrieved = ""
        if input.sources:
            plan = await self._plan(input.prompt)
            await self._search(search_queries(plan, input.prompt))
            retrieved = workflow.now().date().isoformat()
        found = gather_sources(self._searches)

        research = await workflow.execute_activity(
            llm_call,
            LLMCallInput(research_prompt(input.prompt, found.sources), self._spent),
            summary="Research the topic",
            **STEP,
        )
        self._calls.append(research)
        workflow.logger.info("Research complete!")

        if input.pause_seconds > 0:
            await workflow.sleep(
                input.pause_seconds, summary="Durable pause: kill the worker, nothing is lost"
            )

        summary, failure = await self._summarise(research)
        notes = (*found.notes, *report_notes(research, summary, failure))

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
                bill=format_usage(usage.total(self._calls, self._searches)),
                sources=found.without_snippets(),
                retrieved=retrieved,
            ),
            summary="Write the PDF",
            **STEP,
        )
        total = usage.total(self._calls, self._searches, interrupted_at_end=pdf.interruptions > 0)
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

    async def _plan(self, topic: str) -> tuple[PlannedSection, ...]:
        """Return the model's plan; an empty one, which makes the topic the query, where it writes none."""
        try:
            plan = await workflow.execute_activity(
                llm_call,
                LLMCallInput(plan_prompt(topic, MAX_QUERIES), label=PLAN_LABEL),
                summary="Plan the report",
                **STEP,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("No plan: %s", error.cause)
            return ()
        self._calls.append(plan)
        return read_plan(plan.text)

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

    @property
    def _spent(self) -> float:
        """Return what the report has cost so far, for the ceiling LLM_MAX_COST."""
        costs = [call.cost for call in self._calls] + [search.cost for search in self._searches]
        return sum(cost or 0.0 for cost in costs)

    async def _summarise(self, research: LLMCallOutput) -> tuple[LLMCallOutput | None, str]:
        """Return the summary, or None and the reason: the research is paid for, so the PDF is still made."""
        try:
            summary = await workflow.execute_activity(
                generate_summary,
                LLMCallInput(summary_prompt(research.text), self._spent),
                summary="Summarise the research",
                **STEP,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("No summary: %s", error.cause)
            return None, getattr(error.cause, "message", "")
        self._calls.append(summary)
        workflow.logger.info("Summary generated!")
        return summary, ""

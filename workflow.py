"""GenerateReportWorkflow: research, summary, PDF. Start reading here.

Temporal records the result of every step. When a worker dies, another one replays this function:
it receives the recorded results and continues with the first step that has none.
"""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import create_pdf_activity, generate_summary, llm_call
    from models import (
        GenerateReportInput,
        GenerateReportOutput,
        LLMCallInput,
        LLMCallOutput,
        PDFGenerationInput,
    )
    from research.formatting import format_usage, report_notes
    from research.llm import usage
    from research.llm.prompts import summary_prompt
    from research.reports.naming import report_filename

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

    @workflow.run
    async def run(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Research the prompt, summarise the research, write both to a PDF."""
        research = await workflow.execute_activity(
            llm_call, LLMCallInput(input.prompt), summary="Research the topic", **STEP
        )
        workflow.logger.info("Research complete!")

        if input.pause_seconds > 0:
            await workflow.sleep(
                input.pause_seconds, summary="Durable pause: kill the worker, nothing is lost"
            )

        summary, failure = await self._summarise(research)
        calls = [research, summary] if summary else [research]
        interrupted = 1 if summary and summary.interruptions else 0
        notes = report_notes(research, summary, failure)

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
                bill=format_usage(usage.total(calls, interrupted)),
            ),
            summary="Write the PDF",
            **STEP,
        )
        total = usage.total(calls, len(calls) if pdf.interruptions else interrupted)
        workflow.set_current_details(format_usage(total))
        return GenerateReportOutput(
            result=f"Successfully created research report PDF with summary: {pdf.filename}",
            filename=pdf.filename,
            path=pdf.path,
            pages=pdf.pages,
            model=research.model,
            bill=total,
            notes=(*notes, *pdf.warnings),
        )

    async def _summarise(self, research: LLMCallOutput) -> tuple[LLMCallOutput | None, str]:
        """Return the summary, or None and the reason: the research is paid for, so the PDF is still made."""
        try:
            summary = await workflow.execute_activity(
                generate_summary,
                LLMCallInput(summary_prompt(research.text), spent=research.cost or 0.0),
                summary="Summarise the research",
                **STEP,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("No summary: %s", error.cause)
            return None, getattr(error.cause, "message", "")
        workflow.logger.info("Summary generated!")
        return summary, ""

"""GenerateReportWorkflow: research, summary, PDF. Begin reading here.

Temporal records the result of every step. A worker that dies loses nothing of what is
recorded: another one replays this function, is handed the recorded results, and goes on
with the first step that has none.
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
    from research.llm import usage
    from research.reports.naming import report_filename

SUMMARY_PROMPT = "Provide a 2-3 sentence executive summary of this research: {research}"

# One line for people's logs; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False

# A worker that says nothing for four seconds is taken for dead, and its step is given to
# another. What fails is tried again for as long as it takes, ten seconds apart unless the
# Activity says otherwise: whatever was mended, the report goes on soon after.
RETRIES = RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=10))
STEP: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=6),
    "heartbeat_timeout": timedelta(seconds=4),
    "retry_policy": RETRIES,
}


@workflow.defn
class GenerateReportWorkflow:
    """From a prompt to a PDF."""

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
        resumed = 1 if summary and summary.attempts > 1 else 0
        notes = usage.notes(research, summary, failure)

        pdf = await workflow.execute_activity(
            create_pdf_activity,
            PDFGenerationInput(
                content=research.text,
                filename=report_filename(input.prompt, workflow.info().run_id),
                summary=summary.text if summary else "",
                topic=input.prompt,
                model=research.model,
                date=workflow.info().start_time.date().isoformat(),
                notes=notes,
                bill=usage.format_usage(usage.total(calls, resumed)),
            ),
            summary="Write the PDF",
            **STEP,
        )
        total = usage.total(calls, len(calls) if pdf.attempts > 1 else resumed)
        workflow.set_current_details(usage.format_usage(total))
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
        """The summary, or None and the reason: the research is paid for, so the PDF is still made."""
        prompt = SUMMARY_PROMPT.format(research=research.text)
        try:
            summary = await workflow.execute_activity(
                generate_summary,
                LLMCallInput(prompt, spent=research.cost or 0.0),
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

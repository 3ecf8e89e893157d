"""GenerateReportWorkflow: research, summary, PDF. Begin reading here.

Temporal records the result of every step. A worker that dies loses nothing of what is
recorded: another one replays this function, is handed the recorded results, and goes on
with the first step that has none.
"""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from models import (
    GenerateReportInput,
    GenerateReportOutput,
    LLMCallInput,
    PDFGenerationInput,
)

with workflow.unsafe.imports_passed_through():
    from activities import create_pdf_activity, generate_summary, llm_call
    from research.files import report_filename

SUMMARY_PROMPT = "Provide a 2-3 sentence executive summary of this research: {research}"

# One line for people's logs; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False

# A worker that says nothing for five seconds is taken for dead, and its step is given to
# another. What fails is tried again for as long as it takes, ten seconds apart at the most:
# whatever was mended (a key, a quota, a bug), the report goes on soon after.
RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10))
STEP: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=5),
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

        summary = await workflow.execute_activity(
            generate_summary,
            LLMCallInput(SUMMARY_PROMPT.format(research=research.text)),
            summary="Summarise the research",
            **STEP,
        )
        workflow.logger.info("Summary generated!")

        pdf = await workflow.execute_activity(
            create_pdf_activity,
            PDFGenerationInput(
                content=research.text,
                filename=report_filename(input.prompt, workflow.info().run_id),
                summary=summary.text,
                topic=input.prompt,
                model=research.model,
                date=workflow.info().start_time.date().isoformat(),
            ),
            summary="Write the PDF",
            **STEP,
        )
        return GenerateReportOutput(
            result=f"Successfully created research report PDF with summary: {pdf.filename}",
            filename=pdf.filename,
            path=pdf.path,
            pages=pdf.pages,
            model=research.model,
        )

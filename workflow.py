"""GenerateReportWorkflow: plan and sources where they are asked for, research, summary, PDF. Start here.

Temporal records the result of every step. When a worker dies, another one replays this function:
it receives the recorded results and continues with the first step that has none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import (
        create_pdf_activity,
        delete_stored_answers,
        generate_summary,
        llm_call,
        read_page,
        web_search,
    )
    from models import (
        GenerateReportInput,
        GenerateReportOutput,
        LLMCallInput,
        LLMCallOutput,
        ReadPageInput,
        Source,
        Step,
        StepKind,
        StoredAnswersInput,
    )
    from research.formatting import format_usage
    from research.report.report import Report, ReportFailed
    from research.report.sections import Answer
    from research.temporal.names import step_summary

# Because people read the log; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False

# A worker that sends no heartbeat for eight seconds counts as dead, and its step goes to another one;
# a worker that is started where it died knows at once. Less would take a busy worker for a dead one.
# A step that fails is retried for as long as it takes, at most eight seconds apart unless the Activity
# says otherwise, so that a report continues soon after whatever stopped it was fixed.
STEP = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=timedelta(seconds=8),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=8)),
)
OPTIONS: dict[str, workflow.ActivityConfig] = {
    StepKind.SEARCH: {**STEP, "start_to_close_timeout": timedelta(minutes=5)},
    StepKind.READ: {**STEP, "start_to_close_timeout": timedelta(minutes=5)},
    StepKind.CLEANUP: {
        "start_to_close_timeout": timedelta(seconds=30),
        "retry_policy": RetryPolicy(maximum_attempts=3),
    },
}
"""Of the steps that are not like the others."""
MAX_SIDE_BY_SIDE = 20
"""Steps of one kind that a report has the workers do at once."""

Input = TypeVar("Input")
Output = TypeVar("Output")


@workflow.defn
class GenerateReportWorkflow:
    """Makes a PDF of a prompt."""

    @workflow.init
    def __init__(self, input: GenerateReportInput) -> None:
        info = workflow.info()
        self._report = Report(input, info.run_id, info.start_time.date().isoformat())

    @workflow.run
    async def run(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Make the report; whatever comes of it, no answer stays with the provider."""
        try:
            return await self._make()
        except ReportFailed as error:
            raise ApplicationError(str(error), non_retryable=True) from None
        finally:
            await self._delete_stored_answers()

    async def _make(self) -> GenerateReportOutput:
        """Plan, search and read if that is asked for, research the prompt, summarise, write a PDF."""
        self._report.take_documents(await self._read(self._report.begin_documents()))
        if self._report.needs_plan:
            await self._plan()
        if self._report.asked.sources:
            await self._search()
            self._report.take_pages(await self._read(self._report.begin_reading()))
        await self._write()
        await self._pause()
        await self._summarise()
        return await self._print()

    async def _plan(self) -> None:
        """Plan the report; a plan of sections that cannot be read is asked for once more."""
        for attempt in (1, 2):
            answer = await self._try(llm_call, self._report.begin_plan(attempt))
            if self._report.take_plan(answer):
                break

    async def _search(self) -> None:
        """Search the web for all queries of the plan side by side."""
        found = await self._each(
            self._step(web_search, search, Step(StepKind.SEARCH, number, title=search.query))
            for number, search in enumerate(self._report.begin_searches(), start=1)
        )
        self._report.take_searches(found, workflow.now().date().isoformat())

    async def _read(self, pages: Sequence[ReadPageInput]) -> list[Source]:
        """Read pages or documents side by side; a page that cannot be read comes back with the reason."""
        read = await self._each(
            self._step(read_page, page, Step(StepKind.READ, number, title=page.source.title))
            for number, page in enumerate(pages, start=1)
        )
        return [page.source for page in read]

    async def _write(self) -> None:
        """Write the research: all sections side by side, or one text."""
        if self._report.sections:
            calls = self._report.begin_sections()
            answers = await self._each(self._try(llm_call, call) for call in calls)
            self._report.take_sections(answers)
        else:
            self._report.take_text(await self._call(llm_call, self._report.begin_text()))
        workflow.logger.info("Research complete!")

    async def _pause(self) -> None:
        """Wait for as long as was asked for: time to kill the worker and watch nothing be lost."""
        seconds = self._report.asked.pause_seconds
        if seconds > 0:
            await workflow.sleep(seconds, summary="Durable pause: kill the worker, nothing is lost")

    async def _summarise(self) -> None:
        """Summarise the research; it is paid for, so without a summary the PDF is still made."""
        summary = await self._try(generate_summary, self._report.begin_summary())
        self._report.take_summary(summary)
        if summary.call:
            workflow.logger.info("Summary generated!")

    async def _print(self) -> GenerateReportOutput:
        """Write the PDF, and return what the finished report gives back."""
        pdf = await self._step(create_pdf_activity, self._report.begin_pdf(), Step(StepKind.PDF))
        output = self._report.output(pdf)
        workflow.set_current_details(format_usage(output.bill))
        return output

    async def _step(self, activity: Callable[[Input], Awaitable[Output]], input: Input, step: Step) -> Output:
        """Run one step of the report."""
        options = workflow.ActivityConfig(**OPTIONS.get(step.kind, STEP), summary=step_summary(step))
        return await workflow.execute_activity(activity, input, **options)

    async def _call(
        self, activity: Callable[[LLMCallInput], Awaitable[LLMCallOutput]], call: LLMCallInput
    ) -> LLMCallOutput:
        """Return the model's answer, which stands in the ledger."""
        answer = await self._step(activity, call, call.step)
        self._report.ledger.enter(answer)
        return answer

    async def _try(
        self, activity: Callable[[LLMCallInput], Awaitable[LLMCallOutput]], call: LLMCallInput
    ) -> Answer:
        """Return the model's answer, or the reason why it will never come."""
        try:
            return Answer(await self._call(activity, call))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("%s: %s", step_summary(call.step), error.cause)
            return Answer(None, getattr(error.cause, "message", ""))

    async def _each(self, steps: Iterable[Awaitable[Output]]) -> list[Output]:
        """Return the results of steps that run side by side, at most MAX_SIDE_BY_SIDE at once."""
        slots = asyncio.Semaphore(MAX_SIDE_BY_SIDE)

        async def run(step: Awaitable[Output]) -> Output:
            async with slots:
                return await step

        return list(await asyncio.gather(*map(run, steps)))

    async def _delete_stored_answers(self) -> None:
        """Delete the answers that the provider keeps; those of a model that keeps none need no step."""
        ids = self._report.ledger.stored
        if not ids:
            return
        try:
            await self._step(delete_stored_answers, StoredAnswersInput(ids), Step(StepKind.CLEANUP))
        except ActivityError as error:
            workflow.logger.warning("Stored answers are not deleted: %s", error.cause)

"""GenerateReportWorkflow: plan and sources where they are asked for, research, summary, PDF. Start here.

Temporal records the result of every step. When a worker dies, another one replays this function:
it receives the recorded results and continues with the first step that has none.
"""

from collections.abc import Awaitable, Callable, Sequence

from temporalio import workflow
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
        PlanReview,
        PlanStage,
        PlanState,
        ReadPageInput,
        Source,
        Step,
        StepKind,
        StoredAnswersInput,
    )
    from research.formatting import format_usage
    from research.report.planning import ReportFailed
    from research.report.report import Report
    from research.report.sections import Answer
    from research.temporal.names import step_summary
    from research.temporal.shown import show_plan
    from research.temporal.steps import each, run_step

# Because people read the log; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False


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
        if self._report.plan.is_needed:
            await self._plan()
        if self._report.plan.is_reviewed:
            await self._review()
        if self._report.asked.sources:
            await self._search()
            self._report.take_pages(await self._read(self._report.begin_reading()))
        self._report.proof.take_passages(await self._all(self._report.begin_passages()))
        await self._write()
        await self._prove()
        await self._pause()
        await self._summarise()
        return await self._print()

    async def _plan(self) -> None:
        """Plan the report; a plan of sections that cannot be read is asked for once more."""
        plan = self._report.plan
        for attempt in (1, 2):
            if plan.take(await self._try(llm_call, plan.begin(attempt))):
                break

    async def _review(self) -> None:
        """Wait for the person to approve the plan; a wish brings another one."""
        plan = self._report.plan
        while plan.review.waits:
            show_plan(plan.state())
            try:
                await workflow.wait_condition(plan.review.is_answered(), timeout=plan.timeout)
            except TimeoutError:
                plan.end_review()
            if plan.review.stage == PlanStage.CHANGES:
                plan.take_other(await self._try(llm_call, plan.begin_other()))
        plan.take_approved()
        show_plan(plan.state())

    @workflow.query
    def plan(self) -> PlanState:
        """Return the plan, and what it waits for."""
        return self._report.plan.state()

    @workflow.update
    async def review_plan(self, review: PlanReview) -> PlanState:
        """Approve the plan, put another one in its place, or wish for one; return the plan after that."""
        self._report.plan.review.take(review)
        await workflow.wait_condition(lambda: self._report.plan.review.stage != PlanStage.CHANGES)
        return self._report.plan.state()

    @review_plan.validator
    def refuse_review(self, review: PlanReview) -> None:
        """Refuse what cannot be taken; nothing of it is recorded."""
        if reason := self._report.plan.refusal(review):
            raise ApplicationError(reason)

    async def _search(self) -> None:
        """Search the web for all queries of the plan side by side."""
        found = await each(
            run_step(web_search, search, Step(StepKind.SEARCH, number, title=search.query))
            for number, search in enumerate(self._report.begin_searches(), start=1)
        )
        self._report.take_searches(found, workflow.now().date().isoformat())

    async def _read(self, pages: Sequence[ReadPageInput]) -> list[Source]:
        """Read pages or documents side by side; a page that cannot be read comes back with the reason."""
        read = await each(
            run_step(read_page, page, Step(StepKind.READ, number, title=page.source.title))
            for number, page in enumerate(pages, start=1)
        )
        return [page.source for page in read]

    async def _write(self) -> None:
        """Write the research: all sections side by side, or one text."""
        if self._report.plan.sections:
            self._report.take_sections(await self._all(self._report.begin_sections()))
        else:
            self._report.take_text(await self._call(llm_call, self._report.begin_text()))
        workflow.logger.info("Research complete!")

    async def _prove(self) -> None:
        """Judge what the text cites; what its passages do not say is rewritten once, and judged again."""
        report = self._report
        report.proof.take_verdicts(await self._all(report.begin_judging()))
        report.take_rewritten(await self._all(report.begin_rewriting()))
        report.proof.take_verdicts(await self._all(report.begin_judging()))

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
        pdf = await run_step(create_pdf_activity, self._report.begin_pdf(), Step(StepKind.PDF))
        output = self._report.output(pdf)
        workflow.set_current_details(format_usage(output.bill))
        return output

    async def _call(
        self, activity: Callable[[LLMCallInput], Awaitable[LLMCallOutput]], call: LLMCallInput
    ) -> LLMCallOutput:
        """Return the model's answer, which stands in the ledger."""
        answer = await run_step(activity, call, call.step)
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

    async def _all(self, calls: Sequence[LLMCallInput]) -> list[Answer]:
        """Return the model's answers to calls that are made side by side."""
        return await each(self._try(llm_call, call) for call in calls)

    async def _delete_stored_answers(self) -> None:
        """Delete the answers that the provider keeps; those of a model that keeps none need no step."""
        ids = self._report.ledger.stored
        if not ids:
            return
        try:
            await run_step(delete_stored_answers, StoredAnswersInput(ids), Step(StepKind.CLEANUP))
        except ActivityError as error:
            workflow.logger.warning("Stored answers are not deleted: %s", error.cause)

"""The Workflows: a report, another version of a finished one, an answer from it. Start with `_make`.

Temporal records the result of every step. When a worker dies, another one replays these functions:
they receive the recorded results, and continue with the first step that has none.
"""

from collections.abc import Awaitable, Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    import activities
    from models import GenerateReportInput, GenerateReportOutput, LLMCallInput, StepKind
    from research import config
    from research.formatting import format_usage
    from research.messages import AskReportInput, PlanReview, PlanStage, PlanState, ReviseReportInput
    from research.report.planning import ReportFailed
    from research.report.question import Question
    from research.report.report import Report
    from research.report.revision import Revision
    from research.report.sections import Answer
    from research.temporal.shown import show_plan, waiting_shown
    from research.temporal.steps import each, run_each, run_step, try_step

# Because people read the log; the Web UI has the rest.
workflow.logger.workflow_info_on_message = False


class Story:
    """What becomes of a report, step by step; the Report says what each step is given."""

    _report: Report

    async def _tell(self, making: Awaitable[GenerateReportOutput]) -> GenerateReportOutput:
        """Make the report; whatever comes of it, no answer stays with the provider."""
        try:
            return await making
        except ReportFailed as error:
            raise ApplicationError(str(error), type=error.kind, non_retryable=True) from None
        finally:
            if cleanup := self._report.begin_cleanup():
                await try_step(activities.delete_stored_answers, cleanup)

    async def _make(self) -> GenerateReportOutput:
        """Plan, search and read if that is asked for, research the prompt, summarise, write a PDF."""
        report = self._report
        report.take_documents(await run_each(activities.read_page, report.begin_documents()))
        await self._plan()
        await self._review()
        if report.asked.sources:
            found = await run_each(activities.web_search, report.begin_searches())
            report.take_searches(found, workflow.now().date().isoformat())
            report.take_pages(await run_each(activities.read_page, report.begin_reading()))
        report.proof.take_passages(await self._all(report.begin_passages()))
        await self._write()
        await self._prove()
        await self._pause()
        await self._summarise()
        return await self._print()

    async def _plan(self) -> None:
        """Have the model plan; what cannot be read is asked for once more."""
        plan = self._report.plan
        for attempt in (1, 2) if plan.is_needed else ():
            if plan.take(await self._try(plan.begin(attempt))):
                break

    async def _review(self) -> None:
        """Wait for the person to approve the plan, if that is asked for; a wish brings another one."""
        plan = self._report.plan
        while plan.is_reviewed and plan.review.waits:
            try:
                with waiting_shown(plan.begin_wait(workflow.now())):
                    await workflow.wait_condition(plan.review.is_answered(), timeout=plan.timeout)
            except TimeoutError:
                plan.end_review()
            if plan.review.stage == PlanStage.CHANGES:
                plan.take_other(await self._try(plan.begin_other()))
        if plan.is_reviewed:
            plan.take_approved()
            show_plan(plan.state())

    async def _write(self) -> None:
        """Write the research: all sections side by side, or one text."""
        if self._report.plan.sections:
            self._report.take_sections(await self._all(self._report.begin_sections()))
        else:
            self._report.take_text(await run_step(activities.llm_call, self._report.begin_text()))
        workflow.logger.info("Research complete!")

    async def _prove(self) -> None:
        """Judge what the text cites; what its passages do not say is rewritten once, and judged again."""
        report = self._report
        report.proof.take_verdicts(await self._all(report.begin_judging()))
        report.take_rewritten(await self._all(report.begin_rewriting()))
        report.proof.take_verdicts(await self._all(report.begin_judging()))

    async def _pause(self) -> None:
        """Wait for as long as was asked for: time to kill the worker and watch nothing be lost."""
        if (seconds := self._report.asked.pause_seconds) > 0:
            await workflow.sleep(seconds, summary="Durable pause: kill the worker, nothing is lost")

    async def _summarise(self) -> None:
        """Summarise the research; it is paid for, so without a summary the PDF is still made."""
        self._report.take_summary(summary := await self._try(self._report.begin_summary()))
        if summary.call:
            workflow.logger.info("Summary generated!")

    async def _print(self) -> GenerateReportOutput:
        """Write the PDF, and return what the finished report gives back."""
        pdf = await run_step(activities.create_pdf_activity, self._report.begin_pdf())
        output = self._report.output(pdf)
        workflow.set_current_details(format_usage(output.bill))
        return output

    async def _try(self, call: LLMCallInput) -> Answer:
        """Return the model's answer, or the reason why it will never come."""
        is_summary = call.step.kind == StepKind.SUMMARY
        activity = activities.generate_summary if is_summary else activities.llm_call
        answer = Answer(*await try_step(activity, call))
        self._report.ledger.enter(answer.call)
        return answer

    async def _all(self, calls: Sequence[LLMCallInput]) -> list[Answer]:
        """Return the model's answers to calls that are made side by side."""
        return await each(self._try(call) for call in calls)


@workflow.defn
class GenerateReportWorkflow(Story):
    """Makes a PDF of a prompt."""

    @workflow.init
    def __init__(self, input: GenerateReportInput) -> None:
        info = workflow.info()
        self._report = Report(input, info.run_id, info.start_time.date().isoformat())

    @workflow.run
    async def run(self, input: GenerateReportInput) -> GenerateReportOutput:
        """Return the finished report."""
        return await self._tell(self._make())

    @workflow.query
    def plan(self) -> PlanState:
        """Return the plan, and what it waits for."""
        return self._report.plan.state()

    @workflow.update
    async def review_plan(self, review: PlanReview) -> PlanState:
        """Approve the plan, put another one in its place, or wish for one; return the plan after that."""
        self._report.plan.take_review(review, workflow.now())
        await workflow.wait_condition(lambda: self._report.plan.review.stage != PlanStage.CHANGES)
        return self._report.plan.state()

    @review_plan.validator
    def refuse_review(self, review: PlanReview) -> None:
        """Refuse what cannot be taken; nothing of it is recorded."""
        if reason := self._report.plan.refusal(review, config.load().max_cost):
            raise ApplicationError(reason)


@workflow.defn
class ReviseReportWorkflow(Story):
    """Makes another version of a finished report, in which only what a wish concerns is new."""

    @workflow.init
    def __init__(self, input: ReviseReportInput) -> None:
        self._report = self._revision = Revision.of(input, workflow.info().start_time.date().isoformat())

    @workflow.run
    async def run(self, input: ReviseReportInput) -> GenerateReportOutput:
        """Open the report, and make what is to change in it by the same steps."""
        return await self._tell(self._revise())

    async def _revise(self) -> GenerateReportOutput:
        self._revision.take_opened(await run_step(activities.open_report, self._revision.begin_opening()))
        return await self._make()


@workflow.defn
class AskReportWorkflow(Story):
    """Answers a question from what a finished report was written from."""

    @workflow.init
    def __init__(self, input: AskReportInput) -> None:
        self._report = self._question = Question.of(input, workflow.info().start_time.date().isoformat())

    @workflow.run
    async def run(self, input: AskReportInput) -> GenerateReportOutput:
        """Open the report, answer, prove the answer, and store it with the report's other answers."""
        return await self._tell(self._answer())

    async def _answer(self) -> GenerateReportOutput:
        self._question.take_opened(await run_step(activities.open_report, self._question.begin_opening()))
        if self._question.has_sources:
            self._question.take_text(await run_step(activities.llm_call, self._question.begin_text()))
            await self._prove()
        stored = await run_step(activities.store_answer, self._question.begin_storing())
        return self._question.answered(stored)

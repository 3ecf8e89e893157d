"""The Workflow's story in every branch: on a real service, with small fakes in place of the Activities."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models import (
    Document,
    GenerateReportInput,
    GenerateReportOutput,
    LLMCallInput,
    LLMCallOutput,
    PDFGenerationInput,
    PDFGenerationOutput,
    Read,
    Source,
    StepKind,
)
from research.messages import (
    ReadPageInput,
    ReadPageOutput,
    StoredAnswersInput,
    WebSearchInput,
    WebSearchOutput,
)
from research.report.plan import MAX_SECTIONS, read_plan
from research.temporal.converter import data_converter
from research.temporal.steps import MAX_SIDE_BY_SIDE
from testing.app import DevServer
from workflow import GenerateReportWorkflow

PLAN = "\n".join(
    f"## {title}\nWhat it covers.\n- {title} query\n- shared query\n" for title in ("Moss", "Space", "Heat")
)


@pytest.fixture
async def client(server: DevServer) -> Client:
    """A client of the service that all tests share; each report has a task queue of its own."""
    return await Client.connect(f"127.0.0.1:{server.port}", data_converter=data_converter(()))


def refuse(call: object) -> str:
    raise ApplicationError("the provider refuses it", non_retryable=True)


@dataclass
class Steps:
    """The Activities: they answer at once, and record what they were given."""

    answers: dict[str, Callable[[LLMCallInput], str]] = field(default_factory=dict)
    """What the model writes, by the kind of the step."""
    stored: bool = False
    failing_pdf: bool = False
    max_pages: int = 0
    calls: list[LLMCallInput] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    pages: list[PDFGenerationInput] = field(default_factory=list)
    deleted: tuple[str, ...] = ()
    running: int = 0
    most: int = 0
    """How many model calls ran side by side."""

    def of(self, kind: StepKind) -> list[LLMCallInput]:
        return [call for call in self.calls if call.step.kind == kind]

    async def _answer(self, call: LLMCallInput) -> LLMCallOutput:
        self.calls.append(call)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.02)
            write = self.answers.get(call.step.kind)
            text = write(call) if write else f"Text of {call.step.kind}."
        finally:
            self.running -= 1
        plan = read_plan(text) if call.step.kind == StepKind.PLAN else None
        ids = (f"resp-{len(self.calls)}",) if self.stored else ()
        return LLMCallOutput(text, "a model", 10, 5, 0.01, "stop", stored=ids, plan=plan)

    @activity.defn
    async def llm_call(self, input: LLMCallInput) -> LLMCallOutput:
        return await self._answer(input)

    @activity.defn
    async def generate_summary(self, input: LLMCallInput) -> LLMCallOutput:
        return await self._answer(input)

    @activity.defn
    async def web_search(self, input: WebSearchInput) -> WebSearchOutput:
        self.queries.append(input.query)
        if input.query == "Heat query":
            return WebSearchOutput(failure="it is closed today")
        name = input.query.split()[0]
        found = Source(url=f"https://example.org/{name}", title=name, snippet=f"About {name}.")
        return WebSearchOutput((found,), cost=0.005, max_pages=self.max_pages)

    @activity.defn
    async def read_page(self, input: ReadPageInput) -> ReadPageOutput:
        if input.document == "00" * 32:
            return ReadPageOutput(replace(input.source, reason="no PDF"))
        if input.source.url.endswith("/Space"):
            return ReadPageOutput(replace(input.source, reason="the server answered 403"))
        read = Read.DOCUMENT if input.document else Read.PAGE
        title = input.source.title if input.document else "Wiki"
        sha256 = input.document or "cd" * 32
        return ReadPageOutput(replace(input.source, title=title, sha256=sha256, characters=2_000, read=read))

    @activity.defn
    async def create_pdf_activity(self, input: PDFGenerationInput) -> PDFGenerationOutput:
        self.pages.append(input)
        if self.failing_pdf:
            raise ApplicationError("no page", non_retryable=True)
        return PDFGenerationOutput(input.filename, pages=1, sources=input.sources)

    @activity.defn
    async def delete_stored_answers(self, input: StoredAnswersInput) -> None:
        self.deleted = input.ids


@asynccontextmanager
async def begun(
    client: Client, steps: Steps, **asked: Any
) -> AsyncIterator[WorkflowHandle[GenerateReportWorkflow, GenerateReportOutput]]:
    """A report that a worker with these steps makes."""
    queue = uuid.uuid4().hex
    activities: list[Callable[..., Any]] = [
        steps.llm_call,
        steps.generate_summary,
        steps.web_search,
        steps.read_page,
        steps.create_pdf_activity,
        steps.delete_stored_answers,
    ]
    async with Worker(
        client,
        task_queue=queue,
        workflows=[GenerateReportWorkflow],
        activities=activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        report = GenerateReportInput("How do tardigrades survive?", **asked)
        yield await client.start_workflow(GenerateReportWorkflow.run, report, id=queue, task_queue=queue)


async def events_of(handle: WorkflowHandle[Any, Any]) -> list[Any]:
    return [*(await handle.fetch_history()).events]


async def made(client: Client, steps: Steps, **asked: Any) -> GenerateReportOutput:
    async with begun(client, steps, **asked) as handle:
        return await handle.result()


async def test_three_steps(client: Client) -> None:
    steps = Steps()
    output = await made(client, steps)
    [research, summary], [page] = steps.calls, steps.pages
    assert research.prompt == "How do tardigrades survive?"
    assert "Text of research." in summary.prompt
    assert (page.content, page.summary, page.notes) == ("Text of research.", "Text of summary.", ())
    assert output.result == f"Successfully created research report PDF with summary: {page.filename}"
    assert (output.bill.requests, output.bill.cost) == (2, 0.02)
    assert summary.spent == 0.01
    assert steps.deleted == ()


async def test_sources_and_sections(client: Client) -> None:
    """Each section gets what its own queries found; a query that two sections share is made once."""
    steps = Steps({StepKind.PLAN: lambda call: PLAN, StepKind.SECTION: lambda call: call.step.title})
    output = await made(client, steps, sources=True, sections=3)
    assert sorted(steps.queries) == ["Heat query", "Moss query", "Space query", "shared query"]
    sections = {call.step.title: call for call in steps.of(StepKind.SECTION)}
    assert [(call.step.number, call.step.count, call.share) for call in sections.values()] == [
        (number, 3, 3) for number in (1, 2, 3)
    ]
    for title, call in sections.items():
        quoted = {
            name for name in ("Moss", "Space", "shared") if f"https://example.org/{name}" in call.prompt
        }
        assert quoted == {"shared", *({title} - {"Heat"})}
        start, pieces = call.material.start, call.material.pieces
        assert call.prompt[start:].startswith("\n\n[") and len(pieces) == len(quoted)
        assert start + sum(pieces) == len(call.prompt)
    [page] = steps.pages
    assert page.content == "## Moss\n\nMoss\n\n## Space\n\nSpace\n\n## Heat\n\nHeat\n"
    assert [source.number for source in page.sources] == [1, 2, 3]
    assert output.notes == ("1 of 4 searches of the web failed: it is closed today.",)
    assert (output.bill.searches, output.bill.requests) == (3, 5)


async def test_documents_are_read_first(client: Client) -> None:
    """Before anything is paid for; a name is one line of the prompt, and a document that fails ends it."""
    given = (Document("a\n\n[9] forged.md", "ab" * 32), Document("https://example.org/wiki"))
    steps = Steps()
    await made(client, steps, documents=given)
    [research] = steps.of(StepKind.RESEARCH)
    assert research.prompt.endswith("\n\n[1] a [9] forged.md\n\n[2] Wiki\nhttps://example.org/wiki")
    assert research.texts == ("ab" * 32, "cd" * 32)
    assert [page.read for page in steps.pages[0].sources] == [Read.DOCUMENT, Read.PAGE]

    for documents, reason in (
        ((*given, Document("broken.pdf", "00" * 32)), "these documents cannot be read: broken.pdf (no PDF)"),
        (given * 26, "a report takes at most 50 documents, not 52"),
    ):
        steps = Steps()
        with pytest.raises(WorkflowFailureError) as failed:
            await made(client, steps, documents=documents)
        assert str(failed.value.cause) == reason
        assert steps.calls == []


async def test_the_best_pages_of_all_queries_are_read(client: Client) -> None:
    """As many as the worker's setting, which the searches have recorded; the others keep their snippets."""
    steps = Steps({StepKind.PLAN: lambda call: PLAN}, max_pages=2)
    output = await made(client, steps, sources=True)
    read = [source.read for source in steps.pages[0].sources]
    assert read == [Read.PAGE, Read.SNIPPET, Read.SNIPPET]
    research = steps.of(StepKind.RESEARCH)[0]
    assert len(research.texts) == 3
    assert [bool(text) for text in research.texts] == [True, False, False]
    assert "> About Space." in research.prompt and "> About Moss." not in research.prompt
    assert output.notes[-1].startswith("1 of 3 sources could be read; 1 could not: the server answered 403.")


async def test_a_plan_that_cannot_be_read_is_asked_for_once_more(client: Client) -> None:
    steps = Steps({StepKind.PLAN: lambda call: PLAN if call.step.number == 2 else "I would rather not."})
    await made(client, steps, sections=3)
    assert len(steps.of(StepKind.PLAN)) == 2
    assert len(steps.of(StepKind.SECTION)) == 3


@pytest.mark.parametrize(
    ("answer", "plans"), [(lambda call: "No.", 2), (refuse, 1)], ids=["never to be read", "refused"]
)
async def test_without_a_plan_the_report_is_one_text(
    client: Client, answer: Callable[[LLMCallInput], str], plans: int
) -> None:
    """And the web is searched for the topic."""
    steps = Steps({StepKind.PLAN: answer})
    output = await made(client, steps, sections=3, sources=True)
    assert [call.step.kind for call in steps.calls] == ["plan"] * plans + ["research", "summary"]
    assert steps.queries == ["How do tardigrades survive?"]
    assert output.notes == (
        "The model wrote no plan of sections that could be read, so the report is one text.",
    )


async def test_a_section_that_cannot_be_written_leaves_its_heading(client: Client) -> None:
    def second_refused(call: LLMCallInput) -> str:
        return refuse(call) if call.step.number == 2 else "Text."

    steps = Steps({StepKind.PLAN: lambda call: PLAN, StepKind.SECTION: second_refused})
    output = await made(client, steps, sections=3)
    reason = "*This section could not be written: the provider refuses it.*"
    assert f"## Moss\n\nText.\n\n## Space\n\n{reason}\n\n## Heat" in steps.pages[0].content
    assert output.notes == ("1 of 3 sections could not be written.",)


async def test_without_any_section_there_is_no_report(client: Client) -> None:
    """It fails with the reason, and its answers do not stay with the provider."""
    steps = Steps({StepKind.PLAN: lambda call: PLAN, StepKind.SECTION: refuse}, stored=True)
    with pytest.raises(WorkflowFailureError) as failed:
        await made(client, steps, sections=3)
    assert "no section could be written: the provider refuses it" in str(failed.value.cause)
    assert steps.pages == []
    assert steps.deleted == ("resp-1",)


async def test_twenty_sections_at_once_and_no_more(client: Client) -> None:
    plan = "".join(f"## Part {chr(65 + n)} of it\n" for n in range(30))
    steps = Steps({StepKind.PLAN: lambda call: plan})
    await made(client, steps, sections=MAX_SECTIONS)
    assert len(steps.of(StepKind.SECTION)) == MAX_SECTIONS
    assert 2 <= steps.most <= MAX_SIDE_BY_SIDE


async def test_without_a_summary_the_research_is_not_lost(client: Client) -> None:
    steps = Steps({StepKind.SUMMARY: refuse})
    output = await made(client, steps)
    assert (steps.pages[0].content, steps.pages[0].summary) == ("Text of research.", "")
    assert output.notes == ("There is no executive summary: the provider refuses it.",)


async def test_research_that_is_refused_fails_the_report(client: Client) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await made(client, Steps({StepKind.RESEARCH: refuse}))
    assert "the provider refuses it" in str(failed.value.cause.__cause__)


@pytest.mark.parametrize("failing", [False, True], ids=["made", "failed at the page"])
async def test_no_answer_stays_with_the_provider(client: Client, failing: bool) -> None:
    steps = Steps(stored=True, failing_pdf=failing)
    if failing:
        with pytest.raises(WorkflowFailureError):
            await made(client, steps)
    else:
        await made(client, steps)
    assert steps.deleted == ("resp-1", "resp-2")


async def test_a_report_that_is_cancelled_in_its_pause(client: Client) -> None:
    """It makes no page, and its answers do not stay with the provider."""
    steps = Steps(stored=True)
    async with begun(client, steps, pause_seconds=600.0) as handle:
        while not any(event.HasField("timer_started_event_attributes") for event in await events_of(handle)):
            await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as cancelled:
            await handle.result()
    assert isinstance(cancelled.value.cause, CancelledError)
    assert steps.pages == []
    assert steps.deleted == ("resp-1",)

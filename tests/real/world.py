"""The parts of a run: the model, the relay before it, a dev server, a worker; and how a report is written."""

import asyncio
import contextlib
import json
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from models import GenerateReportInput, StepKind
from research.temporal.client import runtime
from research.temporal.names import recorded_step, step_name
from testing.app import DevServer, copy_clone, free_port
from testing.processes import Program, start_worker
from tests.real import model
from tests.real.relay import OTHER, PLAN, SUMMARY, Entry, Relay, section
from workflow import GenerateReportWorkflow

MAX_REPORT_SECONDS = 400.0
MAX_TEXT_CHARACTERS = 8_000
"""A longer text is one that the model will not end."""
POLL_SECONDS = 0.005


class NotWritten(Exception):
    """A report did not come about; the message says why."""


@dataclass
class Report:
    """What came of one report."""

    texts: dict[str, str]
    """The text that each step of the model recorded in the history, without the plan's."""
    finish_reasons: dict[str, str]
    entries: list[Entry]
    """The requests that were made for it."""
    killed: float = 0.0
    """When its worker was killed, by the clock of the ledger; 0 where it was not."""
    files: str = ""
    """What is wrong with its PDF and its Markdown file; empty where nothing is."""

    def of(self, step: str) -> list[Entry]:
        """The requests for the text of this step that the model began to answer."""
        return [entry for entry in self.entries if entry.step == step and entry.status == 200]


class World:
    """All the parts, started and stopped together. One report is written at a time."""

    def __init__(self, folder: Path) -> None:
        self.reports = folder / "reports"
        self.server = DevServer(copy_clone(folder / "clone"), free_port())
        self._model_port = free_port()
        self.relay = Relay(f"http://127.0.0.1:{self._model_port}")
        self._model: Program | None = None
        self._worker: Program | None = None
        self._client: Client | None = None

    def start(self) -> None:
        """Start the model, the relay, the service and a worker."""
        self._model = model.start(self._model_port)
        self.relay.__enter__()
        started = self.server.run("start")
        assert started.returncode == 0, started.stderr
        self.start_worker()

    def stop(self) -> None:
        """End all that was started."""
        self.kill_worker()
        self.server.run("stop")
        if self.relay.port:
            self.relay.__exit__(None, None, None)
        if self._model:
            self._model.kill()

    def start_worker(self) -> None:
        """Start a worker, and wait until it serves."""
        environ = {
            **self.server.environ,
            "LLM_MODEL": f"openai/{model.MODEL}",
            "LLM_API_KEY": "none-needed",
            "LLM_API_BASE": self.relay.url,
            "REPORTS_DIR": str(self.reports),
        }
        self._worker = start_worker(root=self.server.root, environ=environ)

    def kill_worker(self) -> None:
        """End the worker with SIGKILL."""
        if self._worker and self._worker.process.poll() is None:
            self._worker.kill()

    async def own_tokens(self, report: Report, step: str) -> str:
        """Return where the model wrote a text in other tokens than its tokenizer gives it, or nothing."""
        pieces = [piece for entry in report.of(step) for piece in entry.pieces]
        return await asyncio.to_thread(model.own_tokens, self._model_port, pieces)

    async def write(self, topic: str, sections: int = 0, kill_at: int = 0) -> Report:
        """Have one report written; with `kill_at`, kill its worker once when so many characters were sent.

        Raises:
            NotWritten: the report does not come about, or it ends before the worker was killed.
        """
        if self._client is None:
            address = f"127.0.0.1:{self.server.port}"
            self._client = await Client.connect(address, runtime=runtime(verbose=False))
        first, self.relay.topic = len(self.relay.ledger), topic
        handle: WorkflowHandle[Any, Any] = await self._client.start_workflow(
            GenerateReportWorkflow.run,
            GenerateReportInput(topic, sections=sections),
            id=f"real-{uuid.uuid4().hex[:12]}",
            task_queue="research",
        )
        try:
            async with asyncio.timeout(MAX_REPORT_SECONDS):
                killed = await self._kill(first, kill_at) if kill_at else 0.0
                await self._end(handle, first)
        except (NotWritten, TimeoutError) as error:
            await self._abandon(handle)
            raise NotWritten(str(error) or f"no report within {MAX_REPORT_SECONDS:.0f} s") from None
        history = await handle.fetch_history()
        texts, reasons = recorded(history)
        return Report(texts, reasons, self.relay.ledger[first:], killed, self._wrong_files(history, texts))

    async def _kill(self, first: int, characters: int) -> float:
        """Kill the worker in the middle of the texts, start another one; return when it was killed."""
        while sum(len(entry.text) for entry in self._texts(first)) < characters:
            if any(entry.step == SUMMARY for entry in self.relay.ledger[first:]):
                raise NotWritten(f"the text ended before its character {characters}, so no worker was killed")
            await asyncio.sleep(POLL_SECONDS)
        self.kill_worker()
        killed = time.monotonic()
        await asyncio.to_thread(self.start_worker)
        return killed

    def _texts(self, first: int) -> list[Entry]:
        return [entry for entry in self.relay.ledger[first:] if entry.step not in (PLAN, SUMMARY, OTHER)]

    async def _end(self, handle: WorkflowHandle[Any, Any], first: int) -> None:
        """Wait for the report's end."""
        while True:
            status = (await handle.describe()).status
            if status == WorkflowExecutionStatus.COMPLETED:
                return
            if status != WorkflowExecutionStatus.RUNNING:
                raise NotWritten(f"the report is {status.name.lower() if status else 'unknown'}")
            for entry in self.relay.ledger[first:]:
                if len(entry.text) > MAX_TEXT_CHARACTERS:
                    raise NotWritten(_endless(entry))
            await asyncio.sleep(0.2)

    async def _abandon(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Terminate a report, with the requests that its worker has open."""
        with contextlib.suppress(Exception):
            await handle.terminate()
        self.kill_worker()
        await asyncio.to_thread(self.start_worker)

    def _wrong_files(self, history: Any, texts: dict[str, str]) -> str:
        """Return what is wrong with the report's files, or nothing."""
        started = history.events[0].workflow_execution_started_event_attributes
        suffix = started.original_execution_run_id.replace("-", "")[-12:]
        pdfs, markdown = (list(self.reports.glob(f"*-{suffix}.{kind}")) for kind in ("pdf", "md"))
        if len(pdfs) != 1 or len(markdown) != 1:
            return f"{len(pdfs)} PDFs, {len(markdown)} Markdown files"
        data, written = pdfs[0].read_bytes(), markdown[0].read_text(encoding="utf-8")
        if not data.startswith(b"%PDF-") or not data.rstrip().endswith(b"%%EOF"):
            return "the PDF is not whole"
        lost = [step for step, text in texts.items() if _below_heading(text) not in written]
        return f"the Markdown file has another text than the history for {', '.join(lost)}" if lost else ""


def _endless(entry: Entry) -> str:
    """Say of which text the model finds no end, and how that was asked for."""
    start = (
        f"{entry.draft[-60:]!r} (draft of {len(entry.draft)} characters)" if entry.draft else "its beginning"
    )
    continued = f"from {start} it went on with {entry.text[:60]!r}; roles: {', '.join(entry.roles)}"
    return f"the model does not end {entry.step}, {len(entry.text)} characters so far: {continued}"


def _below_heading(text: str) -> str:
    """Return a text without a heading at its beginning, which may become the report's title."""
    text = text.strip()
    return text.partition("\n")[2].strip() if text.startswith("#") else text


def recorded(history: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Return the text and the finish reason that each step of the model recorded, without the plan's."""
    texts, reasons, steps = {}, {}, dict(_scheduled(history))
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            if step := steps.get(completed.scheduled_event_id):
                output = json.loads(completed.result.payloads[0].data)
                texts[step], reasons[step] = str(output["text"]), str(output["finish_reason"])
    return texts, reasons


def _scheduled(history: Any) -> Iterator[tuple[int, str]]:
    """Yield the event of each scheduled step of the model, with the step's name."""
    for event in history.events:
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            continue
        attributes = event.activity_task_scheduled_event_attributes
        step = recorded_step(attributes.activity_type.name, json.loads(attributes.input.payloads[0].data))
        if step.kind == StepKind.SECTION:
            yield event.event_id, section(step.number)
        elif step.kind in (StepKind.RESEARCH, StepKind.SUMMARY):
            yield event.event_id, step_name(step)


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Provide a world in its own folder, which is removed with everything in it."""
    with tempfile.TemporaryDirectory() as folder:
        made = World(Path(folder))
        try:
            await asyncio.to_thread(made.start)
            yield made
        finally:
            await asyncio.to_thread(made.stop)

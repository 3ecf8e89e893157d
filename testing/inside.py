"""A worker in this process, for tests of what a report becomes: real Activities, a real service, no start.

What only a process does (kills, signals, terminals, files that two programs share) needs `app.App`.
"""

import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner

import worker
from models import GenerateReportInput, GenerateReportOutput
from research import config
from research.config import Settings
from research.messages import AskReportInput, ReviseReportInput
from research.temporal import sandbox
from research.temporal.client import connect
from research.temporal.converter import data_converter
from testing.background import Background
from workflow import AskReportWorkflow, GenerateReportWorkflow, ReviseReportWorkflow


@contextmanager
def settings_of(environ: Mapping[str, str]) -> Iterator[Settings]:
    """The settings of a program with this environment, in this process; no `.env` file is read."""
    with patch.dict(os.environ, environ), patch.object(config, "DOTENV", Path(os.devnull)):
        config.load.cache_clear()
        try:
            yield config.load()
        finally:
            config.load.cache_clear()


@dataclass
class Inside:
    """Workers in this process, which share a task queue of their own, and the reports that they make."""

    address: str
    environ: Mapping[str, str]
    queue: str
    client: Client
    """Of the service's default namespace, where only this task queue is this object's own."""

    @property
    def folder(self) -> Path:
        """Where the reports are."""
        return Path(self.environ["REPORTS_DIR"])

    @asynccontextmanager
    async def worker(self, **environ: str) -> AsyncIterator[None]:
        """Serve with these settings besides; on leaving, steps that run are handed over."""
        with (
            settings_of({**self.environ, **environ}) as settings,
            patch.object(worker, "TASK_QUEUE", self.queue),
        ):
            client = await Client.connect(self.address, data_converter=data_converter(settings.secrets))
            async with worker.create_worker(client, settings.max_calls):
                yield

    async def start(self, prompt: str, **asked: Any) -> WorkflowHandle[Any, GenerateReportOutput]:
        """Start a report."""
        return await self.client.start_workflow(
            GenerateReportWorkflow.run,
            GenerateReportInput(prompt, **asked),
            id=f"{self.queue}-{uuid.uuid4().hex[:8]}",
            task_queue=self.queue,
        )

    async def report(self, prompt: str, **asked: Any) -> GenerateReportOutput:
        """Make a report to its end."""
        return await (await self.start(prompt, **asked)).result()

    async def revise(self, report: str, wish: str, *sections: int) -> GenerateReportOutput:
        """Make another version of a report, to its end."""
        return await self._run(ReviseReportWorkflow.run, ReviseReportInput(report, wish, sections))

    async def ask(self, report: str, question: str) -> GenerateReportOutput:
        """Ask a question about a report."""
        return await self._run(AskReportWorkflow.run, AskReportInput(report, question))

    async def _run(self, workflow: Any, input: Any) -> GenerateReportOutput:
        name = f"{self.queue}-{uuid.uuid4().hex[:8]}"
        output: GenerateReportOutput = await self.client.execute_workflow(
            workflow, input, id=name, task_queue=self.queue
        )
        return output

    def markdown(self) -> str:
        """The text of the one report that was made."""
        [file] = self.folder.glob("*.md")
        return file.read_text(encoding="utf-8")


class Serving(Background):
    """A worker in a thread of this process, for programs that need one and are not about it."""

    def __init__(self, environ: Mapping[str, str], reports: Path) -> None:
        super().__init__()
        self._environ = {**environ, "REPORTS_DIR": str(reports)}

    async def serve(self) -> None:
        """Serve: see `Background`."""
        with (
            settings_of(self._environ) as settings,
            patch.object(sandbox, "workflow_runner", UnsandboxedWorkflowRunner),
        ):
            client, _ = await connect(settings, print)
            async with worker.create_worker(client, settings.max_calls):
                self._started.set()
                await self._stop.wait()


@asynccontextmanager
async def inside(address: str, environ: Mapping[str, str]) -> AsyncIterator[Inside]:
    """Connect to the service; the settings are those of `environ` alone."""
    with patch.object(sandbox, "workflow_runner", UnsandboxedWorkflowRunner):
        client = await Client.connect(address, data_converter=data_converter(()))
        yield Inside(address, environ, uuid.uuid4().hex, client)

"""A worker in this process, for tests of what a report becomes: real Activities, a real service, no start.

What only a process does (kills, signals, terminals, files that two programs share) needs `app.App`.
"""

import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner

import worker
from models import GenerateReportInput, GenerateReportOutput
from research import config
from research.temporal import sandbox
from research.temporal.converter import data_converter
from workflow import GenerateReportWorkflow


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
            patch.dict(os.environ, {**self.environ, **environ}),
            patch.object(worker, "TASK_QUEUE", self.queue),
        ):
            config.load.cache_clear()
            settings = config.load()
            client = await Client.connect(self.address, data_converter=data_converter(settings.secrets))
            try:
                async with worker.create_worker(client, settings.max_calls):
                    yield
            finally:
                config.load.cache_clear()

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

    def markdown(self) -> str:
        """The text of the one report that was made."""
        [file] = self.folder.glob("*.md")
        return file.read_text(encoding="utf-8")


@asynccontextmanager
async def inside(address: str, environ: Mapping[str, str]) -> AsyncIterator[Inside]:
    """Connect to the service; the settings are those of `environ` alone, not those of a `.env` file."""
    with (
        patch.object(config, "DOTENV", Path(os.devnull)),
        patch.object(sandbox, "workflow_runner", UnsandboxedWorkflowRunner),
    ):
        client = await Client.connect(address, data_converter=data_converter(()))
        yield Inside(address, environ, uuid.uuid4().hex, client)

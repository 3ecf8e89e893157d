"""One chaos run: reports are started, events happen, the reports end."""

import asyncio
import contextlib
import hashlib
import re
import time
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from models import Document, GenerateReportInput
from research.llm.resume import Way
from research.output.words import all_words
from research.temporal.client import runtime
from tests.chaos.audit import Audit
from tests.chaos.schedule import Event
from tests.chaos.texts import sections_of, topic_of
from tests.chaos.world import World
from workflow import GenerateReportWorkflow

FINAL_SECONDS = 180.0
"""How long the last report may take after the last event."""

_COLOPHONS = (re.escape(words("made", "\0", "\0")).replace("\0", ".+") for words in all_words())
COLOPHON = re.compile(rf"\n(?:{'|'.join(_COLOPHONS)})\n\Z")
"""The last line of a report without references, in every language."""


async def run(world: World, events: list[Event], reports: int) -> Audit:
    """Start the reports, apply the events, wait for every end, and return the audit."""
    clients = [await _connect(world, way) for way in world.ways]
    watcher = FolderWatcher(world.reports)
    watching = asyncio.create_task(watcher.watch())
    handles = [await _start(world, clients[0], 0)]
    while not world.endpoint.ledger:  # because a worker loads litellm first
        await asyncio.sleep(0.1)
    beginning = time.monotonic()
    every = max(events[-1].at - 2 if events else 0, 1) / reports

    async def start_reports() -> None:
        for number in range(1, reports):
            await asyncio.sleep(max(0.0, beginning + number * every - time.monotonic()))
            handles.append(await _start(world, clients[number % len(clients)], number))

    happening = [asyncio.create_task(start_reports())]
    for event in events:
        await asyncio.sleep(max(0.0, beginning + event.at - time.monotonic()))
        happening.append(asyncio.create_task(world.apply(event)))
    await asyncio.gather(*happening)
    calm = time.monotonic()
    ends = await asyncio.gather(*[_end(handle, calm + FINAL_SECONDS) for handle in handles])
    settled = time.monotonic() - calm
    assert not watching.done(), watching.exception()
    watching.cancel()
    watcher.check()
    histories = [await handle.fetch_history() for handle in handles]
    return Audit(world, reports, list(ends), histories, watcher.wrong, settled)


async def _connect(world: World, way: Way) -> Client:
    return await Client.connect(
        f"127.0.0.1:{world.server.port}",
        namespace=world.namespace(way),
        lazy=True,
        runtime=runtime(verbose=False),
    )


async def _start(world: World, client: Client, number: int) -> WorkflowHandle[Any, Any]:
    """Start one report; while the service does not answer, retry as any client would."""
    identity = f"chaos-{number}"
    while True:
        try:
            return await client.start_workflow(
                GenerateReportWorkflow.run,
                GenerateReportInput(
                    topic_of(number),
                    pause_seconds=number // 3 % 3,
                    sections=sections_of(number),
                    documents=tuple(map(Document, world.site.addresses(number))),
                ),
                id=identity,
                task_queue="research",
            )
        except WorkflowAlreadyStartedError:
            return client.get_workflow_handle(identity)
        except (RPCError, RuntimeError):
            await asyncio.sleep(0.2)


async def _end(handle: WorkflowHandle[Any, Any], deadline: float) -> str:
    """Return the status in which the report ended, or "running" when it did not in time."""
    while time.monotonic() < deadline:
        with contextlib.suppress(RPCError):
            description = await handle.describe()
            if description.status != WorkflowExecutionStatus.RUNNING:
                return description.status.name.lower() if description.status else "unknown"
        await asyncio.sleep(0.5)
    return "running"


class FolderWatcher:
    """Looks into the reports folder all the time: every file must be whole, and stay what it is.

    A file is read again when its status has changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wrong: set[str] = set()
        """Files that were seen incomplete or changed."""
        self._digests: dict[str, str] = {}
        self._seen: dict[Path, tuple[int, ...]] = {}

    async def watch(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(0.02)

    def check(self) -> None:
        for file in self.path.glob("*/**/[!.]*.*"):
            status = file.stat()
            seen = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            if self._seen.get(file) == seen:
                continue
            self._seen[file] = seen
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            whole = data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
            if file.suffix == ".txt":
                whole = file.stem == digest
            elif file.suffix in (".md", ".json"):
                text = data[-2_000:].decode("utf-8", "replace")
                whole = text.endswith((")\n", "}\n")) or COLOPHON.search(text) is not None
            if not whole or self._digests.setdefault(file.name, digest) != digest:
                self.wrong.add(file.name)

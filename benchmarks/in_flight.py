"""Many reports at once on one worker: is anything lost, made twice, or taken for dead?

    python -m benchmarks.in_flight [REPORTS]

The endpoint takes 10 seconds a call, in 500 chunks; and 60 seconds, so that all the calls are in
flight together. Side by side: ours as it is, ours that streams nothing, and the plain
Temporal version on its 100 threads, which does not stream either.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psutil
from temporalio.client import Client, WorkflowHandle

from benchmarks.fixtures import environ, own_server
from benchmarks.plain_temporal import TASK_QUEUE, PlainWorkflow
from models import GenerateReportInput
from testing.app import DevServer
from testing.processes import Program, start_worker
from testing.provider import Call, Provider, Reply
from workflow import GenerateReportWorkflow

PEAK: Counter[int] = Counter()
"""The most memory, in bytes, that a process was seen to take."""


@dataclass(frozen=True)
class Row:
    """One measurement."""

    name: str
    chunks: int
    call_seconds: float = 10.0
    streams: str = ""
    """LLM_MAX_STREAMS; empty for the default."""


ROWS = [
    Row("ours", 500),
    Row("ours, no streams", 500, streams="0"),
    Row("ours", 500, call_seconds=60.0),
    Row("plain Temporal", 500),
]


def main(reports: int) -> None:
    with own_server() as server:
        print(f"{reports} reports at once, one worker\n")
        print("| | a call | chunks | time | most calls in flight | memory | timeouts | twice | lost |")
        print("|---|---|---|---|---|---|---|---|---|")
        for row in ROWS:
            cells = asyncio.run(_measure(server, row, reports))
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


async def _measure(server: DevServer, row: Row, reports: int) -> list[object]:
    text = " ".join(f"word{number}" for number in range(row.chunks))

    def reply(call: Call) -> Reply:
        return Reply(text, chunk_seconds=row.call_seconds / row.chunks)

    with Provider(reply) as provider:
        settings = {**environ(server, provider), "LLM_MAX_STREAMS": row.streams}
        client = await Client.connect(f"127.0.0.1:{server.port}")
        with _worker(row.name, server, settings) as worker:
            memory = asyncio.create_task(_peak_memory(worker))
            started = time.monotonic()
            handles = await asyncio.gather(
                *[_start(client, row.name, f"{ROWS.index(row)}-{n}") for n in range(reports)]
            )
            results = await asyncio.gather(*[_wait(handle) for handle in handles], return_exceptions=True)
            took = time.monotonic() - started
            memory.cancel()
        timeouts = sum(await asyncio.gather(*[_timeouts(handle) for handle in handles]))
        twice = len(provider.calls) - 2 * reports
    lost = sum(isinstance(result, BaseException) for result in results)
    peak = f"{PEAK[worker.process.pid] / 2**20:.0f} MB"
    return [
        row.name,
        f"{row.call_seconds:.0f} s",
        row.chunks,
        f"{took:.0f} s",
        provider.most_in_flight,
        peak,
        timeouts,
        twice,
        lost,
    ]


async def _peak_memory(worker: Program) -> None:
    process = psutil.Process(worker.process.pid)
    while True:
        PEAK[process.pid] = max(PEAK[process.pid], process.memory_info().rss)
        await asyncio.sleep(0.5)


def _worker(name: str, server: DevServer, settings: dict[str, str]) -> Program:
    if name.startswith("ours"):
        return start_worker(root=server.root, environ=settings)
    worker = Program("-m", "benchmarks.plain_temporal", environ=settings)
    worker.wait_for("Ready.")
    return worker


async def _start(client: Client, name: str, identity: str) -> WorkflowHandle[Any, Any]:
    if name.startswith("ours"):
        report = GenerateReportInput(identity)
        return await client.start_workflow(
            GenerateReportWorkflow.run, report, id=identity, task_queue="research"
        )
    return await client.start_workflow(PlainWorkflow.run, identity, id=identity, task_queue=TASK_QUEUE)


async def _wait(handle: WorkflowHandle[Any, Any]) -> None:
    await asyncio.wait_for(handle.result(), 900)


async def _timeouts(handle: WorkflowHandle[Any, Any]) -> int:
    """Attempts that followed a timeout, as the history tells."""
    history = await handle.fetch_history()
    return sum(
        event.activity_task_started_event_attributes.last_failure.HasField("timeout_failure_info")
        for event in history.events
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)

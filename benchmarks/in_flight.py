"""Many reports at once on one worker: is anything lost, made twice, or taken for dead?

    python -m benchmarks.in_flight [REPORTS]

Every call takes the endpoint 10 seconds, in 10 and in 500 chunks. Side by side with the plain
Temporal version on its 100 threads, which does not stream.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client, WorkflowHandle

from benchmarks.plain_temporal import TASK_QUEUE, PlainWorkflow
from demos.processes import Program, start_worker
from demos.provider import Call, Provider, Reply
from models import GenerateReportInput
from tests.conftest import DevServer, copy_clone, free_port
from workflow import GenerateReportWorkflow

CALL_SECONDS = 10.0


def main(reports: int) -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    with tempfile.TemporaryDirectory() as scratch:
        server = DevServer(copy_clone(Path(scratch) / "clone"), free_port())
        server.run("start")
        try:
            print(f"{reports} reports at once, one worker, {CALL_SECONDS:.0f} s a call\n")
            print("| | chunks | time | worker's memory | timeouts | calls made twice | lost |")
            print("|---|---|---|---|---|---|---|")
            for name, chunks in (("ours", 10), ("ours", 500), ("plain Temporal", 10)):
                row = asyncio.run(_measure(server, name, chunks, reports))
                print("| " + " | ".join(map(str, row)) + " |", flush=True)
        finally:
            server.run("stop")


async def _measure(server: DevServer, name: str, chunks: int, reports: int) -> list[object]:
    text = " ".join(f"word{number}" for number in range(chunks))

    def reply(call: Call) -> Reply:
        return Reply(text, chunk_seconds=CALL_SECONDS / chunks)

    with Provider(reply) as provider:
        environ = {
            **server.environ,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{server.port}",
            "LLM_MODEL": "openai/gpt-4o",
            "LLM_API_KEY": "sk-benchmark-0123456789",
            "LLM_API_BASE": provider.url,
            "REPORTS_DIR": str(server.root / "out"),
        }
        (server.root / "out").mkdir(exist_ok=True)
        client = await Client.connect(f"127.0.0.1:{server.port}")
        with _worker(name, server, environ) as worker:
            memory = asyncio.create_task(_peak_memory(worker))
            started = time.monotonic()
            handles = await asyncio.gather(
                *[_start(client, name, f"{name}-{chunks}-{n}") for n in range(reports)]
            )
            results = await asyncio.gather(*[_wait(handle) for handle in handles], return_exceptions=True)
            took = time.monotonic() - started
            memory.cancel()
        timeouts = sum(await asyncio.gather(*[_timeouts(handle) for handle in handles]))
        twice = len(provider.calls) - 2 * reports
    lost = sum(isinstance(result, BaseException) for result in results)
    peak = f"{PEAK[worker.process.pid] / 2**20:.0f} MB"
    return [name, chunks if name == "ours" else "(none)", f"{took:.0f} s", peak, timeouts, twice, lost]


PEAK: Counter[int] = Counter()


async def _peak_memory(worker: Program) -> None:
    process = psutil.Process(worker.process.pid)
    while True:
        PEAK[process.pid] = max(PEAK[process.pid], process.memory_info().rss)
        await asyncio.sleep(0.5)


def _worker(name: str, server: DevServer, environ: dict[str, str]) -> Program:
    if name == "ours":
        return start_worker(root=server.root, environ=environ)
    worker = Program("-m", "benchmarks.plain_temporal", environ=environ)
    worker.wait_for("Ready.")
    return worker


async def _start(client: Client, name: str, identity: str) -> WorkflowHandle[Any, Any]:
    if name == "ours":
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

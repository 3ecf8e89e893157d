"""Growth: many reports wait on the local dev server, then one worker starts.

    python -m benchmarks.waiting [REPORTS …]       default: 10 100 1000 10000

The reports are started while no worker runs. Then one worker starts, and its pace is measured for a
minute and a half, or until all are done. Calls of 200 ms; service and worker on one machine.
"""

import asyncio
import os
import sys
import time

import psutil
from temporalio.client import Client

from benchmarks.fixtures import environ, own_server
from benchmarks.throughput import reply
from models import GenerateReportInput
from research.cli import listing
from testing.app import DevServer
from testing.processes import start_worker
from testing.provider import Provider
from workflow import GenerateReportWorkflow

PACE_SECONDS = 90.0


def main(sizes: list[int]) -> None:
    """Print a Markdown table, one row for each number of waiting reports."""
    print("| waiting | started | service's memory | its file | `--list` | then one worker makes |")
    print("|---|---|---|---|---|---|", flush=True)
    for size in sizes:
        with own_server() as server, Provider(reply) as provider:
            os.environ.update(environ(server, provider))
            print(asyncio.run(_row(server, size)), flush=True)


async def _row(server: DevServer, size: int) -> str:
    client = await Client.connect(f"127.0.0.1:{server.port}")
    begun = time.monotonic()
    gate = asyncio.Semaphore(50)

    async def start(number: int) -> None:
        async with gate:
            await client.start_workflow(
                GenerateReportWorkflow.run,
                GenerateReportInput(f"report {number}"),
                id=f"waiting-{number}",
                task_queue="research",
            )

    await asyncio.gather(*[start(number) for number in range(size)])
    rate = size / (time.monotonic() - begun)
    memory = psutil.Process(server.pid).memory_info().rss
    stored = sum(file.stat().st_size for file in (server.root / ".temporal").glob("temporal.db*"))
    begun = time.monotonic()
    await listing.latest(client)
    took = time.monotonic() - begun
    with start_worker(root=server.root):
        pace = await _pace(client, size)
    cells = [
        f"{size:,}",
        f"{rate:.0f} a second",
        f"{memory / 2**20:.0f} MB",
        f"{stored / 2**20:.1f} MB",
        f"{took * 1000:.0f} ms",
        f"{pace:.1f} reports a second",
    ]
    return "| " + " | ".join(cells) + " |"


async def _pace(client: Client, size: int) -> float:
    """Return reports a second, counted by the service from the first that is done."""
    done, first, since = 0, 0, 0.0
    while done < size and (not since or time.monotonic() - since < PACE_SECONDS):
        await asyncio.sleep(0.2)
        done = (await client.count_workflows("ExecutionStatus = 'Completed'")).count
        if done and not since:
            first, since = done, time.monotonic()
    return (done - first) / max(time.monotonic() - since, 0.001)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10, 100, 1_000, 10_000])
    os._exit(0)

"""How soon the two processes are there, against the bare imports they cannot do without.

    python -m benchmarks.startup

Starter: from the start of the process to its prompt. Worker: to its first poll of the task
queue, as the service saw it. Against `import temporalio.client` and `import litellm`.
"""

import asyncio
import os
import pty
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from benchmarks.fixtures import own_server
from research import config
from testing.app import DevServer
from testing.processes import Program

RUNS = 9


def main() -> None:
    """Print a Markdown table of medians and ratios."""
    config.load()
    with own_server() as server:
        rows: dict[str, Callable[[], float]] = {
            "import temporalio.client": lambda: _import("temporalio.client"),
            "starter to its prompt": lambda: _starter(server),
            "worker to its first poll": lambda: asyncio.run(_worker(server)),
            "import litellm": lambda: _import("litellm"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in rows}
        for run in range(RUNS + 1):
            for name, measure in rows.items():
                took = measure()
                if run:  # the first warms the caches
                    seconds[name].append(took)
    bare = statistics.median(seconds["import temporalio.client"])
    print("| | median | times the bare import |\n|---|---|---|")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"| {name} | {median:.2f} s | {median / bare:.2f} |")


def _import(module: str) -> float:
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=environ)
    return time.perf_counter() - started


def _starter(server: DevServer) -> float:
    terminal, end = pty.openpty()
    started = time.perf_counter()
    starter = subprocess.Popen(
        [sys.executable, "starter.py"], cwd=server.root, stdin=end, stdout=end, stderr=end
    )
    seen = b""
    while b"question: " not in seen:
        seen += os.read(terminal, 4096)
    took = time.perf_counter() - started
    starter.kill()
    starter.wait()
    os.close(end)
    os.close(terminal)
    return took


async def _worker(server: DevServer) -> float:
    client = await Client.connect(f"127.0.0.1:{server.port}")
    known = await _pollers(client)
    started = time.perf_counter()
    with Program("worker.py", root=server.root, environ=server.environ) as worker:
        while not await _pollers(client) - known:
            await asyncio.sleep(0.01)
        took = time.perf_counter() - started
        worker.kill()
    return took


async def _pollers(client: Client) -> set[str]:
    request = DescribeTaskQueueRequest(
        namespace="default",
        task_queue=TaskQueue(name="research"),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    return {p.identity for p in (await client.workflow_service.describe_task_queue(request)).pollers}


if __name__ == "__main__":
    main()

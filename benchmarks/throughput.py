"""The cost of durability: one report alone and 50 at a time, side by side.

    python -m benchmarks.throughput [ROUNDS]

Each contender requests the same two texts from the same endpoint, 200 ms a call, and writes a PDF.
Medians of the rounds; each round runs every contender once.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client

from benchmarks.fixtures import environ, own_server
from benchmarks.plain_temporal import PlainWorkflow, ask_model, summary_prompt, write_pdf
from models import GenerateReportInput
from research.config import ROOT
from testing.app import DevServer
from testing.processes import Program, start_worker
from testing.provider import Call, Provider, Reply
from workflow import GenerateReportWorkflow

CALL_SECONDS, CHUNKS = 0.2, 10
PARAGRAPH = "One finding of the research, told in a sentence of about eighty characters, again.\n\n"
RESEARCH, SUMMARY = PARAGRAPH * 40, "Two sentences. They say it all."
ALONE, TOGETHER, AT_ONCE = 15, 150, 50
CONTENDERS = ("plain script", "ours", "plain Temporal", "DBOS", "LangGraph")


@dataclass(frozen=True)
class Run:
    """What one contender used for its reports."""

    latency: float
    """Seconds of one report alone; the median."""
    rate: float
    """Reports a second, 50 at a time."""
    cpu: float
    """The worker's CPU seconds for one report, 50 at a time."""
    service_cpu: float
    memory: float
    """The worker's memory at the end, in bytes."""
    stored: float
    """Bytes stored for one report; 0 where nothing is stored."""


def main(rounds: int) -> None:
    """Print a Markdown table of medians, and the ratios to the plain script."""
    runs: dict[str, list[Run]] = defaultdict(list)
    with own_server() as server, Provider(reply) as provider:
        os.environ.update(environ(server, provider))
        for number in range(rounds):
            for name in CONTENDERS:
                runs[name].append(_measure(server, name, number))
                print(f"round {number + 1}, {name}", file=sys.stderr, flush=True)
    print(f"Calls of {CALL_SECONDS * 1000:.0f} ms, a research of {len(RESEARCH):,} characters\n")
    print("| | one alone | over the script | 50 at a time | worker's CPU | service's CPU | memory | stored |")
    print("|---|---|---|---|---|---|---|---|")
    script = _median(runs["plain script"], lambda run: run.latency)
    for name in CONTENDERS:
        print(_row(name, runs[name], script))


def _row(name: str, runs: list[Run], script: float) -> str:
    latency = _median(runs, lambda run: run.latency)
    stored = _median(runs, lambda run: run.stored)
    cells = [
        name,
        f"{latency * 1000:.0f} ms",
        f"{(latency - script) * 1000:+.0f} ms ({latency / script:.2f})",
        f"{_median(runs, lambda run: run.rate):.1f} a second",
        f"{_median(runs, lambda run: run.cpu) * 1000:.0f} ms",
        f"{_median(runs, lambda run: run.service_cpu) * 1000:.0f} ms",
        f"{_median(runs, lambda run: run.memory) / 2**20:.0f} MB",
        f"{stored / 1000:.1f} kB ({stored / len(RESEARCH + SUMMARY):.1f} times the text)" if stored else "-",
    ]
    return "| " + " | ".join(cells) + " |"


def _median(runs: list[Run], value: Callable[[Run], float]) -> float:
    return statistics.median(value(run) for run in runs)


def reply(call: Call) -> Reply:
    text = SUMMARY if call.is_summary else RESEARCH
    words = max(1, -(-len(text.split()) // CHUNKS))
    pieces = -(-len(text.split()) // words)
    return Reply(text, chunk_words=words, chunk_seconds=CALL_SECONDS / pieces)


def _measure(server: DevServer, name: str, number: int) -> Run:
    if name in ("ours", "plain Temporal"):
        return asyncio.run(_with_temporal(server, name, number))
    database = str(server.root / f"{name.split()[0]}-{number}.sqlite")
    command = [sys.executable, "-m", "benchmarks.throughput", "peer", name, database]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


async def _with_temporal(server: DevServer, name: str, number: int) -> Run:
    client = await Client.connect(f"127.0.0.1:{server.port}")
    with _worker(server, name) as worker:
        processes = [psutil.Process(worker.process.pid), psutil.Process(server.pid)]

        async def report(identity: str) -> float:
            begun = time.monotonic()
            if name == "ours":
                argument: Any = GenerateReportInput(identity)
                await client.execute_workflow(
                    GenerateReportWorkflow.run, argument, id=identity, task_queue="research"
                )
            else:
                await client.execute_workflow(PlainWorkflow.run, identity, id=identity, task_queue="plain")
            return time.monotonic() - begun

        for warm in range(3):
            await report(f"{name}-{number}-warm-{warm}")
        alone = [await report(f"{name}-{number}-alone-{one}") for one in range(ALONE)]
        before = [_cpu(process) for process in processes]
        begun = time.monotonic()
        gate = asyncio.Semaphore(AT_ONCE)

        async def gated(identity: str) -> None:
            async with gate:
                await report(identity)

        await asyncio.gather(*[gated(f"{name}-{number}-{one}") for one in range(TOGETHER)])
        took = time.monotonic() - begun
        cpu, service = (_cpu(p) - b for p, b in zip(processes, before, strict=True))
        handle = client.get_workflow_handle(f"{name}-{number}-0")
        stored = (await handle.describe()).raw_description.workflow_execution_info.history_size_bytes
        return Run(
            latency=statistics.median(alone),
            rate=TOGETHER / took,
            cpu=cpu / TOGETHER,
            service_cpu=service / TOGETHER,
            memory=processes[0].memory_info().rss,
            stored=stored,
        )


@contextmanager
def _worker(server: DevServer, name: str) -> Iterator[Program]:
    if name == "ours":
        with start_worker(root=server.root) as worker:
            yield worker
    else:
        with Program("-m", "benchmarks.plain_temporal") as worker:
            worker.wait_for("Ready.")
            yield worker


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


# The peers, each in its own process.


def peer(name: str, database: str) -> None:
    """Run the reports with one library and print the measurements as JSON."""
    with _reporter(name, database) as report, ThreadPoolExecutor(AT_ONCE) as pool:
        for warm in range(3):
            report(f"warm-{warm}")
        alone = [_timed(report, f"alone-{one}") for one in range(ALONE)]
        before, size = _cpu(psutil.Process()), _size(database)
        begun = time.monotonic()
        list(pool.map(report, [f"together-{one}" for one in range(TOGETHER)]))
        took = time.monotonic() - begun
        run = Run(
            latency=statistics.median(alone),
            rate=TOGETHER / took,
            cpu=(_cpu(psutil.Process()) - before) / TOGETHER,
            service_cpu=0.0,
            memory=psutil.Process().memory_info().rss,
            stored=(_size(database) - size) / TOGETHER,
        )
    print(json.dumps(run.__dict__), flush=True)
    os._exit(0)


def _timed(report: Callable[[str], object], identity: str) -> float:
    begun = time.monotonic()
    report(identity)
    return time.monotonic() - begun


def _size(database: str) -> int:
    return sum(file.stat().st_size for file in Path(database).parent.glob(f"{Path(database).name}*"))


@contextmanager
def _reporter(name: str, database: str) -> Iterator[Callable[[str], object]]:
    """Provide a function that makes one report under an identity."""
    if name == "plain script":
        yield _plain
    elif name == "DBOS":
        from dbos import DBOS, SetWorkflowID

        from benchmarks.dbos_version import report_workflow

        DBOS(config={"name": "report", "system_database_url": f"sqlite:///{database}", "log_level": "ERROR"})
        DBOS.launch()

        def with_dbos(identity: str) -> object:
            with SetWorkflowID(identity):
                return report_workflow(identity)

        yield with_dbos
    else:
        from langgraph.checkpoint.sqlite import SqliteSaver

        from benchmarks.langgraph_version import builder

        with SqliteSaver.from_conn_string(database) as checkpoints:
            graph = builder().compile(checkpointer=checkpoints)
            yield lambda identity: graph.invoke(
                {"topic": identity, "name": f"{identity}.pdf"}, {"configurable": {"thread_id": identity}}
            )


def _plain(identity: str) -> str:
    text = ask_model(identity)["choices"][0]["message"]["content"]
    summary = ask_model(summary_prompt(text))["choices"][0]["message"]["content"]
    return write_pdf(f"{summary}\n\n{text}", f"{identity}.pdf")


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        peer(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

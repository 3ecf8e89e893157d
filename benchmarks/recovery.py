"""The same kill in the same call, side by side: seconds to the report, and words paid for twice.

    python -m benchmarks.recovery [ROUNDS]

Research and summary take four seconds each at the endpoint. Two seconds into the summary the process
is killed (SIGKILL) and restarted at once.
"""

import asyncio
import os
import signal
import statistics
import sys
import time

from temporalio.client import Client

from benchmarks.fixtures import environ, own_server
from benchmarks.plain_temporal import PlainWorkflow
from models import GenerateReportInput
from testing.processes import Program, start_worker
from testing.provider import Call, Continuation, Provider, Reply, rest_of
from testing.texts import templated
from tests.conftest import DevServer, wait_until
from workflow import GenerateReportWorkflow

CALL_SECONDS = 4.0
TEXT = templated(seed=1, kind="steps", length=600, language="en")
"""Of the research and of the summary; its words and lines repeat."""
WORDS = len(TEXT.split())
KILL_AFTER = 2.0
CONTENDERS = ("ours", "plain Temporal", "DBOS", "LangGraph")


def main(rounds: int) -> None:
    with own_server() as server:
        print(f"Killed {KILL_AFTER:.0f} s into the second call of {CALL_SECONDS:.0f} s;", end=" ")
        print(f"medians (and worst) of {rounds}\n")
        print("| | kill to report | words paid again, of " + f"{2 * WORDS} |")
        print("|---|---|---|")
        for name in CONTENDERS:
            runs = [_measure(server, name, f"{name[:4]}-{number}") for number in range(rounds)]
            seconds, again = zip(*runs, strict=True)
            delay = f"{statistics.median(seconds):.1f} s ({max(seconds):.1f} s)"
            print(f"| {name} | {delay} | {statistics.median(again):.0f} ({max(again)}) |", flush=True)


def _measure(server: DevServer, name: str, identity: str) -> tuple[float, int]:
    """Return the seconds from the kill to the report, and the words that the endpoint wrote twice."""

    def reply(call: Call) -> Reply:
        return Reply(rest_of(TEXT, call, Continuation.EXACT), chunk_seconds=CALL_SECONDS / WORDS)

    with Provider(reply) as provider:
        settings = environ(server, provider)
        run = _Run(server, name, identity, settings)
        process = run.start()
        run.ask()
        wait_until(lambda: any(call.is_summary for call in provider.calls), seconds=120)
        time.sleep(KILL_AFTER)
        killed = time.monotonic()
        os.kill(process.process.pid, signal.SIGKILL)
        process = run.start()
        run.wait(process)
        delay = time.monotonic() - killed
        process.kill()
        again = sum(len(call.sent.split()) for call in provider.calls) - 2 * WORDS
    return delay, again


class _Run:
    """One report of one contender."""

    def __init__(self, server: DevServer, name: str, identity: str, environ: dict[str, str]) -> None:
        self.server, self.name, self.identity, self.environ = server, name, identity, environ

    def start(self) -> Program:
        if self.name == "ours":
            return start_worker(root=self.server.root, environ=self.environ)
        if self.name == "plain Temporal":
            worker = Program("-m", "benchmarks.plain_temporal", environ=self.environ)
            worker.wait_for("Ready.")
            return worker
        module = f"benchmarks.{self.name.lower()}_version"
        database = str(self.server.root / f"{self.identity}.sqlite")
        return Program("-m", module, "topic", self.identity, database, environ=self.environ)

    def ask(self) -> None:
        asyncio.run(self._ask())

    async def _ask(self) -> None:
        if self.name not in ("ours", "plain Temporal"):
            return  # because the process starts its report by itself
        client = await Client.connect(f"127.0.0.1:{self.server.port}")
        if self.name == "ours":
            report = GenerateReportInput("topic")
            run = GenerateReportWorkflow.run
            await client.start_workflow(run, report, id=self.identity, task_queue="research")
        else:
            await client.start_workflow(PlainWorkflow.run, "topic", id=self.identity, task_queue="plain")

    def wait(self, process: Program) -> None:
        if self.name in ("ours", "plain Temporal"):
            asyncio.run(self._result())
        else:
            process.wait_for("Done.", seconds=120)

    async def _result(self) -> None:
        client = await Client.connect(f"127.0.0.1:{self.server.port}")
        await client.get_workflow_handle(self.identity).result()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

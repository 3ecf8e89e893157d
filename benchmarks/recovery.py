"""The same kill in the same call, side by side: seconds to the report, and words paid for twice.

    python -m benchmarks.recovery [ROUNDS]

Research and summary take four seconds each at the endpoint. Two seconds into the summary the process
is killed (SIGKILL) and restarted at once.

Then ours alone, where no connection is closed: seconds until a worker has the call again.
"""

import os
import signal
import statistics
import sys
import time

from benchmarks.fixtures import environ, own_server, start_peer, start_workflow, wait_for_workflow
from benchmarks.plain_temporal import PlainWorkflow
from models import GenerateReportInput
from testing.app import DevServer, wait_until
from testing.black_hole import BlackHole
from testing.processes import Program, start_worker
from testing.provider import Call, Continuation, Provider, Reply, rest_of
from testing.texts import templated
from workflow import GenerateReportWorkflow

CALL_SECONDS = 4.0
TEXT = templated(seed=1, kind="steps", length=600, language="en")
"""Of the research and of the summary; its words and lines repeat."""
WORDS = len(TEXT.split())
KILL_AFTER = 2.0
CONTENDERS = ("ours", "plain Temporal", "DBOS", "LangGraph")
CUT_OFF, FROZEN = "cut off, another worker idle", "frozen (SIGSTOP), another worker idle"
MOVED = "connections lost, no other worker"


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
        print("\nOut of reach in the first call, and no connection is closed; nothing else takes time\n")
        print("| | to the call's next attempt | to the report |")
        print("|---|---|---|")
        for name in (CUT_OFF, FROZEN, MOVED):
            takeovers = [_measure_takeover(server, name, f"{name[:4]}-{number}") for number in range(rounds)]
            delays = [
                f"{statistics.median(each):.1f} s ({max(each):.1f} s)"
                for each in zip(*takeovers, strict=True)
            ]
            print(f"| {name} | {' | '.join(delays)} |", flush=True)


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


def _measure_takeover(server: DevServer, name: str, identity: str) -> tuple[float, float]:
    """Return the seconds until a worker has the call again, and until the report."""

    def reply(call: Call) -> Reply:
        is_first = call is provider.calls[0]
        return Reply(rest_of(TEXT, call, Continuation.EXACT), held_after=WORDS // 2 if is_first else None)

    with Provider(reply) as provider, BlackHole(server.port) as network:
        settings = environ(server, provider)
        run = _Run(server, "ours", identity, {**settings, "TEMPORAL_ADDRESS": network.address})
        workers = [run.start()]
        run.ask()
        wait_until(lambda: bool(provider.calls), seconds=120)
        if name != MOVED:
            workers.append(start_worker(root=server.root, environ=settings))
        time.sleep(KILL_AFTER)
        lost_at = time.monotonic()
        if name == FROZEN:
            os.kill(workers[0].process.pid, signal.SIGSTOP)
        elif name == CUT_OFF:
            network.go_dark()
        else:
            network.lose_connections()
        run.wait(workers[0])
        end = time.monotonic() - lost_at
        for worker in workers:
            worker.kill()
        return provider.calls[1].begun - lost_at, end


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
        return start_peer(self.server, f"{self.name.lower()}_version", self.identity, self.environ)

    def ask(self) -> None:
        """Start the report, unless the process has started it by itself."""
        if self.name == "ours":
            report, run = GenerateReportInput("topic"), GenerateReportWorkflow.run
            start_workflow(self.server, run, report, self.identity, "research")
        elif self.name == "plain Temporal":
            start_workflow(self.server, PlainWorkflow.run, "topic", self.identity, "plain")

    def wait(self, process: Program) -> None:
        if self.name in ("ours", "plain Temporal"):
            wait_for_workflow(self.server, self.identity)
        else:
            process.wait_for("Done.", seconds=120)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

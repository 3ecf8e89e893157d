"""A long report: eight sections of four seconds each, without a kill and with one in their middle.

    python -m benchmarks.sections [ROUNDS]

Plan and summary take two seconds each at the endpoint. Two seconds into the sections the process is killed
(SIGKILL) and restarted at once. Side by side: ours, LangGraph with a branch for each section and its SQLite
checkpointer, and a loop that writes one section after the other.
"""

import os
import signal
import statistics
import sys
import time

from benchmarks.fixtures import environ, own_server, start_peer, start_workflow, wait_for_workflow
from models import GenerateReportInput
from testing.app import DevServer, wait_until
from testing.processes import Program, start_worker
from testing.provider import Call, Continuation, Provider, Reply, rest_of
from testing.texts import section_plan, templated
from workflow import GenerateReportWorkflow

SECTIONS = 8
SECTION_SECONDS, OTHER_SECONDS = 4.0, 2.0
KILL_AFTER = 2.0
MODULES = {"LangGraph": "langgraph_sections", "a loop": "sections_in_a_row"}


def main(rounds: int) -> None:
    ideal = OTHER_SECONDS + SECTION_SECONDS + OTHER_SECONDS
    with own_server() as server:
        print(f"{SECTIONS} sections of {SECTION_SECONDS:.0f} s; plan, one section and summary take", end=" ")
        print(f"{ideal:.0f} s; medians (and worst) of {rounds}\n")
        print("| | start to report | the same with a kill | words paid again, of " + f"{_words()} |")
        print("|---|---|---|---|")
        for name in ("ours", *MODULES):
            whole = [_measure(server, name, f"{name[:4]}-{number}", False)[0] for number in range(rounds)]
            runs = [_measure(server, name, f"{name[:4]}-kill-{number}", True) for number in range(rounds)]
            killed, again = zip(*runs, strict=True)
            cells = [f"{statistics.median(times):.1f} s ({max(times):.1f} s)" for times in (whole, killed)]
            paid = f"{statistics.median(again):.0f} ({max(again)})"
            print(f"| {name} | {cells[0]} | {cells[1]} | {paid} |", flush=True)


def _answer(call: Call) -> str:
    if call.is_plan:
        return section_plan(SECTIONS)
    return templated(seed=10 + call.section, kind="steps", length=600, language="en")


def _words() -> int:
    """The words of a whole report."""
    calls = ["Plan a research report", *[f"Write section {n} of 8 of a research report" for n in range(9)]]
    prompts = [Call([{"role": "user", "content": prompt}], {}, {}) for prompt in calls]
    return sum(len(_answer(call).split()) for call in prompts)


def _measure(server: DevServer, name: str, identity: str, kill: bool) -> tuple[float, int]:
    """Return the seconds from the request to the report, and the words that the endpoint wrote twice."""

    def reply(call: Call) -> Reply:
        text = _answer(call)
        seconds = SECTION_SECONDS if call.section else OTHER_SECONDS
        rest = rest_of(text, call, Continuation.EXACT)
        return Reply(rest, chunk_seconds=seconds / len(text.split()))

    with Provider(reply) as provider:
        run = _Run(server, name, identity, environ(server, provider))
        process = run.start()
        begun = run.ask(provider)
        if kill:
            wait_until(lambda: any(call.section for call in provider.calls), seconds=120)
            time.sleep(KILL_AFTER)
            os.kill(process.process.pid, signal.SIGKILL)
            process = run.start()
        run.wait(process)
        took = time.monotonic() - begun
        process.kill()
        again = sum(len(call.sent.split()) for call in provider.calls) - _words()
    return took, again


class _Run:
    """One report of one contender."""

    def __init__(self, server: DevServer, name: str, identity: str, environ: dict[str, str]) -> None:
        self.server, self.name, self.identity, self.environ = server, name, identity, environ

    def start(self) -> Program:
        if self.name == "ours":
            return start_worker(root=self.server.root, environ=self.environ)
        return start_peer(self.server, MODULES[self.name], self.identity, self.environ)

    def ask(self, provider: Provider) -> float:
        """Ask for the report; return since when it is counted: the first request, after all imports."""
        if self.name == "ours":
            report, run = GenerateReportInput("topic", sections=SECTIONS), GenerateReportWorkflow.run
            start_workflow(self.server, run, report, self.identity, "research")
        wait_until(lambda: bool(provider.calls), seconds=120)
        return time.monotonic()

    def wait(self, process: Program) -> None:
        if self.name == "ours":
            wait_for_workflow(self.server, self.identity)
        else:
            process.wait_for("Done.", seconds=300)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

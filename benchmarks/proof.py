"""A proven report: eight sections from twenty pages, with and without evidence, side by side.

    python -m benchmarks.proof [ROUNDS]

The endpoint writes a section in eight seconds, and plan, passages, verdicts and summary in two each. A page
gives eight passages, every section has twenty statements that cite, and one of them is rewritten.
"""

import asyncio
import random
import re
import statistics
import sys
import time
from dataclasses import dataclass

import psutil
from temporalio.client import Client

from benchmarks.fixtures import environ, own_server, start_workflow, wait_for_workflow
from benchmarks.pdf_text import WORDS
from models import GenerateReportInput
from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION, REWRITE_INSTRUCTION
from testing.app import DevServer
from testing.pages import PageReply, Pages, html_page
from testing.processes import start_worker
from testing.provider import Call, Reply
from testing.search import SearchProvider, SearchReply
from testing.texts import section_plan
from workflow import GenerateReportWorkflow

SECTIONS, PAGES, PASSAGES, STATEMENTS = 8, 20, 8, 20
SECTION_SECONDS, OTHER_SECONDS = 8.0, 2.0
MAX_RATIO = 2.0


def sentence(page: int, number: int) -> str:
    """Return a sentence of a page, the same one each time."""
    choices = random.Random(100 * page + number).choices
    return f"In series {page}, {number + 100} pumps {' '.join(choices(WORDS['Latin'].split(), k=14))}."


def page_of(page: int) -> PageReply:
    """Return a page of a hundred sentences."""
    paragraphs = [" ".join(sentence(page, n) for n in range(at, at + 5)) for at in range(0, 100, 5)]
    return html_page(f"Page {page}", *paragraphs)


def answer(call: Call) -> str:
    """Return what the model writes: copied passages, statements of the pages, verdicts."""
    prompt = call.prompt
    if prompt.startswith(PASSAGES_INSTRUCTION):
        page = int(re.findall(r"In series (\d+),", prompt)[0])
        return "\n\n".join(f"> {sentence(page, 3 * number)}" for number in range(PASSAGES))
    if prompt.startswith(JUDGE_INSTRUCTION):
        asked = re.findall(r"^(\d+)\. ", prompt, re.MULTILINE)
        return "\n".join(f"{number}: {'absent' if number == '7' else 'supported'}" for number in asked)
    if prompt.startswith(REWRITE_INSTRUCTION):
        page, number = re.findall(r"In series (\d+),.*?\[(\d+)\]", prompt)[0]
        return f"1: {sentence(int(page), 3)[:-1]} [{number}]."
    if call.is_plan:
        return section_plan(SECTIONS, "search quer" in prompt)
    if call.section:
        sources = re.findall(r"^\[(\d+)\] /(\d+)$", prompt, re.MULTILINE)
        cited = [(*sources[n % len(sources)], 3 * (n % PASSAGES)) for n in range(STATEMENTS)]
        return "\n\n".join(f"{sentence(int(page), of)[:-1]} [{number}]." for number, page, of in cited)
    return sentence(1, 0)


@dataclass(frozen=True)
class Measured:
    """What one report took."""

    seconds: float
    cpu: float
    requests: int
    sent: int
    """Characters of all prompts."""
    history: int
    """Bytes."""


def measure(server: DevServer, has_evidence: bool, identity: str) -> Measured:
    """Make one report with a worker of its own."""

    def reply(call: Call) -> Reply:
        text = answer(call)
        seconds = SECTION_SECONDS if call.section else OTHER_SECONDS
        return Reply(text, chunk_seconds=seconds / 40, chunk_characters=len(text) // 40 + 1)

    with (
        SearchProvider(reply) as provider,
        Pages({f"/{n}": page_of(n) for n in range(1, PAGES + 1)}) as site,
    ):
        found = [{"title": path, "url": site.address(path), "content": "Pumps."} for path in site.pages]
        halves = found[: PAGES // 2], found[PAGES // 2 :]
        provider.find = lambda query: SearchReply(halves[len(query) % 2])
        settings = {
            **environ(server, provider),
            **provider.search_environ,
            **site.environ,
            "READ_MAX_PAGES": "20",
        }
        worker = start_worker(root=server.root, environ=settings)
        report = GenerateReportInput("topic", sources=True, sections=SECTIONS, evidence=has_evidence)
        begun = time.monotonic()
        start_workflow(server, GenerateReportWorkflow.run, report, identity, "research")
        wait_for_workflow(server, identity)
        seconds = time.monotonic() - begun
        times = psutil.Process(worker.process.pid).cpu_times()
        worker.kill()
        sent = sum(len(call.prompt) for call in provider.calls)
        return Measured(
            seconds, times.user + times.system, len(provider.calls), sent, history(server, identity)
        )


def history(server: DevServer, identity: str) -> int:
    """Return the bytes of a report's history."""

    async def fetch() -> int:
        client = await Client.connect(f"127.0.0.1:{server.port}")
        events = (await client.get_workflow_handle(identity).fetch_history()).events
        return sum(event.ByteSize() for event in events)

    return asyncio.run(fetch())


def main(rounds: int) -> int:
    print(f"{SECTIONS} sections, {PAGES} pages, {SECTIONS * STATEMENTS} statements; medians of {rounds}\n")
    print("| | start to report | worker's CPU | requests | characters of prompts | history |")
    print("|---|---|---|---|---|---|")
    seconds = []
    with own_server() as server:
        measure(server, True, "warm")
        for name, has_evidence in (("`--no-evidence`", False), ("with evidence", True)):
            runs = [measure(server, has_evidence, f"{has_evidence}-{number}") for number in range(rounds)]
            seconds.append(statistics.median(run.seconds for run in runs))
            cpu, last = statistics.median(run.cpu for run in runs), runs[-1]
            print(
                f"| {name} | {seconds[-1]:.1f} s | {cpu:.1f} s | {last.requests} | {last.sent:,}"
                f" | {last.history / 1e3:.0f} kB |",
                flush=True,
            )
    print(f"\nWith evidence it takes {seconds[1] / seconds[0]:.2f} times as long.")
    return int(seconds[1] > MAX_RATIO * seconds[0])


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))

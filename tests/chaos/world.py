"""Kills and faults at random while reports run, and what came of it. `make chaos` runs this:

    python -m tests.chaos [--kills 40] [--reports 100] [--seed 1]

A real dev server, two real workers, and an endpoint with a ledger. What is checked at the end is
seen from outside: the endpoint's ledger, the service's history, the folder. The exit status is 0
when nothing was lost. The same seed gives the same schedule.
"""

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from models import GenerateReportInput
from research.cli import terminal
from research.cli.progress import unix
from research.temporal.client import runtime
from testing.processes import Program, start_worker
from testing.provider import Call, Provider, Reply, rest_of
from tests.conftest import DevServer, copy_clone, free_port
from workflow import GenerateReportWorkflow

WORDS, SUMMARY_WORDS = 40, 8
WORD_SECONDS = 0.1
WORKERS = 2
STALL_SECONDS = 6.0
"""Longer than the heartbeat timeout: the stalled worker is taken for dead, and comes back."""
AGAIN_SECONDS = 1.0
"""So much of a text may be bought again for each stream that a kill broke off, on average."""
FEW = 20
"""Of fewer streams the average says little, and more is let pass."""
FINAL_SECONDS = 180.0
"""How long the last report may take when all is well again."""
KEY = "sk-chaos-0123456789"


# The schedule: nothing but the seed decides it.


@dataclass(frozen=True)
class Event:
    """Something bad that happens so many seconds after the beginning."""

    at: float
    what: str
    worker: int = 0
    lasts: float = 0.0


KILLS = {"SIGKILL": 10, "SIGTERM": 4, "SIGSTOP": 2, "in the writing": 3, "service": 1}
FAULTS = (
    "503", "529", "408", "429", "429 with a date", "reset", "cut", "cut cleanly", "garbage",
    "empty", "silence", "length", "401", "summary refused",
)  # fmt: skip


def schedule(seed: int, kills: int) -> list[Event]:
    """Kills every few seconds, and between them bad weather at the provider and a full disk."""
    rng = random.Random(seed)
    first = list(KILLS)
    rng.shuffle(first)
    rest = rng.choices(list(KILLS), list(KILLS.values()), k=max(kills - len(first), 0))
    events, at = [], 4.0
    for what in [*first, *rest][:kills]:
        events.append(Event(at, what, rng.randrange(WORKERS), rng.uniform(0.0, 2.0)))
        at += rng.uniform(2.0, 5.0)
    end, fault_now = at, list(FAULTS)
    rng.shuffle(fault_now)
    at = 2.0
    while at < end:
        events.append(Event(at, fault_now[0], lasts=rng.uniform(0.5, 2.5)))
        fault_now = fault_now[1:] + fault_now[:1]
        at += rng.uniform(3.0, 5.0)
    at = 8.0
    while at < end:
        events.append(Event(at, "disk full", lasts=rng.uniform(2.0, 4.0)))
        at += rng.uniform(20.0, 40.0)
    return sorted(events, key=lambda event: event.at)


# The world: service, workers, provider, disk.


@dataclass
class WorkerRun:
    """One worker process, as the ledger can tell it from the others: by its key."""

    key: str
    program: Program
    ended: float = 0.0
    how: str = ""
    stalls: list[float] = field(default_factory=list)


@dataclass
class Entry:
    """What the ledger has of one request besides the call itself."""

    call: Call
    number: int
    fault: str
    text: str
    """The whole text that this report should get from calls of this kind."""
    start: int
    """The character of it at which the answer begins."""
    finish: str | None

    @property
    def begun(self) -> float:
        """As a Unix time."""
        return self.call.begun + time.time() - time.monotonic()


class World:
    """All the parts, started and ended together."""

    def __init__(
        self, folder: Path, sabotage: Callable[[Path], None] | None = None, workers: int = WORKERS
    ) -> None:
        self.server = DevServer(copy_clone(folder / "clone"), free_port())
        if sabotage:
            sabotage(self.server.root)
        self.provider = Provider(self.reply)
        self.reports = folder / "reports"
        self.disk = ""
        self.lives: list[WorkerRun] = []
        self.current: list[WorkerRun | None] = [None] * workers
        self.fault_now: str = ""
        self.ledger: list[Entry] = []
        self.outages: list[tuple[float, float]] = []
        self.happened: Counter[str] = Counter()
        self._serials = iter(range(10_000))

    def reply(self, call: Call) -> Reply:
        """The report's own text, or the fault that is in the air."""
        kind = "s" if call.is_summary else "r"
        found = re.search(r"report (\d+)|\br(\d+)w", call.prompt)
        number = int((found[1] or found[2]) if found else -1)
        text = text_of(number, kind)
        rest = rest_of(text, call)
        reply = Reply(rest, chunk_seconds=WORD_SECONDS)
        fault = self.fault_now
        if fault == "summary refused" and kind == "r":
            fault = ""
        if fault == "length" and any(entry.finish == "length" for entry in self.of(number, kind)):
            fault = ""  # a text that is cut again and again ends cut, and says so
        _spoil(reply, fault)
        reply_start = len(text) - len(rest)
        self.ledger.append(Entry(call, number, fault, text, reply_start, reply.finish_reason))
        self.happened[f"answer: {fault}" if fault else "answer"] += 1
        return reply

    def of(self, number: int, kind: str) -> list[Entry]:
        """The requests for a report's research ("r") or summary ("s")."""
        return [
            entry
            for entry in self.ledger
            if entry.number == number and entry.call.is_summary == (kind == "s")
        ]

    def start(self) -> None:
        """The service and the workers; the disk is a small one where that is allowed."""
        self.provider.__enter__()
        self.reports.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", "size=8m", "chaos", str(self.reports)]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            with contextlib.suppress(OSError):
                self.disk = "small" if subprocess.run(mounted, capture_output=True).returncode == 0 else ""
        else:
            self.disk = "locked"
        started = self.server.run("start")
        assert started.returncode == 0, started.stderr
        for place in range(len(self.current)):
            self.start_worker(place)

    def stop(self) -> None:
        for life in self.lives:
            if life.program.process.poll() is None:
                life.program.process.send_signal(signal.SIGCONT)
                life.program.kill()
        self.server.run("stop")
        self.provider.__exit__(None, None, None)
        if self.disk == "small":
            subprocess.run(["umount", str(self.reports)], check=True)

    def start_worker(self, place: int) -> None:
        key = f"{KEY}-{next(self._serials)}"
        environ = {
            **self.server.environ,
            "LLM_MODEL": "openai/gpt-4o",
            "LLM_API_KEY": key,
            "LLM_API_BASE": self.provider.url,
            "LLM_MAX_STREAMS": "100",
            "REPORTS_DIR": str(self.reports),
        }
        life = WorkerRun(key, start_worker(root=self.server.root, environ=environ))
        self.lives.append(life)
        self.current[place] = life

    # What happens.

    async def apply(self, event: Event) -> None:
        """Let the event happen, to its end."""
        if event.what in FAULTS:
            await self.be_bad(event)
        elif event.what == "disk full":
            await self.fill_disk(event.lasts)
        elif event.what == "service":
            await self.kill_service(event.lasts)
        elif event.what == "in the writing":
            await self.kill_while_writing(event)
        else:
            await self.kill_worker(event.what, event.worker, event.lasts)

    async def be_bad(self, event: Event) -> None:
        self.fault_now = event.what
        await asyncio.sleep(event.lasts)
        self.fault_now = ""

    async def fill_disk(self, seconds: float) -> None:
        if not self.disk:
            return
        self.happened["disk full"] += 1
        filler = self.reports / ".filler"
        if self.disk == "locked":
            self.reports.chmod(0o500)
        else:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        await asyncio.sleep(seconds)
        self.reports.chmod(0o700)
        filler.unlink(missing_ok=True)

    async def kill_service(self, seconds: float) -> None:
        began = time.time()
        self.server.kill()
        self.happened["service"] += 1
        await asyncio.sleep(seconds)
        started = await asyncio.to_thread(self.server.run, "start")
        assert started.returncode == 0, started.stderr
        self.outages.append((began, time.time()))

    async def kill_while_writing(self, event: Event) -> None:
        """SIGKILL when a file is seen half-made; all workers, for it may be anyone's."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not list(self.reports.glob(".*.part")):
            await asyncio.sleep(0.001)
        self.happened["in the writing"] += bool(list(self.reports.glob(".*.part")))
        await asyncio.gather(
            *[self.kill_worker("SIGKILL", place, event.lasts) for place in range(len(self.current))]
        )

    async def kill_worker(self, how: str, place: int, pause: float) -> None:
        """End a worker (or let it stand still for a while), and put another in its place."""
        life = self.current[place]
        if life is None:  # it is dead already
            return
        self.happened[how] += 1
        process = life.program.process
        if how == "SIGSTOP":
            life.stalls.append(time.time())
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(STALL_SECONDS)
            process.send_signal(signal.SIGCONT)
            return
        self.current[place] = None
        life.ended, life.how = time.time(), how
        process.send_signal(signal.SIGCONT)
        process.send_signal(getattr(signal, how))
        await asyncio.to_thread(process.wait, 60)
        await asyncio.sleep(pause)
        while self.current[place] is None:
            try:
                await asyncio.to_thread(self.start_worker, place)
            except Exception:  # the service is away just now
                await asyncio.sleep(0.5)


def text_of(number: int, kind: str) -> str:
    """The text of a report's research ("r") or summary ("s"): no word is anywhere else."""
    count = WORDS if kind == "r" else SUMMARY_WORDS
    return " ".join(f"{kind}{number}w{word}" for word in range(count))


def _spoil(reply: Reply, fault: str) -> None:
    """Make a fault of the table of it."""
    if fault[:3].isdigit():
        reply.status, reply.error = int(fault[:3]), {"message": "It is the weather."}
        if fault == "429":
            reply.headers = {"Retry-After": "1"}
        elif "date" in fault:
            reply.headers = {"Retry-After": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())}
    elif fault in ("reset", "cut"):
        reply.cut_bytes = 0 if fault == "reset" else 1_500
    elif fault == "cut cleanly":
        reply.finish_reason, reply.ends_cleanly = None, True
        reply.text = " ".join(reply.text.split()[:5]) + " "
    elif fault == "length":
        reply.finish_reason = "length"
        reply.text = " ".join(reply.text.split()[:5]) + " "
    elif fault == "garbage":
        reply.error = "<html>Bad gateway</html>"
    elif fault == "empty":
        reply.text = ""
    elif fault == "silence":
        reply.before_seconds = 3.0
    elif fault == "summary refused":
        reply.status, reply.error = 400, {"message": "Not this one.", "code": "content_policy_violation"}


# The run.


async def run(world: World, events: list[Event], reports: int) -> "Audit":
    """Start the reports, let everything happen, wait for what is left, and look at it from outside."""
    client = await Client.connect(f"127.0.0.1:{world.server.port}", lazy=True, runtime=runtime(verbose=False))
    handles: list[WorkflowHandle[Any, Any]] = []
    seen = Folder(world.reports)
    watching = asyncio.create_task(seen.watch())
    handles.append(await _start(client, 0))
    while not world.ledger:  # a worker loads what it needs
        await asyncio.sleep(0.1)
    beginning = time.monotonic()
    happening = []
    every = max(events[-1].at - 2, 1) / reports

    async def begin_reports() -> None:
        for number in range(1, reports):
            await asyncio.sleep(max(0.0, beginning + number * every - time.monotonic()))
            handles.append(await _start(client, number))

    starting = asyncio.create_task(begin_reports())
    for event in events:
        await asyncio.sleep(max(0.0, beginning + event.at - time.monotonic()))
        happening.append(asyncio.create_task(world.apply(event)))
    await asyncio.gather(starting, *happening)
    calm = time.monotonic()
    ends = await asyncio.gather(*[_end(handle, calm + FINAL_SECONDS) for handle in handles])
    settled = time.monotonic() - calm
    assert not watching.done(), watching.exception()
    watching.cancel()
    histories = [await handle.fetch_history() for handle in handles]
    return Audit(world, reports, handles, list(ends), histories, seen, settled)


async def _start(client: Client, number: int) -> WorkflowHandle[Any, Any]:
    """One report; while the service is away it is asked again, as any client would."""
    identity = f"chaos-{number}"
    while True:
        try:
            return await client.start_workflow(
                GenerateReportWorkflow.run,
                GenerateReportInput(f"Write report {number}", pause_seconds=number % 3),
                id=identity,
                task_queue="research",
            )
        except WorkflowAlreadyStartedError:
            return client.get_workflow_handle(identity)
        except (RPCError, RuntimeError):
            await asyncio.sleep(0.2)


async def _end(handle: WorkflowHandle[Any, Any], deadline: float) -> str:
    """The state in which the report ended; "running" when it did not in time."""
    while time.monotonic() < deadline:
        with contextlib.suppress(RPCError):
            description = await handle.describe()
            if description.status != WorkflowExecutionStatus.RUNNING:
                return description.status.name.lower() if description.status else "unknown"
        await asyncio.sleep(0.5)
    return "running"


class Folder:
    """What was to be seen in the reports folder, all the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents: dict[str, str] = {}
        self.wrong: list[str] = []

    async def watch(self) -> None:
        """Every file that is there under its own name is whole, and never another one later."""
        while True:
            self.look()
            await asyncio.sleep(0.02)

    def look(self) -> None:
        for file in self.path.iterdir():
            if file.name.startswith("."):
                continue
            data = file.read_bytes()
            whole = data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
            if file.suffix == ".md":
                whole = data.endswith(b".\n")
            digest = hashlib.sha256(data).hexdigest()
            if not whole or self.contents.setdefault(file.name, digest) != digest:
                self.wrong.append(file.name)


@dataclass
class Audit:
    """What came of it, from the ledger, the histories and the folder."""

    world: World
    reports: int
    handles: list[WorkflowHandle[Any, Any]]
    ends: list[str]
    histories: list[Any]
    folder: Folder
    settled: float
    broken: list[str] = field(default_factory=list)
    """The claims that did not hold."""

    def table(self) -> str:
        """Every number, and what was found wanting."""
        self.folder.look()
        rows = [*self._what_happened(), *self._reports(), *self._requests(), *self._again(), *self._files()]
        lines = ["| | |", "| --- | --- |", *[f"| {name} | {value} |" for name, value in rows]]
        return "\n".join(lines)

    def _what_happened(self) -> list[tuple[str, object]]:
        happened = self.world.happened
        kills = ", ".join(f"{happened[kind]} {kind}" for kind in KILLS if happened[kind])
        faults = sum(count for name, count in happened.items() if name.startswith("answer: "))
        disk = {"small": "really full", "locked": "made read-only", "": "not tried here"}[self.world.disk]
        return [
            ("kills", kills),
            ("requests to the model, and among them spoiled ones", f"{len(self.world.ledger)}, {faults}"),
            ("disk full", f"{happened['disk full']} times ({disk})"),
        ]

    def _reports(self) -> list[tuple[str, object]]:
        """Each accepted report ended, in one PDF and one Markdown with its words, once."""
        good = 0
        for number, (end, history) in enumerate(zip(self.ends, self.histories, strict=True)):
            run_id = history.events[0].workflow_execution_started_event_attributes
            suffix = run_id.original_execution_run_id.replace("-", "")[-12:]
            pdfs = list(self.world.reports.glob(f"*-{suffix}.pdf"))
            notes = list(self.world.reports.glob(f"*-{suffix}.md"))
            if end != "completed" or len(pdfs) != 1 or len(notes) != 1:
                self.broken.append(f"report {number}: {end}, {len(pdfs)} PDFs, {len(notes)} Markdown files")
            elif problem := _wrong_text(number, pdfs[0], notes[0]):
                self.broken.append(f"report {number}: {problem}")
            else:
                good += 1
        if len(self.handles) != self.reports:
            self.broken.append(f"{len(self.handles)} reports were accepted, not {self.reports}")
        return [
            ("reports accepted", len(self.handles)),
            ("with exactly one valid PDF and one Markdown, every word once", good),
            ("the last one ended after the last kill by", f"{self.settled:.0f} s"),
        ]

    def _requests(self) -> list[tuple[str, object]]:
        """No request without an attempt of the service behind it; none for what was recorded."""
        after, unasked = 0, 0
        for number, history in enumerate(self.histories):
            for activity, kind in (("llm_call", "r"), ("generate_summary", "s")):
                attempts, ended = _attempts(history, activity)
                entries = list(self.world.of(number, kind))
                begun = [entry.begun for entry in entries]
                after += sum(begin > ended for begin in begun if ended)
                parts = sum(entry.finish == "length" for entry in entries)
                unasked += max(0, len(entries) - parts - attempts)
        if after:
            self.broken.append(f"{after} finished calls were made again")
        if unasked:
            self.broken.append(f"{unasked} requests that no attempt of the service stands behind")
        return [("finished calls made again", after), ("requests without an attempt", unasked)]

    def _again(self) -> list[tuple[str, object]]:
        """What was sent again, sorted by what broke the stream off; and how long the kill was felt."""
        again: dict[str, list[float]] = {"kill": [], "stalled worker": [], "outage of the service": []}
        delays = []
        for number in range(len(self.handles)):
            for kind in "rs":
                entries = self.world.of(number, kind)
                for before, after in itertools.pairwise(entries):
                    cause = self._cause(before)
                    end = before.start + len(before.call.sent)
                    if cause and before.call.sent:
                        words = len(before.text[after.start : end].split())
                        again[cause].append(words * WORD_SECONDS)
                    life = self._life(before)
                    if cause == "kill":
                        delays.append(after.begun - life.ended)
        rows: list[tuple[str, object]] = []
        for cause, seconds in again.items():
            mean = f"{statistics.mean(seconds):.2f} s, worst {max(seconds):.1f} s" if seconds else "-"
            name = f"streams broken off by a {cause}: text sent again, mean"
            rows.append((name.replace("a outage", "an outage"), f"{len(seconds)}: {mean}"))
        most = AGAIN_SECONDS if len(again["kill"]) >= FEW else 2.5 * AGAIN_SECONDS
        if again["kill"] and statistics.mean(again["kill"]) > most:
            self.broken.append(f"more than {most:g} s of text was sent again for each kill")
        if delays:
            felt = f"{statistics.median(delays):.1f} s, {max(delays):.1f} s"
            rows.append(("from a kill to the call's next attempt, median and worst", felt))
        return rows

    def _files(self) -> list[tuple[str, object]]:
        left = [file.name for file in self.world.reports.iterdir() if file.name.startswith(".")]
        wrong = sorted(set(self.folder.wrong))
        if wrong:
            self.broken.append(f"files seen half-written or changed: {', '.join(wrong[:3])}")
        if left:
            self.broken.append(f"temporary files are left: {', '.join(left[:3])}")
        return [("files ever seen half-written or changed", len(wrong)), ("temporary files left", len(left))]

    def _life(self, entry: Entry) -> WorkerRun:
        key = entry.call.headers["Authorization"].removeprefix("Bearer ")
        return next(life for life in self.world.lives if life.key == key)

    def _cause(self, entry: Entry) -> str:
        """What broke an answer off that was on its way; empty where it was the weather."""
        if entry.fault and entry.fault != "silence":
            return ""
        life = self._life(entry)
        begun = entry.begun
        if any(start - 6 < life.ended and begun < end for start, end in self.world.outages):
            return "outage of the service"
        if any(begun < stall + STALL_SECONDS for stall in life.stalls):
            return "stalled worker"
        return "kill" if life.ended else ""


def _attempts(history: Any, activity: str) -> tuple[int, float]:
    """How many attempts the service made of an Activity, and when it recorded the result."""
    scheduled, attempts, ended = set(), 0, 0.0
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if event.activity_task_scheduled_event_attributes.activity_type.name == activity:
                scheduled.add(event.event_id)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            attempts += started.attempt if started.scheduled_event_id in scheduled else 0
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            ended = unix(event.event_time) if completed.scheduled_event_id in scheduled else ended
    return attempts, ended


def _wrong_text(number: int, pdf: Path, markdown: Path) -> str:
    """What is wrong with a report's words; empty where each is there once, in both files."""
    written = markdown.read_text(encoding="utf-8")
    printed = "\n".join(page.extract_text() for page in PdfReader(pdf).pages)
    refused = "There is no executive summary" in written
    for name, text in (("Markdown", written), ("PDF", printed)):
        for kind in "r" if refused else "rs":
            words = re.findall(rf"\b{kind}\d+w\d+\b", text)
            if words != text_of(number, kind).split():
                lost = sorted(set(text_of(number, kind).split()) - set(words))
                return f"the {name} has not each word of {kind!r} once and in order; lost: {lost}"
    return ""


@contextlib.asynccontextmanager
async def world(
    sabotage: Callable[[Path], None] | None = None, workers: int = WORKERS
) -> AsyncIterator[World]:
    """A world in a folder of its own, which goes with everything in it."""
    with tempfile.TemporaryDirectory() as folder:
        made = World(Path(folder), sabotage, workers)
        try:
            await asyncio.to_thread(made.start)
            yield made
        finally:
            await asyncio.to_thread(made.stop)


async def main() -> int:
    """Run, print the table, and say whether every claim held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--reports", type=int, default=0, help="default: 100, or as many as kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reports = options.reports or max(100, options.kills)
    events = schedule(options.seed, options.kills)
    print(f"{reports} reports, {options.kills} kills, about {events[-1].at:.0f} s …", flush=True)
    async with world() as made:
        audit = await run(made, events, reports)
        table = audit.table()
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    print(f"\n{date.today().isoformat()}, {machine}, seed {options.seed}\n\n{table}\n")
    for line in audit.broken:
        print(f"NOT HELD: {line}")
    print("Every claim held." if not audit.broken else f"{len(audit.broken)} claims did not hold.")
    return 1 if audit.broken else 0


if __name__ == "__main__":
    terminal.exit_now(asyncio.run(main()))

"""The parts of a chaos run: a dev server, workers, the endpoint, a small disk; and what is done to them."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from research.config import ROOT
from research.llm.resume import Way
from testing import processes
from testing.app import DevServer, copy_clone, free_port
from testing.forkserver import ForkServer
from testing.processes import READY, Program
from tests.chaos.endpoint import Endpoint, key_of
from tests.chaos.pages import Site
from tests.chaos.schedule import FAULTS, WAYS, WORKERS, Event

STALL_SECONDS = 10.0
"""Longer than the heartbeat timeout: the service gives the stalled worker's Activities to another."""
REPORT_BYTES = 400_000
"""More than the files of one report, also while they are written: only the filler makes the disk full."""
STORE = {Way.RETRIEVE: "yes"}
"""LLM_STORE of a way's workers; the others differ in what the endpoint's model does with a prefill."""
SABOTAGE = ROOT / "tests" / "chaos" / "sabotage.py"


@dataclass
class WorkerRun:
    """One worker process; its key tells its requests from those of others in the ledger."""

    key: str
    program: Program
    ended: float = 0.0
    stalls: list[float] = field(default_factory=list)


class World:
    """All the parts, started and stopped together.

    Args:
        folder: Where everything is kept.
        reports: How many reports the small disk has room for.
        sabotage: Functions of `tests/chaos/sabotage.py`, by comma, to run before each worker; empty for none.
        ways: The ways to resume; each has its own Temporal namespace, workers and reports folder.
        workers: How many of each way serve at a time.
    """

    def __init__(
        self,
        folder: Path,
        reports: int,
        sabotage: str = "",
        ways: Sequence[Way] = WAYS,
        workers: int = WORKERS,
    ) -> None:
        self.server = DevServer(copy_clone(folder / "clone"), free_port())
        self.endpoint, self.site = Endpoint(), Site()
        self.ways = ways
        self.reports = folder / "reports"
        self._disk_bytes = REPORT_BYTES * reports
        self.disk = ""
        """ "small" where it can really be full, "locked" where it is made read-only; empty for neither."""
        self.runs: list[WorkerRun] = []
        self.current: list[WorkerRun | None] = [None for _ in range(workers) for _ in ways]
        """The worker of each place; the ways take turns."""
        self.outages: list[tuple[float, float]] = []
        self._is_service_down = False
        self._numbers = itertools.count()
        self._command = [str(SABOTAGE), sabotage] if sabotage else ["worker.py"]

    @property
    def happened(self) -> Counter[str]:
        """How often which event came about."""
        return self.endpoint.happened

    def way_of(self, number: int) -> Way:
        """The way of a report, or of the worker at a place."""
        return self.ways[number % len(self.ways)]

    def namespace(self, way: Way) -> str:
        return f"chaos-{way}"

    def run_of(self, key: str) -> WorkerRun:
        """The worker process with this key."""
        return next(run for run in self.runs if run.key == key)

    async def start(self) -> None:
        """Start endpoint, service and workers; mount a small disk where that is permitted."""
        self.endpoint.__enter__()
        self.site.__enter__()
        self.reports.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", f"size={self._disk_bytes}", "chaos", str(self.reports)]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            with contextlib.suppress(OSError):
                self.disk = "small" if subprocess.run(mounted, capture_output=True).returncode == 0 else ""
        else:
            self.disk = "locked"
        for way in self.ways:
            (self.reports / way).mkdir()
        started = await asyncio.to_thread(self.server.run, "start")
        assert started.returncode == 0, started.stderr
        places = range(len(self.current))
        await asyncio.gather(*[asyncio.to_thread(self.start_worker, place) for place in places])

    def stop(self) -> None:
        for run in self.runs:
            if run.program.process.poll() is None:
                run.program.process.send_signal(signal.SIGCONT)
                run.program.kill()
        self.server.run("stop")
        self.endpoint.__exit__(None, None, None)
        self.site.__exit__(None, None, None)
        if self.disk == "small":
            subprocess.run(["umount", str(self.reports)], check=True)

    def start_worker(self, place: int) -> None:
        """Start a worker with its own key, and wait until it serves."""
        way = self.way_of(place)
        key = key_of(way, next(self._numbers))
        environ = {
            **self.server.environ,
            **self.site.environ,
            "TEMPORAL_NAMESPACE": self.namespace(way),
            "LLM_MODEL": "openai/gpt-4o",
            "LLM_API_KEY": key,
            "LLM_API_BASE": self.endpoint.url,
            "LLM_STORE": STORE.get(way, "no"),
            "LLM_MAX_STREAMS": "100",
            "REPORTS_DIR": str(self.reports / way),
        }
        run = WorkerRun(key, Program(*self._command, root=self.server.root, environ=environ))
        self.runs.append(run)  # now, because `stop` ends it too while it starts
        try:
            run.program.wait_for(READY, seconds=120)
        except BaseException:
            run.program.kill()
            raise
        self.current[place] = run

    async def apply(self, event: Event) -> None:
        """Let the event happen, to its end."""
        if event.what in FAULTS:
            self.endpoint.fault = event.what
            await asyncio.sleep(event.lasts)
            self.endpoint.fault = ""
        elif event.what == "disk full":
            await self.fill_disk(event.lasts)
        elif event.what == "service":
            await self.kill_service(event.lasts)
        elif event.what == "in the writing":
            await self.kill_while_writing(event)
        else:
            await self.kill_worker(event.what, event.worker % len(self.current), event.lasts)

    async def fill_disk(self, seconds: float) -> None:
        if not self.disk:
            return
        self.happened["disk full"] += 1
        filler = self.reports / ".filler"
        if self.disk == "locked":
            self._chmod(0o500)
        else:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(65_536)):
                    pass
        await asyncio.sleep(seconds)
        self._chmod(0o700)
        filler.unlink(missing_ok=True)

    def _chmod(self, mode: int) -> None:
        for way in self.ways:
            (self.reports / way).chmod(mode)

    async def kill_service(self, seconds: float) -> None:
        if self._is_service_down:
            return
        began, self._is_service_down = time.time(), True
        self.server.kill()
        self.happened["service"] += 1
        await asyncio.sleep(seconds)
        started = await asyncio.to_thread(self.server.run, "start")
        assert started.returncode == 0, started.stderr
        self.outages.append((began, time.time()))
        self._is_service_down = False

    async def kill_while_writing(self, event: Event) -> None:
        """Send SIGKILL when an incomplete file is seen; to all workers of its way, because it is one's."""
        deadline = time.monotonic() + 5
        while not (parts := list(self.reports.rglob(".*.part"))) and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
        self.happened["in the writing"] += bool(parts)
        way = parts[0].relative_to(self.reports).parts[0] if parts else self.way_of(event.worker)
        places = [place for place in range(len(self.current)) if self.way_of(place) == way]
        await asyncio.gather(*[self.kill_worker("SIGKILL", place, event.lasts) for place in places])

    async def kill_worker(self, how: str, place: int, pause: float) -> None:
        """End a worker and start another in its place; with SIGSTOP, stop it and continue it."""
        run = self.current[place]
        if run is None:  # it is dead already
            return
        self.happened[how] += 1
        process = run.program.process
        if how == "SIGSTOP":
            run.stalls.append(time.time())
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(STALL_SECONDS)
            process.send_signal(signal.SIGCONT)
            return
        self.current[place] = None
        run.ended = time.time()
        process.send_signal(signal.SIGCONT)
        process.send_signal(getattr(signal, how))
        await asyncio.to_thread(process.wait, 60)
        await asyncio.sleep(pause)
        while self.current[place] is None:
            try:
                await asyncio.to_thread(self.start_worker, place)
            except Exception:  # the service does not answer at the moment
                await asyncio.sleep(0.5)


@contextlib.contextmanager
def _fork_server(path: Path) -> Iterator[None]:
    """Have programs forked, as in the tests, because imports of six workers would starve the others."""
    if processes.fork_server or sys.platform != "linux":
        yield
        return
    server = ForkServer(path)
    server.begin()
    processes.fork_server = server
    try:
        yield
    finally:
        processes.fork_server = None
        server.close()


@contextlib.asynccontextmanager
async def world(
    reports: int, sabotage: str = "", ways: Sequence[Way] = WAYS, workers: int = WORKERS
) -> AsyncIterator[World]:
    """Provide a world in its own folder, which is removed with everything in it."""
    with tempfile.TemporaryDirectory() as folder, _fork_server(Path(folder) / "fork"):
        made = World(Path(folder), reports, sabotage, ways, workers)
        try:
            await made.start()
            yield made
        finally:
            await asyncio.to_thread(made.stop)

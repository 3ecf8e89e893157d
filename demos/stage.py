"""The demo on a split screen: what the user sees, what the worker says, what the provider was asked."""

import asyncio
import io
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from research import config
from research.cli import live, terminal
from research.cli.progress import POLL_SECONDS, Status, Watcher
from research.temporal.client import connect
from testing.processes import Program, workflow_id
from testing.provider import Provider
from workflow import GenerateReportWorkflow

WIDTH = 78
WORKER_LINES = 7


class Stage:
    """Follows one report until it is left, and draws it where there is a terminal."""

    def __init__(self, provider: Provider, starter: Program, workers: list[Program]) -> None:
        self.status = Status()
        self._provider, self._starter, self._workers = provider, starter, workers
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._spinner = live.spinner()
        self._live: Live | None = None
        if has_room():
            self._live = Live(get_renderable=self.picture, refresh_per_second=8, redirect_stderr=False)

    def __enter__(self) -> "Stage":
        self._thread.start()
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)
        if self._live:
            self._live.__exit__(kind, error, trace)

    def wait_until_blocked(self, seconds: float) -> None:
        """Until the view says that no worker is there, and people have had the time to read it."""
        deadline = time.monotonic() + seconds
        while not self.status.blocked_reason and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2)

    def picture(self) -> RenderableType:
        """The three panes."""
        calls = f"research {self._provider.research_calls}   summary {self._provider.summary_calls}"
        panes: list[tuple[str, RenderableType]] = [
            ("python starter.py", live.render(self.status, WIDTH - 4, self._spinner)),
            ("python worker.py", Text("\n".join(self._worker_lines()), no_wrap=True, overflow="ellipsis")),
            ("asked of the paid provider", Text(calls, "bold")),
        ]
        return Group(*[Panel(pane, title=name, title_align="left", width=WIDTH) for name, pane in panes])

    def _worker_lines(self) -> list[str]:
        lines = []
        for worker in self._workers:
            lines.append(f"$ python worker.py    (process {worker.process.pid})")
            lines += [terminal.escape_controls(line) for line in worker.lines if line[2:3] == ":"]
            if worker.process.poll():  # one that is told to stop ends with 0
                lines.append("Killed (SIGKILL).")
        return lines[-WORKER_LINES:] + [""] * (WORKER_LINES - len(lines))

    async def _watch(self) -> None:
        client, service = await connect(config.load(), terminal.print_error)
        handle = client.get_workflow_handle_for(GenerateReportWorkflow.run, workflow_id(self._starter))
        watcher = Watcher(client, service, handle)
        while not self._over.is_set():
            self.status = await watcher.poll()
            await asyncio.sleep(POLL_SECONDS / 2)
        self.status = await watcher.poll()


def has_room() -> bool:
    """Whether there is a terminal, and one that is wide enough."""
    return sys.stdout.isatty() and terminal.width() >= WIDTH


class Album:
    """Moments of the stage, saved as one SVG picture for the README."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)

    def take(self, title: str, picture: RenderableType) -> None:
        """One more moment, below the others."""
        self._console.print(Text(title, "bold"), picture, "")

    def save(self) -> None:
        """Write the picture, if one is wanted; it fetches nothing, fonts neither."""
        if self.path:
            svg = self._console.export_svg(title="make demo")
            self.path.write_text(_without_fonts(svg), encoding="utf-8")


def _without_fonts(svg: str) -> str:
    while "@font-face" in svg:
        begin = svg.index("@font-face")
        svg = svg[:begin] + svg[svg.index("}", begin) + 1 :]
    return svg

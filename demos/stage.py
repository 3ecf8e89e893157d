"""The demo on a split screen: the starter's view, the worker's log, the provider's requests."""

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
from research.cli.progress import POLL_SECONDS, Poller
from research.cli.status import Status
from research.errors import UserError
from research.temporal.client import connect
from testing.processes import Program, workflow_id
from testing.provider import Provider

WIDTH = 78
WORKER_LINES = 7


class Stage:
    """Follows one report while the context is open, and draws it where there is a terminal."""

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
        """Wait until the view shows that no worker runs, and then for people to read it."""
        deadline = time.monotonic() + seconds
        while not self.status.blocked_reason and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2)

    def picture(self) -> RenderableType:
        """Return the three panes."""
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
            if worker.process.poll():  # a worker that is stopped ends with 0
                lines.append("Killed (SIGKILL).")
        return lines[-WORKER_LINES:] + [""] * (WORKER_LINES - len(lines))

    async def _watch(self) -> None:
        client, service = await connect(config.load(), terminal.print_error)
        handle = client.get_workflow_handle(workflow_id(self._starter))
        poller = Poller(client, service, handle)
        while not self._over.is_set():
            self.status = await poller.poll()
            await asyncio.sleep(POLL_SECONDS / 2)
        self.status = await poller.poll()


def has_room() -> bool:
    """Return whether there is a terminal that is wide enough."""
    return sys.stdout.isatty() and terminal.width() >= WIDTH


class Album:
    """Moments of the stage, saved as one SVG picture for the README."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)

    def take(self, title: str, picture: RenderableType) -> None:
        """Add a moment below the others."""
        self._console.print(Text(title, "bold"), picture, "")

    def save(self) -> None:
        """Write the picture where a path was given; it loads nothing, no fonts either.

        Raises:
            UserError: it cannot be written; the message has the reason.
        """
        if self.path is None:
            return
        svg = self._console.export_svg(title="make demo")
        try:
            self.path.write_text(_without_fonts(svg), encoding="utf-8")
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from None


def _without_fonts(svg: str) -> str:
    while "@font-face" in svg:
        begin = svg.index("@font-face")
        svg = svg[:begin] + svg[svg.index("}", begin) + 1 :]
    return svg

"""A report's status on the screen: in place at a terminal, one line per event elsewhere."""

import os
import sys
import time
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from research.cli import terminal
from research.cli.progress import Status, Step
from research.llm import usage

_MARKS = {"waiting": "○", "queued": "◌", "retrying": "↻", "done": "✓", "failed": "✗", "pause": "‖"}
_ASCII_MARKS = {"waiting": ".", "queued": ".", "retrying": "!", "done": "+", "failed": "x", "pause": "|"}
_STYLES = {"waiting": "dim", "queued": "dim", "retrying": "yellow", "done": "green", "failed": "red"}


class PlainProgress:
    """One plain line on standard error for each event; with `quiet` none."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._last = Status()

    def __enter__(self) -> "PlainProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, status: Status) -> None:
        """What is new since the last status."""
        for line in () if self._quiet else changes(self._last, status, time.time()):
            terminal.print_error(line)
        self._last = status


class LiveProgress:
    """The status in place, at a terminal."""

    def __init__(self, link: str | None) -> None:
        self._link = link
        self._status = Status()
        self._spinner = spinner()
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "LiveProgress":
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, status: Status) -> None:
        """This from now on; times and countdowns go on by themselves."""
        self._status = status

    def _render(self) -> RenderableType:
        hint = "" if self._status.is_over else "Ctrl-C leaves; the report goes on."
        below = [Text(terminal.encode_for_terminal(line), "dim") for line in (self._link, hint) if line]
        return Group("", render(self._status, self._console.width, self._spinner), "", *below)


def spinner() -> Spinner:
    """The mark of a step that runs."""
    return Spinner("dots" if terminal.draws_unicode() else "line", style="cyan")


def display(link: str | None, quiet: bool) -> PlainProgress | LiveProgress:
    """What fits where standard error goes."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return LiveProgress(link) if terminal and not quiet else PlainProgress(quiet)


def render(status: Status, width: int, running: Spinner) -> RenderableType:
    """The steps, each with its state; the end of the text that grows; what holds it up."""
    marks = _MARKS if terminal.draws_unicode() else _ASCII_MARKS
    now = time.time()
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(width=8)
    grid.add_column(overflow="fold")
    for step in status.steps:
        mark: RenderableType = running
        if step.state != "running":
            mark = Text(marks[step.state], _STYLES[step.state])
        style = "yellow" if step.state in ("retrying", "failed") else "dim" if step.state == "waiting" else ""
        grid.add_row(
            mark, Text(step.name, style), Text(terminal.encode_for_terminal(describe(step, now)), style)
        )
        if step.state in ("running", "retrying") and (tail := _last_line(step.text, width - 12)):
            grid.add_row("", "", Text(tail, "dim italic", no_wrap=True))
        if status.pause_ends and step is status.steps[0]:
            left = max(status.pause_ends - now, 0)
            grid.add_row(Text(marks["pause"], "cyan"), "Pause", f"{left:.0f} s left")
    title = Text(
        terminal.encode_for_terminal(" ".join(status.topic.split())),
        "bold",
        no_wrap=True,
        overflow="ellipsis",
    )
    parts: list[RenderableType] = [title, grid] if status.topic else [grid]
    if status.blocked_reason:
        parts.append(Text(terminal.encode_for_terminal(status.blocked_reason), "yellow"))
    return Group(*parts)


def describe(step: Step, now: float) -> str:
    """A step's state in a few words."""
    done = step.state == "done"
    words = usage.pluralize(len(step.text.split()), "word") if step.text else ""
    pages = usage.pluralize(step.pages, "page") if step.pages else ""
    seconds = f"{max((step.ended or now) - step.begun, 0):.0f} s" if step.begun else ""
    if step.state == "retrying":
        wait = max(step.next_try - now, 0)
        return f"{step.reason}; attempt {step.attempt} in {wait:.0f} s"
    if step.state == "failed":
        return step.reason
    attempt = f"attempt {step.attempt}" if step.attempt > 1 and not done else ""
    reason = step.reason if step.state == "queued" else ""
    queued = "waiting for a worker" if step.state == "queued" else ""
    cost = usage.format_cost(step.cost) if done and step.cost else ""
    facts = (pages if done else "", words, step.model, attempt, reason, queued, seconds, cost)
    return " · ".join(filter(None, facts))


def changes(before: Status, after: Status, now: float) -> list[str]:
    """What has happened between two looks, a line each."""
    lines = []
    for old, new in zip(before.steps, after.steps, strict=False):
        if new.state == "running" and old.state != "running":
            again = f", attempt {new.attempt}" if new.attempt > 1 else ""
            lines.append(f"{new.name}: under way{again}")
        elif new.state == "retrying" and (old.attempt, old.reason) != (new.attempt, new.reason):
            lines.append(f"{new.name} waits: {describe(new, now)}")
        elif new.state in ("done", "failed") and old.state != new.state:
            lines.append(f"{new.name}: {new.state}, {describe(new, now)}")
    if after.pause_ends and not before.pause_ends:
        lines.append(f"Pause: {max(after.pause_ends - now, 0):.0f} s")
    if after.blocked_reason and after.blocked_reason != before.blocked_reason:
        lines.append(after.blocked_reason)
    return [terminal.encode_for_terminal(line) for line in lines]


def _last_line(text: str, width: int) -> str:
    """The end of the text, in at most so many columns."""
    lines = terminal.encode_for_terminal(text[-2_000:]).rstrip().splitlines()
    line = lines[-1].replace("\t", " ") if lines else ""
    if cell_len(line) <= width:
        return line
    while cell_len(line) > max(width - 2, 1):
        line = line[1:]
    return terminal.encode_for_terminal("… ") + line.partition(" ")[2]

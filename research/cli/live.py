"""A report's status on the screen: in place at a terminal, one line for each change elsewhere."""

import os
import sys
import textwrap
import time
from dataclasses import replace
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from research.cli import terminal
from research.cli.fitting import fit
from research.cli.status import State, Status, StepStatus
from research.formatting import format_cost, pluralize
from research.programs import STARTER

_MARKS = {
    State.WAITING: "○",
    State.QUEUED: "◌",
    State.LOST: "↻",
    State.RETRYING: "↻",
    State.DONE: "✓",
    State.FAILED: "✗",
    State.CANCELLED: "✗",
}
_ASCII_MARKS = {
    State.WAITING: ".",
    State.QUEUED: ".",
    State.LOST: "!",
    State.RETRYING: "!",
    State.DONE: "+",
    State.FAILED: "x",
    State.CANCELLED: "x",
}
_MARK_STYLES = {
    State.WAITING: "dim",
    State.QUEUED: "dim",
    State.LOST: "yellow",
    State.RETRYING: "yellow",
    State.DONE: "green",
    State.FAILED: "red",
    State.CANCELLED: "dim",
}
_TEXT_STYLES = {
    State.WAITING: "dim",
    State.LOST: "yellow",
    State.RETRYING: "yellow",
    State.FAILED: "yellow",
    State.CANCELLED: "dim",
}
_GROWING = (State.QUEUED, State.RUNNING, State.LOST, State.RETRYING)
_MIN_LABEL_COLUMNS, _MIN_TITLE_COLUMNS = 8, 10


class PlainProgress:
    """Prints a plain line on standard error for each change; with `quiet` none."""

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
        """Print what changed since the last status."""
        for line in () if self._quiet else changes(self._last, status, time.time()):
            terminal.print_error(line)
        self._last = status


class LiveProgress:
    """Draws the status in place, at a terminal."""

    def __init__(self, link: str | None) -> None:
        self._link = link
        self._status = Status()
        self._spinner = spinner()
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def __enter__(self) -> "LiveProgress":
        # Each time a new one, because one that was shown before draws over what was printed since.
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, status: Status) -> None:
        """Draw this status from now on; times and countdowns run by themselves."""
        self._status = status

    def _render(self) -> RenderableType:
        hint = "" if self._status.is_over else "Ctrl-C exits; the report continues."
        below = [Text(terminal.encode_for_terminal(line), "dim") for line in (self._link, hint) if line]
        width = self._console.width
        left = self._console.height - 3 - sum(-(-cell_len(line.plain) // width) for line in below)
        height = None if self._status.is_over else left  # because a last picture may scroll
        return Group("", render(self._status, width, self._spinner, height), "", *below)


def spinner() -> Spinner:
    """Return the mark of a running step."""
    return Spinner("dots" if terminal.draws_unicode() else "line", style="cyan")


def display(link: str | None, quiet: bool) -> PlainProgress | LiveProgress:
    """Return the live view for a terminal, and plain lines for everything else."""
    is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return LiveProgress(link) if is_terminal and not quiet else PlainProgress(quiet)


def render(status: Status, width: int, running: Spinner, height: int | None = None) -> RenderableType:
    """Return the topic, a row for each step, and what blocks the report; `running` marks a running step.

    In `height` lines, the sections of a long report that do not fit are counted in one row.
    """
    now, view = time.time(), _View(status, width, running)
    reason = terminal.encode_for_terminal(status.blocked_reason)
    waits = sum(len(textwrap.wrap(line, view.columns)) for line in _waits(status))
    around = 1 + waits + bool(status.pause_ends) + len(textwrap.wrap(reason, width))
    rows = fit(status.steps, None if height is None else height - around, view.height)
    to_come = next((step for step in rows.steps if step.state is State.WAITING), None)
    for step, following in zip(rows.steps, (*rows.steps[1:], None), strict=True):
        if step is to_come:
            _add_pause(view.grid, status, now)
        view.add(step, rows.has_texts)
        if rows.rest and step.is_section and not (following and following.is_section):
            view.grid.add_row("", "", Text(rows.rest, "dim"))
    if to_come is None:
        _add_pause(view.grid, status, now)
    parts: list[RenderableType] = [view.grid]
    if status.topic:
        title = terminal.encode_for_terminal(" ".join(status.topic.split()))
        parts.insert(0, Text(terminal.truncate(title, width), "bold", no_wrap=True))
    if reason:
        parts.append(Text(reason, "yellow"))
    return Group(*parts)


class _View:
    """The rows of steps in the making, for a width."""

    def __init__(self, status: Status, width: int, running: Spinner) -> None:
        self._now, self._running = time.time(), running
        label_columns = max(_MIN_LABEL_COLUMNS, *(cell_len(_label(step)) for step in status.steps))
        self.columns = max(width - label_columns - 4, 1)
        self.grid = Table.grid(padding=(0, 1))
        self.grid.add_column(width=1)
        self.grid.add_column(width=label_columns)
        self.grid.add_column(overflow="fold")

    def height(self, step: StepStatus, has_text: bool) -> int:
        """Return the lines of a step's row."""
        facts = self._facts(step)
        return max(-(-cell_len(facts) // self.columns), 1) + bool(has_text and self._tail(step))

    def add(self, step: StepStatus, has_texts: bool) -> None:
        """Add the step's row, and the end of its text below while that grows."""
        mark: RenderableType = self._running
        if step.state is not State.RUNNING:
            marks = _MARKS if terminal.draws_unicode() else _ASCII_MARKS
            mark = Text(marks[step.state], _MARK_STYLES[step.state])
        style = _TEXT_STYLES.get(step.state, "")
        label = terminal.encode_for_terminal(_label(step))
        self.grid.add_row(mark, Text(label, style), Text(self._facts(step), style))
        if (has_texts or not step.is_section) and (tail := self._tail(step)):
            self.grid.add_row("", "", Text(tail, "dim italic", no_wrap=True))

    def _tail(self, step: StepStatus) -> str:
        return _last_line(step.text, self.columns) if step.state in _GROWING else ""

    def _facts(self, step: StepStatus) -> str:
        """Return a step's state; that of a section in one line, with its title where there is room."""
        if not step.is_section:
            return terminal.encode_for_terminal(describe(step, self._now))
        facts = describe(replace(step, model=""), self._now)
        room = self.columns - cell_len(facts) - 3
        title = terminal.truncate(step.step.title, room) if room >= _MIN_TITLE_COLUMNS else ""
        line = " · ".join(filter(None, (title, facts)))
        if step.state is State.RETRYING and cell_len(line) > self.columns:
            reason, _, attempt = facts.rpartition("; ")
            line = f"{terminal.truncate(reason, self.columns - cell_len(attempt) - 2)}; {attempt}"
        return terminal.truncate(terminal.encode_for_terminal(line), self.columns)


def _label(step: StepStatus) -> str:
    """Return the step's name; how many sections there are is seen."""
    return f"Section {step.step.number}" if step.is_section else step.name


def _waits(status: Status) -> tuple[str, ...]:
    """Return what waits for its person, and the command that approves it."""
    approve = f"{STARTER} --approve {status.report_id}"
    return (f"for you: {status.review}", approve) if status.review else ()


def _add_pause(grid: Table, status: Status, now: float) -> None:
    if status.review:
        waits, approve = _waits(status)
        grid.add_row(Text("?", "cyan"), "Waits", waits)
        grid.add_row("", "", Text(approve, "dim"))
    if status.pause_ends:
        mark = "‖" if terminal.draws_unicode() else "|"
        grid.add_row(Text(mark, "cyan"), "Pause", f"{max(status.pause_ends - now, 0):.0f} s left")


def describe(step: StepStatus, now: float) -> str:
    """Return a step's state in a few words."""
    if step.state is State.RETRYING:
        return f"{step.reason}; attempt {step.attempt} in {max(step.next_try - now, 0):.0f} s"
    if step.state is State.FAILED:
        return step.reason
    is_done = step.state is State.DONE
    facts = [
        "cancelled" if step.state is State.CANCELLED else "",
        step.counted,
        f"{pluralize(len(step.found), 'source')} found" if step.found else "",
        pluralize(step.pages, "page") if step.pages and is_done else "",
        pluralize(len(step.text.split()), "word") if step.text else "",
        step.model,
        f"attempt {step.attempt}" if step.attempt > 1 and not is_done else "",
        f"{step.reason}" if step.state is State.QUEUED else "",
        "waiting for a worker" if step.state is State.QUEUED else "",
        "worker lost, resumes with the next one" if step.state is State.LOST else "",
        f"{max((step.ended or now) - step.begun, 0):.0f} s" if step.begun else "",
        format_cost(step.cost) if is_done and step.cost else "",
    ]
    return " · ".join(filter(None, facts))


def changes(before: Status, after: Status, now: float) -> list[str]:
    """Return what changed between two polls, a line each."""
    lines = []
    known = {step.activity_id: step for step in before.steps if step.activity_id}
    for step in after.steps:
        old = known.get(step.activity_id, StepStatus(step.step))
        if step.state is State.RUNNING and old.state is not State.RUNNING:
            attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
            lines.append(f"{step.name}: running{attempt}")
        elif step.state is State.RETRYING and (old.attempt, old.reason) != (step.attempt, step.reason):
            lines.append(f"{step.name} waits: {describe(step, now)}")
        elif step.state is State.LOST and old.state is not State.LOST:
            lines.append(f"{step.name}: {describe(step, now)}")
        elif step.state in (State.DONE, State.FAILED) and old.state is not step.state:
            lines.append(f"{step.name}: {step.state}, {describe(step, now)}")
        elif step.state is State.CANCELLED and old.state is not State.CANCELLED:
            lines.append(f"{step.name}: {describe(step, now)}")
    if after.review and after.review != before.review:
        see, approve = (f"`{STARTER} --{option} {after.report_id}`" for option in ("plan", "approve"))
        lines.append(f"Waits for you: {after.review}. To see it: {see}. To approve it: {approve}.")
    if after.pause_ends and not before.pause_ends:
        lines.append(f"Pause: {max(after.pause_ends - now, 0):.0f} s")
    if after.blocked_reason and after.blocked_reason != before.blocked_reason:
        lines.append(after.blocked_reason)
    return [terminal.encode_for_terminal(line) for line in lines]


def _last_line(text: str, columns: int) -> str:
    """Return the end of the text, in at most so many columns; whole words where it has spaces."""
    lines = terminal.encode_for_terminal(text[-2_000:]).rstrip().splitlines()
    line = lines[-1].replace("\t", " ") if lines else ""
    if cell_len(line) <= columns:
        return line
    backwards = terminal.graphemes(line)[::-1]
    end = "".join(terminal.fit(backwards, max(columns - 2, 1), cell_len)[::-1])
    return terminal.encode_for_terminal("… ") + (end.partition(" ")[2] or end)

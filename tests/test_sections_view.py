"""A long report on the screen: every section has its line while there is room, and then those that run."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from models import Step, StepKind
from research.cli import fitting, live
from research.cli.status import State, Status, StepStatus, in_rows
from testing.app import App, wait_until
from testing.provider import Call, Provider, Reply, default_reply
from testing.terminal import Terminal

BUSY = "the provider answered 503: too many readers at once, come back later"


def section(number: int, state: State, **more: object) -> StepStatus:
    step = Step(StepKind.SECTION, number, 20, f"How tardigrades endure, part {number}")
    status = StepStatus(step, str(number), state, begun=time.time() - 12)
    return StepStatus(**{**status.__dict__, **more})


def other(kind: StepKind, *state: object, **more: object) -> StepStatus:
    return StepStatus(Step(kind), *state, **more)  # type: ignore[arg-type]


def long_report(*sections: StepStatus, blocked_reason: str = "") -> Status:
    search = other(StepKind.SEARCH, "s", State.DONE, counted="20 of 20")
    before = [other(StepKind.PLAN, "p", State.DONE), search]
    steps = (*before, *sections, other(StepKind.SUMMARY), other(StepKind.PDF))
    return Status("How do tardigrades survive in space?", steps, blocked_reason=blocked_reason)


def lines_of(status: Status, columns: int, height: int | None) -> list[str]:
    console = Console(width=columns, height=100, force_terminal=False)
    with console.capture() as captured:
        console.print(live.render(status, columns, live.spinner(), height))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.fixture
def unicode_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("research.cli.terminal.draws_unicode", lambda: True)


@pytest.mark.usefixtures("unicode_terminal")
def test_steps_of_one_kind_are_one_row() -> None:
    """It counts the words of those that run, and none of a judge's list; of several plans it has the last."""

    def running(kind: StepKind, number: int, state: State = State.RUNNING) -> StepStatus:
        return StepStatus(Step(kind, number), f"{kind}-{number}", state, text="1: some words")

    plans = [other(StepKind.PLAN, f"p{n}", State.DONE, text="word " * n) for n in (1, 2)]
    passages = [running(StepKind.PASSAGES, n, State.DONE if n == 1 else State.RUNNING) for n in (1, 2, 3)]
    judged = [running(StepKind.JUDGE, n) for n in (1, 2)]
    rewritten = [running(StepKind.REWRITE, 1, State.DONE)]
    status = in_rows(Status("Moss", (*plans, *passages, *judged, *rewritten)))
    rows = [re.sub(r"^\S ", "", line) for line in lines_of(status, 80, None)]
    assert rows == [
        *("Moss", "Plan     2 words", "Passages 1 of 3 · 6 words", "           1: some words"),
        *("Judge    0 of 2", "Rewrite  1 of 1"),
    ]


@pytest.mark.usefixtures("unicode_terminal")
@pytest.mark.parametrize("columns", [110, 80, 40])
def test_a_waiting_plan_with_its_end_has_the_lines_that_it_needs(columns: int) -> None:
    waits = "plan, revision 1, since 11-24 14:05, until 11-27 14:05; then it is approved"
    report = long_report(*[section(number, State.RUNNING, text="Words.") for number in range(1, 21)])
    lines = lines_of(replace(report, review=waits, report_id="1a2b3c4d"), columns, 18)
    assert len(lines) <= 18
    assert f"for you: {waits}" in " ".join(" ".join(lines).split())


@pytest.mark.usefixtures("unicode_terminal")
@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("running", [1, 6, 20])
@pytest.mark.parametrize("reason", ["", "No worker is running: start one with `python worker.py`."])
def test_twenty_sections_fit(columns: int, running: int, reason: str) -> None:
    """What runs is shown first, what has no line is counted; summary and PDF stay in sight."""
    text = "Water bears live in moss, and " * 20
    steps = [section(n, State.RUNNING if n > 20 - running else State.DONE, text=text) for n in range(1, 21)]
    height = 17
    lines = lines_of(long_report(*steps, blocked_reason=reason), columns, height)
    assert len(lines) <= height
    assert re.match(r"○ PDF", lines[-1 - len(reason) // columns - bool(reason)])
    shown = [int(found[1]) for line in lines if (found := re.match(r". Section (\d+) ", line))]
    runs = list(range(21 - running, 21))
    assert shown[: min(running, len(shown))] == runs[: len(shown)], "those that run come first"
    [rest] = [line.strip() for line in lines if " more: " in line]
    assert rest.startswith(f"{20 - len(shown)} more: ")
    assert sum(map(int, re.findall(r"(\d+) (?:done|running)", rest))) == 20 - len(shown)


@pytest.mark.usefixtures("unicode_terminal")
def test_few_sections_show_their_texts_and_titles() -> None:
    """In the plan's order, with the end of what is written; the title gives way where there is no room."""
    steps = [
        section(1, State.DONE, text="one two three", cost=0.002),
        section(2, State.RUNNING, text="Water bears live in moss and in the sea"),
        section(3, State.RETRYING, attempt=3, reason=BUSY, next_try=time.time() + 7.5),
        section(4, State.QUEUED),
        section(5, State.FAILED, reason="the provider's content policy refuses this request"),
    ]
    wide = lines_of(long_report(*steps), 80, 24)
    wide = [re.sub(r" in [78] s", " in 7 s", line) for line in wide]
    assert wide[3:9] == [
        "✓ Section 1 How tardigrades endure, part 1 · 3 words · 12 s · $0.0020",
        "⠋ Section 2 How tardigrades endure, part 2 · 9 words · 12 s",
        "            Water bears live in moss and in the sea",
        "↻ Section 3 the provider answered 503: too many readers at o…; attempt 3 in 7 s",
        "◌ Section 4 How tardigrades endure, part 4 · waiting for a worker · 12 s",
        "✗ Section 5 How tardigrad… · the provider's content policy refuses this request",
    ]
    narrow = lines_of(long_report(*steps), 40, 24)
    assert narrow[3] == "✓ Section 1 3 words · 12 s · $0.0020"
    assert narrow[4] == "⠋ Section 2 How tardi… · 9 words · 12 s"
    assert all(len(line) <= 40 for line in narrow)


def test_only_sections_are_counted() -> None:
    """A report without them is shown as ever, however few lines there are."""
    research = other(StepKind.RESEARCH, "1", State.RUNNING, text="Moss")
    steps = (research, other(StepKind.SUMMARY), other(StepKind.PDF))
    assert fitting.fit(steps, 1, lambda step, has_text: 2) == fitting.Rows(steps)


def unequal(call: Call) -> Reply:
    """Sections 1 to 5 are done at once, 6 and 7 are refused, the others never end."""
    if call.section in (6, 7):
        return Reply(
            status=503, error={"message": "too many readers at once, come back later"}, before_seconds=1.0
        )
    reply = default_reply(call)
    if call.section > 7:
        reply.chunk_seconds, reply.held_after = 0.25, 12
    return reply


@pytest.fixture
def screens(app: App) -> Iterator[list[Terminal]]:
    screens: list[Terminal] = []
    yield screens
    for screen in screens:
        screen.close()


@pytest.mark.long
@pytest.mark.proof
def test_twenty_sections_on_two_screens(app: App, provider: Provider, screens: list[Terminal]) -> None:
    """Of 24 lines, at 80 columns and at 40 in the C locale: nothing scrolls, all of it is ASCII there."""
    provider.reply = unequal
    app.worker(LLM_MAX_CALLS="16")

    def open_screen(*arguments: str, columns: int, **environ: str) -> Terminal:
        environ = {**app.environ, **environ}
        screens.append(Terminal(*arguments, root=app.root, environ=environ, columns=columns, rows=24))
        return screens[-1]

    wide = open_screen("starter.py", "How is it recorded?", "--sections", "20", columns=80)
    seen = wide.see("more: ", " done", "attempt", "words")
    started = re.search(r"Workflow ID: (\S+),", seen.replace("\n", "")) or re.search(
        r"workflow-([0-9a-f-]{36})", wide.raw.decode(errors="ignore").replace("\r\n", "")
    )
    assert started
    narrow = open_screen("starter.py", "--attach", started[1][-8:], columns=40, LANG="C", LC_ALL="C")
    for screen in (wide, narrow):
        seen = screen.see("How is it recorded?", "more: ", " done", "Summary", "PDF", "Ctrl-C")
        assert len(seen.splitlines()) <= 24
        screen.wait_until(lambda shown: bool(re.search(r"^. Section 8 .*words", shown, re.MULTILINE)))
        assert re.search(r"^. Plan", seen, re.MULTILINE)
    assert narrow.screen.isascii()
    assert app.run("starter.py", "--cancel", started[1][-8:]).exit_status() == 0
    assert wide.exit_status() == narrow.exit_status() == 4
    assert "cancelled" in wide.see("The report was cancelled.")
    wait_until(lambda: provider.in_flight == 0)

"""The chaos run: that it passes, that the same seed is the same run, and that it can fail."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos import Audit, Event, run, schedule, world

KILLS = [Event(3.8, "SIGKILL")]
STORM = [Event(0.5, "503", lasts=2.0)]
BEAT = "                activity.heartbeat("


def audit(
    events: list[Event], reports: int, sabotage: Callable[[Path], None] | None = None, workers: int = 2
) -> tuple[Audit, str]:
    """The run with its table, in a world whose program may have been spoiled first."""

    async def play() -> tuple[Audit, str]:
        async with world(sabotage, workers) as made:
            came = await run(made, events, reports)
            return came, came.table()

    return asyncio.run(play())


def spoil(root: Path, changes: list[tuple[str, str, str]]) -> None:
    """Take a promise out of the program; the place must still be there."""
    for file, old, new in changes:
        path = root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has not {old!r} once"
        path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_short_run() -> None:
    """Every kind of kill and some weather; nothing is lost."""
    came, table = audit(schedule(seed=7, kills=5), reports=8)
    assert came.broken == [], table
    assert "| reports accepted | 8 |" in table


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(3, 50) == schedule(3, 50) != schedule(4, 50)
    kinds = {event.what for event in schedule(3, 50)}
    assert {"SIGKILL", "SIGTERM", "SIGSTOP", "service", "in the writing", "disk full", "503"} <= kinds


@pytest.mark.parametrize(
    ("events", "changes", "claim"),
    [
        pytest.param(
            KILLS,
            [("activities.py", f"{BEAT}draft)", f"{BEAT})")],
            "of text was sent again for each kill",
            id="no text in the heartbeats",
        ),
        pytest.param(
            STORM,
            [("research/llm/client.py", "num_retries=0,", "num_retries=2,")],
            "requests that no attempt of the service stands behind",
            id="the client's own retries",
        ),
        pytest.param(
            STORM,
            [
                (
                    "research/reports/storage.py",
                    "parts[target] = part = _temporary_path(target)",
                    "parts[target] = part = target",
                ),
                (
                    "research/reports/storage.py",
                    "file.write(data)",
                    "file.write(data[:9]), file.flush(), __import__('time').sleep(0.2), file.write(data[9:])",
                ),
            ],
            "files seen half-written or changed",
            id="writing that is not atomic, on a slow disk",
        ),
    ],
)
def test_it_can_fail(events: list[Event], changes: list[tuple[str, str, str]], claim: str) -> None:
    """With one of the program's promises taken away, the run falls short, and says of which."""
    came, table = audit(events, 2, lambda root: spoil(root, changes), workers=1)
    assert any(claim in line for line in came.broken), f"{came.broken}\n{table}"

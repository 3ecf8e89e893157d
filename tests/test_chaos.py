"""The chaos run: that it passes, that the same seed is the same schedule, and that it can fail."""

import asyncio

import pytest

from tests.chaos.audit import Audit
from tests.chaos.run import run
from tests.chaos.schedule import FAULTS, KILLS, Event, schedule
from tests.chaos.world import world

KILL = Event(3.8, "SIGKILL")


def audit(events: list[Event], reports: int, sabotage: str = "", workers: int = 2) -> tuple[Audit, str]:
    """Play the events, with workers that may lack a promise, and return the audit and its table."""

    async def play() -> tuple[Audit, str]:
        async with world(reports, sabotage, workers) as made:
            outcome = await run(made, events, reports)
            return outcome, outcome.table()

    return asyncio.run(play())


@pytest.mark.long
def test_a_short_run() -> None:
    """Every kind of kill and some faults; nothing is lost."""
    outcome, table = audit(schedule(seed=7, kills=5), reports=8)
    assert outcome.broken == [], table
    assert "| reports accepted | 8 |" in table


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(3, 50) == schedule(3, 50) != schedule(4, 50)
    assert {event.what for event in schedule(3, 50)} == {*KILLS, *FAULTS, "disk full"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("events", "sabotages"),
    [
        ([KILL], {"heartbeats_without_text": "of text was sent again for each kill"}),
        (
            [Event(0.5, "503", lasts=2.0), KILL],
            {
                "heartbeats_with_a_hole": "its recorded text 'r' is not the provider's",
                "retries_of_the_client": "requests that no attempt of the service stands behind",
                "writing_in_place": "files seen half-written or changed",
            },
        ),
    ],
    ids=["resuming", "text, retries, files"],
)
def test_it_can_fail(events: list[Event], sabotages: dict[str, str]) -> None:
    """Without these of the program's promises, the run falls short, and says of which."""
    outcome, table = audit(events, 2, ",".join(sabotages), workers=1)
    for claim in sabotages.values():
        assert any(claim in line for line in outcome.broken), f"{outcome.broken}\n{table}"

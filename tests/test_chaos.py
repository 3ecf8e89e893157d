"""The chaos run: that it passes, that the same seed is the same schedule, and that it can fail."""

import asyncio
from collections.abc import Sequence

import pytest

from research.llm.resume import Way
from tests.chaos.audit import Audit
from tests.chaos.histories import recorded_text
from tests.chaos.run import run
from tests.chaos.schedule import FAULTS, KILLS, WAYS, WORKERS, Event, schedule
from tests.chaos.world import world


def audit(
    events: list[Event],
    reports: int,
    sabotage: str = "",
    ways: Sequence[Way] = WAYS,
    workers: int = WORKERS,
) -> tuple[Audit, str]:
    """Play the events, with workers that may lack a promise, and return the audit and its table."""

    async def play() -> tuple[Audit, str]:
        async with world(reports, sabotage, ways, workers) as made:
            outcome = await run(made, events, reports)
            return outcome, outcome.table()

    return asyncio.run(play())


@pytest.mark.long
def test_a_short_run() -> None:
    """Every kind of kill and some faults; nothing is lost."""
    outcome, table = audit(schedule(seed=7, kills=5), reports=9)
    assert outcome.broken == [], table
    assert "| reports accepted | 9 |" in table


@pytest.mark.long
def test_a_summary_that_is_refused_at_once() -> None:
    """There is none, and the report is as it is to be."""
    outcome, table = audit([Event(0.1, "summary refused", lasts=22.0)], len(WAYS), workers=1)
    assert outcome.broken == [], table
    assert [recorded_text(history, "s") for history in outcome.histories] == [None] * len(WAYS)


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(3, 50) == schedule(3, 50) != schedule(4, 50)
    assert {event.what for event in schedule(3, 50)} == {*KILLS, *FAULTS, "disk full"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("ways", "reports", "events", "sabotages"),
    [
        (
            (Way.BLOCK, Way.PREFILL),
            2,
            [Event(7.4, "SIGKILL", 0), Event(7.4, "SIGKILL", 1)],
            {
                "heartbeats_without_text": (
                    "more than the longest block and 2.5 s of text was sent again",
                    "prefill: more than 2.5 s of text was sent again for each kill",
                ),
            },
        ),
        (
            WAYS,
            15,  # four of each way and more, because a text may be cut at a line's end by chance
            [Event(0.5, "503", lasts=2.0), *(Event(4.5, "SIGKILL", place) for place in range(len(WAYS)))],
            {
                "heartbeats_with_a_hole": ("its recorded text 'r' is not the provider's",),
                "retries_of_the_client": ("requests that no attempt of the service stands behind",),
                "passages_that_are_nearly_there": ("forged passages admitted", "does not find to hold"),
                "writing_in_place": ("files seen half-written or changed",),
                "heartbeats_without_response": ("answers that the provider keeps were requested again",),
                "answers_that_stay": ("answers are left there",),
                "drafts_that_end_anywhere": ("the next paragraph was asked for within a line",),
                "pages_read_again": ("pages fetched again after they were recorded",),
                "evidence_of_other_texts": ("the frozen text of its page 3 is not the site's",),
            },
        ),
    ],
    ids=["text sent again", "all others"],
)
def test_it_can_fail(
    ways: Sequence[Way], reports: int, events: list[Event], sabotages: dict[str, tuple[str, ...]]
) -> None:
    """Without these of the program's promises, the run falls short, and says of which."""
    outcome, table = audit(events, reports, ",".join(sabotages), ways, workers=1)
    for claims in sabotages.values():
        for claim in claims:
            assert any(claim in line for line in outcome.broken), f"{outcome.broken}\n{table}"

"""The chaos run: that it passes, that the same seed is the same schedule, and that it can fail."""

import asyncio

import psutil
import pytest
from temporalio.client import Client

from research.llm.resume import Way
from testing.app import kept_text, wait_until
from testing.processes import ProgramError
from testing.provider import Call, Reply
from tests.chaos.histories import recorded_text
from tests.chaos.run import run
from tests.chaos.sabotage import HOLE_CHARACTERS
from tests.chaos.schedule import FAULTS, KILLS, schedule
from tests.chaos.world import World, world

HELD = 0.85
"""The part of a text that is sent before its worker is killed."""


@pytest.mark.long
@pytest.mark.proof
async def test_a_short_run() -> None:
    """Every kind of kill and some faults; nothing is lost."""
    async with world(reports=4, workers=1) as made:
        outcome = await run(made, schedule(seed=7, kills=5), reports=4)
        table = outcome.table()
    assert outcome.broken == [], table
    assert "| reports accepted | 4 |" in table


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(3, 50) == schedule(3, 50) != schedule(4, 50)
    assert {event.what for event in schedule(3, 50)} == {*KILLS, *FAULTS, "disk full"}


SABOTAGES = {
    "heartbeats_without_text": (
        "block: more than the longest block and 2.5 s of text was sent again",
        "prefill: more than 2.5 s of text was sent again for each kill",
    ),
    "heartbeats_with_a_hole": ("its recorded text 'r' is not the provider's",),
    "retries_of_the_client": ("requests that no attempt of the service stands behind",),
    "passages_that_are_nearly_there": ("forged passages admitted", "does not find to hold"),
    "writing_in_place": ("files seen half-written or changed",),
    "heartbeats_without_response": ("answers that the provider keeps were requested again",),
    "answers_that_stay": ("answers are left there",),
    "drafts_that_end_anywhere": ("the next paragraph was asked for within a line",),
    "pages_read_again": ("pages fetched again after they were recorded",),
    "evidence_of_other_texts": ("the frozen text of its page 3 is not the site's",),
}


@pytest.mark.long
@pytest.mark.proof
async def test_it_can_fail() -> None:
    """Without these of the program's promises, the run falls short, and says of which.

    There is one report of each way; the last one reads pages. That no summary is written is no fault,
    because the provider refuses them all.
    """
    ways = (Way.PREFILL, Way.RETRIEVE, Way.BLOCK)
    async with world(len(ways), ",".join(SABOTAGES), ways, workers=1) as made:
        hold_texts(made)
        killing = asyncio.create_task(kill_in_the_texts(made))
        outcome = await run(made, [], len(ways))
        await killing
        table = outcome.table()
    for claim in (claim for claims in SABOTAGES.values() for claim in claims):
        assert any(claim in line for line in outcome.broken), f"{claim}: {outcome.broken}\n{table}"
    assert [recorded_text(history, "s") for history in outcome.histories] == [None] * len(ways)
    assert not any(line.startswith("report 0 ") for line in outcome.broken), outcome.broken


@pytest.mark.proof
async def test_a_worker_that_is_starting_ends_with_the_world() -> None:
    """Or it would go on alone, and start a dev server of its own."""
    async with world(reports=1, ways=(Way.BLOCK,), workers=0) as made:
        made._command, made.current = ["-c", "import time; time.sleep(600)"], [None]
        starting = asyncio.create_task(asyncio.to_thread(made.start_worker, 0))

        def found() -> list[psutil.Process]:
            here = psutil.process_iter(["cwd", "cmdline"])
            return [each for each in here if each.info["cwd"] == str(made.server.root)]

        await asyncio.to_thread(wait_until, lambda: bool(found()))
        [worker] = found()
    await asyncio.to_thread(wait_until, lambda: not worker.is_running(), 20)
    with pytest.raises(ProgramError):
        await starting


def hold_texts(made: World) -> None:
    """Let each report's text stop near its end, until the provider releases it."""
    answer = made.endpoint.reply

    def reply(call: Call) -> Reply:
        given = answer(call)
        if made.endpoint.ledger[-1].kind == "r":
            given.held_after = int(len(given.pieces(given.text)) * HELD)
        return given

    made.endpoint.reply = reply


async def kill_in_the_texts(made: World) -> None:
    """Refuse one request; when all texts are held, and the service has the kept one's, kill every worker."""

    def is_held(number: int) -> bool:
        return any(entry.end > len(entry.text) * (HELD - 0.05) for entry in made.endpoint.of(number, "r"))

    made.endpoint.fault = "503"
    await asyncio.to_thread(wait_until, lambda: bool(made.endpoint.happened["answer: 503"]))
    made.endpoint.fault = "summary refused"
    await asyncio.to_thread(wait_until, lambda: all(map(is_held, range(len(made.ways)))))
    address, number = f"127.0.0.1:{made.server.port}", made.ways.index(Way.RETRIEVE)
    client = await Client.connect(address, namespace=made.namespace(Way.RETRIEVE))
    handle = client.get_workflow_handle(f"chaos-{number}")
    [kept] = made.endpoint.of(number, "r")
    while len(await kept_text(handle)) < kept.end - HOLE_CHARACTERS:
        await asyncio.sleep(0.1)
    await asyncio.gather(*[made.kill_worker("SIGKILL", place, 0.0) for place in range(len(made.ways))])
    made.endpoint.release()

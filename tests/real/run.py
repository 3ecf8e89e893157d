"""Each topic uninterrupted, twice, and then with kills; every text is compared with the uninterrupted one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.real.relay import OTHER, SUMMARY, Entry
from tests.real.topics import SECTIONS_TOPIC, TOPICS
from tests.real.world import NotWritten, Report, World

KILL_POINTS = (25, 50, 75)
"""Per cent of the text's characters; in a report of sections, of those of all sections."""
MIN_RESUMED_CHARACTERS = 300
"""A text of which less was sent may be begun anew, because heartbeats carry it only twice a second."""
BAR = "\\|"
HEAD = (
    "| Topic | Text | Killed at | Characters | | Interrupted at | Resumed at | Paid again | Seconds |\n"
    "| --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: |"
)


@dataclass
class Outcome:
    """What was found out."""

    rows: list[str] = field(default_factory=list)
    different: int = 0
    """Texts that are not what the model writes uninterrupted."""
    errors: list[str] = field(default_factory=list)
    """What else did not hold."""
    compared: int = 0
    resumed: list[int] = field(default_factory=list)
    """For each text that a kill interrupted and that was resumed in its middle: the characters paid again."""
    probes: list[int] = field(default_factory=list)
    """For each request that is for no text of a report: the characters of its answer."""


async def run(world: World, topics: int, sections: int, progress: Callable[[str], None]) -> Outcome:
    """Write all reports, and return what came of them."""
    outcome = Outcome()
    for topic in TOPICS[:topics]:
        await _try_topic(world, outcome, topic, 0, progress)
    if sections:
        await _try_topic(world, outcome, SECTIONS_TOPIC, sections, progress)
    outcome.probes = [len(entry.text) for entry in world.relay.ledger if entry.step == OTHER]
    if outcome.compared and not outcome.resumed:
        outcome.errors.append("no interrupted text was resumed in its middle, so nothing about that is shown")
    return outcome


async def _try_topic(
    world: World, outcome: Outcome, topic: str, sections: int, progress: Callable[[str], None]
) -> None:
    name = f"{topic} ({sections} sections)" if sections else topic
    progress(f"{name} uninterrupted …")
    try:
        right = await world.write(topic, sections)
        again = await world.write(topic, sections)
    except NotWritten as error:
        outcome.errors.append(f"{name}: {error}")
        return
    if problem := _problem_uninterrupted(right, again, sections or 1):
        outcome.errors.append(f"{name}: {problem}")
        return
    for step in _texts(right):
        if place := await world.own_tokens(right, step):
            outcome.errors.append(
                f"{name}, {step}: no measure, the model wrote it in tokens of its own {place}"
            )
            return
    characters = sum(len(entry.text) for step in _texts(right) for entry in right.of(step))
    for percent in KILL_POINTS:
        progress(f"{name} killed at {percent} % …")
        try:
            killed = await world.write(topic, sections, max(1, characters * percent // 100))
        except NotWritten as error:
            outcome.errors.append(f"{name}, killed at {percent} %: {error}")
            continue
        _compare(outcome, name, percent, right, killed)


def _texts(report: Report) -> list[str]:
    return sorted(step for step in report.texts if step != SUMMARY)


def _problem_uninterrupted(right: Report, again: Report, texts: int) -> str:
    """Return why the topic is no measure: the model must end each text by itself, twice in the same way."""
    if SUMMARY not in right.texts or len(right.texts) != texts + 1:
        return f"{texts} texts and a summary were expected, recorded are {', '.join(right.texts)}"
    for step, text in right.texts.items():
        if place := difference(again.texts.get(step), text):
            return f"{step}: not reproducible, two uninterrupted runs differ: {place}"
        if right.finish_reasons[step] != "stop":
            return f"{step}: the model did not end it: {right.finish_reasons[step]!r}"
        if len(right.of(step)) != 1:
            return f"{step}: {len(right.of(step))} requests, uninterrupted"
    return right.files or again.files


def _compare(outcome: Outcome, name: str, percent: int, right: Report, killed: Report) -> None:
    """Compare each text; the summary only if it was made of the right texts."""
    if killed.files:
        outcome.errors.append(f"{name}, killed at {percent} %: {killed.files}")
    before = outcome.different
    for step in _texts(right):
        _compare_text(outcome, [name, step, f"{percent} %"], right, killed)
    if outcome.different == before:
        _compare_text(outcome, [name, SUMMARY, f"{percent} %"], right, killed)


def _compare_text(outcome: Outcome, where: list[str], right: Report, killed: Report) -> None:
    """Compare one text and add its row; a summary has one only if it differs."""
    step = where[1]
    written, interruption = killed.texts.get(step), _interruption(killed, step)
    place = difference(written, right.texts[step])
    outcome.compared += 1
    outcome.different += bool(place)
    if interruption:
        _count_resumed(outcome, ", ".join(where), *interruption)
    if place or step != SUMMARY:
        cells = [*where, str(len(written or "")), place or "identical", *_cells(interruption, killed.killed)]
        outcome.rows.append(f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |")


def _interruption(killed: Report, step: str) -> tuple[Entry, Entry] | None:
    """Return the request for a text that the kill interrupted, and the next one for it."""
    for before, after in itertools.pairwise(killed.of(step)):
        if before.begun < killed.killed < after.begun and before.text:
            return before, after
    return None


def _count_resumed(outcome: Outcome, where: str, before: Entry, after: Entry) -> None:
    if after.draft:
        outcome.resumed.append(_paid_again(before, after))
    elif before.end >= MIN_RESUMED_CHARACTERS:
        outcome.errors.append(f"{where}: begun anew, though {before.end} characters were sent before")


def _paid_again(before: Entry, after: Entry) -> int:
    return max(0, before.end - after.start)


def _cells(interruption: tuple[Entry, Entry] | None, killed: float) -> list[str]:
    """Return where a text was interrupted and resumed, what was paid again, and how long it took."""
    if interruption is None:
        return ["", "", "0", ""]
    before, after = interruption
    seconds = f"{after.begun - killed:.1f}"
    return [str(before.end), str(after.start), str(_paid_again(before, after)), seconds]


def difference(written: str | None, right: str) -> str:
    """Return the first difference of a text from the right one; empty where there is none."""
    if written is None:
        return "there is no text"
    if written == right:
        return ""
    pairs = enumerate(zip(written, right, strict=False))
    place = next((i for i, (a, b) in pairs if a != b), min(len(written), len(right)))
    here, there = written[place : place + 25], right[place : place + 25]
    return f"{len(written)} characters, not {len(right)}; from {place} {here!r}, not {there!r}"

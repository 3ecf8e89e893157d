"""What interrupted the reading of an answer, and how much of its text was sent again."""

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from research.llm.resume import Way
from tests.chaos.faults import Entry
from tests.chaos.texts import longest_block, seconds_of
from tests.chaos.world import STALL_SECONDS, World

NAMED_SECONDS = 2.0
"""For a worker to have the ID of an answer that the provider keeps recorded by the service."""
WAKING_SECONDS = 5.0
"""For the service to tell a worker that was stalled what it has lost."""
OUTAGE_SECONDS = 6.0
"""Between a kill and an outage of the service in which another worker would have continued."""
AGAIN_SECONDS = 1.0
"""How much text may be sent again for each stream that a kill interrupted, on average."""
FEW = 10
"""With fewer streams the average says little, and more is accepted."""
CAUSES = KILL, STALL, OUTAGE, UNKNOWN = (
    "a kill",
    "a stalled worker",
    "an outage of the service",
    "nothing known",
)


@dataclass
class Reading:
    """One worker's connection for an answer: its request, or another look at one that is kept."""

    entry: Entry
    key: str
    begun: float
    is_request: bool


@dataclass
class Interruption:
    """A reading that something ended, and the next one."""

    cause: str
    before: Reading
    after: Reading
    delay: float
    """Seconds from the end of the worker to the next reading; only of a kill."""
    is_lost: bool
    """Whether an answer that the provider keeps was lost before its ID can have been recorded."""

    @property
    def way(self) -> Way:
        return self.before.entry.way

    @property
    def characters(self) -> int:
        """How many characters of the text were sent again."""
        return max(0, self.before.entry.end - self.after.entry.start) if self.after.is_request else 0

    @property
    def seconds(self) -> float:
        """How long the endpoint takes for them."""
        return self._seconds(self.characters)

    @property
    def excess(self) -> float:
        """The same without the longest block of the text, which is what a resume by block may cost."""
        return self._seconds(max(0, self.characters - longest_block(self.before.entry.text)))

    def _seconds(self, characters: int) -> float:
        return characters / len(self.before.entry.text) * seconds_of(self.before.entry.kind)


def interruptions(world: World, number: int, kind: str) -> Iterator[Interruption]:
    """Yield what interrupted a text of a report, but for faults of the provider."""
    for before, after in itertools.pairwise(_readings(world, number, kind)):
        entry = before.entry
        is_next = after.is_request and entry.call.finished and after.entry.start >= entry.end
        if not is_next and (cause := _cause(world, before, after)):
            delay = after.begun - world.run_of(before.key).ended
            is_lost = entry.way is Way.RETRIEVE and after.is_request and is_lost_at_once(world, entry)
            yield Interruption(cause, before, after, delay, is_lost)


def _readings(world: World, number: int, kind: str) -> list[Reading]:
    """Return the readings by their time; when a worker looks again and again, its first one."""
    found = [Reading(entry, entry.key, entry.begun, True) for entry in world.endpoint.of(number, kind)]
    looks = world.endpoint.looks_of(number, kind)
    found += [Reading(look.entry, look.key, look.begun, False) for look in looks]
    found.sort(key=lambda reading: reading.begun)
    firsts = found[:1]
    for before, after in itertools.pairwise(found):
        if after.is_request or before.entry is not after.entry or before.key != after.key:
            firsts.append(after)
    return firsts


def _cause(world: World, before: Reading, after: Reading) -> str:
    """Return what ended a reading; nothing where a fault of the provider did."""
    harmless = ("", "silence") if before.is_request else ("", "silence", "cut", "stream refused")
    if before.entry.fault not in harmless or before.entry.is_empty:
        return ""
    run, begun = world.run_of(before.key), before.begun
    is_killed = begun - 1 < run.ended <= after.begun
    for start, end in world.outages:
        if begun < end and after.begun > start and (not is_killed or run.ended > start - OUTAGE_SECONDS):
            return OUTAGE
    if any(begun < stall + STALL_SECONDS and stall < after.begun for stall in run.stalls):
        return STALL
    return KILL if is_killed else UNKNOWN


def wakes(world: World, entry: Entry) -> bool:
    """Return whether a request was sent by a worker that a stall had held up before."""
    stalls = world.run_of(entry.key).stalls
    return any(stall < entry.begun < stall + STALL_SECONDS + WAKING_SECONDS for stall in stalls)


def is_lost_at_once(world: World, entry: Entry) -> bool:
    """Return whether the service or the worker was hit before the answer's ID can have been recorded."""
    run, begun = world.run_of(entry.key), entry.begun
    hits = [moment - begun for moment in (run.ended, *run.stalls)]
    is_hit = any(-0.2 < hit < NAMED_SECONDS for hit in hits)
    return is_hit or any(start - NAMED_SECONDS < begun < end for start, end in world.outages)


def broken_limits(way: Way, found: Sequence[Interruption]) -> list[str]:
    """Return whether kills have cost more of the texts than the way may cost."""
    kills = [one for one in found if one.way is way and one.cause == KILL and not one.is_lost]
    limit = AGAIN_SECONDS if len(kills) >= FEW else 2.5 * AGAIN_SECONDS
    costs = [one.excess if way is Way.BLOCK else one.seconds for one in kills]
    if not kills or statistics.mean(costs) <= limit:
        return []
    block = "the longest block and " if way is Way.BLOCK else ""
    return [f"{way}: more than {block}{limit:g} s of text was sent again for each kill"]


def rows_of_interruptions(ways: Sequence[Way], found: Sequence[Interruption]) -> Iterator[tuple[object, ...]]:
    """Yield, for each cause, how often a stream was interrupted and what was sent again, by way."""
    for cause in CAUSES:
        by_way = [[one for one in found if one.way is way and one.cause == cause] for way in ways]
        if not any(by_way):
            continue
        yield f"streams interrupted by {cause}", *map(len, by_way)
        if Way.RETRIEVE in ways:
            yield (
                "… before the ID of a kept answer was recorded",
                *[sum(o.is_lost for o in x) for x in by_way],
            )
        seconds = [[one.seconds for one in each if not one.is_lost] for each in by_way]
        yield (
            "… seconds sent again of the others, mean and worst",
            *[_mean_and_worst(x, ".2f") for x in seconds],
        )
        characters = [[float(one.characters) for one in each if not one.is_lost] for each in by_way]
        yield "… characters, mean and worst", *[_mean_and_worst(x, ".0f") for x in characters]


def _mean_and_worst(numbers: Sequence[float], form: str) -> str:
    if not numbers:
        return "-"
    return f"{format(statistics.mean(numbers), form)}, {format(max(numbers), form)}"

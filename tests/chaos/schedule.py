"""When what happens: decided by the seed alone."""

import random
from dataclasses import dataclass

from research.llm.resume import Way
from tests.chaos.faults import OF_STORED

WAYS = (Way.RETRIEVE, Way.PREFILL, Way.BLOCK)
"""How interrupted texts are resumed: each way has its own workers, and a third of the reports."""
WORKERS = 2
"""Workers of each way, so that one continues what the other has lost."""
KILLS = {"SIGKILL": 10, "SIGTERM": 4, "SIGSTOP": 2, "in the writing": 3, "service": 1}
"""Each kind of kill, with its weight."""
FAULTS = (
    "503", "529", "408", "429", "429 with a date", "reset", "cut", "cut cleanly", "garbage",
    "empty", "silence", "length", "401", "summary refused", *OF_STORED,
)  # fmt: skip
"""Each kind of fault of the provider; they take turns in a random order."""


@dataclass(frozen=True)
class Event:
    """A kill or a fault, so many seconds after the beginning."""

    at: float
    what: str
    worker: int = 0
    """The place of the worker, over all ways."""
    lasts: float = 0.0


def schedule(seed: int, kills: int) -> list[Event]:
    """Return kills every few seconds, and between them faults of the provider and a full disk."""
    rng = random.Random(seed)
    first = list(KILLS)
    rng.shuffle(first)
    rest = rng.choices(list(KILLS), list(KILLS.values()), k=max(kills - len(first), 0))
    events, at = [], 4.0
    for number, what in enumerate([*first, *rest][:kills]):
        place = number % len(WAYS) + len(WAYS) * rng.randrange(WORKERS)  # so that the ways take turns
        events.append(Event(at, what, place, rng.uniform(0.0, 2.0)))
        at += rng.uniform(2.0, 5.0)
    end, faults = at, list(FAULTS)
    rng.shuffle(faults)
    at = 2.0
    while at < end:
        events.append(Event(at, faults[0], lasts=rng.uniform(0.5, 2.5)))
        faults = faults[1:] + faults[:1]
        at += rng.uniform(3.0, 5.0)
    at = 8.0
    while at < end:
        events.append(Event(at, "disk full", lasts=rng.uniform(2.0, 4.0)))
        at += rng.uniform(20.0, 40.0)
    return sorted(events, key=lambda event: event.at)

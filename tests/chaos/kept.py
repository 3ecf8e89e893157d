"""Answers that the provider keeps: none is paid again, and none is left there."""

import itertools
from collections.abc import Callable, Iterator

from research.llm.resume import Way
from tests.chaos.faults import HARMLESS, Entry
from tests.chaos.interruptions import is_lost_at_once, wakes
from tests.chaos.world import World

DELETED, EXPIRED = "deleted", "expired"
LOST = "the worker or the service was hit before the ID was recorded"
FAULT = "a fault of the provider"
WOKEN = "requested by a worker that had been stalled"
FAILED = "its step failed for good"

Fate = tuple[str, Entry]
"""A reason, and the request for the answer."""


def requested_again(world: World, number: int, kind: str) -> Iterator[Fate]:
    """Yield why an answer was requested after one that the provider keeps; "" where nothing explains it."""
    entries = [entry for entry in world.endpoint.of(number, kind) if entry.way is Way.RETRIEVE]
    for before, after in itertools.pairwise(entries):
        if before.fault not in HARMLESS or before.is_empty:
            yield FAULT, before
        elif is_lost_at_once(world, before):
            yield LOST, before
        else:
            yield WOKEN if wakes(world, after) else "", before


def fates(world: World, has_failed: Callable[[Entry], bool]) -> Iterator[Fate]:
    """Yield what came of each answer that the provider kept: "deleted", "expired" or why it is left.

    The reason is "" where nothing explains it. `has_failed` says whether a request's step has no result.
    """
    for stored in world.endpoint.stored.values():
        entry = world.endpoint.entry_of(stored)
        if stored.deleted or stored.expired:
            yield DELETED if stored.deleted else EXPIRED, entry
        elif entry.fault == "reset" or stored.id in world.endpoint.undeleted:
            yield FAULT, entry
        elif is_lost_at_once(world, entry):
            yield LOST, entry
        elif has_failed(entry):
            yield FAILED, entry
        else:
            yield WOKEN if wakes(world, entry) else "", entry

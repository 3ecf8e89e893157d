"""How many tasks a worker takes from the service, and how fast.

A task that the service has handed out must begin and send its first heartbeat within seconds.
The SDK fetches as many as there are slots, and Python begins them one by one; when a thousand
reports arrive at once, the last would begin after their heartbeat timeout, and every later
attempt as well. So a task is only fetched when the ones before it have begun.
"""

import asyncio
import threading

from temporalio.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkerTuner,
)

AHEAD = 10
"""Activity tasks that are fetched and not begun: one for each of the SDK's five pollers, and as many
that come without a poll, with the answer to the workflow's step before ("eager")."""
WORKFLOW_TASKS = 10
"""Workflow tasks at a time; each takes milliseconds."""


def tuner(most: int) -> WorkerTuner:
    """For `Worker(tuner=…)`: at most so many Activities at a time, begun at the worker's own pace."""
    return WorkerTuner.create_composite(
        workflow_supplier=FixedSizeSlotSupplier(WORKFLOW_TASKS),
        activity_supplier=PacedSlots(most),
        local_activity_supplier=FixedSizeSlotSupplier(1),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )


class PacedSlots(CustomSlotSupplier):
    """So many slots, of which only a few are given out ahead of the tasks that have begun."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._ahead = 0
        self._lock = threading.Lock()  # the SDK calls from threads of its own
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """A slot, as soon as one is free and the tasks before it have begun."""
        while True:
            self._news.clear()
            permit = self.try_reserve_slot(ctx)
            if permit:
                return permit
            await self._news.wait()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """A slot if there is one now."""
        with self._lock:
            if self._taken >= self._most or self._ahead >= AHEAD:
                return None
            self._taken += 1
            self._ahead += 1
            return SlotPermit()

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """The task that has this slot begins."""
        self._give_back(taken=0, ahead=1)

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """The task has ended, or there was none."""
        self._give_back(taken=1, ahead=0 if ctx.slot_info else 1)

    def _give_back(self, taken: int, ahead: int) -> None:
        with self._lock:
            self._taken -= taken
            self._ahead -= ahead
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

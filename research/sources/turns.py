"""Turns: how many requests a site gets from this process at a time, and how fast one after the other.

A site is a host with a port, as for robots.txt.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

MAX_REQUESTS = 2
PAUSE_SECONDS = 0.2
"""Between the beginnings of two requests to a host."""
MAX_KEPT = 1_000


@dataclass
class _Host:
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_REQUESTS))
    pace: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    """When the next request may begin, by the event loop's clock."""
    users: int = 0


class Turns:
    """The hosts of late, of one event loop."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(
        self, name: str, waiting: Callable[[], AbstractAsyncContextManager[None]]
    ) -> AsyncIterator[None]:
        """Return when the host may get a request, which is made within it; `waiting` is around the wait."""
        self._prune()
        host = self._hosts.setdefault(name, _Host())
        host.users += 1
        try:
            async with waiting():
                await host.free.acquire()
            try:
                async with waiting(), host.pace:
                    loop = asyncio.get_running_loop()
                    await asyncio.sleep(host.next_at - loop.time())
                    host.next_at = loop.time() + PAUSE_SECONDS
                yield
            finally:
                host.free.release()
        finally:
            host.users -= 1

    def _prune(self) -> None:
        if len(self._hosts) < MAX_KEPT:
            return
        now = asyncio.get_running_loop().time()
        self._hosts = {name: host for name, host in self._hosts.items() if host.users or host.next_at > now}

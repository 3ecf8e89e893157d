"""Waiting for other processes: without blocking the event loop, reported when it is long."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

POLL_SECONDS = 0.1
FIRST_REPORT_SECONDS = 2
REPORT_SECONDS = 10

PrintLine = Callable[[str], None]


class Progress:
    """Reports a wait that is long."""

    def __init__(self, what: str, print_line: PrintLine) -> None:
        self._what, self._print_line = what, print_line
        self._started = time.monotonic()
        self._next = FIRST_REPORT_SECONDS

    def report(self) -> None:
        """Print how long the wait is, if it is time to."""
        waited = time.monotonic() - self._started
        if waited >= self._next:
            self._print_line(f"{self._what} … {waited:.0f} s")
            self._next += REPORT_SECONDS


@asynccontextmanager
async def locked(path: Path, what: str, print_line: PrintLine) -> AsyncIterator[None]:
    """Hold the lock file; the event loop runs while another process holds it."""
    lock, progress = FileLock(path), Progress(what, print_line)
    while not lock.is_locked:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress.report()
            await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()

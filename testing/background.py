"""What serves beside a test: in a thread and an event loop of its own, as a context manager."""

import asyncio
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Runs `serve` from `__enter__`, which waits until it serves, to `__exit__`, which waits for its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @abstractmethod
    async def serve(self) -> None:
        """Serve: set `_started` when ready, and return soon after `_stop` is set."""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10), "it does not serve"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self.serve())
        finally:
            # A connection that has just been accepted has a task that has not begun, and closes nothing.
            self._loop.run_until_complete(asyncio.sleep(0))
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.close()

"""Ctrl-C and SIGTERM end a program within two seconds, whatever it waits for, and its children too.

For programs that have nothing to finish; the worker, which hands its steps back, has its own way.
Imports little, because a signal before `install` still ends in a traceback.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

GRACE_SECONDS = 1.5
"""For the program's own way out; after that the process is ended."""

_Result = TypeVar("_Result")


class _State:
    received = 0
    """The first signal's number."""
    is_async = False
    """Whether a signal is for `run_async`, not for the code that runs when it comes."""
    task: "asyncio.Task[Any] | None" = None
    waker: int | None = None
    """The end of a pipe that can be read once a signal has come."""
    is_over = threading.Event()


def install() -> None:
    """Let Ctrl-C and SIGTERM cancel what `run_async` runs, or else raise KeyboardInterrupt.

    A Ctrl-C that was ignored when the process started, as in a script's background job, stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGTERM, _on_signal)
    if sys.platform != "win32":  # whose loop does it itself
        _State.waker, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    threading.Thread(target=_end_after_grace, name="signals", daemon=True).start()


def run_async(main: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run a coroutine function to its end, like `asyncio.run`.

    Raises:
        KeyboardInterrupt: a signal came. Threads may still run: `asyncio.run` would wait for them.
    """
    import asyncio

    async def run() -> _Result:
        _State.task = asyncio.current_task()
        if _State.waker is not None:  # or the handlers would run when the loop has something else to do
            asyncio.get_running_loop().add_reader(_State.waker, os.read, _State.waker, 1)
        try:
            if _State.received:  # before the task was there to be cancelled
                raise asyncio.CancelledError
            return await main()
        finally:
            _State.task, _State.is_async = None, False

    _State.is_async = True
    runner = asyncio.Runner()
    try:
        result = runner.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    runner.close()
    return result


def was_interrupted() -> bool:
    """Return whether a signal has come: what threads still have to say is of no interest then."""
    return _State.received != 0


def end_interrupted() -> int:
    """Kill the children and return the exit status, 130 for Ctrl-C and 143 for SIGTERM."""
    _kill_children()
    return 128 + (_State.received or signal.SIGINT)


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _State.received:
        return
    _State.received = number
    _State.is_over.set()
    if _State.task:
        _State.task.get_loop().call_soon_threadsafe(_State.task.cancel)
    elif not _State.is_async:
        raise KeyboardInterrupt


def _end_after_grace() -> None:
    _State.is_over.wait()
    time.sleep(GRACE_SECONDS)
    _kill_children()
    os._exit(128 + _State.received)


def _kill_children() -> None:
    """Kill the children, but not the dev server: it has a session of its own and outlives this process."""
    if not hasattr(os, "getsid"):  # Windows, where Ctrl-C reaches the children by itself
        return
    import psutil

    session = os.getsid(0)
    for child in psutil.Process().children(recursive=True):
        try:
            if os.getsid(child.pid) == session:
                child.kill()
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue


def stop_signal() -> "asyncio.Event":
    """Return the event that Ctrl-C and SIGTERM set from now on; a second Ctrl-C ends the process at once."""
    import asyncio  # here, because a signal before `install` still ends in a traceback

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    return stop

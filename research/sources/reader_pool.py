"""The child processes that read documents, from the worker's side."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any, cast

from research.config import ROOT
from research.sources.extracted import (
    CRASHED,
    MAX_TEXT_BYTES,
    TOO_LONG,
    Extracted,
    Unreadable,
)

MAX_READERS = 2
"""Processes at a time, because each may take the memory that a document takes."""
READ_SECONDS = 20.0
START_SECONDS = 60.0
"""For a process to start and load its library, on a machine that is busy."""
MAX_ANSWER_BYTES = 2 * MAX_TEXT_BYTES + 1_000_000
"""JSON has at most two bytes for one of a tidy text."""
CHILD = "research.sources.extract_child"

_INHERITED = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "TZ", "SYSTEMROOT",
)  # fmt: skip
"""All that a reader gets to see of the environment, in which there are keys."""


class _Gone(Exception):
    """The process has ended, or answered what it never answers."""


class _Child:
    """A process that reads one document at a time."""

    def __init__(self, module: str) -> None:
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self.documents = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**environ, "PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the worker, which lets documents finish
        )

        self._requests, self._answers = (
            cast(IO[bytes], self.process.stdin),
            cast(IO[bytes], self.process.stdout),
        )

    def read(self, request: Mapping[str, Any], content: bytes, begun: threading.Event) -> dict[str, Any]:
        """Return the answer; `begun` is set when the process begins to read."""
        self.documents += 1
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.write(content)
            self._requests.flush()
        except OSError:
            raise _Gone from None
        answer = self._receive()
        if answer.get("begun"):
            begun.set()
            answer = self._receive()
        return answer

    def _receive(self) -> dict[str, Any]:
        line = self._answers.readline(MAX_ANSWER_BYTES)
        try:
            answer = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise _Gone
        return answer

    def end(self, kill: bool = True) -> int:
        """End the process and return its exit status."""
        if kill:
            self.process.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # what was written and not flushed
                pipe.close()
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class _Job:
    """A document that is read; it can be stopped from other threads."""

    def __init__(self, request: Mapping[str, Any], content: bytes, start_seconds: float) -> None:
        self.request, self.content, self.start_seconds = request, content, start_seconds
        self.timed_out = self.cancelled = False
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def run(self, child: _Child) -> dict[str, Any]:
        with self._lock:
            if self.cancelled:
                raise _Gone
            self._child = child
        begun, over = threading.Event(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(begun, over), daemon=True)
        watcher.start()
        try:
            return child.read(self.request, self.content, begun)
        finally:
            with self._lock:
                self._child = None
            over.set()
            begun.set()
            watcher.join()

    def cancel(self) -> None:
        self.cancelled = True
        self._kill()

    def _watch(self, begun: threading.Event, over: threading.Event) -> None:
        """Kill the process when it takes too long to start or to read."""
        if not begun.wait(self.start_seconds) or not over.wait(self.request["seconds"]):
            self.timed_out = True
            self._kill()

    def _kill(self) -> None:
        with self._lock:
            if self._child:
                self._child.process.kill()


class ReaderPool:
    """Some processes that are started when they are needed and used for many documents."""

    def __init__(
        self,
        module: str = CHILD,
        readers: int = MAX_READERS,
        seconds: float = READ_SECONDS,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._module, self._seconds, self._start_seconds = module, seconds, start_seconds
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._is_closed = False

    async def read(self, content: bytes, kind: str, content_type: str, name: str) -> Extracted:
        """Return the text of a document; when this is cancelled, its process is killed.

        Raises:
            Unreadable: no text can be had from it.
        """
        request = {
            "kind": kind,
            "content_type": content_type[:500],
            "name": name[:2_000],
            "size": len(content),
            "seconds": self._seconds,
        }
        job = _Job(request, content, self._start_seconds)
        future = self._threads.submit(self._run, job)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            job.cancel()
            raise

    def pids(self) -> list[int]:
        """Return the ids of the processes that wait for a document."""
        with self._lock:
            return [child.process.pid for child in self._idle]

    def close(self) -> None:
        """End the processes that wait; one that reads ends when its document is read."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in idle:
            child.end()

    def _run(self, job: _Job) -> Extracted:
        while True:
            child = self._take()
            try:
                answer = job.run(child)
            except _Gone:
                status = child.end(kill=job.timed_out or job.cancelled)
                # It ended itself because it was idle, in the moment in which it was taken.
                if status == 0 and child.documents > 1 and not (job.timed_out or job.cancelled):
                    continue
                raise Unreadable(_reason(job, status)) from None
            except BaseException:
                child.end()
                raise
            self._give_back(child, bool(answer.get("last")))
            return _extracted(answer)

    def _take(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(self._module)

    def _give_back(self, child: _Child, is_last: bool) -> None:
        with self._lock:
            if not is_last and not self._is_closed:
                self._idle.append(child)
                return
        child.end()


def _reason(job: _Job, status: int) -> str:
    """Return why a process has ended, for people."""
    out_of_time = -int(getattr(signal, "SIGXCPU", 0)) or None
    if job.timed_out or status == out_of_time:
        return TOO_LONG
    return CRASHED


def _extracted(answer: Mapping[str, Any]) -> Extracted:
    """Return what the process answered; it has read foreign bytes, so its word is not taken for it."""
    reason = answer.get("reason")
    if reason:
        raise Unreadable(str(reason)[:200])
    text, pages = answer.get("text"), answer.get("pages")
    fields = {name: answer.get(name) for name in ("title", "author", "date", "language", "method")}
    is_whole = isinstance(pages, list) and all(isinstance(page, int) for page in pages)
    if not isinstance(text, str) or not text or not is_whole:
        raise Unreadable(CRASHED)
    return Extracted(
        text,
        **{name: str(value or "")[:200] for name, value in fields.items()},
        pages=tuple(pages or ()),
        truncated=bool(answer.get("truncated")),
    )

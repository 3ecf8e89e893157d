"""Starts Python programs in a tenth of the time: by a fork of a process that has imported their libraries.

`forked.py` is that process, the server. A fork becomes the program: it takes the folder, the
environment, the arguments and the standard streams that it is given, and runs the program's file as
`__main__`. It is a real process, which signals reach. What it leaves out is the import of the
libraries: a test of that starts its program in the ordinary way.

Run as a script, with the path of the server's socket, this file stands for `python` itself: the
arguments that follow are those of Python, which a fork obeys. So pytest starts its own processes.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

SERVER = Path(__file__).with_name("forked.py")
# What research/llm/library.py sets before it imports litellm.
IMPORT_ENVIRON = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "AIOHTTP_CONNECTOR_LIMIT": "10000",
    "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": "10000",
}
# What Python or a library reads once, when it starts or is imported: with another value than the
# server's, a program is started in the ordinary way.
READ_AT_START = ("PYTHON", "LITELLM_", "AIOHTTP_", "LC_", "LANG", "TZ", "LD_", "HOME")
SET_AFTERWARDS = ("PYTHONUNBUFFERED", "PYTHONIOENCODING")
CONNECT_SECONDS = 120.0
"""For the server to import the libraries, on a machine that is busy."""


class ForkedProcess:
    """A program that the server started, with the part of subprocess.Popen's interface that is needed."""

    def __init__(self, arguments: Sequence[str], status: socket.socket) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self._status, self._lock = status, threading.Lock()
        message, [self._pidfd], _, _ = socket.recv_fds(status, 100, 1)
        self.pid = int(message)

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], 0)[0]:
                message = self._status.recv(100)
                self.returncode = int(message) if message else -signal.SIGKILL  # the server is gone
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
            if left <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            select.select([self._status], [], [], left)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The server as its clients see it: any number of processes, which find it by the path of its socket."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._environ = dict(os.environ)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def begin(self) -> None:
        """Start the server, which is ready some seconds later; it ends with `close`."""
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), str(self._path)],
            env={**self._environ, **IMPORT_ENVIRON},
            stdin=subprocess.DEVNULL,
        )

    def can_start(self, arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
        """Return whether a fork would be the same as a start in the ordinary way."""
        names = {name for name in {*environ, *self._environ} if name.startswith(READ_AT_START)}
        names -= {name for name, value in IMPORT_ENVIRON.items() if environ.get(name) == value}
        names -= {*SET_AFTERWARDS}
        same = all(environ.get(name) == self._environ.get(name) for name in names)
        return same and (arguments[0] in ("-c", "-m") or not arguments[0].startswith("-"))

    def start(
        self,
        arguments: Sequence[str],
        root: Path,
        environ: Mapping[str, str],
        streams: tuple[int, int, int],
        has_terminal: bool = False,
        closed: Sequence[int] = (),
    ) -> ForkedProcess:
        """Start a program with these standard streams, but for those that are to be closed."""
        request = {
            "arguments": list(arguments),
            "root": str(root),
            "environ": dict(environ),
            "has_terminal": has_terminal,
            "closed": list(closed),
        }
        status, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with remote, self._lock:
            self._control = self._control or self._connect()
            socket.send_fds(self._control, [json.dumps(request).encode()], [*streams, remote.fileno()])
        return ForkedProcess(arguments, status)

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _connect(self) -> socket.socket:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                control.connect(str(self._path))
                return control
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def _fill_streams() -> list[int]:
    """Open the null device for each standard stream that is closed, and return which were."""
    closed = []
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.append(os.open(os.devnull, os.O_RDWR))  # it is given the lowest number that is free
    return closed


if __name__ == "__main__":
    closed = _fill_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the program, and its end ends this
    arguments = [argument for argument in sys.argv[2:] if argument != "-u"]
    program = ForkServer(Path(sys.argv[1])).start(arguments, Path.cwd(), os.environ, (0, 1, 2), closed=closed)
    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    sys.exit(program.wait())

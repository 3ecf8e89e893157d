"""Starts Python programs in a tenth of the time: by a fork of a process that has imported their libraries.

The server imports what others wrote and nothing of this project, so that each program still imports
the code of its own clone. It has no threads. A fork becomes the program: it takes the folder, the
environment, the arguments and the standard streams that it is given, and runs the program's file as
`__main__`. It is a real process, which signals reach. What it leaves out is the import of the
libraries: a test of that starts its program in the ordinary way.

Run as a script, this file is the server; its argument is the path of its socket.
"""

import atexit
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LIBRARIES = (
    "litellm",
    "litellm.proxy.openai_files_endpoints.common_utils",  # of the first call
    "openai.resources",
    "anyio._backends._asyncio",
    "temporalio.client",
    "temporalio.worker",
    "temporalio.envconfig",
    "temporalio.runtime",
    "aiohttp",
    "dotenv.parser",
    "filelock",
    "fsspec",
    "icu",
    "markdown_it.tree",
    "mdit_py_plugins.deflist",
    "mdit_py_plugins.dollarmath",
    "mdit_py_plugins.footnote",
    "platformdirs",
    "psutil",
    "pygments.lexers",
    "pymupdf_fonts.FiraGO_Bold",
    "pymupdf_fonts.FiraGO_Italic",
    "pymupdf_fonts.FiraGO_Regular",
    "regex",
    "reportlab.platypus",
    "reportlab.pdfgen.canvas",
    "rich.live",
    "rich.table",
    "uharfbuzz",
)
# What research/llm/client.py sets before it imports litellm.
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
MAX_MESSAGE_BYTES = 200_000
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
            [sys.executable, __file__, str(self._path)],
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
    ) -> ForkedProcess:
        """Start a program with these standard streams."""
        request = {
            "arguments": list(arguments),
            "root": str(root),
            "environ": dict(environ),
            "has_terminal": has_terminal,
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


def _serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for each request of each client; return in the fork, with its request."""
    clients: dict[int, socket.socket] = {}
    running: dict[int, tuple[int, socket.socket]] = {}  # by pidfd: process ID and status socket
    while True:
        ready, _, _ = select.select([listener.fileno(), *clients, *running], [], [])
        for descriptor in ready:
            if descriptor == listener.fileno():
                client, _ = listener.accept()
                clients[client.fileno()] = client
            elif descriptor in running:
                pid, status = running.pop(descriptor)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with suppress(OSError):
                    status.send(str(code).encode())
                status.close()
                os.close(descriptor)
            else:
                message, streams, _, _ = socket.recv_fds(clients[descriptor], MAX_MESSAGE_BYTES, 4)
                if not message:
                    clients.pop(descriptor).close()
                    continue
                status = socket.socket(fileno=streams.pop())
                pid = os.fork()
                if not pid:
                    for inherited in (listener, status, *clients.values(), *(s for _, s in running.values())):
                        inherited.close()
                    for pidfd in running:
                        os.close(pidfd)
                    return _with_streams(json.loads(message), streams)
                for stream in streams:
                    os.close(stream)
                pidfd = os.pidfd_open(pid)
                running[pidfd] = pid, status
                with suppress(OSError):
                    socket.send_fds(status, [str(pid).encode()], [pidfd])


def _with_streams(request: dict[str, Any], streams: Sequence[int]) -> dict[str, Any]:
    """Put the streams in their places, and return the request."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    return request


def _become(request: dict[str, Any], imported: Mapping[str, str]) -> None:
    """Take over all that a process is given when it is started."""
    if request["has_terminal"]:
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["root"])
    os.environ.clear()
    os.environ.update({**imported, **request["environ"]})
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        default = getattr(sys, name)
        stream = io.TextIOWrapper(
            open(descriptor, "wb" if descriptor else "rb", closefd=False),  # noqa: SIM115
            encoding=encoding or default.encoding,
            errors="backslashreplace" if descriptor == 2 else errors or default.errors,
            line_buffering=descriptor == 2 or os.isatty(descriptor),
            write_through=unbuffered and descriptor > 0,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    importlib.invalidate_caches()


def _run(arguments: Sequence[str], root: str) -> None:
    """Run the program as Python's command line would; what it raises is for the interpreter."""
    first, *rest = arguments
    if first == "-m":
        sys.path.insert(0, root)
        sys.argv = [*arguments[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    if first == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *rest[1:]]
        code = compile(rest[0], "<string>", "exec")
    else:
        path = Path(root, first)
        sys.path.insert(0, str(path.parent))
        sys.argv = [first, *rest]
        main.__file__ = str(path)
        code = compile(path.read_bytes(), str(path), "exec")
    exec(code, main.__dict__)


def _main() -> None:
    del sys.path[0]  # this file's folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the programs and for pytest
    before = dict(os.environ)
    gc.disable()
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    sys.modules["litellm"].token_counter(text="")
    imported = {name: value for name, value in os.environ.items() if before.get(name) != value}
    gc.enable()
    gc.freeze()
    if threading.active_count() > 1:
        raise SystemExit("A library has started a thread: it cannot be imported before a fork.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen(100)
    request = _serve(listener)
    _become(request, imported)
    try:
        _run(request["arguments"], request["root"])
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _end(end.code or 0)
    _end(0)


def _end(status: int) -> None:
    """End as the interpreter does, but leave the memory: to free it takes longer than most programs."""
    threading._shutdown()  # type: ignore[attr-defined]  # it waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _main()

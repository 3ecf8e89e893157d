"""A test that is skipped for want of a tool proves nothing: where CI is set, it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from research.config import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="CI installs the tools on Linux only")
@pytest.mark.parametrize(
    ("reason", "ci", "status"),
    [
        ("poppler-utils is not installed", "1", 1),
        ("poppler-utils is not installed", "", 0),
        ("pypdf does not read this script", "1", 0),
    ],
)
def test_skips(tmp_path: Path, reason: str, ci: str, status: int) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(f"import pytest\n\ndef test_it():\n    pytest.skip({reason!r})\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skipping", "-c", os.devnull, "-rs", str(file)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CI": ci}, capture_output=True, text=True)
    assert done.returncode == status, done.stdout
    assert reason in done.stdout

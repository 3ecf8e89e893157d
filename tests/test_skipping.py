"""A test that is skipped for want of a tool proves nothing: where CI is set, it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from research.config import ROOT


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="CI installs the tools on Linux only")
@pytest.mark.parametrize(("ci", "outcomes"), [("1", "1 failed, 1 skipped"), ("", "2 skipped")])
def test_skips(tmp_path: Path, ci: str, outcomes: str) -> None:
    reasons = ("poppler-utils is not installed", "pypdf does not read this script")
    file = tmp_path / "test_it.py"
    tests = "".join(f"def test_{n}():\n    pytest.skip({reason!r})\n" for n, reason in enumerate(reasons))
    file.write_text(f"import pytest\n{tests}")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skipping", "-c", os.devnull, "-rs", str(file)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CI": ci}, capture_output=True, text=True)
    assert done.returncode == bool(ci), done.stdout
    assert f" {outcomes} in " in done.stdout
    assert ("_ test_0 _" in done.stdout) is bool(ci)
    assert all(reason in done.stdout for reason in reasons)

"""litellm is imported in a thread while the SDK's sandbox runs Workflows in others."""

import subprocess
import sys

import pytest

from research.config import ROOT

SCRIPT = """
import sys, threading
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext, SandboxRestrictions
from research.temporal import sandbox

without = sys.argv[1] == "without"
if without:
    sandbox.UNSAFE_IMPORTS = ()
sandbox.workflow_runner()
at_work, over = threading.Event(), threading.Event()

def run_workflows():
    with Importer(SandboxRestrictions.default, RestrictionContext()).applied():
        at_work.set()
        over.wait()

threading.Thread(target=run_workflows).start()
at_work.wait()
try:
    if without:  # the one of litellm's imports that fails
        import cryptography.x509
    from research.llm import library
    library.load()
    from research.pdf import document
    from research.output import storage
finally:
    over.set()
"""


@pytest.mark.long
@pytest.mark.proof
@pytest.mark.parametrize(("how", "error"), [("with", ""), ("without", "SystemError")])
def test_litellm_is_imported_beside_the_sandbox(how: str, error: str) -> None:
    """As it was not: a worker that met waiting reports died in its imports. `without` shows the cause."""
    command = [sys.executable, "-c", SCRIPT, how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode == 0) == (not error), done.stderr
    assert error in done.stderr

"""The sandbox in which the SDK runs Workflows, beside a thread that imports litellm."""

import importlib
from contextlib import suppress

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

UNSAFE_IMPORTS = ("cryptography.hazmat.bindings._rust",)
"""Extension modules that add to `sys.modules` as a dict, which it is not while the sandbox is at work in
any thread: their import then fails with a SystemError, and so does that of litellm, which imports them."""


def workflow_runner() -> SandboxedWorkflowRunner:
    """Return the SDK's sandbox, once what cannot be imported beside it is imported."""
    for name in UNSAFE_IMPORTS:
        with suppress(ImportError):  # because it comes with litellm, or one day does not
            importlib.import_module(name)
    return SandboxedWorkflowRunner()

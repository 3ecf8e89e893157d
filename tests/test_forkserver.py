"""The server that starts the tests' programs: for which of them a fork is the same as a start."""

import os

import pytest

from testing import processes
from testing.forkserver import IMPORT_ENVIRON

WORKER = ["worker.py"]


@pytest.mark.skipif(not processes.fork_server, reason="there is a fork server on Linux only")
def test_what_a_fork_stands_for() -> None:
    """A program in the tests' environment, also after a test has loaded litellm; not one in another."""
    server = processes.fork_server
    assert server
    assert server.can_start(WORKER, os.environ)
    assert server.can_start(WORKER, {**os.environ, **IMPORT_ENVIRON, "LLM_MODEL": "openai/gpt-4o"})
    assert not server.can_start(WORKER, {**os.environ, "LITELLM_MODE": "DEV"})
    assert not server.can_start(WORKER, {**os.environ, "LC_ALL": "C"})
    assert not server.can_start(["-X", "importtime", *WORKER], os.environ)

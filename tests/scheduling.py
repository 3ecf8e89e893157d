"""How the tests are spread over processes, and in which order. pytest finds these hooks in conftest.py."""

import importlib
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from testing import forkserver, processes

FOLDER = Path(__file__).parent
GROUPS = {
    "page": ("page", "any_document"),
    "document": ("fonts", "formulas", "fuzz", "looks", "markdown", "pdf", "references", "text"),
}
"""Subjects of test files that run in one process, because each process opens its fonts anew."""


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Sends each test to the next process that is free, and those of a group to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        subject = Path(nodeid.split("::")[0]).stem.removeprefix("test_")
        return next((name for name, subjects in GROUPS.items() if subject in subjects), nodeid)


def pytest_xdist_setupnodes(specs: Sequence[Any]) -> None:
    """Let the fork server start pytest's own processes too: they need the same libraries."""
    if socket := os.environ.get(processes.FORK_SERVER):
        for spec in specs:
            spec.python = shlex.join([sys.executable, forkserver.__file__, socket])
        if not list(FOLDER.glob("__pycache__/test_*")):
            _compile_tests()


def _compile_tests() -> None:
    """Compile the test files once in a clean clone, while the fork server imports, or each process would."""
    for file in FOLDER.glob("test_*.py"):
        with suppress(Exception):  # the processes say what is wrong with it
            importlib.import_module(f"tests.{file.stem}")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that start programs: they wait most, and the others fill the gaps."""
    starts = {"app", "server", "own_server", "make_clone"}
    items.sort(key=lambda item: (not item.get_closest_marker("long"), starts.isdisjoint(item.fixturenames)))  # type: ignore[attr-defined]

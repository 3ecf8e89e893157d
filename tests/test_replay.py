"""Reports that an earlier version started go on with this one."""

import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from research.config import ROOT
from tests.record_histories import HISTORIES, SHAPES
from workflow import AskReportWorkflow, GenerateReportWorkflow, ReviseReportWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))


def test_every_version_has_a_history_of_every_shape() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert {path.stem for path in RECORDED} == {
        f"{version}-{name}" for version in versions for name, shape in SHAPES.items() if shape.is_of(version)
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    """The workflow's code takes the same decisions as when the history was made, and stays in the sandbox."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    await Replayer(
        workflows=[GenerateReportWorkflow, ReviseReportWorkflow, AskReportWorkflow]
    ).replay_workflow(history)

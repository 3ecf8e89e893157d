"""Reports that an earlier version started go on with this one."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.record_histories import HISTORIES
from workflow import GenerateReportWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))


def test_there_are_histories() -> None:
    assert len(RECORDED) >= 3


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    """The workflow's code takes the same decisions as when the history was made."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    await Replayer(workflows=[GenerateReportWorkflow]).replay_workflow(history)

"""Reports that an earlier version started go on with this one."""

import re
from collections.abc import AsyncIterator

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


async def test_the_recorded_histories_replay() -> None:
    """The workflows' code takes the same decisions as when a history was made, and stays in the sandbox."""

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for path in RECORDED:
            yield WorkflowHistory.from_json(path.stem, path.read_text())

    replayer = Replayer(workflows=[GenerateReportWorkflow, ReviseReportWorkflow, AskReportWorkflow])
    async with replayer.workflow_replay_iterator(histories()) as results:
        replayed = {result.history.workflow_id: result.replay_failure async for result in results}
    assert {name: failure for name, failure in replayed.items() if failure} == {}
    assert sorted(replayed) == [path.stem for path in RECORDED]

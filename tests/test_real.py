"""What `make real` reads of a report, by itself: that each text is found under its step's name."""

import pytest
from temporalio.client import WorkflowHistory

from tests.real.relay import RESEARCH, SUMMARY, section
from tests.real.world import recorded
from tests.record_histories import HISTORIES


@pytest.mark.parametrize("version", ["0.6", "0.7"])
@pytest.mark.parametrize(
    ("shape", "steps"),
    [("plain", [RESEARCH, SUMMARY]), ("sections", [*map(section, (1, 3, 4)), SUMMARY])],
)
def test_the_texts_of_a_report(version: str, shape: str, steps: list[str]) -> None:
    """Of this version and of the last one; the plan is none of them, nor is a section that was refused."""
    file = HISTORIES / f"{version}-{shape}.json"
    texts, reasons = recorded(WorkflowHistory.from_json(file.stem, file.read_text()))
    assert sorted(texts) == sorted(reasons) == sorted(steps)
    assert all(texts.values())

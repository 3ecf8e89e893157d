"""Skipped tests are named at the end of a run; where CI is set, what the machine lacks makes it fail."""

import os
import sys
from collections.abc import Generator

import pytest

NOT_FOR_WANT_OF_ANYTHING = (
    "whether the machine has a font",
    "does not read this script",
    "litellm 1.106 reads no stream",
    "newer rules than ICU's",
    "a port that DEV_SERVER_PORT cannot be",
    "veraPDF is not installed",
)
"""Parts of reasons that say nothing about the machine; veraPDF needs Java, which a CI may do without."""
FOR_WANT_OF_RIGHTS = ("only an administrator", "no mount namespaces")
"""Parts of reasons that hold where the tests are not run by root."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test of which CI has skipped the proof: there, what it needs is installed."""
    report = yield
    if (
        report.skipped
        and os.environ.get("CI")
        and sys.platform == "linux"
        and not hasattr(report, "wasxfail")
    ):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        fine = (*NOT_FOR_WANT_OF_ANYTHING, *(FOR_WANT_OF_RIGHTS if os.geteuid() else ()))
        if not any(part in reason for part in fine):
            report.outcome = "failed"
            report.longrepr = f"skipped although CI is set: {reason}"
    return report

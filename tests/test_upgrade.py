"""Reports that one version began are completed by another, whatever they were at."""

import re
import subprocess
from pathlib import Path

import pytest

from research import __version__
from research.config import ROOT
from testing.app import App, checkout, wait_until
from testing.provider import Call, Provider, Reply, default_reply, rest_of
from tests.conftest import pdf_text

RELEASES = re.findall(
    r"^## (\S+) \(\d{4}-\d\d-\d\d, commit ([0-9a-f]{7,40})\)$", (ROOT / "CHANGELOG.md").read_text(), re.M
)
PHASES = ("research", "pause", "summary", "pdf")
"""Of a report of one text. A report of sections is stopped while they are written."""
SECTIONS = ("section1-", "section2-")
WORDS = 40


def text_of(phase: str) -> str:
    return " ".join(f"{phase}{number}" for number in range(WORDS))


def reply(call: Call) -> Reply:
    """Slow in the phase in which the worker is to be stopped, and fast in the others."""
    if call.is_plan:
        return default_reply(call)
    if call.section:
        return Reply(rest_of(text_of(SECTIONS[call.section - 1]), call), chunk_seconds=0.1)
    if "section1-0" in call.prompt:
        return Reply("In short.")
    phase = next(phase for phase in PHASES if f"phase {phase}" in call.prompt or f"{phase}0" in call.prompt)
    if call.is_summary:
        return Reply("In short.", before_seconds=3.0 if phase == "summary" else 0.0)
    return Reply(rest_of(text_of(phase), call), chunk_seconds=0.1 if phase == "research" else 0.0)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """The program of the last release."""
    _, commit = RELEASES[0]
    known = subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, capture_output=True)
    if known.returncode:
        pytest.skip(f"the release's commit {commit} is not in this clone")
    return checkout(commit, tmp_path / "released")


def test_the_changelog_names_versions_and_commits() -> None:
    """The version of the code is the newest of the changelog; those before it name their commits."""
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == __version__
    assert headings[1:] == [version for version, _ in RELEASES]


@pytest.mark.long
@pytest.mark.proof
@pytest.mark.parametrize("rollback", [False, True], ids=["upgrade", "rollback"])
def test_another_version_completes_what_one_began(
    app: App,
    released: Path,
    provider: Provider,
    environ: dict[str, str],
    rollback: bool,
) -> None:
    """Killed in each phase at once; the other version completes them all, and buys nothing twice."""
    provider.reply = reply
    reports = app.root / "out"
    environ["REPORTS_DIR"] = str(reports)
    apps = {"today": App(app.root, environ), "released": App(released, environ)}
    first, second = ("today", "released") if rollback else ("released", "today")
    try:
        worker = apps[first].worker()
        starters = {}
        for phase in ("pdf", "pause"):
            starters[phase] = apps[first].starter(
                "--pause", "6" if phase == "pause" else "0", f"phase {phase}"
            )
            if phase == "pdf":
                reports.write_text("in the way")
                worker.wait_for("the report cannot be written to")
        for phase in ("summary", "research"):
            starters[phase] = apps[first].starter(f"phase {phase}")
        starters["section"] = apps[first].starter("--sections", str(len(SECTIONS)), "A long report")
        wait_until(lambda: in_all_phases(provider))
        worker.kill()
        reports.unlink()
        apps[second].worker()
        for phase, starter in starters.items():
            assert starter.exit_status(60) == 0, starter.text
            [report] = reports.glob(f"*{workflow_suffix(starter.text)}.pdf")
            words = re.findall(rf"{phase}[\d-]*\d", pdf_text(report))
            assert words == " ".join(map(text_of, SECTIONS if phase == "section" else [phase])).split()
        finished = [call for call in provider.calls if call.finished and not call.is_summary]
        assert len(finished) == len([*PHASES, *SECTIONS, "plan"])
    finally:
        for each in apps.values():
            each.stop()


def in_all_phases(provider: Provider) -> bool:
    """In the middle of one research and of sections, after another research, and in a summary."""
    sent = "".join(call.sent for call in provider.calls)
    summary = any(call.is_summary and "summary0" in call.prompt for call in provider.calls)
    return summary and all(word in sent for word in ("research15", "pause39", "section1-9", "section2-9"))


def workflow_suffix(text: str) -> str:
    """The end of the file's name, from what the starter printed."""
    found = re.search(r"with summary: \S+?-([0-9a-f]{12})\.pdf", text)
    assert found, text
    return found[1]


def test_the_commands_that_show_the_version(app: App) -> None:
    for program in ("worker.py", "starter.py"):
        shown = app.run(program, "--version")
        assert shown.exit_status() == 0
        assert shown.lines == [f"{program} {__version__}"]

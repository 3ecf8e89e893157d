"""Workers that wake late, and a service that is away for long: nothing is overwritten or paid again."""

import asyncio
import signal

import pytest

from testing.app import App, DevServer, wait_until
from testing.processes import workflow_id
from testing.provider import Call, Provider, Reply, default_reply
from testing.texts import templated
from tests.test_kills import long_research

TEXT = templated(8, "steps", 2_000, "en")


@pytest.mark.long
@pytest.mark.proof
def test_a_worker_that_wakes_late_writes_over_no_finished_report(app: App, provider: Provider) -> None:
    """Frozen in the PDF step until another one has made the report, and a person has edited it."""
    provider.reply = long_research
    first = app.worker()
    starter = app.starter()
    first.wait_for("Summary generated!")
    first.process.send_signal(signal.SIGSTOP)
    try:
        second = app.worker()
        assert starter.exit_status(90) == 0, starter.text
        files = sorted((app.root / "reports").glob("*.*"))
        assert len(files) == 3
        for file in files:
            file.write_bytes(b"edited by a person")
    finally:
        first.process.send_signal(signal.SIGCONT)
    second.kill()
    provider.reply = default_reply
    assert app.starter("Another topic").exit_status(60) == 0, "the first worker serves again"
    assert {file.read_bytes() for file in files} == {b"edited by a person"}


@pytest.mark.long
@pytest.mark.proof
async def test_an_answer_that_ends_while_the_service_is_away_is_not_paid_again(
    own_server: DevServer, app: App, provider: Provider
) -> None:
    """For longer than the heartbeat timeout: the worker still has what it could not hand in.

    One answer ends within a second, one when the heartbeats have failed for seconds.
    """
    seconds = {"soon": 0.05, "late": 0.3}

    def reply(call: Call) -> Reply:
        pieces = len(TEXT) // 50
        return default_reply(call) if call.is_summary else Reply(
            TEXT, chunk_characters=50, chunk_seconds=seconds[call.prompt], held_after=pieces // 2
        )  # fmt: skip

    provider.reply = reply
    app.environ.update(own_server.environ)
    worker = app.worker()
    starters = [app.starter(topic) for topic in seconds]
    wait_until(lambda: [len(call.sent) > len(TEXT) // 3 for call in provider.calls] == [True, True])
    own_server.kill()
    provider.release()
    starters[0].wait_for("The Temporal service does not answer; your report is safe.")
    await asyncio.sleep(10)
    assert own_server.run("start").returncode == 0
    for topic, starter in zip(seconds, starters, strict=True):
        assert starter.exit_status() == 0, starter.text
        calls = [call for call in provider.calls if call.prompt == topic]
        assert sum(len(call.sent) for call in calls) <= len(TEXT) + 60
        [markdown] = (app.root / "reports").glob(f"{topic}-*.md")
        assert TEXT.strip() in markdown.read_text(encoding="utf-8")
    assert worker.process.poll() is None


def test_a_section_that_is_cancelled_is_called_by_its_name(app: App, provider: Provider) -> None:
    provider.reply = lambda call: Reply(default_reply(call).text, before_seconds=30 if call.section else 0)
    worker = app.worker()
    starter = app.starter("--sections", "3", "How does durable execution work?")
    wait_until(lambda: sum(bool(call.section) for call in provider.calls) == 3)
    assert app.run("starter.py", "--cancel", workflow_id(starter)).exit_status() == 0
    for number in (1, 2, 3):
        worker.wait_for(f"Section {number} of 3: cancelled", seconds=20)


@pytest.mark.proof
def test_a_report_that_is_cancelled_in_its_pdf_step_leaves_no_files(app: App, provider: Provider) -> None:
    """One while the step waits for a repair that comes later, another one while it makes the page."""
    folder = app.root / "reports"
    folder.write_text("a file where the folder should be")
    worker = app.worker()
    for line in ("PDF, attempt 1: ", "Summary generated!"):
        seen = worker.text.count(line)
        starter = app.starter()
        wait_until(lambda line=line, seen=seen: worker.text.count(line) > seen)  # type: ignore[misc]
        assert app.run("starter.py", "--cancel", workflow_id(starter)).exit_status() == 0
        assert starter.exit_status() == 4
        folder.unlink(missing_ok=True)
        provider.reply = long_research
    assert worker.stop() == 0
    assert "Activity cancelled" not in worker.text
    provider.reply = default_reply
    app.worker()
    assert app.starter("Another topic").exit_status() == 0
    assert [path.name.rpartition("-")[0] for path in app.reports()] == ["another-topic"]

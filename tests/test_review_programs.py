"""The review by programs: over kills, by the `temporal` CLI, by scripts, and what is refused."""

import asyncio
import json
import re
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from research.cli import review
from research.cli.progress import Handle
from research.errors import UserError
from research.messages import PlanReview, PlanState
from testing.app import App, DevServer, wait_until
from testing.processes import run_program
from testing.provider import Call, Provider, Reply, default_reply
from tests.test_terminal import OpenTerminal, open_terminal

__all__ = ["open_terminal"]  # a fixture

TOPIC = "Moss in winter"
PLAN = "## Moss\nWhat moss is.\n\n## Snow\nWhat snow does to it.\n"
OTHER = "## Ice\nWhat ice is.\n\n## Fire\nWhat fire does.\n\n## Rain\nWhat rain does.\n"


def planner(call: Call) -> Reply:
    if call.is_plan:
        return Reply(OTHER if "more of them" in call.prompt else PLAN)
    return default_reply(call)


def script(app: App, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_program("starter.py", *arguments, root=app.root, environ=app.environ)


def started(app: App, provider: Provider, *options: str) -> str:
    """Start a report whose plan waits; return its ID."""
    provider.reply = planner
    identity = script(
        app, "--detach", "--quiet", "--review", "--sections", "2", *options, TOPIC
    ).stdout.strip()
    wait_until(lambda: "waits" in script(app, "--list").stdout)
    return identity


def titles(provider: Provider) -> list[str]:
    """The titles of the sections that were asked for, in the order of the plan."""
    asked = {call.section: call.prompt.partition("Your section:\n\n")[2] for call in provider.calls}
    lines = [asked[number].splitlines()[0] for number in sorted(asked) if number]
    return [line.partition(". ")[2].partition(":")[0] for line in lines]


@pytest.mark.long
def test_a_plan_waits_over_kills_and_is_approved_by_the_cli(
    own_server: DevServer, app: App, provider: Provider
) -> None:
    """Worker, service and starter are killed; nothing is paid for before the approval."""
    app.environ.update(own_server.environ)
    provider.reply = planner
    worker = app.worker()
    starter = app.starter("--review", "--sections", "2", TOPIC)
    starter.wait_for("Waits for you: plan, revision 1")
    worker.kill()
    starter.kill()
    own_server.kill()
    assert own_server.run("start").returncode == 0
    [row] = json.loads(script(app, "--list", "--json").stdout)
    assert (row["status"], row["review"].partition(", since")[0]) == ("waits", "plan, revision 1")
    app.worker()
    assert len(provider.calls) == 1
    cli = Path(sysconfig.get_path("scripts")) / "temporal"
    address = ["--address", f"127.0.0.1:{own_server.port}", "--namespace", app.environ["TEMPORAL_NAMESPACE"]]
    update = ["--name", "review_plan", "--input", '{"revision": 1, "approved": true}']
    done = subprocess.run(
        [str(cli), "workflow", "update", "execute", *address, "--workflow-id", row["workflow_id"], *update],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "state:approved" in done.stdout
    assert app.starter("--attach", row["workflow_id"]).exit_status() == 0
    assert [call.is_plan for call in provider.calls] == [True, False, False, False]


def refused(app: App, *arguments: str) -> str:
    """Return the one line of a refusal."""
    done = script(app, *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
    return done.stderr.rstrip("\n")


@pytest.mark.proof
@pytest.mark.usefixtures("serving")
def test_what_has_no_plan_to_approve(app: App, provider: Provider) -> None:
    """A report that is cancelled, one that nobody approved in time, and one without --review."""
    identity = started(app, provider)
    assert script(app, "--cancel", identity).returncode == 0
    assert script(app, "--plan", identity).stdout.endswith("\nIt is cancelled.\n")
    assert refused(app, "--approve", identity) == "The report is cancelled: its plan cannot be changed."
    late = script(
        app, "--quiet", "--review", "--review-for", "1s", "--then", "cancel", "--sections", "2", TOPIC
    )
    assert (late.returncode, late.stderr) == (1, "The report failed: nobody has approved the plan in time\n")
    [row, _] = json.loads(script(app, "--list", "--json").stdout)
    assert json.loads(script(app, "--plan", row["workflow_id"], "--json").stdout)["status"] == "failed"
    assert (
        refused(app, "--approve", row["workflow_id"]) == "The report has failed: its plan cannot be changed."
    )
    options = ("--detach", "--quiet", "--sections", "2", "--pause", "60")
    running = script(app, *options, TOPIC).stdout.strip()
    wait_until(lambda: "revision 1" in script(app, "--plan", running).stdout)
    assert script(app, "--plan", running).stdout.endswith("\nIt is approved.\n")
    assert refused(app, "--approve", running) == "This report was started without --review."
    assert (
        refused(app, "--change", running, "a\x1bb") == "The wish has a control character (U+001B): remove it."
    )


@pytest.mark.proof
def test_an_approval_after_the_ceiling_was_lowered(app: App, provider: Provider) -> None:
    """It is refused with what to do, the plan waits, and after that the report is written."""
    app.environ["LLM_MODEL"] = "openai/gpt-4o"
    worker = app.worker()
    identity = started(app, provider)
    worker.stop()
    worker = app.worker(LLM_MAX_COST="0.0001")
    line = refused(app, "--approve", identity)
    fix = r"To fix: raise it in \.env and restart the worker\."
    assert re.fullmatch(rf"The report has cost \$[\d.]+, and LLM_MAX_COST is \$0\.0001\. {fix}", line)
    assert len(provider.calls) == 1
    worker.stop()
    app.worker()
    assert script(app, "--approve", identity, "--revision", "1").returncode == 0
    assert script(app, "--attach", identity).returncode == 0


@pytest.mark.usefixtures("serving")
def test_what_scripts_say_of_a_plan(app: App, provider: Provider, tmp_path: Path) -> None:
    """Printed, changed, put there, approved; each refusal is one line and exit status 2."""
    identity = started(app, provider)
    short, file = identity[-8:], tmp_path / "plan.md"
    assert "## Snow" in script(app, "--plan", short).stdout
    told = json.loads(script(app, "--plan", short, "--json").stdout)
    assert (told["status"], told["revision"], told["plan"][1]["title"]) == ("waits", 1, "Snow")
    assert "revision 2" in script(app, "--change", short, "more of them").stdout
    file.write_text("## Hail\n\n## Fog\nWhat fog is.\n")
    assert "revision 3" in script(app, "--plan-file", short, str(file), "--revision", "2").stdout
    refusals = (
        (("--approve", short, "--revision", "2"), "The plan has changed: it is revision 3, not 2."),
        (("--approve", "nobody"), "There is no report with an ID"),
        (("--change", short, " "), "The wish is empty: say what is to change."),
        (("--plan-file", short, str(tmp_path / "none")), f"--plan-file: {tmp_path / 'none'} cannot be read"),
        (("--review", TOPIC), "--review: only a report with --sections or --sources has a plan."),
        (("--revision", "2", TOPIC), "starter.py: --revision belongs to --approve, --change or --plan-file"),
        (
            ("--review", "--review-for", "3 days", TOPIC),
            "starter.py: argument --review-for: '3 days'",
        ),
    )
    commands = [arguments for arguments, _ in refusals]
    for done, (_, line) in zip(app.starters(commands), refusals, strict=True):
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
        assert done.stderr.startswith(line), done.stderr
    wrong: tuple[tuple[str | bytes, str], ...] = (
        ("Fog\n", "Line 1: a section begins with a heading"),
        ("## Fog\n\n- a\nwords below\n## Ice\n", "Line 4: what a section covers stands above its queries"),
        ("## Fog\n", "A plan has 2 to 20 sections, not 1."),
        (f"## {'x' * 121}\n", "Line 1: 121 characters are too many"),
        ("## Caf\u00e9\n## Ice\n".encode("latin-1"), " is not UTF-8 text: convert it first."),
        ("## Fog\n## Ice\n".encode("utf-16"), " is not UTF-8 text: convert it first."),
    )
    files = [tmp_path / f"wrong-{number}.md" for number in range(len(wrong))]
    for file, (text, _) in zip(files, wrong, strict=True):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    commands = [("--plan-file", short, str(file)) for file in files]
    for done, (_, line) in zip(app.starters(commands), wrong, strict=True):
        assert (done.returncode, done.stderr.count("\n"), line in done.stderr) == (2, 1, True), done
    assert script(app, "--approve", short).returncode == 0
    assert script(app, "--attach", short).returncode == 0
    assert titles(provider) == ["Hail", "Fog"]
    done = script(app, "--approve", short)
    assert (done.returncode, done.stderr) == (
        2,
        "The report is done: its plan cannot be changed.\n",
    )


@pytest.mark.usefixtures("serving")
@pytest.mark.parametrize(
    ("then", "done"), [((), "it is approved"), (("--then", "cancel"), "the report fails")], ids=["", "cancel"]
)
def test_the_end_of_the_wait_is_shown(
    app: App, open_terminal: OpenTerminal, provider: Provider, then: tuple[str, ...], done: str
) -> None:
    """With the plan, in JSON, in the list, on the screen."""
    identity = started(app, provider, "--review-for", "3d", *then)
    told = json.loads(script(app, "--plan", identity, "--json").stdout)
    assert told["then"] == (then[-1] if then else "approve")
    ends = datetime.fromisoformat(told["ends_at"])
    left = ends - datetime.now(UTC)
    assert timedelta(days=2, hours=23) < left < timedelta(days=3)
    end = f"until {ends.astimezone():%Y-%m-%d %H:%M}; then {done}"
    assert script(app, "--plan", identity).stdout.endswith(f"\nIt waits for you {end}.\n")
    in_list = f", until {ends.astimezone():%m-%d %H:%M}; then {done}"
    assert in_list in script(app, "--list").stdout
    terminal = open_terminal("starter.py", "--attach", identity, rows=120)
    terminal.see(f"It waits for you {end}.", "Enter approves it")
    terminal.type("c\r")
    assert terminal.exit_status() != 0
    assert json.loads(script(app, "--plan", identity, "--json").stdout)["ends_at"] == ""


@pytest.mark.long
@pytest.mark.proof
def test_without_a_worker_nothing_is_said(app: App, provider: Provider) -> None:
    """And nothing is sent that a later worker would carry out."""
    worker = app.worker()
    identity = started(app, provider)
    worker.kill()
    said = (
        ("--approve", identity),
        ("--approve", identity, "--revision", "1"),
        ("--change", identity, "more of them", "--revision", "1"),
    )
    with ThreadPoolExecutor() as pool:
        for line in pool.map(lambda arguments: refused(app, *arguments), said):
            assert line == "No worker answers: start one with `python worker.py`, and say it again."
    app.worker()
    for done in app.starters([("--plan", identity)] * 5):
        assert done.stdout.endswith("\nIt waits for you.\n")
    assert [call.is_plan for call in provider.calls] == [True]


class LostWorker:
    """The handle of a report whose worker answers a query, and is lost before the Update."""

    id = "report-12345678"

    async def query(self, name: str, result_type: type) -> PlanState:
        return PlanState("approved", 1)

    async def execute_update(self, name: str, said: PlanReview, result_type: type) -> None:
        await asyncio.sleep(60)


async def test_a_worker_that_is_lost_before_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked to say it again, because it may still be taken."""
    monkeypatch.setattr(review, "ANSWER_SECONDS", 0.1)
    with pytest.raises(UserError) as raised:
        await review.send(cast("Handle", LostWorker()), PlanReview(1, approved=True))
    sent = "It was sent, and no worker has answered. It may still be taken: "
    assert str(raised.value) == sent + "`python starter.py --plan 12345678` shows it."
    assert not isinstance(raised.value, review.NoAnswer)

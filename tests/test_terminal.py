"""The terminal as a person has it: what is seen, left, come back to, and what scripts get."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from research.cli import listing, progress
from research.temporal.client import Service
from testing.processes import Program, workflow_id
from testing.provider import Call, Provider, Reply, default_reply, rest_of
from testing.terminal import CTRL_C, UP, Terminal
from tests.conftest import App, DevServer, wait_until

WORDS = 60
LONG = " ".join(f"word{number}" for number in range(WORDS))
TOPIC = "How do tardigrades survive in space?"

OpenTerminal = Callable[..., Terminal]


@pytest.fixture
def open_terminal(app: App) -> Iterator[OpenTerminal]:
    """Open a terminal in memory: `open_terminal("starter.py", …)`."""
    terminals = []

    def sit(*arguments: str, columns: int = 80, rows: int = 40, **environ: str) -> Terminal:
        environ = {**app.environ, "XDG_STATE_HOME": str(app.root / "state"), **environ}
        terminal = Terminal(*arguments, root=app.root, environ=environ, columns=columns, rows=rows)
        terminals.append(terminal)
        return terminal

    yield sit
    for terminal in terminals:
        terminal.close()


def slow(call: Call) -> Reply:
    """A research that takes six seconds, and goes on where it is asked to."""
    if call.is_summary:
        return default_reply(call)
    return Reply(rest_of(LONG, call), chunk_seconds=0.1)


def endless(call: Call) -> Reply:
    return Reply(LONG, chunk_seconds=2.0)


def script(app: App, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """The starter as a script runs it."""
    return subprocess.run(
        [sys.executable, "starter.py", *arguments],
        input=typed,
        cwd=app.root,
        env={**os.environ, **app.environ},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("columns", [80, 40])
def test_the_steps_grow_on_the_screen(
    app: App, open_terminal: OpenTerminal, provider: Provider, columns: int
) -> None:
    """Words, model, seconds and the end of the text while it is written; every step at the end."""
    provider.reply = slow
    app.worker()
    terminal = open_terminal("starter.py", TOPIC, columns=columns)
    seen = terminal.wait_until(lambda screen: bool(re.search(r"Research +\d+ words", screen)))
    assert re.search(r"^. Research +\d+ words · openai/gpt-4o", seen, re.M)
    assert re.search(r"^ {11}\S.*word\d+", seen, re.M), "the end of the text"
    assert "○ Summary" in seen and "○ PDF" in seen
    assert "Ctrl-C leaves; the report goes on." in seen
    assert terminal.exit_status() == 0
    seen = terminal.see("Result: Successfully", "PDF: ")
    assert f"✓ Research {WORDS} words · openai/gpt-4o" in seen
    assert "✓ Summary  11 words" in seen and "✓ PDF      1 page" in seen
    assert "Ctrl-C" not in seen
    assert seen.count("Research") == 2, "drawn in place: once in the view, once in the welcome"


def test_nobody_is_there_to_write(app: App, open_terminal: OpenTerminal) -> None:
    """The remedy is on the screen within seconds, and goes when it is applied."""
    terminal = open_terminal("starter.py", TOPIC)
    terminal.see("No worker is running: start one with `python worker.py`. Your report is safe.", seconds=15)
    app.worker()
    assert terminal.exit_status() == 0
    assert "No worker is running" not in terminal.see("Result:")


def test_the_worker_dies_under_the_view(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """The loss is seen within seconds, with the text so far; the next worker goes on with it."""
    provider.reply = slow
    worker = app.worker()
    terminal = open_terminal("starter.py", TOPIC)
    terminal.wait_until(lambda screen: bool(re.search(r"Research +[1-4]\d words", screen)))
    worker.kill()
    seen = terminal.see("its worker is lost", "No worker is running", seconds=20)
    assert re.search(r"Research +\d+ words", seen), "what is written is still shown"
    app.worker()
    terminal.see("attempt 2")
    assert terminal.exit_status() == 0
    assert f"✓ Research {WORDS} words" in terminal.see("Result:")


def test_the_service_dies_under_the_view(
    clone: object, own_server: DevServer, open_terminal: OpenTerminal, app: App
) -> None:
    """The view says so, waits, and goes on when the service is back."""
    app.environ.update(own_server.environ)
    assert own_server.run("start").returncode == 0
    terminal = open_terminal("starter.py", "--pause", "4", TOPIC)
    app.worker()
    terminal.see("Pause")
    own_server.kill()
    terminal.see("The Temporal service does not answer; your report is safe.", "✓ Research")
    assert own_server.run("start").returncode == 0
    assert terminal.exit_status() == 0
    assert "does not answer" not in terminal.see("Result:")


def test_a_retry_and_a_pause_count_down(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """Attempt, reason, and the seconds to the next try; the pause likewise."""

    def reply(call: Call) -> Reply:
        if len(provider.calls) == 1:
            return Reply(status=503, headers={"Retry-After": "8"}, error={"message": "Overloaded"})
        return default_reply(call)

    provider.reply = reply
    app.worker()
    terminal = open_terminal("starter.py", "--pause", "6", TOPIC)
    terminal.see("↻ Research", "503", "Overloaded", "attempt 2 in ")
    counts_down(terminal, "attempt 2 in ")
    counts_down(terminal, "‖ Pause    ")
    assert terminal.exit_status() == 0


def counts_down(terminal: Terminal, words: str) -> None:
    """After the words there are seconds, and then fewer of them."""
    screen = terminal.wait_until(lambda screen: bool(re.search(rf"{words}[1-9] s", screen)))
    fewer = int(screen.split(words)[1][0]) - 1
    terminal.wait_until(lambda screen: bool(re.search(rf"{words}[0-{fewer}] s", screen)))


def test_leaving_and_coming_back(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """Ctrl-C leaves the report alone and says how to come back; which works, also after its end."""
    provider.reply = slow
    app.worker()
    terminal = open_terminal("starter.py", TOPIC)
    terminal.see("word1")
    terminal.type(CTRL_C)
    assert terminal.exit_status() == 130
    seen = terminal.see("Left; the report goes on. Come back to it: python starter.py --attach ")
    identity = seen.rsplit("--attach ", 1)[1].split()[0]
    terminal = open_terminal("starter.py", "--attach", identity)
    terminal.see(TOPIC, "words")
    assert terminal.exit_status() == 0
    terminal = open_terminal("starter.py", "--attach", identity)
    assert terminal.exit_status() == 0
    terminal.see("✓ Research", "Result: Successfully created")
    assert provider.research_calls == 1


def test_ctrl_c_at_the_prompt(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal("starter.py")
    terminal.see("Enter your research topic or question:")
    terminal.type(CTRL_C)
    assert terminal.exit_status() == 130
    terminal.see("Left. Nothing was started.")


def test_no_such_report(app: App, client: Client) -> None:
    """One clear line for an ID that nobody has, and for one that is not one report's."""
    for option in ("--attach", "--cancel"):
        done = script(app, option, "nobody")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "There is no report with an ID in 'nobody': `python starter.py --list` shows the latest.\n"
        )


def test_detach_list_and_attach(app: App, provider: Provider, client: Client) -> None:
    """A report that is started and left is in the list, with topic, state and file."""
    assert script(app, "--list").stdout == "There are no reports yet.\n"
    started = script(app, "--detach", "--quiet", TOPIC)
    assert started.returncode == 0
    identity = started.stdout.strip()
    listed = script(app, "--list").stdout
    assert re.search(
        rf"^{identity[-8:]}  running +\d\d-\d\d \d\d:\d\d +\d+ s  {re.escape(TOPIC)}$", listed, re.M
    )
    app.worker()
    attached = script(app, "--attach", identity, "--quiet")
    [report] = app.reports()
    assert (attached.returncode, attached.stdout, attached.stderr) == (0, f"{report}\n", "")
    wait_until(lambda: f"{identity[-8:]}  done" in script(app, "--list").stdout)
    assert f"\n          {report}\n" in script(app, "--list").stdout
    [row] = json.loads(script(app, "--list", "--json").stdout)
    assert (row["workflow_id"], row["topic"], row["path"]) == (identity, TOPIC, str(report))


async def test_cancel(app: App, provider: Provider) -> None:
    """It ends as Cancelled, the running call stops at once, nothing is left; whoever follows is told."""
    provider.reply = endless
    app.worker()
    follower = app.starter(TOPIC)
    identity = workflow_id(follower)
    wait_until(lambda: provider.in_flight == 1)
    done = script(app, "--cancel", identity[-8:])
    assert (done.returncode, done.stdout) == (0, f"Cancelled: {identity}\n")
    assert follower.exit_status() == 4
    assert follower.lines[-1] == "The report was cancelled."
    wait_until(lambda: provider.in_flight == 0, 10)
    description = await (await app.client()).get_workflow_handle(identity).describe()
    assert description.status == WorkflowExecutionStatus.CANCELED
    assert list((app.root / "reports").glob("*")) == []
    again = script(app, "--cancel", identity)
    assert (again.returncode, again.stderr) == (2, "It cannot be cancelled any more: it is cancelled.\n")
    assert json.loads(script(app, "--attach", identity, "--json").stdout)["status"] == "cancelled"


def test_cancel_with_no_worker(app: App, client: Client) -> None:
    identity = script(app, "--detach", "--quiet", TOPIC).stdout.strip()
    done = script(app, "--cancel", identity)
    assert done.returncode == 2
    assert done.stderr.startswith("The service will cancel it as soon as a worker runs")


def test_for_scripts(app: App, provider: Provider) -> None:
    """`--quiet` gives the path and nothing else, `--json` one object, a failure its exit status."""
    app.worker()
    done = script(app, "--quiet", typed=TOPIC)
    [report] = app.reports()
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{report}\n", "")
    done = script(app, "--json", TOPIC)
    result = json.loads(done.stdout)
    assert (done.returncode, done.stderr, result["status"]) == (0, "", "done")
    assert {"workflow_id", "run_id", "path", "filename", "pages", "model", "bill", "notes"} <= set(result)
    provider.reply = lambda call: Reply(status=400, error={"message": "Not like this"})
    done = script(app, "--json", TOPIC)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, "failed")
    assert "Not like this" in json.loads(done.stdout)["error"]
    assert done.stderr.startswith("The report failed: ") and done.stderr.count("\n") == 1


def test_plain_lines_without_a_terminal(app: App) -> None:
    """Events on standard error, results on standard output, no colours anywhere."""
    app.worker()
    done = script(app, "--pause", "1", TOPIC)
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(
        r"Research: done, 33 words · openai/gpt-4o · \d+ s.*\nPause: \d s\n(.*\n)*"
        r"Summary: done, 11 words.*\n(.*\n)*PDF: done, 1 page",
        done.stderr,
    ), done.stderr
    assert done.stdout.startswith(
        "Welcome to the Research Report Generator!\nStarted workflow. Workflow ID: "
    )
    assert "\nResult: Successfully created research report PDF with summary: " in done.stdout


def test_no_color_and_a_dumb_terminal(app: App, open_terminal: OpenTerminal) -> None:
    """NO_COLOR is honoured; a terminal that can nothing gets plain lines."""
    app.worker()
    terminal = open_terminal("starter.py", TOPIC, NO_COLOR="1")
    assert terminal.exit_status() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.raw)
    terminal = open_terminal("starter.py", TOPIC, TERM="dumb")
    assert terminal.exit_status() == 0
    terminal.see("Research: done, 33 words")
    assert b"\x1b[" not in terminal.raw


def test_the_c_locale(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """Where only ASCII can be shown, only ASCII is."""
    provider.reply = lambda call: default_reply(call) if call.is_summary else Reply("Zürich – 東京 ☃")
    app.worker()
    terminal = open_terminal("starter.py", "Why Zürich?", LANG="C", LC_ALL="C")
    assert terminal.exit_status() == 0
    seen = terminal.see("Why Z\\xfcrich?", "+ Research", "+ PDF")
    assert seen.split("Result:")[0].isascii()


def test_a_hostile_topic_and_text_move_nothing(
    app: App, open_terminal: OpenTerminal, provider: Provider
) -> None:
    """Escape sequences of topic and model are shown as characters; none reaches the terminal."""
    evil = "\x1b]0;owned\x07 \x1b[2J \u202egnp.exe \x9b31m red"

    def reply(call: Call) -> Reply:
        return default_reply(call) if call.is_summary else Reply(evil * 20, chunk_seconds=0.05)

    provider.reply = reply
    worker = app.worker()
    terminal = open_terminal("starter.py", TOPIC)
    terminal.see("␛[2J", "<U+202E>")
    assert terminal.exit_status() == 0
    for raw in (b"\x1b]0", b"\x1b[2J", b"\xc2\x9b", "\u202e".encode()):
        assert raw not in terminal.raw
    assert "\x1b" not in worker.text
    listed = script(app, "--list").stdout
    assert "\x1b" not in listed


def test_a_paste_of_several_lines(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """One topic, whether the terminal brackets its pastes or not; and the arrow brings it back."""
    app.worker()
    for paste in ("\x1b[200~First line,\rsecond line: naïve\x1b[201~\r", "First line,\nsecond line: naïve\n"):
        terminal = open_terminal("starter.py", "--detach", columns=200)
        terminal.see("Enter your research topic or question:")
        terminal.type(paste)
        assert terminal.exit_status() == 0, terminal.screen
        wait_until(lambda: provider.research_calls == 1)
        assert provider.calls[0].prompt == "First line,\nsecond line: naïve"
        wait_until(lambda: provider.summary_calls == 1)
        provider.calls.clear()
    terminal = open_terminal("starter.py", "--detach", columns=200)
    terminal.see("Enter your research topic or question:")
    terminal.type(UP)
    terminal.see("First line, second line: naïve")
    terminal.type("\n")
    assert terminal.exit_status() == 0
    [history] = (app.root / "state").rglob("topics")
    assert history.stat().st_mode & 0o777 == 0o600


def test_help_and_wrong_options(app: App) -> None:
    """The help fits one screen, with examples; a mistyped option finds its neighbour."""
    helped = script(app, "--help").stdout
    assert len(helped.splitlines()) <= 34 and max(map(len, helped.splitlines())) <= 80
    assert "examples:" in helped and "exit status:" in helped
    for wrong, near in [("--qiet", "--quiet"), ("--detatch", "--detach"), ("--attach=x --lst", "--list")]:
        done = script(app, *wrong.split())
        assert done.returncode == 2
        assert done.stderr == f"starter.py: there is no option {wrong.split()[-1]}: did you mean {near}?\n"
    assert script(app, "--pause", "soon", "x").stderr == (
        "starter.py: argument --pause: 'soon' is not a number of seconds from 0 to 86400\n"
    )


def test_open(app: App) -> None:
    """The PDF is opened with what this machine opens things with; without such a thing it is said."""
    app.worker()
    opener = app.root / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {app.root}/opened\n')
    opener.chmod(0o755)
    app.environ["BROWSER"] = f"{opener} %s"
    assert script(app, "--open", "--quiet", TOPIC).returncode == 0
    [report] = app.reports()
    assert (app.root / "opened").read_text().strip() == report.as_uri()


async def test_the_view_asks_little_of_the_service(app: App, provider: Provider) -> None:
    """At most two requests a second, while a text grows, a pause lasts, and nobody works."""
    provider.reply = slow
    app.worker()
    identity = script(app, "--detach", "--quiet", "--pause", "2", TOPIC).stdout.strip()
    client = await app.client()
    requests = 0
    call = client.service_client._rpc_call

    async def pluralize(*arguments: object, **options: object) -> object:
        nonlocal requests
        requests += 1
        return await call(*arguments, **options)  # type: ignore[arg-type]

    client.service_client._rpc_call = pluralize  # type: ignore[method-assign, assignment]
    handle, _ = await listing.find(client, identity)
    service = Service("", client.namespace, None, is_dev_server=True)
    watcher, looks = progress.Watcher(client, service, handle), 0
    while not (await watcher.poll()).is_over:
        looks += 1
        await asyncio.sleep(progress.POLL_SECONDS)
    assert looks >= 6
    assert requests <= 2 * looks


def test_the_worker_tells_a_report(app: App, provider: Provider) -> None:
    """One line per event, each with the report's short id: begun, pace, finished, PDF."""
    worker = app.worker()
    first = app.starter("What the worker loads is loaded then")
    assert first.exit_status() == 0, first.text
    provider.reply = lambda call: (
        default_reply(call) if call.is_summary else Reply(LONG, chunk_seconds=12 / WORDS)
    )
    starter = app.starter(TOPIC)
    assert starter.exit_status() == 0, starter.text
    short = workflow_id(starter)[-8:]
    wait_until(lambda: worker.text.count("PDF written: 1 page, ") == 2)
    lines = [line.split("  ", 2) for line in worker.lines if re.match(r"\d\d:\d\d:\d\d  ", line)]
    assert {line[1] for line in lines} == {workflow_id(first)[-8:], short}
    told = [line[2] for line in lines if line[1] == short]
    assert told[0] == "Research begins"
    assert re.fullmatch(r"Research: \d+ words, \d+ a second", told[1])
    assert re.fullmatch(r"Research finished: 60 words, 60 tokens, cost \$0\.\d{4}, 1\d s", told[2])
    assert told[3:5] == ["Research complete!", "Summary begins"]
    assert told[-1].startswith("PDF written: 1 page, ")
    assert len(told) == 8


def test_a_worker_that_is_told_to_stop_says_what_it_hands_back(app: App, provider: Provider) -> None:
    provider.reply = slow
    worker = app.worker()
    starter = app.starter(TOPIC)
    wait_until(lambda: bool(provider.calls) and "word9 " in provider.calls[0].sent)
    assert worker.stop(signal.SIGINT) == 0
    assert any(
        re.search(r"Research, attempt 1: handed back at character \d\d+ by a worker", line)
        for line in worker.lines
    ), worker.text
    worker = app.worker()
    assert starter.exit_status() == 0
    assert any(re.search(r"Research goes on at character \d\d+$", line) for line in worker.lines)


def test_check(app: App, provider: Provider) -> None:
    """Every part has its line, ok or with the remedy; the model is only called when asked to be."""

    def check(*options: str, **environ: str) -> Program:
        program = app.run("worker.py", *options, **environ)
        program.exit_status()
        return program

    good = check("--check")
    assert good.process.returncode == 0, good.text
    assert [line[:16].split() for line in good.lines] == [
        ["ok", name] for name in ("Versions", "Service", "Model", "Reports", "Fonts")
    ]
    assert not provider.calls
    assert check("--check=call").process.returncode == 0
    assert len(provider.calls) == 1

    (app.root / "a-file").touch()
    bad = check("--check", REPORTS_DIR=str(app.root / "a-file"), LLM_MODEL="nobody/knows")
    assert bad.process.returncode == 2
    assert "  FAIL  Model     LLM_MODEL=nobody/knows names no provider" in bad.text
    assert "  FAIL  Reports   " in bad.text
    assert bad.lines[-1] == "2 things to mend."
    provider.reply = lambda call: Reply(status=401, error={"message": "Wrong key"})
    refused = check("--check=call")
    assert refused.process.returncode == 2
    assert "the provider refused the key" in refused.text

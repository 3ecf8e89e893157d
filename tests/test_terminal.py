"""The terminal: what a person sees and types, and what a script gets."""

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client, WorkflowExecutionStatus

from research.cli import listing, progress, terminal
from research.cli.prompt import static_summary
from research.temporal.client import Service
from testing.app import App, DevServer, wait_until
from testing.processes import Program, run_program, workflow_id
from testing.provider import Call, Provider, Reply, default_reply, rest_of
from testing.terminal import CTRL_C, Terminal
from tests.conftest import KEY, PROMPT_SECONDS

WORDS = 60
LONG = " ".join(f"word{number}" for number in range(WORDS))
TOPIC = "How do tardigrades survive in space?"

OpenTerminal = Callable[..., Terminal]


@pytest.fixture
def open_terminal(app: App) -> Iterator[OpenTerminal]:
    """Open a terminal in memory: `open_terminal("starter.py", …)`."""
    terminals = []

    def open_one(*arguments: str, columns: int = 80, rows: int = 40, **environ: str) -> Terminal:
        environ = {**app.environ, **environ}
        terminal = Terminal(*arguments, root=app.root, environ=environ, columns=columns, rows=rows)
        terminals.append(terminal)
        return terminal

    yield open_one
    for opened in terminals:
        opened.close()


def held(call: Call) -> Reply:
    """A research that stops in its middle until it is released, and continues where it is asked to."""
    if call.is_summary:
        return default_reply(call)
    return Reply(rest_of(LONG, call), chunk_seconds=0.05, held_after=WORDS // 2)


def endless(call: Call) -> Reply:
    return Reply(LONG, chunk_seconds=2.0)


def script(app: App, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """The starter as a script runs it."""
    return run_program("starter.py", *arguments, root=app.root, environ=app.environ, typed=typed)


@pytest.mark.usefixtures("serving")
@pytest.mark.long
def test_a_report_on_two_screens(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """It grows on both, at 80 and at 40 columns; who exits can attach again, also after the end."""
    provider.reply = held
    wide = open_terminal("starter.py", TOPIC)
    wide.see("word1")
    [row] = json.loads(script(app, "--list", "--json").stdout)
    narrow = open_terminal("starter.py", "--attach", row["workflow_id"][-8:], columns=40)
    drawn = r"(?s)Research +\d+ words.*Ctrl-C exits; the report continues\."  # or it may be half a screen
    for screen in (wide, narrow):
        seen = screen.wait_until(lambda text: bool(re.search(drawn, text)))
        assert re.search(r"^. Research +\d+ words · openai/gpt-4o", seen, re.M)
        assert re.search(r"^ {11}\S.*word\d+", seen, re.M), "the end of the text"
        assert "○ Summary" in seen and "○ PDF" in seen
    wide.type(CTRL_C)
    assert wide.exit_status() == 130
    command = "Interrupted; the report continues: python starter.py --attach "
    identity = wide.see(command).rsplit("--attach ", 1)[1].split()[0]
    follower = app.run("starter.py", "--attach", identity)
    follower.wait_for("Research: running")
    assert follower.stop() == 143
    assert follower.lines[-1] == f"{command}{identity}"
    provider.release()
    assert narrow.exit_status() == 0
    again = open_terminal("starter.py", "--attach", identity)
    for screen in (narrow, again):
        seen = screen.see("Result: Successfully", "PDF: ", TOPIC)
        assert f"✓ Research {WORDS} words · openai/gpt-4o" in seen
        assert "✓ Summary  12 words" in seen and "✓ PDF      1 page" in seen
        assert "Ctrl-C" not in seen
        assert seen.count("✓ Research") == 1, "drawn in place"
    assert again.exit_status() == 0
    assert provider.research_calls == 1


@pytest.mark.long
def test_the_worker_dies_under_the_view(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """No worker, a worker, a killed one: each is on the screen at once, with the text so far."""
    provider.reply = held
    screen = open_terminal("starter.py", TOPIC)
    screen.see("No worker is running: start one with `python worker.py`. Your report is safe.")
    worker = app.worker()
    seen = screen.wait_until(lambda screen: bool(re.search(r"Research +[1-3]\d words", screen)))
    assert "No worker is running" not in seen
    worker.kill()
    # The service learns of it seconds later, by the heartbeat timeout; then the words are others.
    seen = screen.see("worker lost, resumes with the next one", "No worker is running")
    assert re.search(r"↻ Research +\d+ words", seen), "what is written is still shown"
    app.worker()
    screen.see("attempt 2")
    provider.release()
    assert screen.exit_status() == 0
    assert f"✓ Research {WORDS} words" in screen.see("Result:")


@pytest.mark.long
@pytest.mark.proof
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


@pytest.mark.usefixtures("serving")
@pytest.mark.long
@pytest.mark.proof
def test_a_retry_and_a_pause_count_down(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """Attempt, reason, and the seconds to the next try; the pause likewise."""

    def reply(call: Call) -> Reply:
        if len(provider.calls) == 1:
            return Reply(status=503, headers={"Retry-After": "5"}, error={"message": "Overloaded"})
        return default_reply(call)

    provider.reply = reply
    terminal = open_terminal("starter.py", "--pause", "4", TOPIC)
    terminal.see("↻ Research", "503", "Overloaded", "attempt 2 in ")
    counts_down(terminal, "attempt 2 in ")
    counts_down(terminal, "‖ Pause    ")
    assert terminal.exit_status() == 0


def counts_down(terminal: Terminal, words: str) -> None:
    """After the words there are seconds, and then fewer of them."""
    screen = terminal.wait_until(lambda screen: bool(re.search(rf"{words}[1-9] s", screen)))
    fewer = int(screen.split(words)[1][0]) - 1
    terminal.wait_until(lambda screen: bool(re.search(rf"{words}[0-{fewer}] s", screen)))


def test_a_signal_at_the_prompt(open_terminal: OpenTerminal) -> None:
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        screen = open_terminal("starter.py")
        screen.see("Enter your research topic or question:")
        screen.process.send_signal(number)
        assert screen.exit_status(PROMPT_SECONDS) == status
        screen.see("Interrupted; no report was started.")


def test_a_signal_while_the_service_hangs(app: App) -> None:
    """A service that accepts and never answers: one line, within two seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        starter = app.starter(TOPIC, TEMPORAL_ADDRESS=address)
        server.accept()
        starter.process.send_signal(signal.SIGINT)
        assert starter.exit_status(PROMPT_SECONDS) == 130
    assert starter.lines[1:] == ["", "Interrupted; no report was started."]


def test_a_signal_takes_the_children_along(app: App) -> None:
    """Also those that a thread waits for, such as the build of the dev server, and no other process."""
    code = (
        "import asyncio, subprocess\n"
        "from research.cli import signals, terminal\n"
        "def work():\n"
        "    server = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "    child = subprocess.Popen(['sh', '-c', 'sleep 60; true'])\n"
        "    print(server.pid, child.pid, flush=True)\n"
        "    child.wait()\n"
        "signals.install()\n"
        "try: signals.run_async(lambda: asyncio.to_thread(work))\n"
        "except KeyboardInterrupt: terminal.exit_now(signals.end_interrupted())\n"
    )
    program = app.run("-c", code)
    wait_until(lambda: bool(program.lines))
    server, child = (psutil.Process(int(pid)) for pid in program.lines[0].split())
    wait_until(lambda: bool(child.children()))
    grandchild = child.children()[0]
    try:
        program.process.terminate()
        assert program.process.wait(PROMPT_SECONDS) == 143
        wait_until(lambda: not child.is_running() and not grandchild.is_running(), PROMPT_SECONDS)
        assert server.is_running()
    finally:
        server.kill()


NOTHING = "nothing was started."
MISTAKES = [
    (["--attach", ""], "starter.py: argument --attach: the ID is empty: "),
    (["--cancel", " \n"], "starter.py: argument --cancel: the ID is empty: "),
    (["--attach", "1a2b3c4d", "topic"], "starter.py: a topic starts a new report: "),
    (["--list", "topic"], "starter.py: a topic starts a new report: "),
    ([""], f"The topic is empty, so {NOTHING}"),
    ([" ", "\u200b"], f"The topic is empty, so {NOTHING}"),
    ([], f"Standard input is empty, so {NOTHING}"),
    (["--qiet", "topic"], "starter.py: unrecognized arguments: --qiet"),
    (["--\x1b[2J", "topic"], "starter.py: unrecognized arguments: --␛[2J"),
    (["--pause", "soon", "topic"], "starter.py: argument --pause: 'soon' is not a number of seconds"),
    *(
        (["--sections", number, "topic"], f"starter.py: argument --sections: {number!r} is not a number of ")
        for number in ("1", "21", "eight", "-2", "2.5", "²")
    ),
    (["a\x1b[31mb"], "The topic has a control character (U+001B): remove it."),
    (["x" * 20_001], "The topic has 20,001 characters; at most 20,000 are accepted."),
    ([f"what is {KEY}"], "The topic has one of your API keys in it, and it would be stored: remove it."),
]


def test_nothing_is_started_by_mistake(app: App) -> None:
    """A variable that a script did not set, an empty pipe, a mistyped option: one line, no report."""
    commands = [["--quiet", *arguments] for arguments, _ in MISTAKES]
    for done, (_, line) in zip(app.starters(commands), MISTAKES, strict=True):
        assert (done.returncode, done.stdout) == (2, ""), done
        assert done.stderr.startswith(line) and done.stderr.count("\n") == 1, done
    assert script(app, "--list").stdout == "There are no reports yet.\n"


def test_no_such_report(app: App, client: Client) -> None:
    """One clear line for an ID that nobody has, and for one that is not one report's."""
    for done in app.starters([("--attach", "nobody"), ("--cancel", "nobody")]):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "There is no report with an ID in 'nobody': `python starter.py --list` shows the latest.\n"
        )


async def test_detach_list_and_attach(app: App, provider: Provider) -> None:
    """A report that is started and not followed is in the list, with topic, state and file."""
    assert script(app, "--list").stdout == "There are no reports yet.\n"
    started = script(app, "--detach", "--quiet", TOPIC)
    assert started.returncode == 0
    identity = started.stdout.strip()
    listed = script(app, "--list").stdout
    assert re.search(
        rf"^{identity[-8:]}  running +\d\d-\d\d \d\d:\d\d +\d+ s  {re.escape(TOPIC)}$", listed, re.M
    )
    follower = app.run("starter.py", "--attach", identity)
    follower.wait_for("No worker is running: start one with `python worker.py`. Your report is safe.")
    app.worker()
    assert follower.exit_status() == 0, follower.text
    attached = script(app, "--attach", identity, "--quiet")
    [report] = app.reports()
    assert (attached.returncode, attached.stdout, attached.stderr) == (0, f"{report}\n", "")
    wait_until(lambda: f"{identity[-8:]}  done" in script(app, "--list").stdout)
    assert f"\n          {report}\n" in script(app, "--list").stdout
    [row] = json.loads(script(app, "--list", "--json").stdout)
    assert (row["workflow_id"], row["topic"], row["path"]) == (identity, TOPIC, str(report))


async def test_topics_as_they_come(app: App, open_terminal: OpenTerminal) -> None:
    """Pipes and pastes of several lines are one topic; what the service takes for a summary is whole."""
    lines = "First line,\nsecond line: naïve façades"
    assert script(app, "--detach", "--quiet", typed=f"{lines}\r\n").returncode == 0
    for paste in (f"\x1b[200~{lines}\x1b[201~\r".replace("\n", "\r"), f"{lines}\n"):
        screen = open_terminal("starter.py", "--detach", columns=200)
        screen.see("Enter your research topic or question:")
        screen.type(paste)
        assert screen.exit_status() == 0, screen.screen
    assert {row["topic"] for row in json.loads(script(app, "--list", "--json").stdout)} == {lines}
    client = await app.client()
    for topic in ("猫" * 1_000, '"\\' * 1_000, "👩\u200d👩\u200d👧" * 1_000):
        identity = script(app, "--detach", "--quiet", topic).stdout.strip()
        summary = await (await client.get_workflow_handle(identity).describe()).static_summary()
        assert summary and summary.endswith("…") and topic.startswith(summary[:-1])
        assert len(summary) >= 30


@given(st.text(alphabet='a"\\ 猫é\u0301क्षि\u200d👩👧🇩🇪👍🏽', max_size=300))
def test_a_summary_fits_the_service(topic: str) -> None:
    """400 bytes as JSON, whole graphemes, as much of the topic as there is room for."""
    summary, line = static_summary(topic), " ".join(topic.split())
    assert len(json.dumps(summary)) <= 400
    if summary != line:
        kept = summary.removesuffix("…")
        assert terminal.graphemes(line)[: len(terminal.graphemes(kept))] == terminal.graphemes(kept)
        assert len(json.dumps(summary)) > 300


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("می\u200cخواهم", None),  # Persian
        ("क्\u200dष", None),  # Devanagari
        ("👩\u200d👩\u200d👧 👩🏽\u200d💻 ❤️\u200d🔥", None),
        ("pass\u200dword", "pass<U+200D>word"),
        ("猫\u200d\u200d", "猫\u200d<U+200D>"),
        ("a\u202eb\u2066c\U000e0041\x9b", "a<U+202E>b<U+2066>c<U+E0041><U+009B>"),
        ("\x1b[2J\ttab\n", "␛[2J\ttab\n"),
    ],
)
def test_what_is_invisible_is_shown_unless_a_script_needs_it(text: str, shown: str | None) -> None:
    assert terminal.escape_controls(text) == (text if shown is None else shown)


async def test_cancel(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """It ends as Cancelled, the running call stops at once, nothing is left; who follows sees it."""
    provider.reply = endless
    worker = app.worker()
    screen = open_terminal("starter.py", TOPIC)
    follower = app.starter(TOPIC)
    identity = workflow_id(follower)
    wait_until(lambda: provider.in_flight == 2)
    for row in json.loads(script(app, "--list", "--json").stdout):
        done = script(app, "--cancel", row["workflow_id"][-8:])
        assert (done.returncode, done.stdout) == (0, f"Cancelled: {row['workflow_id']}\n")
    assert follower.exit_status() == screen.exit_status() == 4
    assert follower.lines[-1] == "The report was cancelled."
    assert any(line.startswith("Research: cancelled") for line in follower.lines)
    assert "waiting for a worker" not in screen.see("✗ Research cancelled", "The report was cancelled.")
    wait_until(lambda: provider.in_flight == 0)
    description = await (await app.client()).get_workflow_handle(identity).describe()
    assert description.status == WorkflowExecutionStatus.CANCELED
    assert list((app.root / "reports").glob("*")) == []
    assert "Traceback" not in worker.text
    again = script(app, "--cancel", identity)
    assert (again.returncode, again.stderr) == (2, "It cannot be cancelled any more: it is cancelled.\n")
    assert json.loads(script(app, "--attach", identity, "--json").stdout)["status"] == "cancelled"


@pytest.mark.long
@pytest.mark.proof
def test_cancel_with_no_worker(app: App, client: Client) -> None:
    identity = script(app, "--detach", "--quiet", TOPIC).stdout.strip()
    done = script(app, "--cancel", identity)
    assert done.returncode == 2
    assert done.stderr.startswith("The service will cancel it as soon as a worker runs")


@pytest.mark.usefixtures("serving")
def test_for_scripts(app: App, provider: Provider) -> None:
    """Plain lines for a log; `--quiet` gives the path alone, `--json` one object, `--open` opens."""
    done = script(app, "--pause", "1", TOPIC)
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(
        r"Research: done, 33 words · openai/gpt-4o · \d+ s.*\nPause: \d s\n(.*\n)*"
        r"Summary: done, 12 words.*\n(.*\n)*PDF: done, 1 page",
        done.stderr,
    ), done.stderr
    assert done.stdout.startswith(
        "Welcome to the Research Report Generator!\nStarted workflow. Workflow ID: "
    )
    assert "\nResult: Successfully created research report PDF with summary: " in done.stdout

    opener = app.root / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {app.root}/opened\n')
    opener.chmod(0o755)
    app.environ["BROWSER"] = f"{opener} %s"
    before = app.reports()
    done = script(app, "--open", "--quiet", typed=TOPIC)
    [report] = set(app.reports()) - set(before)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{report}\n", "")
    assert (app.root / "opened").read_text().strip() == report.as_uri()

    done = script(app, "--json", TOPIC)
    result = json.loads(done.stdout)
    assert (done.returncode, done.stderr, result["status"]) == (0, "", "done")
    assert {"workflow_id", "run_id", "path", "filename", "pages", "model", "bill", "notes"} <= set(result)
    provider.reply = lambda call: Reply(status=400, error={"message": "Not like this"})
    done = script(app, "--json", TOPIC)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, "failed")
    assert "Not like this" in json.loads(done.stdout)["error"]
    assert done.stderr.startswith("The report failed: ") and done.stderr.count("\n") == 1


@pytest.mark.proof
@pytest.mark.usefixtures("serving")
def test_terminals_that_can_do_less(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """NO_COLOR is honoured; a dumb terminal gets plain lines; the C locale gets ASCII alone."""
    colourless = open_terminal("starter.py", TOPIC, NO_COLOR="1")
    dumb = open_terminal("starter.py", TOPIC, TERM="dumb")
    assert colourless.exit_status() == dumb.exit_status() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", colourless.raw)
    dumb.see("Research: done, 33 words")
    assert b"\x1b[" not in dumb.raw

    provider.reply = lambda call: default_reply(call) if call.is_summary else Reply("Zürich – 東京 ☃")
    ascii_only = open_terminal("starter.py", "Why Zürich?", LANG="C", LC_ALL="C")
    assert ascii_only.exit_status() == 0
    seen = ascii_only.see("Why Z\\xfcrich?", "+ Research", "+ PDF")
    assert seen.split("Result:")[0].isascii()


def test_a_hostile_text_moves_nothing(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """The model's escape sequences are shown as characters; none reaches the terminal."""
    evil = "\x1b]0;owned\x07 \x1b[2J \u202egnp.exe \x9b31m red"

    def reply(call: Call) -> Reply:
        return default_reply(call) if call.is_summary else Reply(evil * 20, chunk_seconds=0.05)

    provider.reply = reply
    worker = app.worker()
    screen = open_terminal("starter.py", TOPIC)
    screen.see("␛[2J", "<U+202E>")
    assert screen.exit_status() == 0
    for raw in (b"\x1b]0", b"\x1b[2J", b"\xc2\x9b", "\u202e".encode()):
        assert raw not in screen.raw
    assert "\x1b" not in worker.text
    assert "\x1b" not in script(app, "--list").stdout


def test_help(app: App) -> None:
    """The help fits two screens, in groups and with examples."""
    helped = script(app, "--help").stdout
    assert len(helped.splitlines()) <= 48 and max(map(len, helped.splitlines())) <= 80
    assert "examples:" in helped and "exit status:" in helped


@pytest.mark.usefixtures("serving")
@pytest.mark.long
@pytest.mark.proof
async def test_the_view_asks_little_of_the_service(app: App, provider: Provider) -> None:
    """At most two requests a second, while a text grows, a pause lasts, and nobody works."""
    provider.reply = lambda call: default_reply(call) if call.is_summary else Reply(LONG, chunk_seconds=0.12)
    identity = script(app, "--detach", "--quiet", "--pause", "2", TOPIC).stdout.strip()
    client = await app.client()
    handle, _ = await listing.find(client, identity)
    requests = 0

    def counted(method: Any) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            nonlocal requests
            requests += 1
            return await method(*arguments, **options)

        return call

    service = client.workflow_service
    counting: Any = SimpleNamespace(
        namespace=client.namespace,
        data_converter=client.data_converter,
        workflow_service=SimpleNamespace(describe_task_queue=counted(service.describe_task_queue)),
        describe=counted(handle.describe),
        fetch_history=counted(handle.fetch_history),
        id=handle.id,
    )
    poller, polls = progress.Poller(counting, Service("", client.namespace, None, True), counting), 0
    while not (await poller.poll()).is_over:
        polls += 1
        await asyncio.sleep(progress.POLL_SECONDS)
    assert polls >= 6
    assert polls < requests <= 2 * polls


@pytest.mark.long
@pytest.mark.proof
def test_the_worker_logs_a_report(app: App, provider: Provider) -> None:
    """One line for each event, with the report's short ID; a worker that stops hands its step back."""
    provider.reply = held
    worker = app.worker()
    starter = app.starter(TOPIC)
    wait_until(lambda: bool(provider.calls) and "word19 " in provider.calls[0].sent)
    assert worker.stop(signal.SIGINT) == 0
    assert "Traceback" not in worker.text
    assert any(
        re.search(r"Research, attempt 1: .* at character \d\d+ by a worker", line) for line in worker.lines
    ), worker.text
    provider.release()
    worker = app.worker()
    assert starter.exit_status() == 0
    worker.wait_for("PDF written: 1 page, ")
    lines = [line.split("  ", 2) for line in worker.lines if re.match(r"\d\d:\d\d:\d\d  ", line)]
    assert {line[1] for line in lines} == {workflow_id(starter)[-8:]}
    events = [line[2] for line in lines]
    assert re.fullmatch(
        r"Research resumes at character \d\d+: the model continues its own message; .*", events[0]
    )
    assert re.fullmatch(r"Research finished: 60 words, \d+ tokens, cost \$0\.\d{4}, \d+ s", events[1])
    assert events[2:4] == ["Research complete!", "Summary begins"]
    assert events[-1].startswith("PDF written: 1 page, ")
    assert len(events) == 7


def test_check(app: App, provider: Provider) -> None:
    """Every part has its line, ok or with the remedy; the model is only called when asked to be."""

    def check(*options: str, **environ: str) -> Program:
        program = app.run("worker.py", *options, **environ)
        program.exit_status()
        return program

    good = check("--check")
    assert good.process.returncode == 0, good.text
    assert [line[:16].split() for line in good.lines] == [
        ["ok", name] for name in ("Versions", "Service", "Model", "Search", "Reports", "Fonts")
    ]
    assert not provider.calls
    assert check("--check=call").process.returncode == 0
    assert len(provider.calls) == 1

    (app.root / "a-file").touch()
    bad = check("--check", REPORTS_DIR=str(app.root / "a-file"), LLM_MODEL="nobody/knows")
    assert bad.process.returncode == 2
    assert "  FAIL  Model     LLM_MODEL=nobody/knows names no provider" in bad.text
    assert "  FAIL  Reports   " in bad.text
    assert bad.lines[-1] == "2 checks failed."
    provider.reply = lambda call: Reply(status=401, error={"message": "Wrong key"})
    refused = check("--check=call")
    assert refused.process.returncode == 2
    assert "the provider refused the key" in refused.text

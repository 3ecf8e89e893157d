"""The review on the screen: keys, wishes, an editor whose text is never lost, and no worker."""

import re
import shlex
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from research.cli.review_prompt import WISH
from testing.app import App, wait_until
from testing.provider import Provider
from testing.terminal import CTRL_C, Terminal
from tests.test_review_programs import TOPIC, planner, script, titles
from tests.test_terminal import OpenTerminal, open_terminal

__all__ = ["open_terminal"]  # a fixture

EDIT = "import pathlib, sys; file = pathlib.Path(sys.argv[1]); text = file.read_text(); file.write_text({})"


def say(terminal: Terminal, keys: str) -> None:
    """Type at the prompt, when it is there."""
    terminal.wait_until(lambda screen: screen.endswith(WISH.strip()))
    terminal.type(keys)


@pytest.mark.usefixtures("serving")
def test_a_plan_on_the_screen(
    app: App, open_terminal: OpenTerminal, provider: Provider, tmp_path: Path
) -> None:
    """A wish, an editor whose text cannot be read at first, and Enter."""
    provider.reply = planner
    broken, whole = tmp_path / "broken.py", tmp_path / "whole.py"
    broken.write_text(EDIT.format("'Snow first.\\n' + text"))
    whole.write_text(EDIT.format("text.replace('Snow first.\\n', '').replace('## Fire', '## Wind')"))
    editor = tmp_path / "editor.sh"
    command, same = f"sh {shlex.quote(str(editor))}", tmp_path / "same.py"
    same.write_text("")
    terminal = open_terminal("starter.py", "--review", "--sections", "2", TOPIC, rows=120, EDITOR=command)
    terminal.see("Plan, revision 1", "## Snow", "2 sections", "It waits for you.", "Enter approves it")
    say(terminal, "yes\r")
    terminal.see("'yes' is no key, and a wish has more words than one.")
    say(terminal, "a\x1b[D b\r")
    terminal.see("The wish has a control character (U+001B): remove it.")
    say(terminal, "more of them\r\rand longer\r")  # as it is pasted, with an empty line
    terminal.see("Plan, revision 2", "## Fire", "3 sections")
    for program, told in (
        (same, "Nothing has changed."),
        (broken, "Your text is kept: e opens it again."),
        (whole, "Plan, revision 3"),
    ):
        editor.write_text(f'exec {shlex.quote(sys.executable)} {shlex.quote(str(program))} "$1"')
        say(terminal, "e\r")
        terminal.see(told)
    assert 'Your plan: Line 1: a section begins with a heading, such as "## Background".' in terminal.screen
    terminal.see("## Wind")
    say(terminal, "\r")
    assert terminal.exit_status() == 0
    assert titles(provider) == ["Ice", "Wind", "Rain"]
    assert sum(call.is_plan for call in provider.calls) == 2
    after = terminal.screen.partition("Plan, revision 3")[2]
    assert "\nIt waits for you.\n\nEnter approves it" in after, "nothing is drawn over it"
    assert len(re.findall("^. Plan ", after, re.MULTILINE)) == 1, "of two plans the last one is shown"


HAIL, SLEET = "## Hail\n\n## Fog\n##\n", "## Sleet\n\n## Fog\n"


def left(screen: str) -> Path:
    """The file that a text was left in."""
    [file] = re.findall(r"^Your text is in (/.+/plan\.md)\.$", screen, re.MULTILINE)
    return Path(file)


@pytest.mark.usefixtures("serving")
def test_no_text_of_a_person_is_lost(
    app: App, open_terminal: OpenTerminal, provider: Provider, tmp_path: Path
) -> None:
    """By an editor that fails or removes the file, nor by an approval elsewhere while it is open."""
    provider.reply = planner
    editor, opened, go = tmp_path / "editor.sh", tmp_path / "opened.md", tmp_path / "go"
    command = {"EDITOR": f"sh {shlex.quote(str(editor))}"}
    options = ("--review", "--sections", "2", TOPIC)
    terminal = open_terminal("starter.py", *options, columns=200, rows=120, **command)
    for text, told in (
        ("printf '## Caf\\351\\n## Ice\\n' > \"$1\"", "Your plan is not UTF-8 text: convert it first."),
        (f"printf '{HAIL}' > \"$1\"; exit 3".replace("\n", "\\n"), "has failed"),
        ('rm "$1"', "has left no text: No such file or directory."),
    ):
        editor.write_text(text)
        say(terminal, "e\r")
        terminal.see(told, "Your text is kept: e opens it again.")
    wait = f"while ! [ -e '{go}' ]; do sleep 0.1; done"
    editor.write_text(f"cp \"$1\" '{opened}'; {wait}; printf '{SLEET}' > \"$1\"".replace("\n", "\\n"))
    say(terminal, "e\r")
    wait_until(opened.exists)
    assert opened.read_text() == HAIL, "what a failing editor saved is opened again"
    identity = re.findall(r"Workflow ID: (\S+),", terminal.screen)[0]
    assert script(app, "--approve", identity).returncode == 0
    go.touch()
    assert terminal.exit_status() == 0
    assert "The plan is approved, and the report is being written." in terminal.screen
    file = left(terminal.screen)
    assert file.read_text() == SLEET
    shutil.rmtree(file.parent)
    assert titles(provider) == ["Moss", "Snow"]


@pytest.mark.usefixtures("serving")
def test_ctrl_c_while_an_editor_is_open(
    app: App, open_terminal: OpenTerminal, provider: Provider, tmp_path: Path
) -> None:
    """What was saved by then stays in its file."""
    provider.reply = planner
    editor, saved = tmp_path / "editor.sh", tmp_path / "saved"
    editor.write_text(f"printf '{SLEET}' > \"$1\"; touch '{saved}'; sleep 60".replace("\n", "\\n"))
    command = {"EDITOR": f"sh {shlex.quote(str(editor))}"}
    terminal = open_terminal("starter.py", "--review", "--sections", "2", TOPIC, columns=200, **command)
    say(terminal, "e\r")
    wait_until(saved.exists)
    terminal.type(CTRL_C)
    assert terminal.exit_status() == 130
    file = left(terminal.screen)
    assert file.read_text() == SLEET
    shutil.rmtree(file.parent)


@pytest.mark.usefixtures("serving")
def test_what_is_typed_before_the_plan_is_seen_approves_nothing(
    app: App, open_terminal: OpenTerminal, provider: Provider
) -> None:
    """And Ctrl-C leaves a terminal that shows what is typed, after a topic that was typed too."""
    provider.reply = lambda call: replace(planner(call), before_seconds=1.0 if call.is_plan else 0.0)
    terminal = open_terminal("starter.py", "--review", "--sections", "2")
    terminal.see("Enter your research topic or question:")
    terminal.type(f"{TOPIC}\r")
    terminal.see("Started workflow.")
    terminal.type("\r")
    terminal.see("Anything else is what to change:")
    time.sleep(0.5)
    assert [call.is_plan for call in provider.calls] == [True]
    terminal.type(CTRL_C)
    assert terminal.exit_status() == 130
    assert terminal.echoes


@pytest.mark.long
@pytest.mark.proof
def test_an_approval_while_no_worker_runs(app: App, open_terminal: OpenTerminal, provider: Provider) -> None:
    """The person learns what to start, nothing is sent, and they are asked again when it runs."""
    provider.reply = planner
    worker = app.worker()
    terminal = open_terminal("starter.py", "--review", "--sections", "2", TOPIC)
    terminal.see("Anything else is what to change:")
    worker.kill()
    terminal.type("\r")
    terminal.see("No worker answers: start one with `python worker.py`. Until then the plan waits.")
    app.worker()
    terminal.wait_until(lambda screen: screen.endswith(WISH.strip()))
    time.sleep(0.5)
    assert [call.is_plan for call in provider.calls] == [True], "nothing was sent"
    terminal.type("\r")
    assert terminal.exit_status() == 0
    assert titles(provider) == ["Moss", "Snow"]

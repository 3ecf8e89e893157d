"""What a person types after `make` is never run, and a crash of the installer is not the end."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from research.config import ROOT
from testing.app import App
from testing.processes import run_program
from testing.terminal import Terminal

MAKEFILE = (ROOT / "Makefile").read_text()
STAMPS = ("run", "dev", "bench", "real")
TAKES = {
    "report": ["TOPIC"],
    "demo": ["REVIEW", "SECTIONS"],
    "chaos": ["KILLS", "SEED"],
    "real": ["SECTIONS", "TOPICS"],
}
"""Each target that takes variables."""
TEXTS = ("TOPIC", "REVIEW")
NUMBERS = [(target, name) for target, names in TAKES.items() for name in names if name not in TEXTS]
HOSTILE = [
    "Tides $(shell touch pwned) here",
    "Is $100 enough for a share of $AAPL, or $$, ${HOME}, $@?",
    "$(touch pwned) `touch pwned` ; touch pwned & touch pwned | touch pwned > pwned",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "It's \"so\": a 'quote' is never alone\"",
    "C# and # a comment",
    "back\\slash, \\$(touch pwned), \\\n\\n and \\",
    "a line\n\t@touch pwned\nand another: $(eval $(shell touch pwned))",
    "--list",
    "-- = := ?= += % * [a-z] ~ !! é 猫 $(error stop) $(info x), )",
]
RECORD = """#!{python}
import json, os, sys
with open("calls", "a") as file:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=file)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile in a folder of its own, and a Python that writes down how it is called."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    install(tmp_path / ".venv" / "bin" / "python", RECORD.format(python=sys.executable))
    return tmp_path


def install(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def make(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Make with all that it would install installed."""
    stamps = [option for stamp in STAMPS for option in ("-o", f".venv/{stamp}")]
    return subprocess.run(
        ["make", *stamps, *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def calls(folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    file = folder / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def nothing_was_run(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} <= {"Makefile", ".venv", "calls"}


def test_make_alone_begins_nothing(folder: Path) -> None:
    """It prints each target with a line of its own."""
    for arguments in ((), ("help",)):
        shown = make(folder, *arguments)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert all(re.match(r"make \w+ .* {3}\S", line) for line in shown.stdout.splitlines())
        [targets] = re.findall(r"^\.PHONY: (.*)", MAKEFILE, re.M)
        assert [line.split()[1] for line in shown.stdout.splitlines()] == targets.split()
    assert calls(folder) == []


def test_every_variable_has_its_test() -> None:
    [typed] = re.findall(r"^TYPED := \$\(sort ([A-Z ]+)", MAKEFILE, re.M)
    assert set(typed.split()) == {name for names in TAKES.values() for name in names}
    for target, recipe in re.findall(r"^(\w+):.*\n((?:\t.*\n)+)", MAKEFILE, re.M):
        used = {name for name in typed.split() if re.search(rf"\b{name}\b", recipe)}
        assert used == set(TAKES.get(target, [])) - {"TOPIC"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_topic_arrives_as_typed(folder: Path, text: str) -> None:
    """By make's variable and by the environment's, and so does a setting that is typed beside it."""
    for made in (
        make(folder, "report", f"TOPIC={text}", f"LLM_MODEL={text}"),
        make(folder, "report", TOPIC=text),
    ):
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    [(arguments, environ), (_, other)] = calls(folder)
    assert arguments == ["-m", "research.cli.one_command"]
    assert (environ["TOPIC"], environ["LLM_MODEL"], other["TOPIC"]) == (text, text, text)
    assert nothing_was_run(folder)


@pytest.mark.parametrize(("target", "name"), NUMBERS)
def test_a_number_is_digits_or_refused(folder: Path, target: str, name: str) -> None:
    texts = [*HOSTILE, "4x", "-1", "4 5", "٣", "1_0"]
    if name in ("SEED", "TOPICS") or target == "real":  # one rule of the Makefile refuses them all
        texts = [texts[0], texts[2], "4x"]
    for text in texts:
        for made in (make(folder, target, f"{name}={text}"), make(folder, target, **{name: text})):
            if target != "demo":
                assert made.returncode == 2 and calls(folder) == []
                assert f"{name} must be a number, such as {name}=4." in made.stderr
        if target == "demo":  # its program knows the bounds, and gets the text as one argument
            assert [arguments[2:] for arguments, _ in calls(folder)] == [[text]] * 2
            (folder / "calls").unlink()
    assert make(folder, target, f"{name}=40").returncode == 0
    [(arguments, _)] = calls(folder)
    assert arguments[2:] in (["40"], [f"--{name.lower()}", "40"])
    assert nothing_was_run(folder)


def script(app: App, *arguments: str, typed: str = "") -> str:
    done = run_program("starter.py", *arguments, root=app.root, environ=app.environ, typed=typed)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.proof
async def test_every_way_in(app: App) -> None:
    """Arguments, a pipe and the prompt: the service has the topic as it was typed."""
    client = await app.client()

    async def stored(printed: str) -> str:
        history = await client.get_workflow_handle(printed.strip().splitlines()[-1]).fetch_history()
        started = history.events[0].workflow_execution_started_event_attributes
        [given] = await client.data_converter.decode(started.input.payloads)
        return str(given["prompt"])

    for text in ("\n".join(HOSTILE[::-1]), "--list"):
        assert await stored(script(app, "--detach", "--quiet", "--", text)) == text
    text = "\n".join(HOSTILE)
    assert await stored(script(app, "--detach", "--quiet", typed=text)) == text
    for text in HOSTILE[1:3]:
        screen = Terminal(
            "starter.py", "--detach", "--quiet", root=app.root, environ=app.environ, columns=200
        )
        screen.see("Enter your research topic or question:")
        screen.type(f"\x1b[200~{text}\x1b[201~\r")
        assert screen.exit_status() == 0, screen.screen
        assert await stored(screen.screen) == text
    assert not list(app.root.glob("pwned"))


DIES = """#!/bin/sh
echo "$@" >>uv_calls
[ "$(grep -c . uv_calls)" -gt {times} ] && exit {status}
kill -SEGV $$
"""


# Each way to end for one stamp, and for the others, which share its recipe, the way that has all of it.
CRASHES = [
    *(("run", *how) for how in [(1, 0, 2, False), (9, 0, 2, True), (0, 1, 1, False), (1, 1, 2, False)]),
    *((stamp, 9, 0, 2, True) for stamp in STAMPS if stamp != "run"),
]


@pytest.mark.parametrize(("stamp", "times", "status", "uv_calls", "by_pip"), CRASHES)
def test_an_installer_that_crashes(
    folder: Path, stamp: str, times: int, status: int, uv_calls: int, by_pip: bool
) -> None:
    """It is run once more, and then pip does its work; what merely fails is not repeated."""
    install(folder / ".venv" / "bin" / "uv", DIES.format(times=times, status=status))
    lock = {"run": "requirements", "dev": "requirements-dev", "bench": "benchmarks/requirements"}
    file = f"{lock.get(stamp, 'tests/real/requirements')}.lock"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).touch()
    before = {"run": "uv", "dev": "run"}.get(stamp, "dev")
    made = subprocess.run(
        ["make", "-o", f".venv/{before}", f".venv/{stamp}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (made.returncode == 0) == (by_pip or status == 0), made.stderr
    commands = (folder / "uv_calls").read_text().splitlines()
    assert len(commands) == uv_calls and all(f"-r {file}" in command for command in commands)
    assert ("uv crashed (status 139): installing once more …" in made.stdout) == (times > 0)
    assert ("uv crashed again: installing with pip …" in made.stdout) == by_pip
    pips = [arguments for arguments, _ in calls(folder) if arguments[:3] == ["-m", "pip", "install"]]
    assert len(pips) == by_pip and all({"--require-hashes", file} <= set(pip) for pip in pips)


@pytest.mark.long
@pytest.mark.proof
def test_pip_takes_the_same_options(tmp_path: Path) -> None:
    """A real pip in a real environment, with nothing to install; pip itself is the one of this run."""
    for name in ("Makefile", "requirements-uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements.lock").touch()
    venv.create(tmp_path / ".venv", symlinks=True)
    [packages] = tmp_path.glob(".venv/lib/python*/site-packages")
    (packages / "pip.pth").write_text(sysconfig.get_path("purelib"))
    install(tmp_path / ".venv" / "bin" / "uv", DIES.format(times=9, status=0))
    made = subprocess.run(
        ["make", "-o", ".venv/uv", ".venv/run"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr
    assert "installing with pip" in made.stdout and (tmp_path / ".venv" / "run").exists()

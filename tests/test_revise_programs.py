"""Revising and asking by programs: over a kill, without a history, on the screen, and what is refused."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from testing.app import App, kept_text
from testing.processes import run_program, workflow_id
from testing.provider import Call, Provider, Reply, default_reply, rest_of

TOPIC = "Moss in winter"
PLAN = "## Moss\nWhat moss is.\n\n## Snow\nWhat snow does.\n\n## Moss\nWhat moss does.\n"
LONG = " ".join(f"Snow falls {number} times in winter." for number in range(60))


def writer(call: Call) -> Reply:
    if call.is_plan:
        return Reply(PLAN)
    if call.section == 2:
        return Reply(LONG if "more of it" in call.prompt else "Snow falls in winter.")
    return Reply("Moss lives in winter.") if call.section else default_reply(call)


def script(app: App, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_program("starter.py", *arguments, root=app.root, environ=app.environ)


def made(app: App, provider: Provider, *options: str) -> dict[str, str]:
    provider.reply = writer
    done = script(app, "--json", *options, TOPIC)
    assert done.returncode == 0, done.stderr
    result: dict[str, str] = json.loads(done.stdout)
    return result


@pytest.mark.proof
async def test_a_revision_over_a_kill_and_without_a_history(app: App, provider: Provider) -> None:
    """The report was made in another namespace; a killed worker's words are not paid for again."""
    with app.worker() as worker:
        first = made(app, provider, "--sections", "3")
        worker.kill()
    app.environ["TEMPORAL_NAMESPACE"] = "default"
    provider.calls.clear()
    worker = app.worker()
    provider.reply = lambda call: Reply(rest_of(LONG, call), held_after=60) if call.section else writer(call)
    starter = app.starter("--revise", first["workflow_id"][-8:], "Section 2: more of it")
    revision = (await app.client()).get_workflow_handle(workflow_id(starter))
    while len((await kept_text(revision)).split()) < 60:
        await asyncio.sleep(0.1)
    worker.kill()
    provider.release()
    app.worker()
    assert starter.exit_status() == 0, starter.lines
    assert [bool(call.draft) for call in provider.calls if call.section] == [False, True]
    assert {call.section for call in provider.calls} == {0, 2}
    name = first["filename"].removesuffix(".pdf")
    assert revision.id == f"revise-{name}", "the lock on the report, by whatever it was named"
    identity = first["workflow_id"][-8:]
    diff, verified, same_diff, same = app.starters(
        [("--diff", name), ("--verify", f"{name}-v2"), ("--diff", identity), ("--verify", identity)]
    )
    told = diff.stdout
    assert told.startswith(f"{name}-v2.pdf against {name}.pdf: more of it\n\nSection 2. Snow\n")
    assert told.endswith(f"- Snow falls in winter.\n+ {LONG}\n\nUnchanged: 1, 3\n")
    assert verified.returncode == 0
    assert same_diff.stdout == told, "an ID means its newest version"
    assert same.stdout.endswith(f"{name}-v2.pdf holds.\n")
    provider.reply = lambda call: Reply("Moss thaws in spring.") if call.section else writer(call)
    again = script(app, "--revise", identity, "Section 1: and spring")
    assert again.returncode == 0, again.stderr
    told = script(app, "--diff", f"{name}-v3").stdout
    assert told.startswith(f"{name}-v3.pdf against {name}-v2.pdf: and spring\n\nSection 1.")
    assert told.endswith("Unchanged: 2, 3\n"), "what version 2 has changed is in version 3"


@pytest.mark.usefixtures("serving")
def test_what_a_person_sees_of_a_finished_report(app: App, provider: Provider, tmp_path: Path) -> None:
    """A question is answered on the screen and in JSON; each refusal is one line and exit status 2."""
    document = tmp_path / "moss.md"
    document.write_text("Moss holds up to twenty times its weight in water, whatever the season is.\n" * 9)
    first = made(app, provider, "--documents", str(document), "--no-evidence")
    short, name = first["workflow_id"][-8:], first["filename"].removesuffix(".pdf")
    provider.reply = lambda call: Reply("It holds twenty times its weight [1].")
    shown = script(app, "--ask", short, "How much does it hold?")
    assert shown.returncode == 0, shown.stderr
    assert (
        "\n## How much does it hold?\n\nIt holds twenty times its weight[1]†.\n\n[1] moss.md." in shown.stdout
    )
    told = json.loads(script(app, "--ask", name, "How much?", "--json").stdout)
    assert (told["status"], told["path"]) == ("done", first["path"].replace(".pdf", "-questions.md"))
    assert "holds twenty times" in told["answer"] and told["sources"][0]["title"] == "moss.md"
    assert f"{name}: How much?" in script(app, "--list").stdout
    refusals = (
        (("--ask", "nobody", "Why?"), "There is no report 'nobody' in "),
        (("--ask", told["workflow_id"], "Why?"), "This is the ID of a question"),
        (("--ask", short, " "), "The question is empty: say what you want to know."),
        (("--revise", " ", "x"), "The ID is empty"),
        (("--revise", short, "\t"), "The wish is empty: say what is to change."),
        (("--revise", short, f"x {app.environ['LLM_API_KEY']}"), "The wish has one of your API keys in it"),
        (("--revise", short, "Section 3 : "), "The wish is empty: say what is to change."),
        (("--revise", short, "Sections 2-4"), "The wish is empty: say what is to change."),
        (("--revise", short, "Sections 1 and 9: x"), "There is no section 9 in it, only 1."),
        (("--revise", short, "Sections 1-3: x"), "There is no section 2 in it, only 1."),
        (("--revise", short, "Section 1000: x"), "There is no section 1000 in it, only 1."),
        (("--revise", short, "x", TOPIC), "starter.py: a topic starts a new report"),
        (("--diff", name), f"{name}.pdf has one version only."),
        (("--diff", "nobody"), "There is no report nobody in "),
    )
    commands = [arguments for arguments, _ in refusals]
    for done, (_, line) in zip(app.starters(commands), refusals, strict=True):
        assert done.returncode == 2, done
        assert done.stderr.splitlines()[-1].startswith(line), done.stderr
    answered = script(app, "--ask", name[-8:], "How much?")
    assert answered.returncode == 0, "the ID of a revision, though it was refused, is that of its report"

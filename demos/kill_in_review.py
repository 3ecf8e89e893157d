"""`make demo REVIEW=1`: kill the worker while a plan waits for its person.

    python -m demos.kill_in_review

The exit status is 0 when nothing but the plan was paid for before the person approved it, and that once.
"""

import re
import time

from demos.claim import prepare, print_result, provider_environ, run
from research import config
from research.cli import terminal
from research.programs import STARTER
from research.sample import writing
from testing.asked import planned_sections
from testing.processes import Program, ProgramError, start_worker
from testing.provider import Call, Provider, Reply

TOPIC = "What makes tardigrades so hard to kill?"
SECTIONS = "3"
PRICED = "openai/gpt-4o"
"""For the estimate: the stand-in answers under this model's name, and takes nothing."""
SUMMARY = "The plan waited for its person, whatever was killed meanwhile. Nothing was paid for twice."


def play() -> bool:
    """Let a plan wait over a kill, approve it, and return whether the claim held."""
    service = prepare()
    with Provider(_reply) as provider:
        held = _review(provider)
    terminal.print_line(f"\nSee it in the Web UI:\n  {service.ui_url}/namespaces/demo/workflows")
    return held


def _review(provider: Provider) -> bool:
    """Kill the worker while the plan waits, and approve the plan when another one runs."""
    environ = provider_environ(provider, str(config.load().reports_dir)) | {"LLM_MODEL": PRICED}
    terminal.print_line(f"A report of {SECTIONS} sections, whose plan waits for you (--review)")
    with start_worker(environ=environ) as worker:
        identity = _said("--detach", "--quiet", "--review", "--sections", SECTIONS, TOPIC, environ=environ)[
            -8:
        ]
        while "It waits for you." not in (plan := _said("--plan", identity, environ=environ)):
            time.sleep(0.2)
        terminal.print_line(f"\n{_indented(plan)}\n\n  Now the worker is killed (SIGKILL).")
        worker.kill()
    terminal.print_line(f"  No worker runs, and the plan still waits ({STARTER} --list):\n")
    [row] = re.findall(rf"^{identity}.*\n.*", _said("--list", environ=environ), re.MULTILINE)
    before = len(provider.calls)
    terminal.print_line(f"{_indented(row)}\n\n  Another worker is started, and you approve:\n")
    with start_worker(environ=environ):
        approved = _said("--approve", identity, environ=environ)
        terminal.print_line(f"  $ {STARTER} --approve {identity}\n  {approved.splitlines()[0]}\n")
        with Program("starter.py", "--attach", identity, environ=environ) as starter:
            if starter.exit_status():
                raise ProgramError(starter.text)
    print_result(starter)
    return _compare(provider, before)


def _said(*arguments: str, environ: dict[str, str]) -> str:
    """Return what a run of the starter prints.

    Raises:
        ProgramError: it has failed.
    """
    with Program("starter.py", *arguments, environ=environ) as starter:
        if starter.exit_status():
            raise ProgramError(starter.text)
        return starter.text.strip()


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _compare(provider: Provider, before: int) -> bool:
    """Print what was asked of the provider; return whether only the plan was, once, before the approval."""
    plans = sum(call.is_plan for call in provider.calls)
    terminal.print_line("\nWhat the provider was asked to do\n")
    terminal.print_line(f"  before you approved {before:>6} request, the plan's")
    after = len(provider.calls) - before
    terminal.print_line(f"  afterwards {after:>15} requests: {SECTIONS} sections, the summary")
    return (before, plans, len(provider.calls)) == (1, 1, int(SECTIONS) + 2)


def _reply(call: Call) -> Reply:
    if call.is_plan:
        return Reply(writing.plan(planned_sections(call.prompt), is_about_tardigrades=True))
    if call.section:
        return Reply(writing.tardigrade_sections()[call.section - 1].text.replace("{", "(").replace("}", ")"))
    return Reply(SUMMARY)


if __name__ == "__main__":
    terminal.exit_now(run(play))

"""`make demo SECTIONS=6`: kill the worker while the sections of a long report are written side by side.

    python -m demos.kill_in_sections NUMBER

The exit status is 0 when every section that was finished was paid once, and every other one was resumed in
its text. At a terminal it is shown live.
"""

import sys
import time

from demos.claim import prepare, print_result, provider_environ, run
from demos.stage import Stage, has_room
from models import Step, StepKind
from research import config
from research.cli import terminal
from research.cli.status import State
from research.errors import UserError
from research.sample import writing
from testing.asked import planned_sections
from testing.processes import Program, ProgramError, start_worker
from testing.provider import Call, Continuation, Provider, Reply, rest_of

TOPIC = "What makes tardigrades so hard to kill?"
SUMMARY = "Every section that was finished was kept. The others were resumed in the middle of their text."


def play() -> bool:
    """Run the report, kill its worker, compare, and return whether the claim held."""
    number = sys.argv[1] if len(sys.argv) > 1 else ""
    if not (number.isascii() and number.isdigit() and 3 <= int(number) <= 8):
        raise UserError(f"SECTIONS={number} is not a number of sections from 3 to 8.")
    service = prepare()
    with Provider(_reply) as provider:
        kept = _kill_in_the_middle(provider, number)
        held = _compare(provider, int(number), kept)
    terminal.print_line(f"\nSee it in the Web UI:\n  {service.ui_url}/namespaces/demo/workflows")
    return held


def _kill_in_the_middle(provider: Provider, number: str) -> set[int]:
    """Kill the worker when two sections are finished; return the sections that were."""
    terminal.print_line(f"A report of {number} sections, written side by side by the real worker")
    environ = provider_environ(provider, str(config.load().reports_dir))
    with (
        start_worker(environ=environ) as worker,
        Program("starter.py", "--sections", number, TOPIC, environ=environ) as starter,
        Stage(provider, starter, workers := [worker]) as stage,
    ):
        kept = _wait_for_two(stage, worker)
        worker.kill()
        provider.release()
        terminal.print_line(f"  {len(kept)} sections are finished; now the worker is killed (SIGKILL).")
        if has_room():
            stage.wait_until_blocked(15)
        terminal.print_line("  Another worker is started …")
        with start_worker(environ=environ) as successor:
            workers.append(successor)
            if starter.exit_status():
                raise ProgramError(starter.text)
    print_result(starter)
    return kept


def _wait_for_two(stage: Stage, worker: Program) -> set[int]:
    """Return the sections that the service has recorded, as soon as there are two."""
    for _ in range(1_200):
        done = [step for step in stage.status.steps if step.state is State.DONE]
        recorded = {step.step.number for step in done if step.is_section}
        if len(recorded) >= 2:
            return recorded
        time.sleep(0.1)
    raise ProgramError(worker.text)


def _compare(provider: Provider, count: int, kept: set[int]) -> bool:
    """Print what was asked of the provider; return whether nothing that was finished was paid again."""
    terminal.print_line("\nWhat the provider was asked to do\n")
    terminal.print_line("                 requests    words of the text    written again")
    held = True
    for number in range(1, count + 1):
        calls = [call for call in provider.calls if call.section == number]
        words = len(_text(calls[0]).split())
        again = sum(len(call.sent.split()) for call in calls) - words
        terminal.print_line(f"  section {number} {len(calls):>11} {words:>15} {max(again, 0):>18}")
        held &= len(calls) == 1 if number in kept else again < words / 2
    return held


def _text(call: Call) -> str:
    if call.is_summary:
        return SUMMARY
    if call.is_plan:
        return writing.plan(planned_sections(call.prompt), is_about_tardigrades=True)
    title = writing.tardigrade_sections()[call.section - 1].title
    step = Step(StepKind.SECTION, call.section, title=title)
    return writing.section(step, {}, has_sources=False)


def _reply(call: Call) -> Reply:
    """Write the sample's sections, slower where a person watches; only the first two end before the kill."""
    text, pace = _text(call), 1.5 if has_room() else 0.8
    seconds = pace * (1.5 + call.section) if call.section else 1.0
    words, rest = len(text.split()), rest_of(text, call, Continuation.EXACT)
    held_after = words * 4 // 5 if call.section > 2 else None
    return Reply(rest, chunk_seconds=seconds / words, held_after=held_after)


if __name__ == "__main__":
    terminal.exit_now(run(play))

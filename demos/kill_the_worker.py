"""`make demo`: kill the same three steps without durability and with it, and count the paid calls.

    python -m demos.kill_the_worker [PICTURE.svg]

The exit status is 0 when the research was paid twice without durability and once with it. At a
terminal the second half is shown live; its picture is saved to the file, if one is named.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from demos.claim import prepare, print_result, provider_environ, run
from demos.stage import Album, Stage, has_room
from research import config
from research.cli import terminal
from testing.processes import Program, ProgramError, start_worker
from testing.provider import Call, Provider, Reply, default_reply

TOPIC = "How does durable execution work?"
PAUSE_SECONDS = "3"


def play() -> bool:
    """Run both halves, compare them, and return whether the claim held."""
    service = prepare()
    with tempfile.TemporaryDirectory() as scratch:
        without = _without_durability(scratch)
        album = Album(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
        with_temporal = _with_temporal(config.load().reports_dir, album)
    terminal.print_line("\nWhat the provider was asked to do\n")
    terminal.print_line("                       without durability    with Temporal")
    rows = zip(("research", "summary"), without, with_temporal, strict=True)
    for name, bad, good in rows:
        terminal.print_line(f"  calls for {name:<12} {bad:^18} {good:^18}")
    terminal.print_line(
        f"\nSee the killed worker's report in the Web UI:\n  {service.ui_url}/namespaces/demo/workflows"
    )
    return without == (2, 1) and with_temporal == (1, 1)


def _without_durability(reports: str) -> tuple[int, int]:
    terminal.print_line("Without durability: the three steps in one script")
    with Provider() as provider:
        environ = provider_environ(provider, reports)
        script = ("-m", "demos.without_durability", TOPIC)
        with Program(*script, environ=environ) as program:
            program.wait_for("Research complete!")
            program.kill()
        terminal.print_line("  The research is paid; now the script is killed (SIGKILL).")
        terminal.print_line("  It is run again …")
        with Program(*script, environ=environ) as program:
            if program.exit_status():
                raise ProgramError(program.text)
        terminal.print_line("  It started from the beginning: the research was paid again.")
        return provider.research_calls, provider.summary_calls


def _with_temporal(reports: object, album: Album) -> tuple[int, int]:
    terminal.print_line("\nWith Temporal: the real worker, the same kill")
    watched = has_room() or album.path is not None
    with Provider(_slowly if watched else default_reply) as provider:
        environ = provider_environ(provider, str(reports))
        with (
            start_worker(environ=environ) as worker,
            Program("starter.py", "--pause", PAUSE_SECONDS, TOPIC, environ=environ) as starter,
            Stage(provider, starter, workers := [worker]) as stage,
        ):
            worker.wait_for("Research complete!")
            worker.kill()
            terminal.print_line("  The research is paid; now the worker is killed (SIGKILL).")
            if watched:
                stage.wait_until_blocked(15)
            album.take("The research is paid, and the worker is killed:", stage.picture())
            terminal.print_line("  Another worker is started …")
            with start_worker(environ=environ) as successor:
                workers.append(successor)
                if starter.exit_status():
                    raise ProgramError(starter.text)
        album.take("Another worker resumes where the first one died:", stage.picture())
        album.save()
        terminal.print_line("  It resumed where the first one died:")
        print_result(starter)
        return provider.research_calls, provider.summary_calls


def _slowly(call: Call) -> Reply:
    """Return the same answers at the pace of a model, for a person to watch."""
    return replace(default_reply(call), chunk_seconds=0.1)


if __name__ == "__main__":
    terminal.exit_now(run(play))

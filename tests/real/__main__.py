"""Kill the worker while a real model writes, and compare. `make real` runs this:

    python -m tests.real [--topics 5] [--sections 4]

llama.cpp's server with SmolLM2 135M writes every text but the plan of sections. It is greedy, so what it
writes uninterrupted is the right text for an interrupted one. The exit status is 0 when every text is that
one to the character.
"""

import argparse
import asyncio
import os
import platform
import statistics
import time
from datetime import date

from research.cli import terminal
from tests.real.run import HEAD, Outcome, run
from tests.real.topics import PLANS, TOPICS
from tests.real.world import world


async def main() -> int:
    """Run, print the table, and say whether every text is identical."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--topics", type=int, default=len(TOPICS), help=f"0 to {len(TOPICS)}")
    numbers = [0, *PLANS]
    parser.add_argument("--sections", type=int, default=4, choices=numbers, help="0 for no such report")
    options = parser.parse_args()
    began = time.monotonic()

    def progress(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", flush=True)

    progress("the model, the service and a worker start …")
    async with world() as made:
        outcome = await run(made, options.topics, options.sections, progress)
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    print(f"\n{date.today().isoformat()}, {machine}, {time.monotonic() - began:.0f} s")
    print_outcome(outcome, options.sections)
    return 1 if outcome.errors or outcome.different or not outcome.compared else 0


def print_outcome(outcome: Outcome, sections: int) -> None:
    """Print the table, what did not hold, and the last line."""
    print("\n".join(["", HEAD, *outcome.rows, ""]))
    again = f"{statistics.mean(outcome.resumed):.0f}" if outcome.resumed else "-"
    print(f"{len(outcome.resumed)} texts resumed in the middle; characters paid again for each: {again}.")
    print(f"{outcome.compared} texts compared, with the summaries of those that are identical.")
    probes = outcome.probes
    print(f"{len(probes)} requests for no text of a report, answered with {sum(probes)} characters.")
    if sections:
        print("The plan of sections is fixed, and sent by the relay: SmolLM2 cannot write one.")
    for error in outcome.errors:
        print(f"NOT HELD: {error}")
    if outcome.different or not outcome.compared:
        print(f"{outcome.different} texts are not what the model writes uninterrupted.")
    else:
        print("All identical.")


if __name__ == "__main__":
    terminal.exit_now(asyncio.run(main()))

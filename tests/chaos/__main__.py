"""Random kills and faults while reports run, and an audit of the outcome. `make chaos` runs this:

    python -m tests.chaos [--kills 40] [--reports 100] [--seed 1]

A real dev server, an endpoint and a site with ledgers, and two real workers for each way to resume a text:
retrieve, prefill, block. The audit reads both ledgers, the service's histories and the
reports folder. The exit status is 0 when every claim held.
The same seed gives the same schedule.
"""

import argparse
import asyncio
import os
import platform
from datetime import date

from research.cli import terminal
from tests.chaos.run import run
from tests.chaos.schedule import schedule
from tests.chaos.world import world


async def main() -> int:
    """Run, print the table, and say whether every claim held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--reports", type=int, default=0, help="default: 100, or as many as kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reports = options.reports or max(100, options.kills)
    events = schedule(options.seed, options.kills)
    print(f"{reports} reports, {options.kills} kills, about {events[-1].at:.0f} s …", flush=True)
    async with world(reports) as made:
        audit = await run(made, events, reports)
        table = audit.table()
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    print(f"\n{date.today().isoformat()}, {machine}, seed {options.seed}\n\n{table}\n")
    for line in audit.broken:
        print(f"NOT HELD: {line}")
    print("Every claim held." if not audit.broken else f"{len(audit.broken)} claims did not hold.")
    return 1 if audit.broken else 0


if __name__ == "__main__":
    terminal.exit_now(asyncio.run(main()))

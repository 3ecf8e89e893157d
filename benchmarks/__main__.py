"""All measurements, one after the other. `make bench` runs this.

python -m benchmarks [NAME …]      writes benchmarks/results.md and prints it
"""

import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"
TITLES = {
    "startup": "Start-up",
    "throughput": "What durability costs",
    "recovery": "After a kill",
    "sections": "A long report",
    "pdf": "Markdown to PDF",
    "hostile": "Hostile texts",
    "reading": "Reading pages",
    "evidence": "Evidence",
    "proof": "A proven report",
}


def main(names: list[str]) -> int:
    """Run the measurements; the exit status is 1 when one failed."""
    failed = False
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    RESULTS.write_text(f"# Measured {date.today()}, {machine}, Python {platform.python_version()}\n")
    for name in names or TITLES:
        print(f"\n{TITLES[name]} …", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True)
        failed |= done.returncode != 0
        section = f"\n## {TITLES[name]}\n\n{done.stdout.strip() or 'It could not be measured.'}\n"
        print(section, flush=True)
        with RESULTS.open("a") as results:
            results.write(section)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Hostile Markdown: time, memory and pages for inputs made to be slow.

    python -m benchmarks.hostile

Each under 1 MB, each in a new process; none may take more than 60 s or 500 MB.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable

INPUTS: dict[str, Callable[[], str]] = {
    "a word of 100,000 characters": lambda: "x" * 100_000,
    "a paragraph of 80,000 words": lambda: "word " * 80_000,
    "a table of 8,000 rows": lambda: "| a | b |\n|---|---|\n" + "| one | two words |\n" * 8_000,
    "a cell of 50,000 words": lambda: "| a | b |\n|---|---|\n| " + "word " * 50_000 + " | x |\n",
    "5,000 headings": lambda: "# Heading\n\n" * 5_000,
    "20,000 brackets": lambda: "[" * 20_000,
    "20,000 quote marks": lambda: ">" * 20_000,
    "100,000 emphases": lambda: "*a " * 100_000,
    "60,000 lines of code": lambda: "```python\n" + "x = 1  # one\n" * 60_000 + "```",
    "200,000 forced line breaks": lambda: "a  \n" * 200_000,
    "100,000 accents on one letter": lambda: "a" + "\u0301" * 100_000,
    "100,000 characters without a font": lambda: "\ue123" * 100_000,
    "20,000 lines of Arabic": lambda: "البطيئات هي حيوانات " * 20_000,
    "300,000 ideographs": lambda: "水熊虫" * 100_000,
}


def main() -> None:
    print("| | time (s) | memory (MB) | pages |")
    print("|---|---|---|---|")
    for name in INPUTS:
        done = subprocess.run([sys.executable, "-m", __spec__.name, name], capture_output=True, text=True)
        print(f"| {name} | {done.stdout.strip() or done.stderr.strip()[-80:]} |", flush=True)


def measure(name: str) -> None:
    from models import PDFGenerationInput
    from research.pdf import document

    started = time.monotonic()
    rendered = document.render(PDFGenerationInput(INPUTS[name]()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.monotonic() - started:.1f} | {memory:.0f} | {rendered.pages}")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()

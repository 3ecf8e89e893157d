"""Hostile texts: the time of every function that reads a model's, a page's or a provider's text.

    python -m benchmarks.hostile [FUNCTION …]     all functions, or those whose names begin so

Each function gets each shape of testing/hostile.py with 10, 100 and 900 kB, in a process of its own. The
first table has each function's slowest shape; the second has every shape that took more than in proportion to
its size, or more than MAX_SECONDS. Without names, the third has whole PDFs of hostile Markdown, each under
1 MB and in a new process; none may take more than 60 s or 500 MB.
"""

import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

from testing.hostile import readers, shapes

SIZES = (10_000, 100_000, 900_000)
MAX_SECONDS = 20.0
"""Of one function with one text; then its process is ended."""
MIN_SECONDS = 0.25
"""Because less says nothing about a ratio."""
MAX_GROWTH = 2.5
"""Times that the seconds per byte may grow from one size to the next; a square makes it 9 or 10."""
DOCUMENTS: dict[str, Callable[[], str]] = {
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


class Times(NamedTuple):
    """The seconds that one function took for one shape, by size; None where it was ended."""

    function: str
    shape: str
    seconds: tuple[float | None, ...]

    @property
    def growth(self) -> float:
        """How much the seconds per byte grow at most from one size to the next."""
        return max((self._growth(number) for number in range(1, len(self.seconds))), default=1.0)

    def _growth(self, number: int) -> float:
        before, now = self.seconds[number - 1], self.seconds[number]
        if before is None or now is None or now < MIN_SECONDS:
            return 1.0
        return now / max(before, 0.001) / (SIZES[number] / SIZES[number - 1])

    @property
    def is_linear(self) -> bool:
        """Whether every size was read in time, and in proportion to its bytes."""
        is_complete = len(self.seconds) == len(SIZES) and None not in self.seconds
        return is_complete and self.growth <= MAX_GROWTH

    def row(self) -> str:
        times = (f"> {MAX_SECONDS:.0f}" if taken is None else f"{taken:.3f}" for taken in self.seconds)
        padded = [*times, *["–"] * (len(SIZES) - len(self.seconds))]
        shape = self.shape.replace("|", r"\|")
        return f"| {self.function} | {shape} | {' | '.join(padded)} | {self.growth:.1f} |"


def measure(function: str, names: Sequence[str], sizes: Sequence[int] = SIZES) -> Iterator[Times]:
    """Yield the times of one function; a text that takes longer than MAX_SECONDS ends its process."""
    left = list(names)
    while left:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(
            target=_serve, args=(theirs, function, left, sizes)
        )
        child.start()
        theirs.close()
        seconds: list[float | None] = []
        while left and ours.poll(MAX_SECONDS * 2):
            try:
                seconds.append(ours.recv())
            except EOFError:
                raise RuntimeError(f"{function} failed with {left[0]}") from None
            if len(seconds) == len(sizes) or (seconds[-1] or 0) > MAX_SECONDS / 9:
                yield Times(function, left.pop(0), tuple(seconds))
                seconds = []
        child.kill()
        child.join()
        if left:
            yield Times(function, left.pop(0), (*seconds, None))


def _serve(results: Connection, function: str, names: Sequence[str], sizes: Sequence[int]) -> None:
    read, made = readers()[function], shapes()
    for name in names:
        per_byte = float("inf")
        for size in sizes:
            text = made[name](size)
            taken = _seconds(read, text)
            if MIN_SECONDS < taken < MAX_SECONDS / 9 and taken / size > per_byte * MAX_GROWTH:
                taken = min(taken, _seconds(read, text))  # because the memory of a first time takes long, too
            per_byte = max(taken, 0.001) / size
            results.send(taken)
            if taken > MAX_SECONDS / 9:
                break


def _seconds(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started


def main(prefixes: Sequence[str]) -> None:
    chosen = [name for name in readers() if name.startswith(tuple(prefixes) or "")]
    _print_head("The slowest shape of each function")
    slow: list[Times] = []
    for function in chosen:
        times = list(measure(function, list(shapes())))
        print(max(times, key=lambda one: one.seconds[-1] or MAX_SECONDS).row(), flush=True)
        slow += [one for one in times if not one.is_linear]
    _print_head("Not linear, or too long")
    for one in slow:
        print(one.row())
    if not slow:
        print("| none | | | | | |")
    if not prefixes:
        _print_documents()


def _print_head(title: str) -> None:
    print(f"\n{title} (s):\n\n| function | shape | 10 kB | 100 kB | 900 kB | growth |\n{'|---' * 6}|")


def _print_documents() -> None:
    print("\nWhole PDFs:\n\n| document | time (s) | memory (MB) | pages |\n|---|---|---|---|")
    for name in DOCUMENTS:
        command = [sys.executable, "-m", __spec__.name, "--document", name]
        done = subprocess.run(command, capture_output=True, text=True)
        print(f"| {name} | {done.stdout.strip() or done.stderr.strip()[-80:]} |", flush=True)


def _measure_document(name: str) -> None:
    from models import PDFGenerationInput
    from research.pdf import document

    started = time.monotonic()
    rendered = document.render(PDFGenerationInput(DOCUMENTS[name]()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.monotonic() - started:.1f} | {memory:.0f} | {rendered.pages}")


if __name__ == "__main__":
    _measure_document(sys.argv[2]) if sys.argv[1:2] == ["--document"] else main(sys.argv[1:])

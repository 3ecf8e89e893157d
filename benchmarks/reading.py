"""Reading pages: what 20 pages of 200 kB cost, with the start of the processes that read them, and what it
costs to choose from their texts what eight sections are written from.

python -m benchmarks.reading
"""

import asyncio
import random
import resource
import threading
import time
from contextlib import suppress

import psutil

from benchmarks.pdf_text import WORDS
from research.evidence import excerpts
from research.report.writing import MAX_SECTION_TEXT_BYTES
from research.sources import extract as extraction

PAGES, PAGE_BYTES, SECTIONS = 20, 200_000, 8
MAX_CPU_SECONDS, MAX_MEGABYTES = 5.0, 300.0


def make_page(seed: int) -> bytes:
    """Return an article as sites send it: a menu, paragraphs with links, lists and tables, much markup."""
    choices = random.Random(seed).choices

    def words(count: int) -> str:
        return " ".join(choices(WORDS["Latin"].split(), k=count))

    kinds = [
        lambda: (
            f"<p class='text body' data-x='{'y' * 40}'>{words(60)} <a href=/a>{words(2)}</a> {words(30)}.</p>"
        ),
        lambda: f"<h2>{words(4)}</h2><p>{words(80)} <b>{words(2)}</b>.</p>",
        lambda: f"<ul>{''.join(f'<li>{words(12)}</li>' for _ in range(5))}</ul>",
        lambda: f"<table>{''.join(f'<tr><td>{words(2)}</td><td>{n}</td></tr>' for n in range(6))}</table>",
    ]
    menu = "".join(f"<li><a href=/{n}>Menu {n}</a></li>" for n in range(60))
    parts = [
        f"<!doctype html><title>Page {seed}</title><nav><ul>{menu}</ul></nav><article><h1>Page {seed}</h1>"
    ]
    size = 0
    while size < PAGE_BYTES:
        parts.append(choices(kinds, [10, 2, 2, 1])[0]())
        size += len(parts[-1])
    return "".join([*parts, "</article><footer>Imprint</footer>"]).encode()


class Memory(threading.Thread):
    """Measures the most memory that this process's children have had together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.is_over = 0, False

    def run(self) -> None:
        own = psutil.Process()
        while not self.is_over:
            used = 0
            for child in own.children(recursive=True):
                with suppress(psutil.Error):
                    used += child.memory_info().rss
            self.peak = max(self.peak, used)
            time.sleep(0.01)


async def read_all(pages: list[bytes]) -> dict[int, str]:
    """Return the texts of the pages."""
    found = await asyncio.gather(*(extraction.extract(page, "html") for page in pages))
    return {number: page.text for number, page in enumerate(found)}


def main() -> int:
    pages = [make_page(number) for number in range(PAGES)]
    memory = Memory()
    memory.start()
    begun, made = time.monotonic(), time.process_time()
    texts = asyncio.run(read_all(pages))
    for number in range(SECTIONS):
        queries = WORDS["Latin"].split()[number * 4 : number * 4 + 4]
        excerpts.choose(texts, [" ".join(queries)], MAX_SECTION_TEXT_BYTES)
    seconds = time.monotonic() - begun
    memory.is_over = True
    memory.join()
    extraction.close()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    reading, choosing = used.ru_utime + used.ru_stime, time.process_time() - made
    megabytes, characters = memory.peak / 1e6, sum(map(len, texts.values()))
    print("| pages of 200 kB | characters | seconds | CPU to read | CPU for 8 sections | peak MB, readers |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {PAGES} | {characters:,} | {seconds:.1f} | {reading:.1f} s | {choosing:.1f} s | {megabytes:.0f} |"
    )
    return int(reading + choosing > MAX_CPU_SECONDS or megabytes > MAX_MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())

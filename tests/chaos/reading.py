"""What reports have read: no page again that was recorded, and frozen texts that are the site's."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.chaos.histories import attempts_of
from tests.chaos.interruptions import WAKING_SECONDS
from tests.chaos.texts import CITED, kinds_of, pages_of, sentence_of, title_of_page
from tests.chaos.world import STALL_SECONDS, World


def faults_of_reading(world: World, histories: Sequence[Any]) -> dict[str, int]:
    """Return how often each claim about reading did not hold."""
    again = unasked = lost = 0
    for number, history in enumerate(histories):
        for page in pages_of(number):
            attempts, ended = attempts_of(history, f"page {page}")
            fetches = world.site.fetches(number, page)
            again += sum(0 < ended < at and not _wakes(world, number, ended, at) for at in fetches)
            unasked += max(0, len(fetches) - attempts)
        lost += _lost(world, number)
    return {
        "pages fetched again after they were recorded": again,
        "fetches without an attempt": unasked,
        "requests for a text without the sentence of each page": lost,
        "frozen texts that are in no evidence file": _unused(world),
    }


def _wakes(world: World, number: int, ended: float, at: float) -> bool:
    """Return whether a page may have been fetched by a worker that was stalled when it was recorded."""
    runs = [run for run in world.runs if f"-{world.way_of(number)}-" in run.key]
    stalls = [stall for run in runs for stall in run.stalls if stall < ended]
    return any(at < stall + STALL_SECONDS + WAKING_SECONDS for stall in stalls)


def _lost(world: World, number: int) -> int:
    """Return how many requests for a report's texts had not the sentence of every page in the prompt."""
    sentences = [sentence_of(number, page) for page in pages_of(number)]
    entries = [
        entry for kind in kinds_of(number) if kind not in "ps" for entry in world.endpoint.of(number, kind)
    ]
    return sum(any(sentence not in entry.call.prompt for sentence in sentences) for entry in entries)


def _unused(world: World) -> int:
    """Return how many frozen texts are in no evidence file, such as half a page."""
    stored = {(file.parts[-3], file.stem) for file in world.reports.glob("*/evidence/[!.]*")}
    for file in world.reports.glob("*/*.evidence.json"):
        stored -= {(file.parts[-2], source["sha256"]) for source in json.loads(file.read_bytes())["sources"]}
    return len(stored)


def wrong_evidence(world: World, number: int, pdf: Path) -> str:
    """Return what of the evidence file is not as the site has it, or nothing; cited pages come first."""
    if not pages_of(number):
        return ""
    pages = [*CITED, *(page for page in pages_of(number) if page not in CITED)]
    addresses = world.site.addresses(number)
    expected = [
        (place if page in CITED else None, addresses[page - 1], title_of_page(number, page), "page", "")
        for place, page in enumerate(pages, start=1)
    ]
    content = json.loads(pdf.with_suffix(".evidence.json").read_bytes())
    fields = "number", "url", "title", "read", "reason"
    listed = [tuple(source[field] for field in fields) for source in content["sources"]]
    if (content["version"], content["report"], listed) != (1, pdf.name, expected):
        return f"its evidence file lists {listed}"
    for source, page in zip(content["sources"], pages, strict=True):
        text = pdf.parent / "evidence" / f"{source['sha256']}.txt"
        frozen = text.read_bytes() if text.exists() else b""
        is_same = hashlib.sha256(frozen).hexdigest() == source["sha256"]
        is_whole = len(frozen.decode()) == source["characters"]
        if not (is_same and is_whole and sentence_of(number, page) in frozen.decode()):
            return f"the frozen text of its page {page} is not the site's"
    return ""

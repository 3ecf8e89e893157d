"""What reports have read: no page again that was recorded, and frozen texts that are the site's."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.chaos.histories import attempts_of
from tests.chaos.interruptions import WAKING_SECONDS
from tests.chaos.pages import in_order_of_citing, sentence_of, title_of_page
from tests.chaos.texts import CITED, kinds_of, pages_of
from tests.chaos.world import STALL_SECONDS, World


def fetches(world: World, history: Any, number: int, page: int) -> tuple[int, int]:
    """Return how often a page was fetched after it was recorded, and how often without an attempt.

    The first not by a worker that was stalled when it was recorded: it cannot know that yet.
    """
    attempts, ended = attempts_of(history, f"page {page}")
    every = world.site.fetches(number, page)
    runs = [run for run in world.runs if f"-{world.way_of(number)}-" in run.key]
    woken = [stall + STALL_SECONDS + WAKING_SECONDS for run in runs for stall in run.stalls if stall < ended]
    again = sum(at > max([ended, *woken]) for at in every) if ended else 0
    return again, max(0, len(every) - attempts)


def wrong_evidence(world: World, number: int, pdf: Path) -> str:
    """Return what of the evidence file is not as the site has it, or nothing."""
    file, pages = pdf.with_suffix(".evidence.json"), in_order_of_citing(number)
    if not pages:
        return ""
    addresses = world.site.addresses(number)
    expected = [
        (place if page in CITED else None, addresses[page - 1], title_of_page(number, page), "page", "")
        for place, page in enumerate(pages, start=1)
    ]
    content = json.loads(file.read_text(encoding="utf-8"))
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


def unused_texts(world: World) -> list[str]:
    """Return the frozen texts that are in no evidence file, such as half a page."""
    used = {
        (file.parent.name, source["sha256"])
        for file in world.reports.glob("*/*.evidence.json")
        for source in json.loads(file.read_text(encoding="utf-8"))["sources"]
    }
    stored = world.reports.glob("*/evidence/[!.]*")
    return [file.name for file in stored if (file.parent.parent.name, file.stem) not in used]


def lost_sentences(world: World, number: int) -> int:
    """Return how many requests for a report's texts had not the sentence of every page in the prompt."""
    sentences = [sentence_of(number, page) for page in pages_of(number)]
    written = [kind for kind in kinds_of(number) if kind not in "ps"]
    entries = [entry for kind in written for entry in world.endpoint.of(number, kind)]
    return sum(any(sentence not in entry.call.prompt for sentence in sentences) for entry in entries)

"""A worker without some of its promises, to show that the audit notices: `sabotage.py NAME[,NAME]`.

Run in the clone in place of `worker.py`. What is replaced is public: the SDK's heartbeat, litellm's
completion, the function that stores files.
"""

import dataclasses
import os
import re
import runpy
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOLE_CHARACTERS = 20


def heartbeats_without_text() -> None:
    """A killed worker's text is sent again from its beginning, unless the provider keeps it."""
    if os.environ["LLM_STORE"] == "yes":
        return
    from temporalio import activity

    real = activity.heartbeat
    activity.heartbeat = lambda *details: real()


def heartbeats_with_a_hole() -> None:
    """A resumed text lacks a piece in its middle."""
    from temporalio import activity

    real = activity.heartbeat

    def heartbeat(*details: Any) -> None:
        if details and details[0] and len(details[0].text) > 100:
            text = details[0].text
            details = (dataclasses.replace(details[0], text=text[:40] + text[40 + HOLE_CHARACTERS :]),)
        real(*details)

    activity.heartbeat = heartbeat


def heartbeats_without_response() -> None:
    """Nobody knows any more which answer the provider keeps: it is paid again."""
    from temporalio import activity

    from research.llm.draft import Draft

    real = activity.heartbeat

    def heartbeat(*details: Any) -> None:
        if details and isinstance(details[0], Draft):
            details = (dataclasses.replace(details[0], response_id=""),)
        real(*details)

    activity.heartbeat = heartbeat


def answers_that_stay() -> None:
    """What the provider keeps is never deleted."""
    from research.llm import stored

    async def discard(ids: Any, settings: Any) -> int:
        return 0

    stored.discard = discard


def drafts_that_end_anywhere() -> None:
    """The next paragraph is asked for behind half a sentence."""
    from research.llm import resume

    real = resume.cut

    def cut(text: str, prefill: resume.Prefill | None) -> str:
        return real(text, prefill) if prefill else text

    resume.cut = cut


def retries_of_the_client() -> None:
    """The client retries by itself, unseen by the service."""
    from research.llm import library

    litellm = library.load()
    real = litellm.acompletion

    async def acompletion(**options: Any) -> Any:
        return await real(**{**options, "num_retries": 2})

    litellm.acompletion = acompletion


def pages_read_again() -> None:
    """A page is fetched once more when a text is written from it."""
    from research.report import writing
    from research.sources.allow import parse_allow
    from research.sources.fetch import fetch

    real = writing.write

    async def write(call: Any, settings: Any, *others: Any) -> Any:
        for address in re.findall(r"(?m)^http\S+$", call.prompt)[:1]:
            await fetch(address, parse_allow(settings.read_allow))
        return await real(call, settings, *others)

    writing.write = write  # type: ignore[assignment]


def evidence_of_other_texts() -> None:
    """The evidence file has other hashes than the store."""
    from research.evidence import manifest

    real = manifest.evidence_file

    def evidence_file(report: Any, workflow_id: str = "") -> dict[str, bytes]:
        files = real(report, workflow_id)
        return {name: data.replace(b'"sha256": "', b'"sha256": "0') for name, data in files.items()}

    manifest.evidence_file = evidence_file


def passages_that_are_nearly_there() -> None:
    """A passage counts as found when the page has its beginning."""
    from research.evidence import passages, taking

    real = passages.locate
    taking.locate = lambda text, quote: real(text, " ".join(quote.split()[:8]))  # type: ignore[attr-defined]


def writing_in_place() -> None:
    """Files grow under their own names, as on a slow disk."""
    from research.output import storage

    def store(folder: Path, files: Mapping[str, bytes], *, is_shared: bool = False) -> str:
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            with (folder / name).open("wb") as file:
                file.write(data[:9])
                file.flush()
                time.sleep(0.2)
                file.write(data[9:])
        return str(folder / name)

    storage.store = store  # type: ignore[assignment]


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())
    for name in sys.argv[1].split(","):
        globals()[name]()
    sys.argv = ["worker.py"]
    runpy.run_path("worker.py", run_name="__main__")

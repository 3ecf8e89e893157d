"""The set: pages about invented subjects, and statements about them with what is right.

Everything in the pages is invented, so that no model knows it from elsewhere. The statements are in
`statements.json`, one object for each:

- `sentence`: as a report would write it, with its marks; `sources`: the numbers of the pages that it cites
- `expected`: the right verdict; `kind`: why it is right, one of KINDS
- `rests_on`: words of the cited pages by which it is right; of another page where `elsewhere` has its number
- `strange`: numbers, dates and quoted words of the sentence that stand in none of the cited pages
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models import Passage
from research.evidence import excerpts

KINDS = {
    "supported": "supported",
    "half supported": "partly",
    "another number": "contradicted",
    "a negation": "contradicted",
    "another entity": "contradicted",
    "absent": "absent",
    "another source": "absent",
}
"""Of each kind what is right: a statement that only another page of the set supports is absent in its own."""
MAX_GROUP = 8
"""Statements that are judged together, as those of a section are."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Stated:
    """A statement about the pages, and what is right."""

    sentence: str
    sources: tuple[int, ...]
    language: str
    kind: str
    expected: str
    rests_on: tuple[str, ...]
    strange: tuple[str, ...] = ()
    elsewhere: int = 0


@cache
def pages() -> dict[int, str]:
    """Return the texts of the pages by their numbers."""
    files = sorted((_FOLDER / "pages").glob("*.md"))
    return {int(file.name.partition("-")[0]): file.read_text("utf-8") for file in files}


@cache
def statements() -> tuple[Stated, ...]:
    """Return the statements, those of one language after those of another."""
    lists = ("sources", "rests_on", "strange")
    given: list[dict[str, Any]] = json.loads((_FOLDER / "statements.json").read_text("utf-8"))
    return tuple(
        Stated(**{**each, **{name: tuple(each[name]) for name in lists if name in each}}) for each in given
    )


def title(page: str) -> str:
    """Return the title of a page, which is its first line."""
    return page.partition("\n")[0].lstrip("# ")


def paragraphs() -> dict[Passage, str]:
    """Return the words of all paragraphs, which are passages that the program has chosen."""
    return {
        Passage(number, start, end, is_copied=False): page[start:end]
        for number, page in pages().items()
        for start, end in excerpts.paragraphs(page)
    }


def groups() -> Iterator[Sequence[Stated]]:
    """Yield the statements as they are judged: at most MAX_GROUP of one language together."""
    for language in dict.fromkeys(stated.language for stated in statements()):
        own = [stated for stated in statements() if stated.language == language]
        for start in range(0, len(own), MAX_GROUP):
            yield own[start : start + MAX_GROUP]


def section(group: Sequence[Stated]) -> str:
    """Return the statements as a section of a report."""
    return "\n\n".join(stated.sentence for stated in group)

"""The offline sample search: true publications on tardigrades, which every query about them finds."""

import json
import re
from pathlib import Path

from models import Source

_ABOUT = ("tardigrad", "water bear", "moss piglet")
_FOUND = {
    entry.pop("name"): Source(**entry)
    for entry in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
}
DOIS = {name: source.url.removeprefix("https://doi.org/") for name, source in _FOUND.items()}
"""By the names by which the sample texts cite them."""


def find(query: str) -> tuple[Source, ...]:
    """Return the publications, those that share most words with the query first; none for another topic."""
    if not any(word in query.lower() for word in _ABOUT):
        return ()
    words = _words(query)
    return tuple(
        sorted(_FOUND.values(), key=lambda source: -len(words & _words(f"{source.title} {source.snippet}")))
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))

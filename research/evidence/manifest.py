"""The evidence file of a report: its sources, and which frozen text each of them is. Format: docs/evidence.md."""

import json
from collections.abc import Sequence
from typing import Any

from models import Read, Source

VERSION = 1


def evidence_name(filename: str) -> str:
    """Return the name of a report's evidence file, by that of its PDF."""
    return f"{filename.removesuffix('.pdf')}.evidence.json"


def manifest(filename: str, sources: Sequence[Source]) -> bytes:
    """Return the evidence file of a report with these sources; those that it does not cite have no number."""
    content: dict[str, Any] = {
        "version": VERSION,
        "report": filename,
        "sources": list(map(_entry, sources)),
        "passages": [],
        "citations": [],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _entry(source: Source) -> dict[str, Any]:
    return {
        "number": source.number or None,
        "url": source.url,
        "title": source.title,
        "author": source.author,
        "date": source.date,
        "retrieved": source.retrieved,
        "sha256": source.sha256,
        "characters": source.characters,
        "read": source.read if source.sha256 or source.read != Read.PAGE else Read.NO,
        "reason": source.reason,
    }

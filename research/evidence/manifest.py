"""The evidence file of a report: its sources, and the frozen text of each (docs/evidence.md)."""

import json
from collections.abc import Mapping
from typing import Any

from models import PDFGenerationInput, Source
from research.checked import CheckedReport

VERSION = 1


def evidence_file(report: PDFGenerationInput) -> Mapping[str, bytes]:
    """Return the name and the bytes of a report's evidence file; nothing for a report without sources."""
    given = report.given if isinstance(report, CheckedReport) else report.sources
    if not given:
        return {}
    content = {
        "version": VERSION,
        "report": report.filename,
        "sources": list(map(_entry, given)),
        "passages": [],
        "citations": [],
    }
    data = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    return {f"{report.filename.removesuffix('.pdf')}.evidence.json": data.encode("utf-8", "replace")}


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
        "read": source.read,
        "reason": source.reason,
    }

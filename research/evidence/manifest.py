"""The evidence file of a report: its parts, its sources, and what proves it (docs/evidence.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models import Citation, Note, Passage, PDFGenerationInput, Source
from research.checked import CheckedReport, ShownPassage
from research.formatting import as_remarks, format_note
from research.output.naming import EVIDENCE

VERSION = 1


def evidence_file(report: PDFGenerationInput, workflow_id: str = "") -> Mapping[str, bytes]:
    """Return the name and the bytes of a report's evidence file."""
    given: tuple[Source, ...] = report.sources
    shown: tuple[ShownPassage, ...] = ()
    text = report.content
    if isinstance(report, CheckedReport):
        given, shown, text = report.given, report.shown, report.unsigned
    places = {each.passage: place for place, each in enumerate(shown)}
    version = report.version
    content = {
        "version": VERSION,
        "report": report.filename,
        "workflow": workflow_id,
        "topic": report.topic,
        "model": report.model,
        "date": report.date,
        "searched": report.retrieved,
        **_notes(as_remarks(report.remarks, report.notes)),
        "revision": {
            "number": version.number,
            "before": version.before,
            "wish": version.wish,
            "changed": list(version.changed),
            **_notes(as_remarks(version.remarks, version.notes)),
        },
        "plan": [{"title": s.title, "covers": s.covers, "queries": list(s.queries)} for s in report.plan],
        "text": text,
        "sources": list(map(_entry, given)),
        "passages": [_passage(each) for each in shown],
        "dropped_passages": report.dropped_passages,
        "citations": [_citation(citation, places) for citation in report.citations],
    }
    data = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    return {f"{report.filename.removesuffix('.pdf')}{EVIDENCE}": data.encode("utf-8", "replace")}


def _notes(remarks: Sequence[Note]) -> dict[str, Any]:
    """Return the fields of what a reader must know: in English, and in its parts."""
    return {"notes": [format_note(note) for note in remarks], "remarks": [asdict(note) for note in remarks]}


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


def _passage(shown: ShownPassage) -> dict[str, Any]:
    passage = shown.passage
    return {
        "source": passage.source,
        "start": passage.start,
        "end": passage.end,
        "text": shown.text,
        "page": passage.page or None,
        "copied": passage.is_copied,
    }


def _citation(citation: Citation, places: Mapping[Passage, int]) -> dict[str, Any]:
    return {
        "statement": citation.statement,
        "sources": list(citation.sources),
        "passages": [places[passage] for passage in citation.passages if passage in places],
        "verdict": citation.verdict,
        "judge": citation.judge,
        "judged": citation.judged,
    }

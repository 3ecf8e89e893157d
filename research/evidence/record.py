"""The evidence file as values, read from bytes that anybody may have written (docs/evidence.md)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from models import Note
from research.evidence.manifest import VERSION
from research.formatting import as_remarks

MAX_EVIDENCE_BYTES = 20_000_000
MAX_ENTRIES = 100_000

_SHA256 = re.compile(r"[0-9a-f]{64}|", re.ASCII)
_Entry = TypeVar("_Entry")


class BadEvidence(Exception):
    """The evidence file cannot be read; the message is a clause that says where and why."""


@dataclass(frozen=True)
class SourceRecord:
    """A source as the evidence file has it."""

    number: int | None
    url: str
    title: str
    sha256: str
    characters: int
    read: str
    author: str = ""
    date: str = ""
    retrieved: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PassageRecord:
    """Some characters of a source's frozen text."""

    source: int
    start: int
    end: int
    text: str
    page: int | None
    copied: bool = True


@dataclass(frozen=True)
class CitationRecord:
    """A statement of the report, the sources that it cites and the passages that it rests on."""

    statement: str
    sources: tuple[int, ...]
    passages: tuple[int, ...]
    verdict: str
    judge: str
    judged: str = ""


@dataclass(frozen=True)
class SectionRecord:
    """What the plan said of a section."""

    title: str
    covers: str
    queries: tuple[str, ...]


@dataclass(frozen=True)
class RevisionRecord:
    """Which version of a report it is, and what it has changed."""

    number: int = 1
    before: str = ""
    wish: str = ""
    changed: tuple[int, ...] = ()
    remarks: tuple[Note, ...] = ()


@dataclass(frozen=True)
class MakingRecord:
    """What the report was made of; a program before 0.9 has written nothing of it."""

    workflow: str
    topic: str
    model: str
    searched: str
    remarks: tuple[Note, ...]
    revision: RevisionRecord
    plan: tuple[SectionRecord, ...]
    text: str


@dataclass(frozen=True)
class EvidenceRecord:
    """An evidence file of version 1."""

    report: str
    sources: tuple[SourceRecord, ...]
    passages: tuple[PassageRecord, ...]
    citations: tuple[CitationRecord, ...]
    dropped_passages: int
    making: MakingRecord | None = None


def read_evidence(data: bytes) -> EvidenceRecord:
    """Return what an evidence file says; fields that this version does not know are passed over.

    Raises:
        BadEvidence: not JSON, another version, a field that is missing or of another type.
    """
    if len(data) > MAX_EVIDENCE_BYTES:
        raise BadEvidence(f"it is larger than {MAX_EVIDENCE_BYTES // 1_000_000} MB")
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadEvidence("it is no JSON") from None
    if not isinstance(content, dict):
        raise BadEvidence("it is no JSON object")
    version = content.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise BadEvidence(f"its version is {str(version)[:20]!r}, and this program reads version {VERSION}")
    return EvidenceRecord(
        _text(content, "report"),
        _entries(content, "sources", _source),
        _entries(content, "passages", _passage),
        _entries(content, "citations", _citation),
        _number(content, "dropped_passages"),
        _making(content) if "text" in content else None,
    )


def _source(entry: Mapping[str, Any]) -> SourceRecord:
    sha256 = _text(entry, "sha256")
    if not _SHA256.fullmatch(sha256):
        raise BadEvidence("sha256 is no SHA-256 hash")
    return SourceRecord(
        _number_or_none(entry, "number"),
        _text(entry, "url"),
        _text(entry, "title"),
        sha256,
        _number(entry, "characters"),
        _text(entry, "read"),
        *(_text_or_none(entry, name) for name in ("author", "date", "retrieved", "reason")),
    )


def _passage(entry: Mapping[str, Any]) -> PassageRecord:
    start, end = _number(entry, "start"), _number(entry, "end")
    page = _number_or_none(entry, "page")
    copied = entry.get("copied") is not False
    return PassageRecord(_number(entry, "source"), start, end, _text(entry, "text"), page, copied)


def _citation(entry: Mapping[str, Any]) -> CitationRecord:
    sources, passages = _numbers(entry, "sources"), _numbers(entry, "passages")
    verdict, judge = _text(entry, "verdict"), _text(entry, "judge")
    return CitationRecord(
        _text(entry, "statement"), sources, passages, verdict, judge, _text_or_none(entry, "judged")
    )


def _making(content: Mapping[str, Any]) -> MakingRecord:
    return MakingRecord(
        _text(content, "workflow"),
        _text(content, "topic"),
        _text(content, "model"),
        _text(content, "searched"),
        _remarks(content),
        _revision(content.get("revision")),
        _entries(content, "plan", _section),
        _text(content, "text"),
    )


def _revision(entry: Any) -> RevisionRecord:
    if not isinstance(entry, dict):
        raise BadEvidence("revision is no JSON object")
    return RevisionRecord(
        _number(entry, "number"),
        _text(entry, "before"),
        _text(entry, "wish"),
        _numbers(entry, "changed"),
        _remarks(entry),
    )


def _remarks(content: Mapping[str, Any]) -> tuple[Note, ...]:
    """Return what a reader must know; a program before 0.10 has written the texts alone."""
    return (
        _entries(content, "remarks", _note)
        if "remarks" in content
        else as_remarks((), _texts(content, "notes"))
    )


def _note(entry: Mapping[str, Any]) -> Note:
    values = entry.get("values")
    if not isinstance(values, list) or not all(isinstance(v, str) or _is_number(v) for v in values):
        raise BadEvidence("values is no list of texts and numbers")
    return Note(
        _text(entry, "wording"),
        tuple(values),
        _text(entry, "part"),
        _numbers(entry, "numbers"),
        _number(entry, "version"),
    )


def _section(entry: Mapping[str, Any]) -> SectionRecord:
    return SectionRecord(_text(entry, "title"), _text(entry, "covers"), _texts(entry, "queries"))


def _entries(
    content: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _Entry]
) -> tuple[_Entry, ...]:
    entries = content.get(name)
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise BadEvidence(f"{name} is no list of at most {MAX_ENTRIES:,} entries")
    found = []
    for place, entry in enumerate(entries):
        try:
            if not isinstance(entry, dict):
                raise BadEvidence("it is no JSON object")
            found.append(read(entry))
        except BadEvidence as error:
            raise BadEvidence(f"{name}[{place}]: {error}") from None
    return tuple(found)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise BadEvidence(f"{name} is no text")
    return value


def _text_or_none(entry: Mapping[str, Any], name: str) -> str:
    return _text(entry, name) if entry.get(name) else ""


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = entry.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadEvidence(f"{name} is no list of texts")
    return tuple(values)


def _number(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if not _is_number(value):
        raise BadEvidence(f"{name} is no number from 0 on")
    return int(str(value))


def _number_or_none(entry: Mapping[str, Any], name: str) -> int | None:
    return None if entry.get(name) is None else _number(entry, name)


def _numbers(entry: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = entry.get(name)
    if not isinstance(values, list) or not all(map(_is_number, values)):
        raise BadEvidence(f"{name} is no list of numbers")
    return tuple(values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53

"""Open a finished report again: from its evidence file, so that it works when its history is gone."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from models import Citation, Passage, PlannedSection, Source
from research.config import Settings
from research.errors import ErrorKind, StepError
from research.evidence.citations import footnote_marks
from research.evidence.record import (
    MAX_EVIDENCE_BYTES,
    BadEvidence,
    CitationRecord,
    EvidenceRecord,
    MakingRecord,
    SectionRecord,
    SourceRecord,
    read_evidence,
)
from research.formatting import format_note
from research.markdown.outline import cut_sections
from research.messages import OpenedReport, OpenReportInput, ReportSection
from research.output import folder, storage
from research.output.naming import EVIDENCE, first_name, newest_version, next_version, report_name

MAX_OPENED_BYTES = 1_900_000
"""As JSON, because Temporal accepts 2 MB."""


def open_report(input: OpenReportInput, settings: Settings) -> OpenedReport:
    """Return a finished report, by the name of its PDF or by its Workflow ID or the end of one.

    Raises:
        StepError: there is no such report, it cannot be opened, or the folder needs repair.
    """
    record, names = _by_name(input.report, settings), _names(settings)
    if record is None and (found := newest_by_workflow(input.report, settings)):
        record = _by_name(found, settings)
    elif record and input.newest:
        record = _by_name(newest_version(record.report, names), settings)
    if record is None:
        raise _refused(f"There is no report {input.report[:200]!r} in {settings.reports_dir}.")
    if record.making is None:
        raise _refused(f"{record.report} was made by a version before 0.9, which recorded no sections.")
    opened = _opened(record, record.making, next_version(record.report, names))
    if len(json.dumps(asdict(opened))) > MAX_OPENED_BYTES:
        raise _refused(f"{record.report} is too long to be opened again.")
    return opened


def _refused(message: str) -> StepError:
    return StepError(ErrorKind.REFUSED, message)


def _by_name(report: str, settings: Settings) -> EvidenceRecord | None:
    name = report_name(report)
    try:
        return _read(f"{name}{EVIDENCE}", settings) if name else None
    except FileNotFoundError:
        return None
    except StepError as error:
        raise _refused(f"{error}.") from None


def newest_by_workflow(identity: str, settings: Settings) -> str:
    """Return the PDF's name of the newest version of the report whose Workflow ID this is, or ends so.

    It is empty where there is no such report.

    Raises:
        StepError: there are several such reports, or the folder needs repair.
    """
    found, names = set(), _names(settings)
    for name in names:
        try:
            record = _read(name, settings)
        except (FileNotFoundError, StepError):
            continue
        if record.making and record.making.workflow.endswith(identity.strip() or "\0"):
            found.add(first_name(record.report))
    if len(found) > 1:
        raise _refused(f"{len(found)} reports have an ID that ends in {identity[:80]!r}.")
    return newest_version(found.pop(), names) if found else ""


def _names(settings: Settings) -> list[str]:
    try:
        return [name for name in folder.names(settings.reports_dir) if name.endswith(EVIDENCE)]
    except OSError as error:
        raise _unreadable(error, settings) from None


def _read(name: str, settings: Settings) -> EvidenceRecord:
    try:
        record = read_evidence(storage.read(settings.reports_dir, name, MAX_EVIDENCE_BYTES))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(error, settings) from None
    except BadEvidence as error:
        raise _refused(f"{name} cannot be read: {error}") from None
    if record.report != f"{name.removesuffix(EVIDENCE)}.pdf":
        raise _refused(f"{name} is of another report, {record.report[:200]!r}")
    return record


def _unreadable(error: OSError, settings: Settings) -> StepError:
    return storage.needs_repair(f"{settings.reports_dir} cannot be read", error, settings)


def _opened(record: EvidenceRecord, making: MakingRecord, next_version: int) -> OpenedReport:
    preface, cuts = cut_sections(making.text)
    plan = making.plan if len(making.plan) == len(cuts) else [SectionRecord("", "", ())] * len(cuts)
    numbers = {source.number for source in record.sources if source.number}
    passages = [Passage(p.source, p.start, p.end, p.page or 0, p.copied) for p in record.passages]
    version = making.revision
    remarks = (*(replace(note, version=version.number) for note in making.remarks), *version.remarks)
    return OpenedReport(
        filename=record.report,
        topic=making.topic,
        preface=preface,
        sections=tuple(
            ReportSection(
                PlannedSection(cut.title, planned.covers, planned.queries),
                cut.heading,
                cut.text,
                tuple(sorted({number for _, number in footnote_marks(cut.text)} & numbers)),
            )
            for cut, planned in zip(cuts, plan, strict=True)
        ),
        sources=tuple(map(_source, record.sources)),
        retrieved=making.searched,
        passages=tuple(passages),
        citations=tuple(_citation(citation, passages) for citation in record.citations),
        notes=tuple(map(format_note, remarks)),
        remarks=remarks,
        written_by=making.model,
        next_version=next_version,
    )


def _source(record: SourceRecord) -> Source:
    return Source(
        number=record.number or 0,
        url=record.url,
        title=record.title,
        date=record.date,
        author=record.author,
        sha256=record.sha256,
        characters=record.characters,
        retrieved=record.retrieved,
        read=record.read,
        reason=record.reason,
    )


def _citation(record: CitationRecord, passages: Sequence[Passage]) -> Citation:
    rests_on = tuple(passages[place] for place in record.passages if place < len(passages))
    return Citation(record.statement, record.sources, rests_on, record.verdict, record.judge, record.judged)

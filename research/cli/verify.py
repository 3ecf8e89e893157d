"""`python starter.py --verify REPORT`: check a report against its evidence, a line for each check."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from research import config
from research.cli import terminal
from research.config import Settings
from research.errors import StepError, UserError
from research.evidence import verify
from research.evidence.record import (
    MAX_EVIDENCE_BYTES,
    BadEvidence,
    EvidenceRecord,
    SourceRecord,
    read_evidence,
)
from research.formatting import pluralize
from research.output import folder, storage
from research.output.naming import EVIDENCE, report_name
from research.report.opening import newest_by_workflow
from research.sources.allow import parse_allow
from research.sources.extract import Unreadable, close, extract
from research.sources.extracted import MAX_CONTENT_BYTES
from research.sources.fetch import NotRead, fetch

MAX_MARKDOWN_BYTES = 10_000_000
MAX_FROZEN_BYTES = 10_000_000
MAX_SHOWN = 20
"""Lines of one check; the others are counted."""


async def run(report: str, is_online: bool) -> int:
    """Check the report that a person has named; return 0 where everything holds, else 1.

    Raises:
        UserError: there is no such report, or no evidence file that can be read.
    """
    try:
        return await check(report, is_online)
    finally:
        close()


async def check(report: str, is_online: bool) -> int:
    """Check a report as `run` does, and keep the processes that read its files, for the next one."""
    settings = config.load()
    place, name = find(report, settings)
    files = await _read(place, name, load_record(place, name, settings), settings)
    failed = _print(name, await asyncio.to_thread(verify.verify, files))
    if is_online:
        await _print_online(files.record, settings)
    return 1 if failed else 0


def find(report: str, settings: Settings) -> tuple[Path | str, str]:
    """Return the folder or address that a report lies in, and its name without an extension.

    The report is given by its name or path, or by its Workflow ID or the end of one.

    Raises:
        UserError: a path that leads nowhere, or several reports have such an ID.
    """
    given, reports = report.strip(), settings.reports_dir
    name = report_name(given)
    parent = given[: len(given) - len(given.replace("\\", "/").rpartition("/")[2])]
    if not name:
        raise UserError("Give a report's path or name.")
    if "://" in given:
        if parent.rstrip("/") == str(reports):
            return reports, name
        raise UserError(f"{given} is not in REPORTS_DIR ({reports}). To fix: set REPORTS_DIR to its folder.")
    path = Path(given).expanduser()
    if parent or path.is_file():
        return path.parent, name
    return reports, name_of(name, settings)


def name_of(given: str, settings: Settings) -> str:
    """Return the name of the newest version of a report by its Workflow ID, or the end of one.

    What is the name of a report already, or of none, is returned as it is.

    Raises:
        UserError: several reports have an ID that ends so, or the folder needs repair.
    """
    try:
        if not {f"{given}{EVIDENCE}", f"{given}.pdf"}.isdisjoint(folder.names(settings.reports_dir)):
            return given
        found = newest_by_workflow(given, settings)
    except OSError:
        return given  # whoever reads the report says why it cannot be read
    except StepError as error:
        raise UserError(f"{error}") from None
    return report_name(found) or given


def load_record(place: Path | str, name: str, settings: Settings) -> EvidenceRecord:
    """Return the evidence file of a report.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if not isinstance(place, Path):
        storage.check(place)
    data = _load(place, f"{name}{EVIDENCE}", MAX_EVIDENCE_BYTES, settings)
    if isinstance(data, FileNotFoundError):
        if isinstance(_load(place, f"{name}.pdf", MAX_CONTENT_BYTES, settings), FileNotFoundError):
            raise UserError(f"There is no report {name} in {place}.")
        missing = f"{name}.pdf has no evidence file: a version before 0.9 has made it, or it was moved."
        raise UserError(f"{missing} Nothing can be verified.")
    try:
        if isinstance(data, OSError):
            raise BadEvidence(str(data))
        return read_evidence(data)
    except BadEvidence as error:
        raise UserError(f"{name}{EVIDENCE} cannot be read: {error}. Nothing can be verified.") from None


async def _read(
    place: Path | str, name: str, record: EvidenceRecord, settings: Settings
) -> verify.ReportFiles:
    """Return the report's files; a hash has been checked to be one before it names a file."""

    def load() -> tuple[bytes | OSError, bytes | OSError, dict[str, bytes | OSError]]:
        frozen_in = place / "evidence" if isinstance(place, Path) else f"{place}/evidence"
        hashes = sorted({source.sha256 for source in record.sources} - {""})
        return (
            _load(place, f"{name}.md", MAX_MARKDOWN_BYTES, settings),
            _load(place, f"{name}.pdf", MAX_CONTENT_BYTES, settings),
            {sha256: _load(frozen_in, f"{sha256}.txt", MAX_FROZEN_BYTES, settings) for sha256 in hashes},
        )

    markdown, pdf, frozen = await asyncio.to_thread(load)
    text = markdown if isinstance(markdown, OSError) else markdown.decode("utf-8", "replace")
    pages = pdf if isinstance(pdf, OSError) else await _pages(pdf)
    return verify.ReportFiles(name, record, text, pages, frozen)


async def _pages(pdf: bytes) -> Sequence[str] | OSError:
    try:
        printed = await extract(pdf, "printed")
    except Unreadable as error:
        return OSError(error.reason)
    if printed.truncated:
        return OSError(f"it is too long: only {pluralize(len(printed.pages), 'page')} could be compared")
    return [printed.text[start:end] for start, end in pairwise([*printed.pages, len(printed.text)])]


def _load(place: Path | str, name: str, limit: int, settings: Settings) -> bytes | OSError:
    """Return a file's bytes, or why there are none, as one line."""
    try:
        return storage.read(place, name, limit)
    except FileNotFoundError:
        return FileNotFoundError("there is no such file")
    except OSError as error:
        return OSError(settings.redact(error.strerror or str(error)))
    except StepError as error:
        raise UserError(f"{error}.") from None


def _print(name: str, checks: Sequence[verify.Check]) -> int:
    """Print the table, and return how many checks have failed."""
    files = {"Markdown": f"{name}.md", "PDF": f"{name}.pdf", "Texts": ""}
    for check in checks:
        terminal.print_line(
            f"  {'FAIL' if check.findings else 'ok  '}  {check.name:<11}{check.about}".rstrip()
        )
        file = files.get(check.name, f"{name}{EVIDENCE}")
        for finding in check.findings[:MAX_SHOWN]:
            where = f"{file}: " if file else ""
            lacks = "not on the page: " if check.name == "PDF" and "[" in finding else ""
            terminal.print_line(f"        {where}{lacks}{finding}")
        if len(check.findings) > MAX_SHOWN:
            terminal.print_line(f"        and {len(check.findings) - MAX_SHOWN:,} more")
    failed = sum(bool(check.findings) for check in checks)
    terminal.print_line(f"{pluralize(failed, 'check')} failed." if failed else f"{name}.pdf holds.")
    return failed


async def _print_online(record: EvidenceRecord, settings: Settings) -> None:
    """Print for each source with an address whether its passages are still on its page."""
    allow = parse_allow(settings.read_allow)

    async def line(source: SourceRecord) -> str:
        try:
            page = await fetch(source.url, allow)
            found = await extract(page.content, page.kind.value, page.content_type, page.address)
        except (NotRead, Unreadable) as error:
            return f"cannot be read now: {error}"
        there, of = await asyncio.to_thread(verify.still_there, record, source, found.text)
        return f"{there} of {pluralize(of, 'passage')} still there" if of else "can be read, no passages"

    sources = [source for source in record.sources if source.number and source.url]
    terminal.print_line("Online, now:" if sources else "Online: no source has an address.")
    for source, told in zip(sources, await asyncio.gather(*map(line, sources)), strict=True):
        terminal.print_line(f"  {source.number:>4}  {source.url[:200]}  {told}")

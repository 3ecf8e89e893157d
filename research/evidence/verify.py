"""Checks of a report against its evidence: pure functions of the files' contents (docs/evidence.md).

Each check returns what does not hold, a line each, which names the file and the passage, citation or source.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from models import Passage, Verdict
from research.checked import ShownPassage
from research.evidence.citations import footnote_marks
from research.evidence.figures import missing
from research.evidence.passages import find
from research.evidence.printed import missing_words
from research.evidence.record import EvidenceRecord, PassageRecord, SourceRecord
from research.evidence.shown import SIGNS, account_of
from research.evidence.statements import cited_statements
from research.evidence.words import comparable
from research.formatting import pluralize
from research.markdown.title import escape_markdown
from research.output.report_markdown import passage_text
from research.output.words import all_words

MAX_SHOWN = 60
"""Characters of a statement or passage in a line."""

_DEFINITION = re.compile(r"^\[\^(\d{1,3})\]: ?", re.MULTILINE)
VERDICTS = frozenset(map(str, Verdict))
_SIGN = re.compile(rf"(?<=\])([{''.join(set(SIGNS.values()))}])")
_WORDS = [*all_words()]


def _one_of(name: str, *values: str) -> str:
    """Return a regular expression for a wording in every language."""
    return f"(?:{'|'.join({re.escape(words(name, *values)) for words in _WORDS})})"


_MADE = _one_of("made", "\0", "\0").replace("\0", r"[^\n]*")
_TAIL = re.compile(rf"(?:\n\n---\n\n{_MADE})?\n\n## {_one_of('references')}\n\n")
_TOPIC = re.compile(rf"\A(# [^\n]*\n)\n\*\*{_one_of('topic')}\*\* ([^\n]*)\n")
_PASSAGE = re.compile(r"^    (?=> )", re.MULTILINE)
"""Before a passage, as a part of its footnote."""
MAX_TOPIC, MAX_TITLE = 120, 40
"""Characters that the page has at least of a long topic, below the title or as the title."""


@dataclass(frozen=True)
class Check:
    """A line of the table: what was checked, and what does not hold."""

    name: str
    about: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportFiles:
    """The files of a report. Of each that is not there, or cannot be read, the reason stands in its place."""

    name: str
    """The PDF's, without ".pdf"."""
    record: EvidenceRecord
    markdown: str | OSError
    pages: Sequence[str] | OSError
    """The text of each page of the PDF."""
    frozen: Mapping[str, bytes | OSError]
    """The frozen texts by their hashes."""


def verify(report: ReportFiles) -> list[Check]:
    """Return every check of the report, each with what does not hold."""
    record = report.record
    texts = {sha256: _decoded(data) for sha256, data in report.frozen.items()}
    named = f'"report" is {record.report!r}, not {report.name}.pdf'
    format_findings = () if record.report == f"{report.name}.pdf" else (named,)
    sources = pluralize(len(record.sources), "source")
    checks = [
        _check("Format", f"version 1, {sources}", format_findings),
        _check("Texts", pluralize(len(texts), "frozen text"), _wrong_texts(record, report.frozen)),
        _check("Passages", _count(record.passages, "passage"), _wrong_passages(record, texts)),
        _check("Citations", _count(record.citations, "citation"), _wrong_citations(record)),
    ]
    if isinstance(report.markdown, OSError):
        return [*checks, _check("Markdown", "", [f"it cannot be read: {report.markdown}"])]
    marks = [number for _, number in footnote_marks(_body(report.markdown)[0])]
    about = f"{pluralize(len(marks), 'citation mark')}, {pluralize(len(set(marks)), 'reference')}"
    checks.append(_check("Markdown", about, _wrong_markdown(record, report.markdown, marks)))
    if record.citations:
        about = f"{pluralize(len(record.citations), 'statement')} that cite"
        checks.append(_check("Statements", about, _wrong_statements(record, _body(report.markdown)[0])))
    if isinstance(report.pages, OSError):
        return [*checks, _check("PDF", "", [f"it cannot be read: {report.pages}"])]
    about = f"{pluralize(len(report.pages), 'page')}, the words of the Markdown"
    return [*checks, _check("PDF", about, _wrong_pages(report.markdown, report.pages))]


def _check(name: str, about: str, findings: Sequence[str] | Iterator[str]) -> Check:
    return Check(name, about, tuple(findings))


def _count(entries: Sequence[object], name: str) -> str:
    return pluralize(len(entries), name) if entries else f"no {name}s"


def _decoded(data: bytes | OSError) -> str | None:
    return None if isinstance(data, OSError) else data.decode("utf-8", "replace")


def _wrong_texts(record: EvidenceRecord, frozen: Mapping[str, bytes | OSError]) -> Iterator[str]:
    for place, source in enumerate(record.sources):
        if not source.sha256:
            if source.read in ("page", "document", "result"):
                yield f"{_name(source, place)}: it was read, and has no frozen text"
            continue
        file, data = f"evidence/{source.sha256}.txt", frozen[source.sha256]
        if isinstance(data, OSError):
            yield f"{_name(source, place)}: {file} cannot be read: {data}"
        elif hashlib.sha256(data).hexdigest() != source.sha256:
            yield f"{_name(source, place)}: {file} was changed: it has another hash"
        elif (length := len(data.decode("utf-8", "replace"))) != source.characters:
            yield f"{_name(source, place)}: {file} has {length:,} characters, not {source.characters:,}"


def _wrong_passages(record: EvidenceRecord, texts: Mapping[str, str | None]) -> Iterator[str]:
    sources = {source.number: source for source in record.sources if source.number is not None}
    for place, passage in enumerate(record.passages):
        name = f"passages[{place}] of source {passage.source} ({_short(passage.text)})"
        source = sources.get(passage.source)
        text = texts.get(source.sha256) if source else None
        if source is None:
            yield f"{name}: there is no such source"
        elif not source.sha256:
            yield f"{name}: its source has no frozen text"
        elif text is None:
            yield f"{name}: the frozen text cannot be read"
        elif not passage.text.strip() or text[passage.start : passage.end] != passage.text:
            yield f"{name}: the frozen text has other characters at {passage.start} to {passage.end}"
        elif (page := 1 + text.count("\f", 0, passage.start)) != passage.page and (
            "\f" in text or passage.page not in (None, 0)
        ):
            yield f"{name}: it stands on page {page}, not {passage.page}"


def _wrong_citations(record: EvidenceRecord) -> Iterator[str]:
    numbers = {source.number for source in record.sources}
    for place, citation in enumerate(record.citations):
        name = f"citations[{place}] ({_short(citation.statement)})"
        if citation.verdict not in VERDICTS:
            yield f"{name}: {citation.verdict[:20]!r} is no verdict"
        if not citation.sources:
            yield f"{name}: it names no source"
        for number in citation.sources:
            if number not in numbers:
                yield f"{name}: there is no source {number}"
        rests_on = [record.passages[n].text for n in citation.passages if n < len(record.passages)]
        lacking = missing(citation.statement, rests_on)
        if lacking and citation.verdict in (Verdict.SUPPORTED, Verdict.PARTLY):
            yield f"{name}: it is {citation.verdict}, and no passage of it has {', '.join(lacking)}"
        for number in citation.passages:
            if number >= len(record.passages):
                yield f"{name}: there is no passages[{number}]"
            elif record.passages[number].source not in citation.sources:
                of = record.passages[number].source
                yield f"{name}: passages[{number}] is of source {of}, which it does not cite"


def _wrong_markdown(record: EvidenceRecord, markdown: str, marks: Sequence[int]) -> Iterator[str]:
    tail = _body(markdown)[1]
    sources = {source.number: source for source in record.sources if source.number is not None}
    _, *pieces = _DEFINITION.split(tail)
    definitions = [(int(number), text) for number, text in zip(pieces[::2], pieces[1::2], strict=True)]
    defined = dict(definitions)
    for number in sorted(set(marks) - sources.keys()):
        yield f"[^{number}] is cited, and the evidence has no source {number}"
    for number in sorted(set(marks) - defined.keys()):
        yield f"[^{number}] is cited, and has no reference"
    for number, same in groupby(sorted(number for number, _ in definitions)):
        if number not in sources or len(list(same)) > 1:
            yield f"the reference [^{number}] is no source of the evidence, or stands there twice"
    if len(record.sources) != len({source.number or -n for n, source in enumerate(record.sources, 1)}):
        yield "two sources of the evidence have one number"
    for number, source in sorted(sources.items()):
        if number not in marks:
            yield f"source {number} has a number, and is not cited"
        text = defined.get(number, "")
        if source.url and f"<{source.url}>" not in text:
            yield f"the reference [^{number}] has another address than source {number}: {source.url[:200]}"
        if escape_markdown(source.title) not in text:
            yield f"the reference [^{number}] has another title than source {number}: {_short(source.title)}"
    for place, passage in enumerate(record.passages):
        if escape_markdown(passage_text(_shown(passage))) not in defined.get(passage.source, ""):
            name = f"passages[{place}] ({_short(passage.text)})"
            yield f"the reference [^{passage.source}] does not have {name}"
    accounts = [account_of(record.citations, record.dropped_passages, words) for words in _WORDS]
    said = re.sub(r"\d", lambda digit: str(int(digit[0])), tail)  # whatever digits the report has
    if record.citations and not any(account in said for account in accounts):
        yield f"the account below the references is not that of the evidence: {accounts[0]}"


def _shown(passage: PassageRecord) -> ShownPassage:
    return ShownPassage(Passage(passage.source, passage.start, passage.end, passage.page or 0), passage.text)


def _wrong_statements(record: EvidenceRecord, body: str) -> Iterator[str]:
    """Hold the statements of the Markdown that cite, and their signs, against the entries of the evidence."""
    text, signs = _without_signs(body)
    entries: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for place, citation in enumerate(record.citations):
        key = comparable(citation.statement), tuple(sorted(citation.sources))
        entries.setdefault(key, []).append(place)
    for statement in cited_statements(text, [source.number for source in record.sources if source.number]):
        places = entries.get((comparable(statement.text), tuple(sorted(statement.numbers))), [])
        if not places:
            yield f"{_short(statement.text)} cites, and has no entry"
            continue
        verdict = record.citations[places.pop(0)].verdict
        found = "".join(sign for at, sign in signs.items() if statement.start < at <= statement.end)
        if verdict in VERDICTS and found != SIGNS.get(Verdict(verdict), ""):
            yield f"{_short(statement.text)} is {verdict}, and has the sign {found or '(none)'}"
    for place in sorted(place for places in entries.values() for place in places):
        yield f"citations[{place}] ({_short(record.citations[place].statement)}): no such statement"


def _without_signs(body: str) -> tuple[str, dict[int, str]]:
    """Return the text without its signs, and these by the characters of the text behind which they stood."""
    parts = _SIGN.split(body)
    ends = accumulate(map(len, parts[::2]))
    return "".join(parts[::2]), dict(zip(ends, parts[1::2], strict=False))


def _wrong_pages(markdown: str, pages: Sequence[str]) -> Iterator[str]:
    body, tail = _body(markdown)
    tail = _PASSAGE.sub("", tail)
    body = _TOPIC.sub(lambda found: f"{found[1]}\n{found[2][:MAX_TOPIC]}\n", body)
    if not _TOPIC.match(markdown):  # the title may be a topic, which the page shortens
        title, rest = body.partition("\n")[::2]
        body = f"{title[:MAX_TITLE] if len(title) > 2 * MAX_TITLE else title}\n{rest}"
    yield from missing_words(body, tail, pages)


def _body(markdown: str) -> tuple[str, str]:
    """Return the report, and what stands at the end in another order than on the page: the references."""
    found = [tail.start() for tail in _TAIL.finditer(markdown)]
    return (markdown[: found[-1]], markdown[found[-1] :]) if found else (markdown, "")


def _name(source: SourceRecord, place: int) -> str:
    return f"source {source.number}" if source.number is not None else f"sources[{place}]"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= MAX_SHOWN else f'"{line[:MAX_SHOWN]}…"'


def still_there(record: EvidenceRecord, source: SourceRecord, text: str) -> tuple[int, int]:
    """Return how many passages of a source are in this text, and how many there are."""
    passages = [passage for passage in record.passages if passage.source == source.number]
    return sum(find(text, passage.text) is not None for passage in passages), len(passages)

"""The report as Markdown, and the parts of it that the page shares."""

import re
from urllib.parse import quote, urlsplit

from models import PDFGenerationInput, Read, Source
from research.checked import CheckedReport, ShownPassage
from research.config import is_sample
from research.markdown.title import escape_markdown, split_title

SAMPLE_NOTE = "Sample text from the built-in offline model. It is not research."
DEFAULT_TITLE = "Research Report"
REFERENCES_TITLE = "References"
FRAGMENT_WORDS = 6
"""At the beginning and at the end of a passage, by which a browser finds it."""
MAX_WORD_CHARACTERS = 20

_CLAUSE = re.compile(r"(?<=[，。；：！？、.;:!?])")


def version_note(report: PDFGenerationInput) -> str:
    """Return in a sentence or two what this version changes; nothing for the first one."""
    version = report.version
    if not version.before:
        return ""
    titles = {number: section.title for number, section in enumerate(report.plan, start=1)}
    named = [f"{n} ({titles[n]})" if titles.get(n) else f"{n}" for n in version.changed]
    sections = f"{'sections' if len(named) > 1 else 'section'} {', '.join(named)}"
    anew = f"{sections} written anew" if named else "no section changed"
    changed = f"{anew}, with the wish “{' '.join(version.wish.split())}”"
    return f"Version {version.number} of {version.before}: {changed}. All else is as it was."


def byline(report: PDFGenerationInput) -> str:
    """Return the line with the report's date and model; empty without both."""
    return "  ·  ".join(filter(None, (report.date, f"written by {report.model}" if report.model else "")))


def colophon(report: PDFGenerationInput) -> str:
    """Return the line with the model and the usage."""
    return f"Made with {report.model or 'a model'}: {report.bill}."


def details(source: Source, retrieved: str) -> str:
    """Return what is known of a source beside title and address; `retrieved` is the day of the searches."""
    day = source.retrieved or retrieved
    known = (
        "your document" if source.read == Read.DOCUMENT else urlsplit(source.url).hostname,
        source.author,
        source.date,
        f"retrieved {day}" if source.url and day else "",
    )
    return ", ".join(filter(None, known))


def _entry(source: Source, retrieved: str) -> str:
    """Return the footnote that a citation leads to; the title is text, whatever it looks like."""
    address = f" <{source.url}>" if source.url else ""
    about = escape_markdown(details(source, retrieved))
    return f"[^{source.number}]: {escape_markdown(source.title)}.{address} ({about})"


def about_check(report: CheckedReport) -> str:
    """Return the line below the list of references: what was checked, and what was not."""
    if report.shown:
        signs = " † marks a statement that is supported in part or unchecked, ‡ one that is not supported."
        return f"Checked by the program: {report.account}{signs}"
    return f"Checked by the program: {report.account} Not checked: whether a source supports its sentence."


def passage_address(source: Source, shown: ShownPassage) -> str:
    """Return the address at which a browser shows the passage; empty for a file.

    It is a text fragment (https://wicg.github.io/scroll-to-text-fragment), or the page of a PDF.
    """
    parts = [cell for row in shown.rows for cell in row]
    if not source.url or not parts:
        return ""
    address = source.url.partition("#")[0]
    if shown.passage.page:
        return f"{address}#page={shown.passage.page}"
    first, last = _terms(parts[0]), _terms(parts[-1])
    ends = first if len(parts) == 1 else [first[0], last[-1]]
    return f"{address}#:~:text={','.join(quote(end, safe='').replace('-', '%2D') for end in ends)}"


def _terms(line: str) -> list[str]:
    """Return the beginning and the end of a line, or all of a short one: in whole words or clauses."""
    parts = line.split(" ")
    if len(line) > len(parts) * MAX_WORD_CHARACTERS:  # a script without spaces
        parts = [part.strip() for part in _CLAUSE.split(line) if part.strip()]
        return parts if len(parts) < 3 else [parts[0], parts[-1]]
    if len(parts) <= 2 * FRAGMENT_WORDS:
        return [line]
    return [" ".join(parts[:FRAGMENT_WORDS]), " ".join(parts[-FRAGMENT_WORDS:])]


def passage_words(shown: ShownPassage) -> str:
    """Return a passage as it is printed: in quotation marks."""
    return f"“{' '.join(' · '.join(row) for row in shown.rows)}”"


def _passages(report: CheckedReport, source: Source) -> list[str]:
    """Return the passages of a source, as block quotes within its footnote."""
    found = []
    for shown in report.shown:
        if shown.passage.source == source.number:
            address = passage_address(source, shown)
            words = escape_markdown(passage_words(shown))
            page = f" (p. {shown.passage.page})" if shown.passage.page else ""
            found.append(f"    > {f'[{words}](<{address}>)' if address else words}{page}")
    return found


def report_markdown(report: PDFGenerationInput) -> str:
    """Return the report as Markdown: title, topic, summary and notes, then the research as written.

    The title is the research's own first-level heading, which is not repeated in the research, else
    the topic.
    """
    title, content = split_title(report.content)
    topic = " ".join(report.topic.split())
    parts = [f"# {title or topic or DEFAULT_TITLE}"]
    if title and topic and topic.casefold() != title.casefold():
        parts.append(f"**Topic.** {topic}")
    parts += [byline(report), f"**{SAMPLE_NOTE}**" if is_sample(report.model) else ""]
    if report.summary.strip():
        parts += ["## Executive Summary", report.summary.strip()]
    notes = (escape_markdown(version_note(report)), *report.notes, *report.version.notes)
    parts += [f"**Note.** {note}" for note in notes if note]
    parts += ["---", content.strip("\n")]
    if report.bill:
        parts += ["---", colophon(report)]
    if isinstance(report, CheckedReport):  # last, because GitHub shows footnotes below everything else
        parts += [f"## {REFERENCES_TITLE}", about_check(report)]
        for source in report.sources:
            parts += [_entry(source, report.retrieved), *_passages(report, source)]
    return "\n\n".join(filter(None, parts)) + "\n"

"""The report as Markdown, and the parts of it that the page shares."""

from urllib.parse import urlsplit

from models import PDFGenerationInput, Read, Source
from research.checked import CheckedReport
from research.config import is_sample
from research.markdown.title import escape_markdown, split_title

SAMPLE_NOTE = "Sample text from the built-in offline model. It is not research."
DEFAULT_TITLE = "Research Report"
REFERENCES_TITLE = "References"


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
    return f"Checked by the program: {report.account} Not checked: whether a source supports its sentence."


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
    parts += [f"**Note.** {note}" for note in report.notes]
    parts += ["---", content.strip("\n")]
    if report.bill:
        parts += ["---", colophon(report)]
    if isinstance(report, CheckedReport):  # last, because GitHub shows footnotes below everything else
        parts += [f"## {REFERENCES_TITLE}", about_check(report)]
        parts += [_entry(source, report.retrieved) for source in report.sources]
    return "\n\n".join(filter(None, parts)) + "\n"

"""The report as Markdown, and the parts of it that the page shares."""

import re

from models import PDFGenerationInput
from research.config import is_sample

SAMPLE_NOTE = "Sample text from the built-in offline model. It is not research."
DEFAULT_TITLE = "Research Report"

_BLANK_LINES = re.compile(r"\A(?:[ \t\r]*\n)+")
_NOT_A_PARAGRAPH = re.compile(r"[>#|]|[-*+]\s|\d+[.)]\s|```|~~~|    ")
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
_FIRST_LEVEL = re.compile(r"^ {0,3}#\s", re.MULTILINE)
MIN_CHAPTERS = 3
"""With so many first-level headings the first is a chapter, unless the next stands right below it."""
# "1. Set-up" is the first chapter of a report whose chapters are first-level headings.
_CHAPTER = re.compile(r"\d+([.)](\s|$)|、)")


def split_title(content: str) -> tuple[str, str]:
    """Return the first-level heading that begins the content, as inline Markdown, and the rest.

    Without such a heading the title is empty and the rest is the content, unchanged.
    """
    line, _, rest = _BLANK_LINES.sub("", content, count=1).partition("\n")
    underline, _, after = rest.partition("\n")
    title = ""
    if re.match(r" {0,3}#(\s|$)", line):
        title = _without_closing_marks(line.strip()[1:].strip())
    elif re.match(r" {0,3}=+\s*$", underline) and not _NOT_A_PARAGRAPH.match(line):
        title, rest = line.strip(), after
    if not title or _CHAPTER.match(title):
        return "", content
    if _count_chapters(content) >= MIN_CHAPTERS and not _FIRST_LEVEL.match(rest.lstrip()):
        return "", content
    return title, rest


def _count_chapters(content: str) -> int:
    """Return how many first-level headings the content has outside its code."""
    return len(_FIRST_LEVEL.findall(_FENCED.sub("", content)))


def _without_closing_marks(heading: str) -> str:
    """Return the heading without the marks that may close it: "Title ##" is "Title"."""
    bare = heading.rstrip("#")
    return bare.strip() if not bare or bare[-1].isspace() else heading


def byline(report: PDFGenerationInput) -> str:
    """Return the line with the report's date and model; empty without both."""
    return "  ·  ".join(filter(None, (report.date, f"written by {report.model}" if report.model else "")))


def colophon(report: PDFGenerationInput) -> str:
    """Return the line with the model and the usage."""
    return f"Made with {report.model or 'a model'}: {report.bill}."


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
    return "\n\n".join(filter(None, parts)) + "\n"

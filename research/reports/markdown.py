"""The report as Markdown, and the parts of it that the page shares."""

import re
from urllib.parse import urlsplit

from models import PDFGenerationInput, Source
from research.config import is_sample

SAMPLE_NOTE = "Sample text from the built-in offline model. It is not research."
DEFAULT_TITLE = "Research Report"
REFERENCES_TITLE = "References"

MADE = "\u2060"
"""Stands before each citation mark that the check of the citations has made, and before no other: a mark that
a model wrote, and that was left alone in a link or a formula, must never lead to a source."""
CITATION = re.compile(rf"{MADE}\[\^(\d{{1,3}})\]")

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_BLANK_LINES = re.compile(r"\A(?:[ \t\r]*\n)+")
_NOT_A_PARAGRAPH = re.compile(r"[>#|]|[-*+]\s|\d+[.)]\s|```|~~~|    ")
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
# A fence with text behind it does not end the code by CommonMark; models put their citations there.
_FENCE_WITH_CITATION = re.compile(r"^([ \t>]*)(`{3,}|~{3,})[ \t]+((?:\[\d+\][ ,]*)+)$", re.MULTILINE)
_FIRST_LEVEL = re.compile(r"^ {0,3}#\s", re.MULTILINE)
MIN_CHAPTERS = 3
"""With so many first-level headings the first is a chapter, unless the next stands right below it."""
# "1. Set-up" is the first chapter of a report whose chapters are first-level headings.
_CHAPTER = re.compile(r"\d+([.)](\s|$)|、)")


def escape_markdown(text: str) -> str:
    """Return Markdown that shows the text as it is, whatever it looks like."""
    return _SPECIAL.sub(r"\\\1", text)


def part_fences(text: str) -> str:
    """Put citations behind the end of a block of code on a line of their own, so that the code ends there."""
    return _FENCE_WITH_CITATION.sub(r"\1\2\n\1\3", text)


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


def _entry(source: Source, retrieved: str) -> str:
    """Return the footnote that a citation leads to; the title is text, whatever it looks like."""
    details = ", ".join(filter(None, (urlsplit(source.url).hostname, source.date, f"retrieved {retrieved}")))
    title = escape_markdown(source.title)
    return f"[^{source.number}]: {title}. <{source.url}> ({details})"


def about_check(report: PDFGenerationInput) -> str:
    """Return the line below the list of references: what was checked, and what was not."""
    return f"Checked by the program: {report.account} Not checked: whether a source supports its sentence."


def report_markdown(report: PDFGenerationInput) -> str:
    """Return the report as Markdown: title, topic, summary and notes, then the research as written.

    The title is the research's own first-level heading, which is not repeated in the research, else
    the topic.
    """
    title, content = split_title(report.content.replace(MADE, "") if report.account else report.content)
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
    if report.account:  # last, because GitHub shows footnotes below everything else
        parts += [f"## {REFERENCES_TITLE}", about_check(report)]
        parts += [_entry(source, report.retrieved) for source in report.sources]
    return "\n\n".join(filter(None, parts)) + "\n"

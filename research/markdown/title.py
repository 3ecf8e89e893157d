"""The title of a Markdown text, and text that is to stand in Markdown as it is."""

import re

from research.markdown.fences import code_lines

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_BLANK_LINES = re.compile(r"\A(?:[ \t\r]*\n)+")
_NOT_A_PARAGRAPH = re.compile(r"[>#|]|[-*+]\s|\d+[.)]\s|```|~~~|    ")
_FIRST_LEVEL = re.compile(r" {0,3}#\s")
MIN_CHAPTERS = 3
"""With so many first-level headings the first is a chapter, unless the next stands right below it."""
# "1. Set-up" is the first chapter of a report whose chapters are first-level headings.
_CHAPTER = re.compile(r"\d+([.)](\s|$)|、)")


def escape_markdown(text: str) -> str:
    """Return Markdown that shows the text as it is, whatever it looks like."""
    return _SPECIAL.sub(r"\\\1", text)


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
    lines = content.splitlines(keepends=True)
    return sum(
        not is_code and _FIRST_LEVEL.match(line) is not None
        for line, is_code in zip(lines, code_lines(lines), strict=True)
    )


def _without_closing_marks(heading: str) -> str:
    """Return the heading without the marks that may close it: "Title ##" is "Title"."""
    bare = heading.rstrip("#")
    return bare.strip() if not bare or bare[-1].isspace() else heading

"""The title of a Markdown text, and text that is to stand in Markdown as it is."""

import re
from collections.abc import Callable

from research.markdown.fences import code_lines
from research.markdown.lines import INVISIBLE, MAX_HEADING_CHARACTERS, heading_marks
from research.markdown.outline import is_same_heading

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_IMAGE = r"!\[[^\]\n]{0,500}\]\([^()\s]{0,2000}\)"
# What may stand before the title: white space, comments, tags, images that may be links, rules.
_BEFORE = re.compile(
    rf"(?:[\s{INVISIBLE}]+|<!--(?:(?!-->)[\s\S]){{0,5000}}-->|<(?!h1)[a-z/][^<>\n]{{0,2000}}>"
    rf"|{_IMAGE}|\[{_IMAGE}\]\([^()\s]{{0,2000}}\)|-{{3,}}(?=[ \t]*\n))*",
    re.IGNORECASE,
)
_HTML_TITLE = re.compile(r"<h1(?:\s[^<>]*)?>(.*?)</h1>[ \t]*$", re.IGNORECASE)
_FRONT_MATTER = re.compile(
    r"---[ \t]*\n((?:(?:[\w-]+:|[ \t]|- |#).{0,2000}\n|\n){1,60}?)(?:---|\.\.\.)[ \t]*(?:\n|$)"
)
_SENTENCE = re.compile(r".{8,}?(?:[.?!](?=\s)|[。？！])")
_CLAUSE = re.compile(r".+(?:[,;:](?=\s)|[，；：])")
_FIELD = re.compile(r"title:\s*(.*)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\n(?:\\n|[-#*>|\d])")
_ESCAPES = {"n": "\n", "t": "\t", "r": "", '"': '"', "\\": "\\", "/": "/"}
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

    What stands before the heading and is no text of its own, such as an image, begins the rest; so do the
    fields of a front matter. Without such a heading the title is the front matter's, or empty.
    """
    content = _with_lines(content).lstrip(INVISIBLE)
    fields, content = _front_matter(content)
    title, rest = _first_heading(content)
    own = next((found[1].strip(" \"'") for field in fields if (found := _FIELD.match(field))), "")
    if own and is_same_heading(own, title or own):
        fields = [field for field in fields if not _FIELD.match(field)]
    shown = "  \n".join(map(escape_markdown, fields))
    return title or escape_markdown(own), f"{shown}\n\n{rest}" if fields else rest


def split_question(question: str, shorten: Callable[[str], str]) -> tuple[str, str]:
    """Return the first line of a question, as long as `shorten` leaves it, and the lines of the rest.

    `shorten` ends what it cuts with " …". Such a line is parted behind its first sentence, else behind a
    clause, else behind a word.
    """
    first, *others = [*filter(None, (" ".join(line.split()) for line in question.splitlines())), ""]
    title = shorten(first)
    if title != first:
        title = title.removesuffix(" …")
        part = _SENTENCE.match(title) or _CLAUSE.match(title)
        title = part[0] if part else title
        others.insert(0, first[len(title) :].strip())
    return title, "\n".join(filter(None, others))


def _first_heading(content: str) -> tuple[str, str]:
    before = _BEFORE.match(content)
    start = content.rfind("\n", 0, before.end() if before else 0) + 1
    line, _, rest = content[start:].partition("\n")
    underline, _, after = rest.partition("\n")
    title = ""
    if found := _HTML_TITLE.match(line.strip()):
        title = found[1].strip()
    elif (found := heading_marks(line)) and len(found[1]) == 1:
        title = _without_closing_marks(line[found.end() :].strip())
    elif re.match(r" {0,3}=+\s*$", underline) and not _NOT_A_PARAGRAPH.match(line):
        title, rest = line.strip(), after
    if not title or _CHAPTER.match(title) or len(title) > MAX_HEADING_CHARACTERS:
        return "", content
    if _count_chapters(content) >= MIN_CHAPTERS and not _FIRST_LEVEL.match(rest.lstrip()):
        return "", content
    shown = content[:start].strip(f"- \t\r\n{INVISIBLE}")
    rest = _without_repeated(rest, title)
    return title, f"{shown}\n\n{rest}" if shown else rest


def _with_lines(content: str) -> str:
    r"""Return the text with new lines where it is one line in which they are written as `\n`."""
    if "\n" in content.strip() or not _ESCAPED.search(content):
        return content
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), content)


def _front_matter(content: str) -> tuple[list[str], str]:
    """Return the lines of the front matter, and what stands behind it."""
    found = _FRONT_MATTER.match(content)
    if not found or not re.match(r"[\w-]+:", found[1].lstrip()):
        return [], content
    return [line.strip() for line in found[1].split("\n") if line.strip()], content[found.end() :]


def _without_repeated(rest: str, title: str) -> str:
    """Return the text without the headings that begin it and only repeat the title."""
    while True:
        line, _, after = rest.lstrip("\n").partition("\n")
        found = heading_marks(line)
        if not found or not is_same_heading(line[found.end() :], title):
            return rest
        rest = after


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

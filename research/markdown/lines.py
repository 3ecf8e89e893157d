"""Lines as models type them, as lines of Markdown: headings, bullets, and images that are written out."""

import re

from research.markdown.fences import code_lines

INVISIBLE = "\ufeff\u200b\u00a0\u3000"
"""Characters before a heading that nobody sees, and that keep it from being one."""
MAX_HEADING_CHARACTERS = 500
"""Of a heading; a longer one is a text whose lines were lost."""
_HEADING = re.compile(
    rf" {{0,3}}(?:[{INVISIBLE}][ {INVISIBLE}]{{0,9}})?(#{{1,6}})([ \t{INVISIBLE}]+|(?=[^\s#]))"
)
_NUMBER_TWICE = re.compile(r"((?:\*\*)?)((?:\d{1,3}(?:\.\d{1,3})+[.)]?|\d{1,3}[.)])[ \t]+)\2+")
_BULLET = re.compile(r"([ \t]*(?:>[ \t]?)*)(?:[•◦‣⁃▪▫▸►●][ \t\u00a0\u3000]*|·[ \t\u00a0\u3000]+)(?=\S)")
_DEEP = re.compile(r"(?: {4}|\t)[ \t]*[•◦‣⁃▪▫▸►●]")
_ITEM = re.compile(r"[ \t]*(?:[-*+•◦‣⁃▪▫▸►●·]|\d{1,9}[.)])|[ \t]+\S")
_DATA = re.compile(r"data:(image/)?[^\s,()<>\"']{0,200};base64,[A-Za-z0-9+/=%]{20,}", re.IGNORECASE)
_MENDED = re.compile(rf"[{INVISIBLE}#•◦‣⁃▪▫▸►●·]|;base64,")


def mend_lines(text: str) -> str:
    """Return the text as CommonMark wants it, in as many lines; code stays as it is."""
    if not _MENDED.search(text):
        return text
    lines = text.split("\n")
    made: list[str] = []
    above, moved = "", 0
    for line, is_code in zip(lines, code_lines(lines), strict=True):
        indent = len(line) - len(line.lstrip(" \t"))
        if line.strip() and indent < moved:
            moved = 0
        if not moved and _DEEP.match(line) and not _ITEM.match(above):
            moved = indent  # or it would be code, but models do not type code so
        made.append(line if is_code else _mended(line[moved:]))
        above = line if line.strip() else above
    return "\n".join(made)


def heading_marks(line: str) -> re.Match[str] | None:
    """Return the marks that make the line a heading, perhaps without a space behind them; or None."""
    found = _HEADING.match(line)
    if not found or found[2] or len(found[1]) > 1:
        return found
    # One mark right before a word may be a hashtag, or a number such as #1.
    rest = line[found.end() :]
    is_title = rest[:1].isalpha() and "#" not in rest and not rest[:1].islower()
    return found if is_title and (" " in rest or not rest[:1].isupper()) else None


def _mended(line: str) -> str:
    if not _MENDED.search(line):
        return line
    if found := heading_marks(line):
        title = _NUMBER_TWICE.sub(r"\1\2", line[found.end() :], count=1)
        line = f"{found[1]} {title}" if len(title) <= MAX_HEADING_CHARACTERS else title
    line = _BULLET.sub(r"\1- ", line, count=1) if _BULLET.match(line) else line
    # Of a picture that stands in the text itself nothing is shown but its description.
    return _DATA.sub(lambda data: "data:image/png;" if data[1] else "data:", line)

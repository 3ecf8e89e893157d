"""What every extracted text goes through: foreign text in, text that can be searched and quoted out."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence

import regex

from research.markdown.reference_lists import is_reference_label

MAX_FIELD_CHARACTERS = 200
MAX_MARKS = 30
"""Of combining marks after a character, as in Unicode's Stream-Safe Text Format: sorting more takes long."""
REFERENCES_FROM = 0.4
"""The part of a text after which its own list of references may begin."""
MAX_ENTRY_CHARACTERS = 600

_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st",
}  # fmt: skip
_KEPT = frozenset(
    "\n\t\u3000\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    + "".join(map(chr, range(0xE0020, 0xE0080)))
)
"""Of controls, formats and spaces: the joiners, Arabic signs that are seen, the tags in emoji of flags."""
_NEW_LINES, _BULLETS = "\x0b\x0c\x85\u2028\u2029", "\uf0b7\uf0a7\uf0d8\uf06e\uf0fc\uf0e0"
"""Bullets of the fonts Symbol and Wingdings."""
_MARKS = regex.compile(rf"(\p{{M}}{{{MAX_MARKS}}})\p{{M}}+")
_DATA_IMAGE = re.compile(r"!\[([^\[\]\n]{0,300})\]\(\s{0,9}data:[^()\s]*\)", re.IGNORECASE)
_DATA_ADDRESS = re.compile(
    r"\bdata:(?:[a-z]{1,20}/[\w.+-]{1,80}(?:;[\w.=+-]{1,80}){0,5}|;base64),[^\s\"'<>)\]}|\\]*"
    r"(?:\n[a-z0-9+/]{40,}={0,2}(?!\S))*(?:\n[a-z0-9+/]{1,80}={1,2}(?!\S))?",
    re.IGNORECASE,
)
_HEADING = re.compile(r"#{1,6}\s")
_BULLET = re.compile(r"(?:[-*+•–]|\^|\[\^?\w{1,12}\]:?|[【［]\d{1,4}[】］]|\(?\d{1,4}[.)\]、])\s*\S")
_CITED = re.compile(
    r"https?://|\bwww\.|\bdoi\b|\bpp?\.\s?\d|\bvol\.|\bisbn\b|\bet al\b|\barxiv\b"
    r"|[(（,，.\s](?:1[89]|20)\d\d[a-z]?[)）.,;:。，]"
    r"|(?:1[89]|20)\d\d\.?$",
    re.IGNORECASE,
)


class _Replacements(dict[int, str | None]):
    """What `str.translate` makes of each character; computed once for each."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        category = unicodedata.category(character)
        replacement: str | None = character
        if character in _NEW_LINES:
            replacement = "\n"
        elif character in _BULLETS:
            replacement = "•"
        elif character not in _KEPT and category[0] in "CZ":
            replacement = " " if category == "Zs" else None
        self[code] = replacement
        return replacement


_REPLACEMENTS = _Replacements(_LIGATURES)


def tidy(text: str) -> str:
    """Return the text in NFC without controls, data: addresses, soft hyphens and ligatures.

    Lines end with "\\n" and without spaces, and there is at most one blank line in a row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_REPLACEMENTS)
    text = unicodedata.normalize("NFC", _MARKS.sub(r"\1", text))
    text = _DATA_ADDRESS.sub("", _DATA_IMAGE.sub(r"\1", text))
    kept: list[str] = []
    for line in map(str.rstrip, text.split("\n")):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).rstrip("\n")


def one_line(text: str | None) -> str:
    """Return a title or a name in one line of at most MAX_FIELD_CHARACTERS."""
    line = " ".join(tidy((text or "")[: MAX_FIELD_CHARACTERS * 10]).split())
    return line if len(line) <= MAX_FIELD_CHARACTERS else f"{line[: MAX_FIELD_CHARACTERS - 1].rstrip()}…"


def has_words(text: str) -> bool:
    """Return whether there is a letter or a digit in the text."""
    return any(map(str.isalnum, text))


def without_references(text: str, pages: Sequence[int] = ()) -> tuple[str, tuple[int, ...]]:
    """Remove the text's own list of references at its end; what follows the list is kept.

    `pages` are the characters at which its pages begin, and are returned as they are in the shorter text.
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    first = bisect_right(starts, int(len(text) * REFERENCES_FROM))
    text_end = next((number for number in range(len(lines), 0, -1) if lines[number - 1].strip()), 0)
    for number in range(len(lines) - 1, first - 1, -1):
        if _is_reference_heading(lines, number):
            last = _end_of_entries(lines, number + 1, text_end)
            if last > number + 1:
                return _cut(text, starts[number], min(starts[last], len(text)), pages)
    return text, tuple(pages)


def _is_reference_heading(lines: Sequence[str], number: int) -> bool:
    line = lines[number].strip()
    if not line or len(line) > 60 or not is_reference_label(line):
        return False
    alone = number == 0 or not lines[number - 1].strip()
    return bool(_HEADING.match(line)) or alone or line.startswith("**") or line.endswith((":", "："))


def _end_of_entries(lines: Sequence[str], first: int, text_end: int) -> int:
    """Return the line after the last entry of the list that begins at a line; `first` where there is none.

    One line between two entries may look like none, because entries go on in lines of their own.
    """
    end, entries, others, seen = first, 0, 0, 0
    for number in range(first, text_end):
        line = lines[number].strip()
        if not line:
            continue
        if _HEADING.match(line) or others > 1 or _is_reference_heading(lines, number):
            break
        seen += 1
        long = len(line) > MAX_ENTRY_CHARACTERS  # or several entries that are one paragraph in a PDF
        cited = len(_CITED.findall(line)) if long else bool(_CITED.search(line))
        if (_BULLET.match(line) and not long) or cited * MAX_ENTRY_CHARACTERS >= len(line):
            end, entries, others = number + 1, entries + 1, 0
        else:
            others += 1
    return end if entries * 2 > seen and (entries > 1 or end == text_end) else first


def _cut(text: str, start: int, end: int, pages: Sequence[int]) -> tuple[str, tuple[int, ...]]:
    head, tail = text[:start].rstrip(), text[end:].lstrip("\n")
    gap = "\n\n" if head and tail else ""
    removed = len(text) - len(tail) - len(head) - len(gap)
    moved = tuple(
        page if page <= len(head) else max(len(head + gap), page - removed) if page >= start else len(head)
        for page in pages
    )
    kept = head + gap + tail
    return kept, tuple(min(page, len(kept)) for page in moved)


def truncate(text: str, max_bytes: int) -> str:
    """Return the beginning of the text that has at most so many bytes as UTF-8, to the end of a line."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    head = encoded[:max_bytes].decode(errors="ignore")
    line_end = head.rfind("\n", len(head) // 2)
    return head[:line_end].rstrip() if line_end > 0 else head

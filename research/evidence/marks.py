"""Citation marks: how models write the numbers of sources, and where such marks stand in a Markdown text."""

import re
from collections.abc import Iterator

MAX_NUMBER = 999
"""Because `[2024]` is a year and `[0]` an index, only 1 to 999 are read as citations."""
MAX_RANGE = 50

# Every length is bounded, so that no text makes a search long.
_GAP = r"\s{0,9}"
_NUMBERS = rf"\d{{1,4}}(?:{_GAP}[,;、，–—-]{_GAP}\d{{1,4}})*"
_WORD = (
    r"(?:sources?|refs?|references?|citations?|quellen?|fuentes?|来源|參考|参考|出典)\.?"
    rf"{_GAP}[:：]?{_GAP}"
)
_PAGE = r"(?:pp?\.|pages?|S\.|Seiten?|págs?\.|стр\.|§{1,2}|lines?|L)\s?L?\d{1,5}(?:[–-]L?\d{1,5})?"
_NEXT = rf"(?:{_GAP}[,;、，–—-]{_GAP}(?:(?:and|und|et|y)\s)?|\s(?:and|&|und|et|y|и)\s|[和及与と])"
_LIST = (
    rf"(?:{_WORD})?\#?\d{{1,4}}(?:,\s?{_PAGE})?"
    rf"(?:{_NEXT}(?:{_WORD})?\#?\d{{1,4}}(?:,\s?{_PAGE})?)*"
)
_PLACE = r"†[^†【】［］\n]{0,100}"
"""Where the citation of a file points to within it, as in `【1†L3-L5】`."""
_MARK = (
    rf"\[\^?{_LIST}\]|[【［]{_GAP}{_LIST}{_GAP}(?:{_PLACE})?[】］]|\({_WORD}{_LIST}\)"
    rf"|(?<![\d^])\^{_NUMBERS}\^"
)
CODE = r"(?<!`)(?P<ticks>`{1,9})(?!`)(?:[^\n]|\n(?![ \t]*\n)){1,2000}?(?<!`)(?P=ticks)(?!`)"
TOKEN = re.compile(
    rf"""
      (?P<code>{CODE})
    | (?:(?<=\S)[ \t\u00a0])?
      (?P<numbered>\[\[?\^?{_NUMBERS}\]?\]\([^()\s]{{0,500}}(?:\s{{1,9}}"[^"\n]{{0,200}}")?\))
    | !?\[(?:[^\[\]\n]|\[[^\[\]\n]{{0,100}}\]){{1,500}}\]
      \((?P<link>(?:[^()\s]|\([^()\s]{{0,200}}\)){{0,2000}})(?:\s{{1,9}}"[^"\n]{{0,200}}")?\)
    | <(?P<autolink>[a-z][a-z0-9+.-]{{1,20}}:[^<>\s]{{0,2000}})>
    | (?P<address>https?://[^\s<>\[\]【】［］]{{1,2000}})
    | (?P<formula>\$\$.{{1,2000}}?\$\$ | \$(?![\s$])[^$\n]{{1,500}}?(?<!\s)\$(?!\d)
        | \\\(.{{1,500}}?\\\) | \\\[.{{1,2000}}?\\\])
    | (?P<escape>\\.)
    | (?:(?<=\S)[ \t\u00a0])?(?P<marks>(?:{_MARK})(?:,?[ \t]?(?:{_MARK})(?!\())*)(?!\()(?P<colon>:(?=[ \t]))?
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
EACH = re.compile(_MARK, re.IGNORECASE)
_WITHIN = re.compile(rf"{_PLACE}|,\s?{_PAGE}", re.IGNORECASE)
FILE_MARK = rf"【{_GAP}\d{{1,4}}{_GAP}{_PLACE}】"
_START_OF_ENTRY = re.compile(r"[ \t>]*(?:[-*+]|\d{1,4}[.)])?[ \t]*")


def marks_of(token: re.Match[str]) -> str:
    """Return the marks that a token consists of, as they are written; empty for any other token."""
    label: str = (token["numbered"] or "").partition("](")[0]
    return label if are_citations(label) else token["marks"] or ""


def begins_entry(token: re.Match[str]) -> bool:
    """Return whether nothing stands before a token in its line but the mark of a list item or of a quote."""
    line = token.string.rfind("\n", 0, token.start()) + 1
    return _START_OF_ENTRY.fullmatch(token.string, line, token.start()) is not None


def cited_numbers(token: re.Match[str]) -> list[int]:
    """Return the numbers that a token cites; the label of an entry, as in `[1]: Title`, cites none."""
    marks = marks_of(token)
    if token["colon"] and begins_entry(token):
        return []
    each = [marks] if token["numbered"] else [mark[0] for mark in EACH.finditer(marks)]
    return [number for mark in each if are_citations(mark) for number in numbers(mark)]


def are_citations(marks: str) -> bool:
    """Return whether the numbers of marks can be those of sources."""
    found = [int(number) for number in re.findall(r"\d+", _WITHIN.sub("", marks))]
    return bool(found) and min(found) >= 1 and max(found) <= MAX_NUMBER


def numbers(marks: str) -> Iterator[int]:
    """Yield the numbers of marks, those of a range such as `[1-3]` one by one."""
    # Numbers within a source, such as those of its pages, are none.
    for first, last in re.findall(r"(\d+)(?:\s{0,9}[–—-]\s{0,9}(\d+))?", _WITHIN.sub("", marks)):
        start, end = int(first), int(last or first)
        if start <= end <= start + MAX_RANGE:
            yield from range(start, end + 1)
        else:
            yield from (start, end)

"""Numbers in the cells of a table, as people write them: with signs, currencies, units and marks."""

import re
from collections.abc import Iterable

MAX_UNITS = 3
"""In how many units the numbers of one column may be."""
_CURRENCY = "$¢-¥฿₠-⃏"
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|KRW|RUB|BRL|CAD|AUD"
_UNIT = rf"\s?[%‰٪°{_CURRENCY}]?\s?[^\W\d_\u0590-\u08ff]{{0,9}}[²³]?(?:/\d+)?"
_FIGURES = r"\d+(?:[.,'’٬\u00a0\u202f ]\d{3})*(?:[.,٫]\d+)?"
_ARROW = "▲▼△▽↑↓↗↘⬆⬇"
_ABOUT = rf"(?:[(~～≈<>≤≥±{_ARROW}]|[约約]|ca?\.|approx\.)?"
_BEFORE = rf"\s?[-+−–]?\s?(?:[A-Z]{{0,3}}[{_CURRENCY}]|(?:{_CODES})\s)?\s?[-+−–]?"
_NUMBER = re.compile(
    rf"{_ABOUT}{_BEFORE}(?:{_FIGURES}{_UNIT}\s?[-–—~～]{_BEFORE})?"
    rf"(?P<number>{_FIGURES})(?P<unit>{_UNIT})[+＋]?"
    rf"(?:\s?(?:±|\+/[-−])\s?{_FIGURES}{_UNIT})?\)?\s?[{_ARROW}]?(?:\[\d+\]|[*†‡\u2060 ])*"
)
"""A number or a range, which is aligned by its second number."""
_NONE = re.compile(r"[-–—−?…\s]*|n\.?/?[as]\.?|tb[acd]", re.IGNORECASE)
_POINTS = {
    mark: re.compile(rf"{re.escape(mark)}(?!\d{{3}}(?!\d))\d|(?<!\d)0{re.escape(mark)}\d") for mark in ".,٫"
}
"""The decimal points, and where each is one: a mark before three digits may part thousands."""


def integer_ends(texts: Iterable[str]) -> list[int | None]:
    """Return where the integer part of each number ends, None for a dash or a blank between them.

    Of texts that are not all numbers, nothing.
    """
    found = [_NUMBER.fullmatch(text) or _NONE.fullmatch(text) for text in texts]
    numbers = [match for match in found if match and match.re is _NUMBER]
    units = {match["unit"].strip() for match in numbers}
    if not numbers or not all(found) or len(units) > MAX_UNITS:
        return []
    texts = [match["number"] for match in numbers]
    point = next((mark for mark, rule in _POINTS.items() if any(map(rule.search, texts))), "\n")
    return [
        match.start("number") + len(match["number"].partition(point)[0])
        if match and match.re is _NUMBER
        else None
        for match in found
    ]

"""Read which sections of a report a person names before a wish."""

import re

MAX_NUMBER = 1_000
"""More sections than a report has: the end of a range above it is a number that is refused."""
_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    "|seventeen|eighteen|nineteen|twenty"
)
_DASH = "[-\u2010-\u2015\u2212]"
_NUMBER = rf"(?:\d+|(?:{_WORDS})\b)"
_RANGE = rf"(?P<first>{_NUMBER})(?:\s*(?:{_DASH}|to\b|through\b)\s*(?P<last>{_NUMBER}))?"
_ITEM = re.sub(r"\(\?P<\w+>", "(?:", _RANGE)
_NUMBERS = rf"(?P<numbers>{_ITEM}(?:(?:\s*(?:,|and\b|&))+\s*{_ITEM})*)"
_AFTER_WORD = rf"\s*(?:[:：]|{_DASH}|[.)](?!\S))"
_AFTER_NUMBER = rf"(?:\s*[:：](?!\d)|[.)](?!\S)|\s+{_DASH}(?!\S)(?!\s*\d))"
_NAMED = re.compile(
    rf"sections?\s*{_NUMBERS}(?:{_AFTER_WORD}(?P<wish>.*))?",
    re.IGNORECASE | re.DOTALL,
)
# A year is no section, and neither is the first number of a list of wishes ("1. … 2. …").
_NUMBERED = re.compile(
    rf"(?!\d{{4}}|1[.)].*\s2[.)]\s)(?=\d){_NUMBERS}(?:{_AFTER_NUMBER}(?P<wish>.*))?",
    re.IGNORECASE | re.DOTALL,
)


def section_numbers(text: str) -> tuple[tuple[int, ...], str]:
    """Return the sections that a person names before a wish, as in "Sections 2-4 and 6: …", and the wish.

    Without the word, a colon, a dash or a dot follows the numbers, because "3 more examples" names none.
    The wish is empty where nothing but sections is named.
    """
    text = text.strip()
    named = _NAMED.fullmatch(text) or _NUMBERED.fullmatch(text)
    if not named:
        return (), text
    numbers: list[int] = []
    for found in re.finditer(_RANGE, named["numbers"], re.IGNORECASE):
        first, last = sorted(_number(each) for each in (found["first"], found["last"] or found["first"]))
        numbers += [*range(first, min(last, MAX_NUMBER)), last]
    return tuple(dict.fromkeys(numbers)), (named["wish"] or "").strip()


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _WORDS.split("|").index(text.lower()) + 1

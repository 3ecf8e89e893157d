"""Free checks: the figures, dates and quoted words of a statement must stand in its passages.

A figure counts as the same in another notation (1.5 million, 1,500,000, 150万), and as another one where it is
rounded: whoever writes "about 68" cites a passage that has 68.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal

from research.evidence.passages import locate

_SCALES = {
    "thousand": 3, "tausend": 3, "mille": 3, "k": 3, "千": 3, "万": 4, "萬": 4, "million": 6, "millions": 6,
    "millionen": 6, "mio": 6, "mn": 6, "m": 6, "مليون": 6, "亿": 8, "億": 8, "billion": 9, "billions": 9,
    "milliarden": 9, "milliarde": 9, "mrd": 9, "bn": 9, "مليار": 9, "trillion": 12, "billionen": 12, "兆": 12,
}  # fmt: skip
"""Powers of ten."""
_WORDS = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
        + ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"],
        [*range(1, 13)] * 2,
        strict=True,
    )
)
_CHINESE = dict(zip("〇零一二两三四五六七八九", [0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9], strict=True))
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1_000}
_CHINESE_NUMBER = re.compile("[〇零一二两三四五六七八九十百千]+")
_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    )
    for number, name in enumerate(names.split(), start=1)
}
_FRACTIONS = {"½": "0.5", "¼": "0.25", "¾": "0.75"}
_NUMBER = re.compile(
    r"(?<![\d.,])(?P<sign>[-−](?=\d))?(?P<digits>\d+(?:[.,'’ \u00a0\u2009\u202f](?=\d)\d+)*)"
    r"\s?(?P<scale>[千万萬亿億兆]|[^\W\d_]+)?"
)
_STRUCTURE = re.compile(
    r"\b(?:sections?|chapters?|figures?|tables?|abschnitt|kapitel|tabelle)\s+\d+", re.IGNORECASE
)
_QUOTED = re.compile(r"[“„«「\"]([^“”„«»「」\"\n]{3,500})[”“»」\"]")


def missing(statement: str, passages: Sequence[str]) -> list[str]:
    """Return what of a statement's figures, dates and quoted words is in none of its passages."""
    present = {value for passage in passages for values in _figures(passage).values() for value in values}
    figures = [
        shown
        for shown, values in _figures(_STRUCTURE.sub(" ", statement)).items()
        if present.isdisjoint(values) and not (len(shown) == 1 and _CHINESE_NUMBER.fullmatch(shown))
    ]  # one character alone is often no figure: 一些 is "some"
    quoted = [words for words in _QUOTED.findall(statement) if len(words.split()) > 1 or len(words) > 7]
    return figures + [words for words in quoted if not any(_stands(words, passage) for passage in passages)]


def _stands(words: str, passage: str) -> bool:
    if locate(passage, words):
        return True
    return " ".join(words.casefold().split()).rstrip(".,") in " ".join(passage.casefold().split())


def _figures(text: str) -> dict[str, set[Decimal]]:
    """Return the figures in a text as they are written, each with all that it may mean."""
    found: dict[str, set[Decimal]] = {}
    text = "".join(_FRACTIONS.get(character, character) for character in text)
    for match in _NUMBER.finditer(_ascii_digits(text)):
        values = set(_readings(match["digits"]))
        scale = _SCALES.get((match["scale"] or "").casefold().rstrip("."))
        if scale:
            values = {value.scaleb(scale) for value in values}
        if match["sign"]:
            values = {-value for value in values}
        found.setdefault(match[0].strip(), set()).update(value.normalize() for value in values)
    for word in re.findall(r"[^\W\d_]+", text):
        number = _WORDS.get(word.casefold()) or _MONTHS.get(word.casefold())
        if number and not (word == "may" or word == "mar"):
            found.setdefault(word, set()).add(Decimal(number))
    for run in _CHINESE_NUMBER.findall(text):
        found.setdefault(run, set()).add(Decimal(_chinese(run)))
    return found


def _chinese(run: str) -> int:
    """Return the number that Chinese numerals are: 二十三 is 23, 二〇〇七 is 2007."""
    if not any(character in _CHINESE_UNITS for character in run):
        return int("".join(str(_CHINESE[character]) for character in run))
    total, digit = 0, 0
    for character in run:
        if character in _CHINESE_UNITS:
            total += (digit or 1) * _CHINESE_UNITS[character]
            digit = 0
        else:
            digit = _CHINESE[character]
    return total + digit


def _ascii_digits(text: str) -> str:
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character for character in text
    )


def _readings(digits: str) -> Iterator[Decimal]:
    """Yield the numbers that digits with separators may mean: "1.500" is 1500 or 1.5."""
    parts = re.split(r"[^\d]", digits)
    separators = re.findall(r"[^\d]", digits)
    if not separators:
        yield Decimal(digits)
        return
    if all(len(part) == 3 for part in parts[1:]) and len(set(separators)) == 1 and len(parts[0]) <= 3:
        yield Decimal("".join(parts))
    if len(separators) == 1 and separators[0] in ".,":
        yield Decimal(f"{parts[0]}.{parts[1]}")
    elif len(set(separators)) == 2 and separators[-1] in ".," and separators.count(separators[-1]) == 1:
        yield Decimal(f"{''.join(parts[:-1])}.{parts[-1]}")
    elif not (all(len(part) == 3 for part in parts[1:]) and len(set(separators)) == 1):
        for part in parts:
            yield Decimal(part)

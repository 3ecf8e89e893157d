"""Numbers and dates as texts write them, in any notation, and what they are."""

import re
import unicodedata
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from research.evidence.number_words import (
    CJK,
    CJK_DIGITS,
    CJK_SCALES,
    ENGLISH_TENS,
    ENGLISH_UNITS,
    FRACTIONS,
    MEASURES,
    MONTHS,
    OTHER_WORDS,
    SCALE_LETTERS,
    SCALES,
    WORDS,
)

MAX_CHARACTERS = 60
"""A longer number is compared as it is written."""


@dataclass(frozen=True)
class Figure:
    """A number or a date in a text."""

    written: str
    wanted: frozenset[Hashable]
    """What it may be: one of them has to stand in a passage."""
    keys: frozenset[Hashable]
    """What else stands in a passage where it stands, as a year stands in a date."""
    parts: frozenset[Hashable] = frozenset()
    """What together says the same."""
    counts: bool = True
    """Whether it has to stand in a passage; a number word that may be no number has not."""


_LETTER = r"[A-Za-z\u00aa-\u024f\u0370-\u05ff\u0620-\u064a\u0900-\u0963]"
"""A letter of a script with spaces between words: a number that it touches is a part of a name, as in H2O."""
_CURRENCIES = "USD|EUR|GBP|CHF|CNY|RMB|JPY|INR|Rs|US|HK"


def _any(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_NUMBER = r"(?:\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\d)|\d+)(?:[.,'’:/]\d+)*"
_SCALE = (
    rf"(?:(?P<letter>[kKmMbB])(?!{_LETTER})"
    rf"|[ \u00a0-]?(?P<scale>(?ai:{_any(set(SCALES) - SCALE_LETTERS)}))(?!{_LETTER}))"
)
_MONTH = rf"(?<!{_LETTER})(?:{_any(MONTHS)})(?!{_LETTER})\.?"
_TENS_WITH_UNITS = rf"(?:{_any(ENGLISH_TENS)})[ -](?:{_any(ENGLISH_UNITS)})"
_CJK_DAY = rf"(?:\d{{1,2}}|[{CJK}]{{1,3}})"
_CJK_SCALE = f"(?:[{''.join(CJK_SCALES)}](?![瓦克米卡帕伏焦赫]))"  # kilo and mega are parts of units
_SCAN = re.compile(
    rf"""
      (?P<skip> https?://\S+ | \[\^?\d{{1,3}}(?:[ ]?[,;–-][ ]?\d{{1,3}})*\] | 【\d{{1,3}}】
        | \A\s*(?:[-*+•]\s+)?\(?\d{{1,3}}[.)、]\s+(?!{_MONTH})
        | (?<!{_LETTER})(?i:sections?|sec\.|chapters?|figures?|fig\.|tables?|appendix|steps?|abschnitt|kapitel
          |abbildung|abb\.|tabelle|tab\.)\s?\d+(?:\.\d+)*
        | 第\s?(?:\d+|[{CJK}]+)\s?[章节節] | [图圖表]\s?\d+
        | (?<!{_LETTER})(?!(?:{_CURRENCIES})\d){_LETTER}{{1,20}}\d[\d.]* )
    | (?P<ymd> (?P<y1>\d{{4}})(?P<s1>[-/.])(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}})(?![\d]) )
    | (?P<dmy> (?P<d2>\d{{1,2}})(?P<s2>[./-])[ ]?(?P<m2>\d{{1,2}})(?P=s2)[ ]?(?P<y2>\d{{4}})(?!\d) )
    | (?P<cjk_date> (?:(?P<y3>\d{{4}}|[{"".join(CJK_DIGITS)}]{{4}})\s?[年년]\s?)?(?P<m3>{_CJK_DAY})\s?[月월]
        (?:\s?(?P<d3>{_CJK_DAY})\s?[日号號일])? )
    | (?P<day_first> (?P<d5>\d{{1,2}})(?:st|nd|rd|th|\.|º|er)?\s(?:(?:of|de)\s)?(?P<m5>{_MONTH})
        (?:,?\s(?:(?:of|de|del)\s)?(?P<y5>\d{{4}})(?!\d))? )
    | (?P<month_first> (?P<m6>{_MONTH}),?\s(?:(?:of|de)\s)?
        (?:(?P<d6>\d{{1,2}})(?:st|nd|rd|th)?(?![\d%]|[.,:]\d)(?:,?\s(?P<y6>\d{{4}})(?!\d))?
          |(?P<y7>\d{{4}})(?!\d)) )
    | (?P<of> \d+|[{CJK}]+)分之(?P<part>{_NUMBER}|[{CJK}]+(?:点[{CJK}]+)?)
    | (?P<mixed> \d+(?:[.,]\d+)*\s?{_CJK_SCALE}+(?:\d+{_CJK_SCALE}+)* )
    | (?P<number> {_NUMBER})(?:\s?(?P<fraction>[{FRACTIONS}]))?{_SCALE}?
    | (?P<lone> [{FRACTIONS}])
    | (?P<cjk> [{CJK}]+(?:点[{CJK}]+)?)
    | (?<!{_LETTER})(?P<word> (?ai:{_TENS_WITH_UNITS}|{_any({*WORDS, *OTHER_WORDS})}))(?!{_LETTER})
        {_SCALE.replace("letter", "letter2").replace("P<scale", "P<scale2")}?
    | (?<!{_LETTER})(?i:an?|eine?[mnrs]?)[ ](?P<scale3>(?ai:{_any(set(SCALES) - SCALE_LETTERS)}))(?!{_LETTER})
    """,
    re.VERBOSE,
)
_RANGE = re.compile(r"\s{0,3}(?:[-–—~～至到]|to|bis|and|und|or|oder|à|y)\s{0,3}")
_VAGUE = "几幾数數多第"
"""Before a Chinese number word: it is no exact number, or an ordinal."""


def find_figures(text: str) -> Iterator[Figure]:
    """Yield the numbers and dates of a text in order."""
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else _SEPARATORS.get(c, c) for c in text)
    before: tuple[re.Match[str], Figure] | None = None
    for found in _SCAN.finditer(plain):
        if found["skip"]:
            continue
        figure = _figure(found, text[found.start() : found.end()].strip())
        if before:
            # In "1.5 to 2 million" the scale belongs to both.
            scale = _scale(found) if _RANGE.fullmatch(plain, before[0].end(), found.start()) else 1
            yield _scaled(before[1], scale) if scale > 1 and _scale(before[0]) == 1 else before[1]
        before = found, figure
    if before:
        yield before[1]


_SEPARATORS = {"．": ".", "٫": ".", "٬": ",", "／": "/", "：": ":"}


def _scaled(figure: Figure, scale: int) -> Figure:
    more = {value * scale for value in figure.wanted if isinstance(value, Fraction)}
    return Figure(figure.written, figure.wanted | more, figure.keys | more, figure.parts, figure.counts)


def _figure(found: re.Match[str], written: str) -> Figure:
    if len(found[0]) > MAX_CHARACTERS:
        return _exactly(written, written)
    if date := _date(found):
        return _dated(written, *date)
    if found["cjk"]:
        return _chinese(found, written)
    if found["of"]:
        whole, part = _value(found["of"]), _value(found["part"])
        return _exactly(written, *([part] if whole in (0, 100) else [part / whole]))
    if found["mixed"]:
        return _exactly(written, _value(found["mixed"]))
    if found["lone"]:
        return _exactly(written, _part(found["lone"]))
    if found["word"] or found["scale3"]:
        tens, _, unit = re.sub(r"[ -]", " ", (found["word"] or "one").lower()).partition(" ")
        number, scale = (OTHER_WORDS | WORDS)[tens] + WORDS.get(unit, 0), _scale(found)
        counts = tens in WORDS and (number > 1 or scale > 1)
        return _exactly(written, Fraction(number * scale), counts=counts)
    if found["number"]:
        return _numeric(written, found)
    return _exactly(written, found[0])  # like a date, but it is none


def _exactly(written: str, *values: Hashable, counts: bool = True) -> Figure:
    return Figure(written, frozenset(values), frozenset(values), counts=counts)


def _scale(found: re.Match[str]) -> int:
    name = found["letter"] or found["scale"] or found["letter2"] or found["scale2"] or found["scale3"]
    return SCALES[name.lower()] if name else 1


def _part(character: str | None) -> Fraction:
    return Fraction(unicodedata.numeric(character)).limit_denominator(10) if character else Fraction(0)


def _numeric(written: str, found: re.Match[str]) -> Figure:
    """Return a number in digits; one that can be read in two ways may be both."""
    bare = re.sub(r"[\s'’\u00a0\u2009\u202f]", "", found["number"])
    value, groups = _decimal(bare), re.split(r"[.,:/]", bare)
    scale, fraction = _scale(found), _part(found["fraction"])
    if value is None:  # a version, a time, a list: as it is written
        parts = frozenset(Fraction(group) for group in groups if len(group) == 4 or "," in bare)
        return Figure(written, frozenset([bare]), parts | {bare}, parts)
    values = {(value + fraction) * scale}
    if found["letter"] == "m":
        values.add(value + fraction)
    if scale >= 10**6 and len(groups) == 2 and len(groups[1]) == 3:  # 1.234 million, or 1.234 Millionen
        values.add(Fraction(f"{groups[0]}.{groups[1]}") * scale)
    return _exactly(written, *values)


def _decimal(number: str) -> Fraction | None:
    """Return the value of digits with points and commas; None if they are no number."""
    separators, groups = re.findall(r"[.,:/]", number), re.split(r"[.,:/]", number)
    if len(groups) == 2 and separators == ["/"]:
        return Fraction(int(groups[0]), int(groups[1])) if int(groups[1]) else None
    if not {*separators} <= {".", ","}:
        return None
    *firsts, last = groups
    is_grouped = 1 <= len(groups[0]) <= 3 and groups[0][0] != "0"
    if len({*separators}) < 2:
        by_thousands = is_grouped and all(len(group) == 3 for group in groups[1:])
        by_lakhs = separators[1:] and "." not in separators and len(last) == 3
        if by_thousands or (by_lakhs and is_grouped and all(len(group) == 2 for group in groups[1:-1])):
            return Fraction("".join(groups))
        return Fraction(".".join(groups)) if len(separators) < 2 else None
    if separators.count(separators[-1]) > 1 or not all(len(group) in (2, 3) for group in firsts[1:]):
        return None
    return Fraction(f"{''.join(firsts)}.{last}")


def _chinese(found: re.Match[str], written: str) -> Figure:
    run, text = found["cjk"], found.string
    if len(run) == 2 and all(character in CJK_DIGITS for character in run):  # 七八年: seven or eight
        return _exactly(written, *(Fraction(CJK_DIGITS[character]) for character in run), counts=False)
    if re.search(r"[十百千万亿].?[一二三四五六七八九]{2}", run):  # 十四五: the name of a plan
        return _exactly(written, run, counts=False)
    if text.startswith("成", found.end()):  # 四成: four tenths
        return _exactly(written, _value(run), _value(run) * 10, counts=False)
    is_measured = text[found.end() : found.end() + 1] in MEASURES and found.end() < len(text)
    is_vague = run[0] in "百千万萬亿億兆" or text[max(found.start() - 1, 0) : found.start()] in (*_VAGUE,)
    return _exactly(
        written, _value(run), counts=run not in "一零〇" and not is_vague and (len(run) > 1 or is_measured)
    )


def _value(run: str) -> Fraction:
    """Return the value of a number in Chinese characters, digits, or both, such as 1亿5000万."""
    whole, _, decimals = run.partition("点")
    if decimals:
        return _value(whole) + Fraction(f"0.{''.join(str(CJK_DIGITS.get(digit, 0)) for digit in decimals)}")
    if all(character in CJK_DIGITS for character in run):
        return Fraction("".join(str(CJK_DIGITS[character]) for character in run))
    total = section = Fraction(0)
    number: Fraction | None = None
    for token in re.findall(rf"\d[\d.,]*|[{CJK}]", run):
        scale = CJK_SCALES.get(token)
        if scale is None:
            number = (
                Fraction(CJK_DIGITS[token])
                if token in CJK_DIGITS
                else _decimal(token.strip(".,")) or Fraction(0)
            )
        elif scale < 10**4:
            section, number = section + (1 if number is None else number) * scale, None
        else:
            own = section + (number or 0)
            total, section, number = total + (own or 1) * scale, Fraction(0), None
    return total + section + (number or 0)


def _date(found: re.Match[str]) -> tuple[int, int, int] | None:
    """Return the year, the month and the day of a date, 0 for what it does not have; None for a number."""
    if found["ymd"]:
        year, month, day = found["y1"], found["m1"], found["d1"]
    elif found["dmy"]:
        year, month, day = found["y2"], found["m2"], found["d2"]
        if int(month) > 12:
            month, day = day, month
    elif found["cjk_date"]:
        year, month, day = found["y3"], found["m3"], found["d3"]
    elif found["day_first"]:
        year, month, day = found["y5"], found["m5"], found["d5"]
    elif found["month_first"]:
        year, month, day = found["y6"] or found["y7"], found["m6"], found["d6"]
    else:
        return None
    months = MONTHS.get(month.rstrip(".")) or int(_value(month))
    date = (int(_value(year)) if year else 0, months, int(_value(day)) if day else 0)
    return date if 1 <= months <= 12 and date[2] <= 31 else None


def _dated(written: str, year: int, month: int, day: int) -> Figure:
    date: Hashable = ("date", year, month, day)
    years = {Fraction(year)} if year else set()
    keys = {date, ("date", year, month, 0), ("date", 0, month, day), ("date", 0, month, 0), *years}
    without_year: Hashable = ("without year", month, day)
    parts = frozenset({without_year, *years}) if year and day else frozenset()
    return Figure(written, frozenset([date]), frozenset(keys if year else {*keys, without_year}), parts)

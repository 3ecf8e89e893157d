"""Sentences of plain text in any language, by ICU, and where ICU takes an abbreviation for the end of one."""

import re
from collections.abc import Iterator

HARD_BREAK = "\n"
"""Ends a sentence wherever it stands; where a line only goes on there is to be a space."""

_OTHERS = re.compile(r"[\ud800-\udfff\U00010000-\U0010ffff]")
_ABBREVIATIONS = (
    r"e\.\s?g|i\.\s?e|cf|vs|approx|ca|Drs?|Mr|Mrs|Ms|Prof|St|Mt|Ft|al|Gen|Col|Sen|Gov|resp|incl|Univ|Dept"
    r"|z\.\s?B|d\.\s?h|u\.\s?a|o\.\s?ä|i\.\s?d\.\s?R|v\.\s?a|bzw|vgl|Mio|Mrd|Tsd|Hrsg|geb|evtl|ggf|inkl|zzgl"
    r"|max|min|rd|sog|Dipl|Ing|Hon|p\.\s?ej|Sra?|Dra?|env|[^\W\d_]"
)
_BEFORE_NUMBER = r"Nos?|Nr|Figs?|Eqs?|Secs?|Ch|Vols?|pp?|Abs|Art|Abb|Tab|Kap|Bd|S|Rn|núm|рис|стр"
_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_ABBREVIATED = re.compile(
    rf"""(?<![\w.])(?:\w\.\s?){{0,3}}(?:{_ABBREVIATIONS})\.[ ]{{0,9}}\Z
    | (?<![\w.])(?:{_BEFORE_NUMBER})\.[ ]{{0,9}}\Z(?P<number>)
    | (?<![\w.,])(?P<day>\d{{1,2}})\.[ ]{{0,9}}\Z""",
    re.VERBOSE,
)
# German ordinal numbers end with a full stop.
_BEFORE_ORDINAL = re.compile(
    r"\b(?:am|im|der|die|das|dem|den|des|vom|zum|beim|bis|seit|ab|ein|eine[mnrs]?)\s{1,9}\d{1,2}\.\s*\Z", re.I
)
_AFTER_ORDINAL = re.compile(rf"(?:{_MONTHS}|Jahrhunderts?|Jh\.|Quartals?|Weltkriegs?)\b")
_OPENING = re.compile(r"[“‘「『（《〈【(«„]{1,3}\Z")
_LOOK_BACK = 40


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first character of each sentence and the one behind its last, without white space."""
    start = 0
    for end in _breaks(text):
        if end < len(text) and _goes_on(text, start, end):
            continue
        # ICU takes a mark that opens the next sentence for one that closes this one.
        opening = _OPENING.search(text, max(start, end - 3), end)
        if opening and end < len(text):
            end = opening.start()
        bare = text[start:end]
        if bare.strip():
            yield start + len(bare) - len(bare.lstrip()), start + len(bare.rstrip())
        start = end


def _breaks(text: str) -> Iterator[int]:
    import icu

    breaks = icu.BreakIterator.createSentenceInstance(icu.Locale.getRoot())
    # ICU counts UTF-16 units: with one unit for each character its numbers are those of the text.
    units = icu.UnicodeString(_OTHERS.sub("\u4e00", text))
    breaks.setText(units)
    yield from breaks


def _goes_on(text: str, start: int, end: int) -> bool:
    """Return whether ICU ends a sentence behind an abbreviation or a German ordinal number."""
    tail, following = text[max(start, end - _LOOK_BACK) : end], text[end : end + _LOOK_BACK]
    found = None if HARD_BREAK in tail[-2:] else _ABBREVIATED.search(tail)
    if not found:
        return False
    if found["day"]:
        return bool(_BEFORE_ORDINAL.search(tail) or _AFTER_ORDINAL.match(following))
    return found["number"] is None or following[:1].isdecimal()

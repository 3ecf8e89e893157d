"""Passages: the words that a model has copied, and where they stand in a frozen text.

Forgiven are spaces, quotation marks, dashes, hyphenation, case, the forms that NFKC takes for the same, and
the marks of Markdown. Nothing else is: no word, number or sign may be missing or another one.
"""

import re
import unicodedata
from collections.abc import Iterator

MIN_COLUMNS = 16
"""Of a passage; a shorter one, such as a name, proves nothing. A Chinese character has two."""
MAX_CHARACTERS = 1_000
MAX_QUOTES = 40
MAX_ANSWER_CHARACTERS = 200_000

_QUOTE = re.compile(r"[ \t]{0,9}(?:(?:[-*+]|\d{1,3}[.)])[ \t]{1,4})?((?:>[ \t]?)+)(?P<words>.*)")
_ITEM = re.compile(r"[ \t]{0,9}(?:[-*+]|\d{1,3}[.)])[ \t]{1,4}(?P<words>.*)")
_IN_MARKS = re.compile(r"[ \t]*[\"“„«「『](?P<words>.*)[\"”“»」』][ \t.]*")
_GAP = re.compile(r"[\[(（]?(?:\.{3}|…)[\])）]?")
_LINK = re.compile(r"\]\([^()\s]{0,2000}\)")
_LINE_MARKS = re.compile(r"(?m)^[ \t]{0,9}(?:#{1,6}[ \t]|(?:>[ \t]?){1,9}|[-*+•][ \t])")
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe58\ufe63\uff0d"
_QUOTATION = "\"'`´‘’‚‛“”„‟«»‹›「」『』〝〞＂＇ʼ"
_MARKDOWN = "*_|\\["
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def quotes(answer: str) -> list[str]:
    """Return the passages that a model gives: its block quotes, or else list items and lines in quotation marks.

    A passage with a gap ("…") is two.
    """
    lines = answer[:MAX_ANSWER_CHARACTERS].splitlines()
    found = list(_block_quotes(lines)) or [
        match["words"]
        for match in (_IN_MARKS.fullmatch(line) or _ITEM.fullmatch(line) for line in lines)
        if match
    ]
    parts = [part.strip() for quote in found for part in _GAP.split(quote)]
    return list(dict.fromkeys(part for part in parts if part))[:MAX_QUOTES]


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Return the characters of a text between which a quote stands, at its first place; None where it is not.

    It begins and ends with whole words and numbers.
    """
    wanted = "".join(character for character, _ in _solid(quote)).strip(" .")
    if _columns(wanted) < MIN_COLUMNS:
        return None
    solid = list(_solid(text))
    squeezed = "".join(character for character, _ in solid)
    place = squeezed.find(wanted)
    while place >= 0:
        start, end = solid[place][1], _end(text, solid[place + len(wanted) - 1][1])
        if end - start <= MAX_CHARACTERS and _is_apart(text, start, end):
            return start, end
        place = squeezed.find(wanted, place + 1)
    return None


def page_of(text: str, start: int) -> int:
    """Return the page of a PDF, counted from 1; 0 for a text without pages."""
    return text.count("\f", 0, start) + 1 if "\f" in text else 0


def _block_quotes(lines: list[str]) -> Iterator[str]:
    words: list[str] = []
    for line in [*lines, ""]:
        found = _QUOTE.fullmatch(line)
        if found and found["words"].strip():
            words.append(found["words"].strip())
        elif words:
            yield " ".join(words)
            words = []


def _solid(text: str) -> Iterator[tuple[str, int]]:
    """Yield the characters that count, each with the place in the text that it comes from.

    Between digits a space and a dash count, because "1 2" is not "12"; so does a minus before a number.
    """
    dropped = _dropped(text)
    pending, last = "", ""
    for place, character in enumerate(text):
        if place in dropped:
            continue
        is_dash = character in _DASHES
        if character.isspace() or is_dash or character in _MARKDOWN or character in _QUOTATION:
            before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
            if is_dash and after.isdigit() and not before.isalpha() and character != "\u00ad":
                pending = "-"
            elif character.isspace() and not pending:
                pending = " "
            continue
        for part in unicodedata.normalize("NFKC", character).casefold():
            if part.isspace() or unicodedata.category(part) == "Cf":
                continue
            if pending and part.isdigit() and (pending == "-" or last.isdigit()):
                yield pending, place
            pending, last = "", part
            yield part, place


def _dropped(text: str) -> set[int]:
    """Return the places of Markdown's marks at the beginning of lines, and of the addresses of links."""
    spans = [*_LINE_MARKS.finditer(text), *_LINK.finditer(text)]
    return {place for found in spans for place in range(found.start(), found.end())}


def _end(text: str, last: int) -> int:
    """Return the end of the grapheme whose first character is given."""
    end = last + 1
    while end < len(text) and unicodedata.category(text[end])[0] == "M":
        end += 1
    return end


def _is_apart(text: str, start: int, end: int) -> bool:
    """Return whether neither a word nor a number is cut at the ends."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    if _joins(text[start - 1 : start], text[start]) or _joins(text[end - 1], after[:1]):
        return False
    if (
        text[start].isdigit()
        and before[-1:] in tuple(".,-\u2212")
        and (before[:1].isdigit() or before[-1:] in "-\u2212")
    ):
        return False
    return not (text[end - 1].isdigit() and after[:1] in tuple(".,") and after[1:2].isdigit())


def _joins(one: str, other: str) -> bool:
    """Return whether two characters belong to one word."""
    if not one or not other or _UNSPACED.match(one) or _UNSPACED.match(other):
        return bool(one and other and one.isdigit() and other.isdigit())
    return one.isalnum() and other.isalnum()


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)

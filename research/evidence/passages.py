"""Passages: the words of a source that a model has copied, found again in the frozen text.

A passage is never taken from the model: what is kept are the characters of the frozen text, by their offsets.
"""

import re
from collections.abc import Iterator, Sequence

from research.evidence.normalized import CJK_LETTER, QUOTATION_MARKS, normalize

MAX_QUOTES = 16
MIN_QUOTE_CHARACTERS, MIN_CJK_CHARACTERS = 20, 8
"""A shorter quote is no passage, because it stands in many texts."""
MAX_PASSAGE_CHARACTERS = 1_000

_QUOTE_LINE = re.compile(
    r"[ \t]*(?P<mark>(?:(?:[-*+•]|[(\[]?\*{0,2}\d{1,3}\*{0,2}[.)\]、:]\*{0,2})[ \t]*){0,3})"
    r"(?:(?:[>＞]|&gt;)[ \t]?){1,20}(?P<text>.*)"
)
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|[(\[]?\d{1,3}[.)\]、])[ \t]+(?P<text>.*)")
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[\w ]{0,30}")
_NUMBER = re.compile(r"(\d{1,3})[.)][ \t]+")
_ELLIPSIS = re.compile(r"[\[(（【]?(?:\.{3,}|…+|\. \. \.)[\])）】]?")
_BEHIND_MARK = re.compile(rf"(?<=[{QUOTATION_MARKS}])[.,;。，；]\s*\Z")
_AROUND = f"{QUOTATION_MARKS}*_` \t\r\n"


def quotes(answer: str) -> list[str]:
    """Return the passages that a model has given: the block quotes of its answer, at most MAX_QUOTES.

    Without a block quote they are the list items and the lines that are in quotation marks. A passage with
    an ellipsis is returned as its parts, and one that is too short not at all.
    """
    lines = [line for line in answer.splitlines() if not _FENCE.fullmatch(line)]
    found: dict[str, None] = {}
    for place, block in enumerate(list(_block_quotes(lines)) or _other_quotes(lines), 1):
        number = _NUMBER.match(block)
        is_counted = number is not None and int(number[1]) == place
        for part in _ELLIPSIS.split(block[number.end() :] if number and is_counted else block):
            if _is_long_enough(bare := _BEHIND_MARK.sub("", part).strip(_AROUND)):
                found[bare] = None
    return list(found)[:MAX_QUOTES]


def _block_quotes(lines: Sequence[str]) -> Iterator[str]:
    block: list[str] = []
    for line in [*lines, ""]:
        quoted = _QUOTE_LINE.fullmatch(line)
        text = quoted["text"].strip() if quoted else ""
        if block and (not text or (quoted and quoted["mark"])):
            yield from block if all(map(_is_in_quotation_marks, block)) else ["\n".join(block)]
            block = []
        if text and not _FENCE.fullmatch(text):
            block.append(text)


def _other_quotes(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item or _is_in_quotation_marks(line):
            yield item["text"] if item else line


def _is_in_quotation_marks(line: str) -> bool:
    bare = line.strip(" \t*_").rstrip(".,;。，；")
    return len(bare) > 1 and bare[0] in QUOTATION_MARKS and bare[-1] in QUOTATION_MARKS


def _is_long_enough(quote: str) -> bool:
    characters = len(" ".join(quote.split()))
    return characters >= MIN_QUOTE_CHARACTERS or len(CJK_LETTER.findall(quote)) >= MIN_CJK_CHARACTERS


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Return the characters [start, end) of a frozen text where a quote first stands; None if it does not.

    White space, case, Markdown's marks, hyphenation at line ends, compatibility characters (NFKC), and the
    kinds of quotation marks and dashes may differ, and nothing else. A quote begins and ends with whole
    words and numbers of the text; in scripts without spaces between words, with whole characters. One that
    is too short or too long is not found.
    """
    if len(quote) > MAX_PASSAGE_CHARACTERS * 4 or not _is_long_enough(quote):
        return None
    found = find(text, quote)
    return found if found and found[1] - found[0] <= MAX_PASSAGE_CHARACTERS else None


def find(text: str, words: str) -> tuple[int, int] | None:
    """Return the characters where words first stand in a text; as `locate`, but of any length."""
    return normalize(text).find(normalize(words))


def page_of(text: str, start: int) -> int:
    """Return the page of a PDF on which a character stands, counted from 1; 0 for a text without pages.

    A form feed stands before each page but the first.
    """
    return text.count("\f", 0, start) + 1 if "\f" in text else 0

"""Unicode's algorithms, by ICU: line breaks (UAX #14), grapheme clusters (UAX #29), and ICU itself.

ICU counts in UTF-16 code units; the functions here take and return indices into Python's strings.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate

from research.errors import UserError

try:
    import icu as icu
except ImportError as error:
    raise UserError(
        f"the ICU library cannot be loaded ({error}). To fix: pip install pyicu-wheels; where it has no"
        " wheel, as for macOS 14 and older, install ICU (brew install icu4c) and pip install pyicu"
    ) from error

_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7ff]")
_NOT_DRAWN = re.compile(r"[^\S\n \u00a0\u2007\u202f]|[\x00-\x09\x0b-\x1f\x7f-\x9f]")
MAX_PHRASES_CHARACTERS = 10_000
"""Of a text that is broken by phrase, a tenth of a second: ICU takes four times as long for twice as much,
and while it does, no other thread of the process runs."""


class _Own(threading.local):
    """What each thread has of its own, because an iterator holds the text that it is at."""

    def __init__(self) -> None:
        self.line_iterator = cache(lambda locale: icu.BreakIterator.createLineInstance(icu.Locale(locale)))


_own = _Own()


def clean(text: str) -> str:
    """Return the text, equally long, with plain spaces for control characters and odd spaces."""
    return _NOT_DRAWN.sub(" ", text.encode("utf-8", "replace").decode())


def unit_starts(text: str) -> Sequence[int]:
    """Return the index of each character, and of the end, in UTF-16 code units."""
    if not text or max(text) <= "\uffff":
        return range(len(text) + 1)
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def break_locale(text: str, by_phrase: bool) -> str:
    """Return the locale whose line breaks suit the text.

    The root locale has the strict rules of Japanese and Chinese, and dictionaries for Thai, Lao,
    Khmer and Burmese. With phrases, no word of Chinese and Japanese is broken; nor of Korean, ever: only in
    a text that is longer than any paragraph.
    """
    if len(text) > MAX_PHRASES_CHARACTERS:
        return ""
    return "ja@lb=strict;lw=phrase" if by_phrase or _HANGUL.search(text) else ""


def line_breaks(text: str, locale: str = "") -> list[int]:
    """Return the indices at which a line may or must end, the end of the text included."""
    return _boundaries(text, _own.line_iterator(locale))


@lru_cache(maxsize=20_000)
def graphemes(text: str) -> tuple[str, ...]:
    """Return what a reader takes for one character each: a letter with its marks, an emoji sequence."""
    ends = _boundaries(text, icu.BreakIterator.createCharacterInstance(icu.Locale("")))
    return tuple(text[start:end] for start, end in zip([0, *ends], ends, strict=False))


@lru_cache(maxsize=10_000)
def is_ignorable(character: str) -> bool:
    """Return whether the character has no picture of its own: joiners, variation selectors, bidi marks."""
    return bool(
        icu.Char.hasBinaryProperty(character, icu.UProperty.DEFAULT_IGNORABLE_CODE_POINT)
        and icu.Char.isdefined(character)
    )


def _boundaries(text: str, iterator: icu.BreakIterator) -> list[int]:
    iterator.setText(icu.UnicodeString(text))
    ends, starts = list(iterator), unit_starts(text)
    return ends if isinstance(starts, range) else [bisect_left(starts, end) for end in ends]

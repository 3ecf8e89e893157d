"""Unicode's algorithms, by ICU: line breaks (UAX #14), grapheme clusters (UAX #29), and ICU itself.

ICU counts in UTF-16 code units; the functions here take and return indices into Python's strings.
"""

import re
import threading
from collections.abc import Sequence
from functools import lru_cache

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
_own = threading.local()
MAX_PHRASES_CHARACTERS = 10_000
"""Of a text that is broken by phrase, a tenth of a second: ICU takes four times as long for twice as much,
and while it does, no other thread of the process runs."""


def clean(text: str) -> str:
    """Return the text, equally long, with plain spaces for control characters and odd spaces."""
    return _NOT_DRAWN.sub(" ", text.encode("utf-8", "replace").decode())


def units(text: str) -> icu.UnicodeString:
    """Return the text in UTF-16, for ICU."""
    return icu.UnicodeString(text)


def unit_starts(text: str) -> Sequence[int]:
    """Return the index of each character, and of the end, in UTF-16 code units."""
    if not text or max(text) <= "\uffff":
        return range(len(text) + 1)
    starts = [0]
    for character in text:
        starts.append(starts[-1] + (2 if character > "\uffff" else 1))
    return starts


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
    return _boundaries(text, "line", locale)


@lru_cache(maxsize=20_000)
def graphemes(text: str) -> tuple[str, ...]:
    """Return what a reader takes for one character each: a letter with its marks, an emoji sequence."""
    ends = _boundaries(text, "character", "")
    return tuple(text[start:end] for start, end in zip([0, *ends], ends, strict=False))


@lru_cache(maxsize=10_000)
def is_ignorable(character: str) -> bool:
    """Return whether the character has no picture of its own: joiners, variation selectors, bidi marks."""
    return bool(
        icu.Char.hasBinaryProperty(character, icu.UProperty.DEFAULT_IGNORABLE_CODE_POINT)
        and icu.Char.isdefined(character)
    )


def _boundaries(text: str, kind: str, locale: str) -> list[int]:
    iterator = _iterator(kind, locale)
    iterator.setText(units(text))
    ends = list(iterator)
    starts = unit_starts(text)
    if isinstance(starts, range):
        return ends
    index = {unit: number for number, unit in enumerate(starts)}
    return [index[end] for end in ends]


def _iterator(kind: str, locale: str) -> icu.BreakIterator:
    """Return the thread's own iterator, because an iterator holds the text that it is at."""
    name = f"{kind}:{locale}"
    if not hasattr(_own, name):
        make = {
            "line": icu.BreakIterator.createLineInstance,
            "character": icu.BreakIterator.createCharacterInstance,
        }[kind]
        setattr(_own, name, make(icu.Locale(locale)))
    return getattr(_own, name)

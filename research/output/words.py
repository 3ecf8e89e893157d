"""The words that the program adds to a report, in the report's language: one table for page and Markdown.

A report is verified by the table of the version that verifies it, so wordings are added to it, and seldom
changed: those of titles, of `page` and of the account of what is supported.

Babel is imported where it is used, because a worker imports this file before it serves.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from research.formatting import fill
from research.output.language import MAX_SAMPLE, language_of_report

if TYPE_CHECKING:
    from babel import Locale

_NATIVE_DIGIT = re.compile("[٠-٩۰-۹०-९๐-๙]")


@dataclass(frozen=True)
class Words:
    """The words for reports in one language; English ones for a language that the table does not have."""

    language: str = "en"
    """The BCP 47 tag of the report's language."""
    zero: str = "0"
    """The first of the ten digits that the report is written with."""

    def __call__(self, name: str, *values: str | int) -> str:
        """Return a wording with its values; where it has plural forms, the last number chooses."""
        forms = _table()[self._known][name]
        if isinstance(forms, dict):
            form = self.locale.plural_form([value for value in values if isinstance(value, int)][-1])
            forms = forms.get(form, forms["other"])
        return fill(forms, [self.number(value) if isinstance(value, int) else value for value in values])

    def say(self, wording: str, *values: str | int) -> str:
        """Return a note's wording with its values, which may be wordings too; in doubt in English."""
        known = _notes().get(self._known, {})
        told = [
            self.number(value) if isinstance(value, int) else known.get(value) or self.apart(value)
            for value in values
        ]
        return fill(known.get(wording, wording), told)

    def number(self, number: int) -> str:
        """Return a number with the language's separators: 1,204 or 1.204 or 1 204."""
        from babel.numbers import format_decimal

        return self._in_digits(format_decimal(number, locale=self.locale))

    def day(self, day: str) -> str:
        """Return a day that is given as YYYY-MM-DD as it is written out; any other text as it is."""
        from babel.dates import format_date

        try:
            return self._in_digits(format_date(date.fromisoformat(day), "long", self.locale))
        except ValueError:
            return day

    def apart(self, text: str) -> str:
        """Return a text that is not of these words, such as a name: isolated where they run to the left."""
        return f"\u2068{text}\u2069" if text and self.is_right_to_left else text

    def all_of(self, names: list[str]) -> str:
        """Return names as "a, b and c"."""
        from babel.lists import format_list

        return format_list(names, locale=self.locale)

    @property
    def locale(self) -> "Locale":
        """Return CLDR's data for the language of the words."""
        return _locale(self._known)

    @property
    def is_right_to_left(self) -> bool:
        """Whether the words are written from right to left."""
        return self.locale.character_order == "right-to-left"

    @property
    def _known(self) -> str:
        return self.language if self.language in _table() else "en"

    def _in_digits(self, text: str) -> str:
        return re.sub("[0-9]", lambda digit: chr(ord(self.zero) + int(digit[0])), text)


def words_for(content: str, topic: str) -> Words:
    """Return the words for a report with this text."""
    digits = re.findall(r"\d", content[:MAX_SAMPLE])
    native = [digit for digit in digits if _NATIVE_DIGIT.match(digit)]
    zero = chr(ord(native[0]) - int(native[0])) if 2 * len(native) > len(digits) else "0"
    return Words(language_of_report(content, topic), zero)


def all_words() -> Iterator[Words]:
    """Yield the words of every language, with European digits."""
    return map(Words, _table())


@cache
def _table() -> dict[str, dict[str, str | dict[str, str]]]:
    """Return the wordings by language and name."""
    table: dict[str, dict[str, str | dict[str, str]]] = json.loads(
        Path(__file__).with_name("words.json").read_text(encoding="utf-8")
    )
    return table


@cache
def _notes() -> dict[str, dict[str, str]]:
    """Return the wordings of notes by language and English wording."""
    table: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("notes.json").read_text(encoding="utf-8")
    )
    return table


@cache
def _locale(language: str) -> "Locale":
    from babel import Locale

    return Locale.parse(language, sep="-")

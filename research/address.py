"""Addresses: where one ends in a text, and what two of one page have in common."""

import re
from urllib.parse import urlsplit

_TRACKING = re.compile(r"(utm_\w+|gclid|fbclid|mc_[ce]id|igshid|msclkid)(=|$)", re.IGNORECASE)
ADDRESS_END = re.compile(
    '[\\s<>"\u2018-\u201d\u2026\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]'
    "|(?<=[A-Za-z0-9])[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""What ends an address: white space, quotes, Chinese and Japanese marks; letters of those and of Korean right
behind a Latin letter or digit, for at the beginning of a part of the path they belong to it."""


def normalize_address(url: str) -> str:
    """Return what the addresses of one page share: no scheme, "www.", fragment or tracking parameters."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # such as an unclosed bracket in the host
        return url
    pairs = [pair for pair in parts.query.split("&") if pair and not _TRACKING.match(pair)]
    query = f"?{'&'.join(sorted(pairs))}" if pairs else ""
    return f"{host}{parts.path.rstrip('/')}{query}"

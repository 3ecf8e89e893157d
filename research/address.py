"""What two addresses of one page have in common."""

import re
from urllib.parse import urlsplit

_TRACKING = re.compile(r"(utm_\w+|gclid|fbclid|mc_[ce]id|igshid|msclkid)(=|$)", re.IGNORECASE)


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

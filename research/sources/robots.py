"""What a site's robots.txt forbids this program, kept for a while."""

import asyncio
import copy
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from protego import Protego

from research import __version__

ROBOT = "durable-research-reports"
"""The name that a robots.txt may have a group for."""
USER_AGENT = f"{ROBOT}/{__version__}"

MAX_ROBOTS_BYTES = 500 * 1024
"""As much as RFC 9309 wants to be read; what is behind it counts for nothing."""
KEPT_SECONDS = 3_600.0
MAX_KEPT = 1_000
MAX_KEPT_CHARACTERS = 2_000_000
"""Of all that is kept, because rules of hostile files take some fifty times their text in memory."""

_AGENT = re.compile(r"\s*user[-\s]*agent[\s:]+(?P<name>[^#\s]+)", re.IGNORECASE)


@dataclass
class _Site:
    """The rules of one scheme, host and port."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None
    characters: int = 0
    until: float = 0.0
    failure: Exception | None = None
    failed_at: float = 0.0


class Robots:
    """The rules of the sites of late, of one event loop."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    async def allows(self, address: str, site: str, read: Callable[[], Awaitable[bytes]]) -> bool:
        """Return whether this program may read a page.

        Args:
            address: the page's.
            site: its scheme, host and port.
            read: reads the site's robots.txt; what it raises is raised here, for all who wait for it too.
        """
        asked_at, kept = time.monotonic(), self._sites.setdefault(site, _Site())
        async with kept.lock:  # one request for it, however many of the site's pages are asked for at once
            if kept.rules is None or time.monotonic() > kept.until:
                if kept.failure and asked_at <= kept.failed_at:
                    raise copy.copy(kept.failure)
                self._prune()
                try:
                    content = await read()
                except Exception as error:
                    kept.failure, kept.failed_at = copy.copy(error), time.monotonic()
                    raise
                text = own_rules(content[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace"))
                kept.rules = await asyncio.to_thread(Protego.parse, text)
                kept.characters, kept.until = len(text), time.monotonic() + KEPT_SECONDS
            # In a thread, because the rules of a hostile file take a second.
            return await asyncio.to_thread(kept.rules.can_fetch, address, ROBOT)

    def _prune(self) -> None:
        """Forget the sites that were asked first, as long as too much is kept."""
        total = sum(site.characters for site in self._sites.values())
        for name, site in list(self._sites.items()):
            if len(self._sites) <= MAX_KEPT and total <= MAX_KEPT_CHARACTERS:
                return
            if not site.lock.locked():
                total -= site.characters
                del self._sites[name]


def own_rules(text: str) -> str:
    """Return a robots.txt in which all other robots have one name.

    Because Protego keeps each rule for each robot that its group names: ten thousand names and ten
    thousand rules, half of what may be read, would take all memory.
    """
    lines: list[str] = []
    for line in text.splitlines():  # as Protego splits it, or a line could hide in another
        found = _AGENT.match(line)
        if found:
            name = found["name"].lower().partition("/")[0]
            name = name if name == "*" else name.rstrip("*")
            line = f"User-agent: {name if name in (ROBOT, '*') else 'others'}"
        if not (found and lines and lines[-1] == line):
            lines.append(line)
    return "\n".join(lines)

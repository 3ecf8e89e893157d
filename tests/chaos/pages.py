"""The pages that some reports of a chaos run read, and their site: some are slow, some fail at first."""

import time
from dataclasses import replace

from testing.pages import ROBOTS, PageReply, Pages, Request, html_page
from tests.chaos.texts import pages_of, sentence_of, title_of_page

PART = "Check the list, check the time, and check the list again. That was part {0} of a page that is long. "
SLOW = {2: 1.0, 3: 3.0}
"""Seconds that pages take; the others answer at once, but not the first time."""


class Site(Pages):
    """Answers with a report's pages; half of them with a 503 or half a page when first asked for."""

    def __init__(self) -> None:
        super().__init__(find=self._reply)
        self.faults = 0

    def addresses(self, number: int) -> list[str]:
        """Return the addresses of the pages that a report reads."""
        return [self.address(f"/{number}/{page}") for page in pages_of(number)]

    def fetches(self, number: int, page: int) -> list[float]:
        """Return when a page was asked for, as Unix times."""
        began = time.time() - time.monotonic()
        return [began + request.at for request in self.requests if request.path == f"/{number}/{page}"]

    def _reply(self, request: Request) -> PageReply:
        if request.path == ROBOTS:
            return PageReply(status=404)
        number, page = map(int, request.path.split("/")[1:])
        parts = [PART.format(part) * 3 for part in range(5)]
        told = f"{sentence_of(number, page)} {parts[0]}"
        whole = html_page(title_of_page(number, page), *parts, told, *parts)
        kind = (number + page) % 4
        if kind in SLOW or len(self.fetches(number, page)) > 1:  # the second fault is for good
            return replace(whole, before_seconds=SLOW.get(kind, 0.0))
        self.faults += 1
        if kind == 0:
            return PageReply(status=503)
        length = str(len(whole.content))
        return replace(whole, content=whole.content[:-700], headers={"Content-Length": length})

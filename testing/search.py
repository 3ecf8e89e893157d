"""A stand-in for search providers: speaks the protocols of several of them beside the model's.

`SearchProvider.searches` is its ledger. Set `SEARCH_PROVIDER=searxng` with `SEARXNG_API_BASE`, or
`SEARCH_PROVIDER=tavily` with `TAVILY_API_BASE` and any key; the same for Brave, Exa and Firecrawl.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from testing.provider import Call, Provider, Reply


@dataclass
class Search:
    """One request for a search."""

    query: str
    headers: dict[str, str]
    asked: dict[str, Any] = field(default_factory=dict)
    """The body of the request, where it is JSON."""


@dataclass
class SearchReply:
    """How to answer one search."""

    results: Any = field(default_factory=list)
    """Each with title, url, content (Brave: description) and, for SearXNG, publishedDate."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before_seconds: float = 0.0
    error: str = "no search now"


class SearchProvider(Provider):
    """Serves a model and two search protocols on one port; `find` may be replaced at any time."""

    def __init__(
        self, reply: Callable[[Call], Reply] | None = None, find: Callable[[str], SearchReply] | None = None
    ) -> None:
        super().__init__(reply)
        self.find = find or default_results
        self.searches: list[Search] = []

    @property
    def search_environ(self) -> dict[str, str]:
        """The settings that make a worker search here, by SearXNG's protocol, and read nothing."""
        address = f"http://127.0.0.1:{self.port}/searxng"
        return {"SEARCH_PROVIDER": "searxng", "SEARXNG_API_BASE": address, "READ_MAX_PAGES": "0"}

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        app.router.add_get("/searxng/search", self._searxng)
        app.router.add_post("/{provider:tavily|exa|firecrawl}/search", self._by_json)
        app.router.add_get("/brave/search", self._brave)

    async def _searxng(self, request: web.Request) -> web.Response:
        return await self._answer(request, request.query["q"])

    async def _by_json(self, request: web.Request) -> web.Response:
        asked = await request.json()
        path = ("data", "web") if request.match_info["provider"] == "firecrawl" else ("results",)
        return await self._answer(request, asked["query"], path, asked)

    async def _brave(self, request: web.Request) -> web.Response:
        return await self._answer(request, request.query["q"], ("web", "results"))

    async def _answer(
        self,
        request: web.Request,
        query: str,
        path: Sequence[str] = ("results",),
        asked: dict[str, Any] | None = None,
    ) -> web.Response:
        """Answer a search with the results at the end of this path of names."""
        self.searches.append(Search(query, dict(request.headers), asked or {}))
        reply = self.find(query)
        await asyncio.sleep(reply.before_seconds)
        if reply.status != 200:
            return web.json_response({"error": reply.error}, status=reply.status, headers=reply.headers)
        found = reply.results
        for name in reversed(path):
            found = {name: found}
        return web.json_response({"query": query, **found})


def default_results(query: str) -> SearchReply:
    """Return three results of the query's own, and one that every query finds."""
    name = "-".join(query.split())
    results = [
        {
            "title": f"On {query}, part {number}",
            "url": f"https://journal.example.org/{name}/{number}?utm_source=feed",
            "content": f"Part {number} of what is known of {query}: <b>measured</b> in the laboratory.",
            "publishedDate": f"2021-0{number}-15T00:00:00",
        }
        for number in (1, 2, 3)
    ]
    shared = {
        "title": "An overview of the field",
        "url": "http://www.example.net/overview/",
        "content": "All.",
    }
    return SearchReply([*results, shared])

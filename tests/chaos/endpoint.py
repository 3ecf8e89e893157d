"""The provider of a chaos run: one address for all ways to resume, the fault of the moment, a ledger."""

import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from research.llm.resume import Way
from testing.provider import Call, Continuation, Provider, Reply, Stream, position, rest_of
from testing.responses import StoredResponse
from tests.chaos.faults import Entry, applies, spoil
from tests.chaos.proof import kind_of, proof_text
from tests.chaos.texts import proven_content_of, seconds_of, text_of

CHUNK_SECONDS = 0.1
KEY = "sk-chaos-0123456789"


def key_of(way: Way, number: int) -> str:
    """Return a worker's key, by which the endpoint knows the way to resume that it has to offer."""
    return f"{KEY}-{way}-{number}"


def way_of(headers: Mapping[str, str]) -> Way:
    """Return the way that the worker has that sent a request."""
    return Way(headers["Authorization"].removeprefix(f"Bearer {KEY}-").partition("-")[0])


@dataclass
class Look:
    """A GET request for an answer that the endpoint keeps."""

    entry: Entry
    key: str
    begun: float = field(default_factory=time.time)


class Endpoint(Provider):
    """Continues every draft exactly; spoils its answers while `fault` is set.

    Its model continues its own message for workers of the way `PREFILL` only; else a new message begins
    with the next paragraph, as it is asked to.
    """

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.fault = ""
        self.ledger: list[Entry] = []
        self.looks: list[Look] = []
        self.undeleted: set[str] = set()
        """IDs of answers whose deletion a fault has refused."""
        self.happened: Counter[str] = Counter()

    def of(self, number: int, kind: str) -> list[Entry]:
        """The requests for a report's text of this kind."""
        return [entry for entry in self.ledger if (entry.number, entry.kind) == (number, kind)]

    def looks_of(self, number: int, kind: str) -> list[Look]:
        """The requests that read on an answer that is kept, of a report's text of this kind."""
        return [look for look in self.looks if (look.entry.number, look.entry.kind) == (number, kind)]

    def entry_of(self, stored: StoredResponse) -> Entry:
        """The request that an answer that is kept was written for."""
        return next(entry for entry in self.ledger if entry.call is stored.call)

    def add_routes(self, app: web.Application) -> None:
        app.middlewares.append(self._spoil_look)
        super().add_routes(app)

    async def answer(self, request: web.Request, call: Call, stream: Stream) -> web.StreamResponse:
        """Answer as the model that the worker has; an outage meets the probe too."""
        self.takes_prefill = way_of(call.headers) is Way.PREFILL
        self.probe_status = self._status() or 200
        return await super().answer(request, call, stream)

    @web.middleware
    async def _spoil_look(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let requests for an answer that is kept meet the fault of the moment, and the answer's own."""
        stored = self.stored.get(request.match_info.get("id", ""))
        if stored is None:
            return await handler(request)
        entry = self.entry_of(stored)
        if request.method == "GET":
            self.looks.append(Look(entry, request.headers["Authorization"].removeprefix("Bearer ")))
        if status := self._status():
            self.happened["look: failed"] += 1
            self.undeleted |= {stored.id} if request.method == "DELETE" else set()
            error = {"error": {"message": "A fault of the chaos run."}}
            return web.Response(text=json.dumps(error), status=status, content_type="application/json")
        if entry.fault == "expired":
            self.expire(stored.id)
        self.refuses_resume_stream = entry.fault == "stream refused"
        return await handler(request)

    def _status(self) -> int | None:
        return int(self.fault[:3]) if self.fault[:3].isdigit() else None

    def _reply(self, call: Call) -> Reply:
        proven = kind_of(call)
        kind = "s" if call.is_summary else "p" if call.is_plan else str(call.section or "r")
        number, kind = proven or (self._number(call), kind)
        text = proof_text(number, kind) if proven else text_of(number, kind)
        chunk = max(1, round(len(text) * CHUNK_SECONDS / seconds_of(kind)))
        rest = _rest(text, call)
        reply = Reply(rest, chunk_seconds=CHUNK_SECONDS, chunk_characters=chunk)
        place = position(text, call.draft)
        entry = Entry(call, way_of(call.headers), number, kind, "", text, place, len(text) - len(rest))
        if applies(self.fault, entry, self.of(number, kind)):
            entry.fault = self.fault
            spoil(reply, entry.fault)
        entry.finish, entry.is_empty = reply.finish_reason, not reply.text
        self.ledger.append(entry)
        self.happened[f"answer: {entry.fault}" if entry.fault else "answer"] += 1
        return reply

    def _number(self, call: Call) -> int:
        """Return the report of a prompt; a summary's prompt has the research, and not the topic."""
        if not call.is_summary:
            found = re.search(r"report (\d+)", call.prompt)
            return int(found[1]) if found else -1
        asked, numbers = _solid(call.prompt), {entry.number for entry in self.ledger}
        return next((n for n in numbers if n >= 0 and _solid(proven_content_of(n)) in asked), -1)


def _rest(text: str, call: Call) -> str:
    """Return what the model writes: its own message continues exactly, a new one with the next paragraph."""
    rest = rest_of(text, call, Continuation.EXACT)
    if call.is_prefill or not call.draft:
        return rest
    if not rest.startswith("\n"):  # the draft ends in the middle of a line: what is missing of it is lost
        rest = rest.partition("\n")[2]
    return rest.lstrip("\n")


def _solid(text: str) -> str:
    """Return the text without blank lines, because a text that was resumed by block may have others."""
    return re.sub(r"\n\s*\n", "\n", text).strip()

"""A relay before the model: it passes everything through unchanged, and keeps a ledger.

It answers only one kind of request itself: that for a plan of sections, which SmolLM2 cannot write.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from testing.asked import is_plan_prompt, is_summary_prompt, planned_sections, section_number
from testing.background import Background
from tests.real.topics import PLANS

RESEARCH, SUMMARY, PLAN, OTHER = "Research", "Summary", "Plan", "Other"
HEADERS = ("Content-Type", "Retry-After")


def section(number: int) -> str:
    """Return the name of the step that writes a section."""
    return f"Section {number}"


@dataclass
class Entry:
    """One request and what the model has sent for it so far."""

    step: str
    """The step of a report that it is for; OTHER where it is for none, as a probe of the model."""
    draft: str
    """The text that the request asks to continue; empty in a first request."""
    roles: tuple[str, ...] = ()
    """Whose messages the request has, in their order."""
    begun: float = field(default_factory=time.monotonic)
    text: str = ""
    pieces: list[str] = field(default_factory=list)
    """The text as it was streamed, by tokens."""
    finish_reason: str = ""
    status: int = 0

    @property
    def start(self) -> int:
        """The character of the whole text at which this answer begins; 0 where it repeats the draft."""
        return 0 if self.draft and self.text.startswith(self.draft) else len(self.draft)

    @property
    def end(self) -> int:
        """The character of the whole text up to which it was sent."""
        return self.start + len(self.text)


class Relay(Background):
    """Serves in the background."""

    def __init__(self, model_url: str) -> None:
        super().__init__()
        self.ledger: list[Entry] = []
        self.topic = ""
        """The topic of the report that is being written: a prompt of these words asks for the research."""
        self.port = 0
        self._model_url = model_url

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self) -> None:
        """Serve: see `Background`."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # With cancellation, a killed worker's request is closed at the model too, which then stops writing.
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        async with ClientSession(timeout=ClientTimeout(total=None)) as self._session:
            self._started.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        body = json.loads(data) if data else {}
        entry = self._entry(body)
        if entry.step == PLAN:
            return await _answer_plan(request, body, entry)
        sent = {name: request.headers[name] for name in HEADERS if name in request.headers}
        url = f"{self._model_url}{request.rel_url}"
        async with self._session.request(request.method, url, data=data, headers=sent) as answer:
            entry.status = answer.status
            kept = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            reader = Reader(entry)
            async for chunk in answer.content.iter_any():
                reader.add(chunk)
                try:
                    await response.write(chunk)
                except ConnectionError:  # the worker is killed; leaving closes the model's answer too
                    return response
            reader.end()
            return response

    def _entry(self, body: dict[str, Any]) -> Entry:
        messages = body.get("messages", [])
        prompt = next((str(m.get("content")) for m in messages if m.get("role") == "user"), "")
        draft = next((str(m.get("content")) for m in messages if m.get("role") == "assistant"), "")
        entry = Entry(self._step(prompt), draft, tuple(str(m.get("role")) for m in messages))
        self.ledger.append(entry)
        return entry

    def _step(self, prompt: str) -> str:
        if number := section_number(prompt):
            return section(number)
        if is_plan_prompt(prompt):
            return PLAN
        if is_summary_prompt(prompt):
            return SUMMARY
        return RESEARCH if prompt == self.topic else OTHER


class Reader:
    """Reads the text out of an answer that passes by, streamed or whole, into its entry."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                self._read(json.loads(line[6:]))

    def end(self) -> None:
        if self._rest.startswith(b"{"):
            self._read(json.loads(self._rest))

    def _read(self, event: dict[str, Any]) -> None:
        for choice in event.get("choices", [])[:1]:
            part = choice.get("delta") or choice.get("message") or {}
            if piece := part.get("content"):
                self._entry.text += piece
                self._entry.pieces.append(piece)
            self._entry.finish_reason = choice.get("finish_reason") or self._entry.finish_reason


async def _answer_plan(request: web.Request, body: dict[str, Any], entry: Entry) -> web.StreamResponse:
    """Send the fixed plan, in one chunk where the request streams."""
    entry.status, entry.finish_reason = 200, "stop"
    entry.text = PLANS[planned_sections(str(body["messages"][0]["content"]))]
    streams = bool(body.get("stream"))
    said = {"role": "assistant", "content": entry.text}
    choice = {"index": 0, "delta" if streams else "message": said, "finish_reason": "stop"}
    answer = {
        "id": "chatcmpl-plan",
        "object": "chat.completion.chunk" if streams else "chat.completion",
        "created": 1,
        "model": body.get("model"),
        "choices": [choice],
        "usage": {"prompt_tokens": 300, "completion_tokens": 60, "total_tokens": 360},
    }
    if not streams:
        return web.json_response(answer)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n".encode())
    return response

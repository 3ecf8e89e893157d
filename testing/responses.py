"""OpenAI's Responses API for the stand-in provider: background mode, and streams that resume.

Follows https://developers.openai.com/api/docs/guides/background and the types of the `openai` package, and
what users report where these are silent.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import web

if TYPE_CHECKING:
    from testing.provider import Call, Reply

Json: TypeAlias = dict[str, Any]

STATUSES = {"stop": "completed", "failed": "failed", "error": "failed", None: "failed"}
"""The final status for a finish reason; any other finish reason makes the response incomplete."""
NO_BACKGROUND = "Background mode is not supported with this model."
NO_STORE = "Background mode requires store=true."
ONLY_BACKGROUND = "This stand-in has background mode only, as the program asks for."
TOO_OLD = "This response can no longer be streamed because it is more than 5 minutes old."
NO_STREAM = "This response cannot be streamed because it was not created with stream=true."
FAILURE = {"message": "The server had an error while processing your request.", "code": "server_error"}
CONSTANTS = {"object": "response", "created_at": 1, "tool_choice": "auto", "tools": []}

ItemKind: TypeAlias = tuple[str, str, str, Json, Json, Json]
"""The event names of a part and its text, the item's field with its parts; fields of item, part and text."""
_TEXT = {"type": "output_text", "annotations": [], "logprobs": []}
_NAMES = ("reasoning_summary_part", "reasoning_summary_text")
_SUMMARY = {"type": "summary_text"}
_MESSAGE, _REASONING = {"type": "message", "role": "assistant"}, {"type": "reasoning", "summary": []}
MESSAGE: ItemKind = ("content_part", "output_text", "content", _MESSAGE, _TEXT, {"logprobs": []})
REASONING: ItemKind = (*_NAMES, "summary", _REASONING, _SUMMARY, {})


@dataclass
class StoredResponse:
    """One response, its events so far, and what its client did with it."""

    call: "Call"
    reply: "Reply"
    id: str = field(default_factory=lambda: f"resp_{uuid.uuid4().hex}")
    status: str = "queued"
    output: list[Json] = field(default_factory=list)
    usage: Json | None = None
    events: list[Json] = field(default_factory=list)
    chunks: int = 0
    ended: bool = False
    """Nothing more is generated."""
    breaks_off: bool = False
    """The generation died, and the connections to its stream break."""
    retrieved: list[str] = field(default_factory=list)
    """The query string of each GET request."""
    cancelled: bool = False
    deleted: bool = False
    expired: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_final(self) -> bool:
        return self.status not in ("queued", "in_progress")

    def snapshot(self, status: str | None = None) -> Json:
        """Return the response object as a GET request gets it: without output until its end."""
        reason = "content_filter" if self.reply.finish_reason == "content_filter" else "max_output_tokens"
        echoed = ("instructions", "max_output_tokens", "metadata", "model", "reasoning", "temperature")
        return {
            **CONSTANTS,
            **{name: self.call.body.get(name) for name in echoed},
            "id": self.id,
            "parallel_tool_calls": True,
            "status": status or self.status,
            "background": True,
            "store": True,
            "error": FAILURE if self.status == "failed" else None,
            "incomplete_details": {"reason": reason} if self.status == "incomplete" else None,
            "output": self.output if self.is_final else [],
            "usage": self.usage,
        }

    def emit(self, type: str, **fields: Any) -> None:
        """Append an event, and wake the streams that follow."""
        self.events.append({"type": type, "sequence_number": len(self.events), **fields})
        self.wake()

    def wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def follow(self, after: int) -> AsyncIterator[Json]:
        """Yield the events after a sequence number, the coming ones too."""
        while True:
            while after + 1 < len(self.events):
                after += 1
                yield self.events[after]
            if self.ended:
                return
            await self._news.wait()

    def begin(self) -> None:
        for name in ("created", "queued"):
            self.emit(f"response.{name}", response=self.snapshot("queued"))
        self.status = "in_progress"
        self.emit("response.in_progress", response=self.snapshot("in_progress"))

    def finish(self, status: str, usage: Json | None = None, silently: bool = False) -> None:
        """Enter the final status, and emit its event.

        A cancelled response has no event of its own: its status comes in `response.failed`, as users report.
        """
        has_output = status in ("completed", "incomplete")
        self.status, self.usage, self.call.finished = status, usage, has_output
        self.output = self.output if has_output else []
        name = "failed" if status == "cancelled" else status
        if not silently:
            self.emit(f"response.{name}", response=self.snapshot())


class Responses:
    """Serves /v1/responses as a part of `Provider`, with its `reply` and its `calls`."""

    calls: "list[Call]"
    answer: Callable[..., Any]
    _released: asyncio.Event

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, StoredResponse] = {}
        self.refuses_background = False
        self.refuses_resume_stream = False
        """Answer 400 to a GET request with stream=true, as OpenAI does after five minutes."""
        self._generations: dict[str, asyncio.Task[None]] = {}

    def expire(self, response_id: str | None = None) -> None:
        """Answer 404 to requests for a stored response, or for all of them, from now on."""
        for stored in list(self.stored.values()):
            stored.expired |= response_id in (None, stored.id)

    def add_response_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/responses", self._create)
        app.router.add_get("/v1/responses/{id}", self._retrieve)
        app.router.add_post("/v1/responses/{id}/cancel", self._cancel)
        app.router.add_delete("/v1/responses/{id}", self._delete)
        app.on_cleanup.append(self._end_generations)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        from testing.provider import Call  # not above, because that module imports this one

        body = await request.json()
        call = Call(messages_of(body), dict(request.headers), body)
        refusal = NO_BACKGROUND if self.refuses_background else NO_STORE if body.get("store") is False else ""
        if refusal or not body.get("background"):
            self.calls.append(call)
            raise self._error(400, refusal or ONLY_BACKGROUND, "background")
        answer: web.StreamResponse = await self.answer(request, call, self._play_response)
        return answer

    async def _play_response(self, request: web.Request, call: "Call", reply: "Reply") -> web.StreamResponse:
        """Answer from a generation that continues without the connection."""
        stored = StoredResponse(call, reply)
        self.stored[stored.id] = stored
        self._generations[stored.id] = asyncio.create_task(self._generate(stored, reply))
        if call.body.get("stream"):
            return await self._send(request, stored, cut_bytes=reply.cut_bytes)
        response = web.json_response(stored.snapshot())
        return break_connection(request, response) if stored.breaks_off else response

    async def _generate(self, stored: StoredResponse, reply: "Reply") -> None:
        try:
            stored.begin()
            await asyncio.sleep(reply.before_seconds)
            await self._write(stored, reply)
        finally:
            if not stored.is_final:
                stored.finish("cancelled", silently=True)
            stored.ended = True
            stored.wake()

    async def _write(self, stored: StoredResponse, reply: "Reply") -> None:
        """Write the reasoning and the message, and end as the reply says."""
        fails, breaks = reply.error_after is not None, reply.finish_reason is None
        status = "failed" if fails else STATUSES.get(reply.finish_reason, "incomplete")
        thoughts, texts = reply.pieces(reply.reasoning), reply.pieces(reply.text)[: reply.error_after]
        if thoughts:
            await self._write_item(stored, REASONING, thoughts, "completed")
        if texts:
            await self._write_item(stored, MESSAGE, texts, status)
        if fails:
            stored.emit("error", **FAILURE, param=None)
        stored.breaks_off = breaks and not reply.ends_cleanly
        usage = None if status == "failed" else _usage(stored.call, reply, len(thoughts), len(texts))
        stored.finish(status, usage, silently=breaks)

    async def _write_item(
        self, stored: StoredResponse, kind: ItemKind, pieces: list[str], status: str
    ) -> None:
        """Emit the events of an output item: the last ones only if it does not fail."""
        part_event, text_event, parts, item_base, part_base, text_base = kind
        index, text = len(stored.output), "".join(pieces)
        item = {**item_base, "id": f"item_{index}_{stored.id}", "status": status}
        place = {"item_id": item["id"], "output_index": index, f"{parts}_index": 0}
        begun, part = {**item, "status": "in_progress", parts: []}, {**part_base, "text": text}
        stored.emit("response.output_item.added", output_index=index, item=begun)
        stored.emit(f"response.{part_event}.added", **place, part={**part_base, "text": ""})
        for piece in pieces:
            stored.chunks += 1
            stored.call.sent += piece if kind is MESSAGE else ""
            stored.emit(f"response.{text_event}.delta", **place, delta=piece, **text_base)
            await asyncio.sleep(stored.reply.chunk_seconds)
            if stored.chunks == stored.reply.held_after:
                await self._released.wait()
        if status != "failed":
            stored.output.append({**item, parts: [part]})
            stored.emit(f"response.{text_event}.done", **place, text=text, **text_base)
            stored.emit(f"response.{part_event}.done", **place, part=part)
            stored.emit("response.output_item.done", output_index=index, item=stored.output[-1])

    async def _end_generations(self, app: web.Application) -> None:
        for generation in self._generations.values():
            generation.cancel()
        await asyncio.gather(*self._generations.values(), return_exceptions=True)

    async def _send(
        self, request: web.Request, stored: StoredResponse, after: int = -1, cut_bytes: int | None = None
    ) -> web.StreamResponse:
        """Stream the events after a sequence number; `Reply.cut_events` holds for each connection."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent_bytes = sent_events = 0
        async for event in stored.follow(after):
            data = f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
            if cut_bytes is not None and sent_bytes + len(data) > cut_bytes:
                await response.write(data[: cut_bytes - sent_bytes])
                return break_connection(request, response)
            await response.write(data)
            sent_bytes, sent_events = sent_bytes + len(data), sent_events + 1
            if sent_events == stored.reply.cut_events:
                return break_connection(request, response)
        return break_connection(request, response) if stored.breaks_off else response

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        stored = self._find(request)
        stored.retrieved.append(request.query_string)
        if request.query.get("stream") != "true":
            return web.json_response(stored.snapshot())
        if not stored.call.body.get("stream"):
            raise self._error(400, NO_STREAM, "stream")
        if self.refuses_resume_stream:
            raise self._error(400, TOO_OLD, "stream")
        return await self._send(request, stored, int(request.query.get("starting_after", -1)))

    async def _cancel(self, request: web.Request) -> web.Response:
        stored = self._find(request)
        if stored.is_final and stored.status != "cancelled":
            raise self._error(400, f"Cannot cancel a {stored.status} response.", "response_id")
        stored.cancelled = True
        if not stored.is_final:
            stored.finish("cancelled")
            self._generations[stored.id].cancel()
        return web.json_response(stored.snapshot("cancelled"))

    async def _delete(self, request: web.Request) -> web.Response:
        stored = self._find(request)
        stored.deleted = True
        return web.json_response({"id": stored.id, "object": "response", "deleted": True})

    def _find(self, request: web.Request) -> StoredResponse:
        response_id = request.match_info["id"]
        stored = self.stored.get(response_id)
        if stored is None or stored.deleted or stored.expired:
            raise self._error(404, f"Response with id '{response_id}' not found.", None)
        return stored

    def _error(self, status: int, message: str, param: str | None) -> web.HTTPException:
        code = None if status == 404 else "invalid_request_error"
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        kind = web.HTTPNotFound if status == 404 else web.HTTPBadRequest
        return kind(text=json.dumps({"error": error}), content_type="application/json")


def messages_of(body: Json) -> list[Json]:
    """Return the input of a request as the messages of a chat, without items that are no messages."""
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if body.get("instructions"):
        items = [{"role": "system", "content": body["instructions"]}, *items]
    return [{"role": item["role"], "content": _text(item["content"])} for item in items if "role" in item]


def _text(content: str | list[Json]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def break_connection(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Break the connection in the middle of the answer."""
    if request.transport:
        request.transport.abort()
    return response


def _usage(call: "Call", reply: "Reply", thoughts: int, texts: int) -> Json:
    counts = reply.count(call, thoughts + texts)
    thought = 0 if reply.usage else reply.count(call, thoughts)["completion_tokens"]
    return {
        "input_tokens": counts["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": counts["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": counts["total_tokens"],
    }

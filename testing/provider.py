"""A stand-in for a paid provider: it speaks the OpenAI protocol on 127.0.0.1 and records its calls.

`Provider.calls` is the ledger: every request, with the text that was sent.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiohttp import web

from research.llm.resume import CONTINUE_PROMPT, PROBE_PROMPT
from testing.asked import is_plan_prompt, is_summary_prompt, planned_sections, section_number
from testing.background import Background
from testing.responses import Responses, break_connection
from testing.texts import section_plan, section_text

OVERLAP_WORDS = 6
MANY_WORDS = 6
"""Of a chunk, because a chunk costs a client a millisecond whatever it holds."""
HUNDRED_TOKENS = 400
"""Characters of about a hundred tokens: some providers send chunks of this size."""


@dataclass
class Call:
    """One request and its outcome."""

    messages: list[dict[str, Any]]
    headers: dict[str, str]
    body: dict[str, Any]
    sent: str = ""
    """The text that was sent so far."""
    finished: bool = False
    closed: bool = False
    """The client closed the connection before the answer's end."""
    begun: float = field(default_factory=time.monotonic)

    @property
    def prompt(self) -> str:
        """What was asked for, also where the rest of an answer is asked for."""
        return self._asked()[0]

    @property
    def draft(self) -> str:
        """The text that the client asks to continue; empty in a first request."""
        return next((str(m["content"]) for m in self.messages if m["role"] == "assistant"), self._asked()[1])

    def _asked(self) -> tuple[str, str]:
        before, between, behind = CONTINUE_PROMPT
        content = str(self.messages[0]["content"])
        if not (content.startswith(before) and content.endswith(behind)):
            return content, ""
        prompt, _, draft = content.removeprefix(before).removesuffix(behind).partition(between)
        return prompt, draft

    @property
    def is_prefill(self) -> bool:
        """Whether the client asks the model to continue its own message."""
        return bool(self.messages[-1]["role"] == "assistant")

    @property
    def is_summary(self) -> bool:
        return is_summary_prompt(self.prompt)

    @property
    def is_plan(self) -> bool:
        return is_plan_prompt(self.prompt)

    @property
    def section(self) -> int:
        """The number of the section that is asked for; 0 for any other prompt."""
        return section_number(self.prompt)

    @property
    def source_numbers(self) -> list[int]:
        """The numbers of the sources in the prompt."""
        return [int(number) for number in re.findall(r"^\[(\d+)\] ", self.prompt, re.MULTILINE)]


@dataclass
class Reply:
    """How to answer one request."""

    text: str = ""
    reasoning: str = ""
    """Sent before the text, in chunks of the same size."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | str | None = None
    """The body of an error; a string is sent as it is."""
    before_seconds: float = 0.0
    """The delay before the first word."""
    chunk_seconds: float = 0.0
    chunk_words: int | None = None
    """None: one where it matters what was sent, as in a stream that is timed, held or cut; else several."""
    chunk_characters: int | None = None
    """Cut the text by characters, not by words: for scripts without spaces, and for large chunks."""
    finish_reason: str | None = "stop"
    """None: the stream ends without one, as when the connection breaks."""
    ends_cleanly: bool = False
    """Without a finish reason: close the stream as if it were whole."""
    usage: tuple[int, int] | None = None
    """Input and output tokens of the whole answer; None counts words."""
    counts_along: bool = False
    """Send the usage so far with every chunk, as some servers do."""
    cut_bytes: int | None = None
    """Break the connection after so many bytes of the stream."""
    held_after: int | None = None
    """Send no more after so many chunks, until `Provider.release` is called."""
    cut_events: int | None = None
    """Responses API: break each connection after so many events; the generation continues in background."""
    error_after: int | None = None
    """Responses API: send an `error` event after so many chunks of the text, and fail."""

    def pieces(self, text: str) -> list[str]:
        """Cut a text into chunks."""
        if self.chunk_characters:
            return re.findall(rf"(?s).{{1,{self.chunk_characters}}}", text)
        return re.findall(rf"(?:\s*\S+\s*){{1,{self._words()}}}", text)

    def _words(self) -> int:
        """Return the words of a chunk."""
        watched = (self.chunk_seconds, self.held_after, self.cut_bytes, self.cut_events, self.error_after)
        return self.chunk_words or (1 if any(watched) or self.counts_along else MANY_WORDS)

    def count(self, call: Call, pieces: int) -> dict[str, int]:
        """Return the usage after so many chunks."""
        contents = [str(message["content"]) for message in call.messages]
        words = sum(max(len(content.split()), len(content.encode()) // 8) for content in contents)
        if self.chunk_characters:
            written = pieces * (self.chunk_characters // 4)
        else:
            written = min(pieces * self._words(), len(f"{self.reasoning} {self.text}".split()))
        input_tokens, output_tokens = self.usage or (words, written)
        return {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        }


class Continuation(Enum):
    """How a model continues a draft: exactly as asked, or in a way that models are known for."""

    EXACT = "with the very next character"
    STRIPPED = "with the next word"
    OVERLAP = "with the last words of the draft again"
    REMARK = "with a remark before the next word"
    RESTART = "with the whole answer from its beginning"


Stream = Callable[[web.Request, Call, Reply], Awaitable[web.StreamResponse]]


class Provider(Responses, Background):
    """Serves in the background; `reply` may be replaced at any time."""

    def __init__(self, reply: Callable[[Call], Reply] | None = None, port: int = 0) -> None:
        super().__init__()
        self.reply = reply or default_reply
        self.calls: list[Call] = []
        self.takes_prefill = True
        """Whether its model continues its own message; else it answers in a new one."""
        self.echoes = False
        """Whether it sends the message back with its continuation."""
        self.probe_status = 200
        self.probes: list[Call] = []
        """Requests that ask whether it does; they are in no other ledger."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.port = port
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let streams that are held continue, and hold none any more."""
        self._loop.call_soon_threadsafe(self._released.set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def research_calls(self) -> int:
        return sum(not (call.is_summary or call.is_plan) for call in self.calls)

    @property
    def plan_calls(self) -> int:
        return sum(call.is_plan for call in self.calls)

    @property
    def summary_calls(self) -> int:
        return sum(call.is_summary for call in self.calls)

    async def serve(self) -> None:
        """Serve: see `Background`."""
        app = web.Application(client_max_size=64 * 2**20)
        self.add_routes(app)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/chat/completions", self._complete)
        self.add_response_routes(app)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        call = Call(body["messages"], dict(request.headers), body)
        return await self.answer(request, call, self._stream if body.get("stream") else self._whole)

    async def answer(self, request: web.Request, call: Call, stream: Stream) -> web.StreamResponse:
        """Record the call and answer it as `reply` says, its text through `stream`."""
        if call.prompt == PROBE_PROMPT:
            self.probes.append(call)
            numbers = (
                f"{call.draft if self.echoes else ''} 8, 9" if self.takes_prefill else "8, 9, 10, 11, 12"
            )
            reply = Reply(numbers, status=self.probe_status)
            return await stream(request, call, reply) if reply.status == 200 else _refusal(reply)
        self.calls.append(call)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._play(request, call, stream)
        except ConnectionError:
            call.closed = True
            return web.Response()
        except asyncio.CancelledError:
            call.closed = not self._stop.is_set()
            raise
        finally:
            self.in_flight -= 1

    async def _play(self, request: web.Request, call: Call, stream: Stream) -> web.StreamResponse:
        reply = self.reply(call)
        if not call.body.get("background"):  # its answer begins at once, its text after the delay
            await asyncio.sleep(reply.before_seconds)
        if reply.status != 200 or reply.error is not None:
            return _refusal(reply)
        return await stream(request, call, reply)

    async def _whole(self, request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
        """Answer a request that does not stream, after the time that the stream would take."""
        pieces = reply.pieces(reply.text)
        try:
            await asyncio.sleep(reply.chunk_seconds * len(pieces))
        except asyncio.CancelledError:  # what was written is billed, though nothing of it was sent
            written = (time.monotonic() - call.begun) / reply.chunk_seconds
            call.sent = "".join(pieces[: int(written)])
            raise
        call.sent, call.finished = reply.text, True
        message = {"role": "assistant", "content": reply.text}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": call.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
            "usage": reply.count(call, len(pieces)),
        }
        return web.json_response(answer)

    async def _stream(self, request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent_bytes = 0
        pieces = [("reasoning_content", piece) for piece in reply.pieces(reply.reasoning)]
        pieces += [("content", piece) for piece in reply.pieces(reply.text)]
        for number, (kind, piece) in enumerate(pieces, start=1):
            usage = reply.count(call, number) if reply.counts_along else None
            event = _event(call, {"delta": {"role": "assistant", kind: piece}}, usage)
            if reply.cut_bytes is not None and sent_bytes + len(event) > reply.cut_bytes:
                await response.write(event[: reply.cut_bytes - sent_bytes])
                return break_connection(request, response)
            await response.write(event)
            sent_bytes += len(event)
            call.sent += piece if kind == "content" else ""
            await asyncio.sleep(reply.chunk_seconds)
            if number == reply.held_after:
                await self._released.wait()
        if reply.finish_reason is None:
            return response if reply.ends_cleanly else break_connection(request, response)
        await response.write(_event(call, {"delta": {}, "finish_reason": reply.finish_reason}))
        usage = reply.count(call, len(pieces))
        await response.write(_event(call, None, usage))
        await response.write(b"data: [DONE]\n\n")
        call.finished = True
        return response


def _refusal(reply: Reply) -> web.Response:
    text = reply.error if isinstance(reply.error, str) else json.dumps({"error": reply.error or {}})
    return web.Response(
        text=text, status=reply.status, headers=reply.headers, content_type="application/json"
    )


def _event(call: Call, choice: dict[str, Any] | None, usage: dict[str, int] | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": call.body["model"],
        "choices": [{"index": 0, **choice}] if choice is not None else [],
        "usage": usage,
    }
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


def position(text: str, draft: str) -> int:
    """Return the character of a text at which a draft of it ends; 0 where its last words are not in it.

    A damaged draft is continued after its last words, as a model would.
    """
    if text.startswith(draft):
        return len(draft)
    last = draft[-30:]
    ends = [found.start() + len(last) for found in re.finditer(f"(?={re.escape(last)})", text)]
    return min(ends, key=lambda end: abs(end - len(draft)), default=0)


def rest_of(text: str, call: Call, how: Continuation = Continuation.STRIPPED) -> str:
    """Return what of a text is to be sent for a request that may ask to continue it."""
    draft, rest = call.draft, text[position(text, call.draft) :]
    if not draft or how is Continuation.RESTART:
        return text
    if how is Continuation.OVERLAP:
        last = re.search(rf"(?:\S+\s+){{{OVERLAP_WORDS - 1}}}\S+\Z", draft[-1_000:])
        return (last[0] if last else draft[-20:]) + rest
    if how is Continuation.REMARK:
        return f"Sure, here is the rest:\n\n{rest.lstrip()}"
    return rest if how is Continuation.EXACT else rest.lstrip()


def default_reply(call: Call) -> Reply:
    """Return a short research text that cites the sources it was given, or a section, a summary or a plan."""
    if call.is_summary:
        return Reply("Durable execution remembers every finished step. So nothing is paid for twice.")
    if call.section:
        return Reply(rest_of(section_text(call.section), call, Continuation.EXACT))
    if call.is_plan and (count := planned_sections(call.prompt)):
        return Reply(section_plan(count, "search quer" in call.prompt))
    if call.is_plan:
        return Reply(
            "## Queries\n\n- durable execution\n- workflow engines\n- crash recovery\n- event sourcing\n"
        )
    first, *others = [f" [{number}]" for number in call.source_numbers] or [""]
    return Reply(
        f"## Durable execution\n\nEvery finished step is recorded by a service that outlives the"
        f" worker{first}.\n\n- A killed worker loses **nothing** that was recorded.\n- Another one goes on"
        f" with the next step{''.join(others[:2])}.\n"
    )

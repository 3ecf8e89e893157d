"""What a provider sends, read below litellm, at the one place through which its async requests go.

litellm turns reasons that it does not know, and on most routes the mere end of a stream, into "stop".
An error inside a stream becomes its own 500, and so does a server that cannot be reached. So the
transport that all routes share is replaced by one that keeps what only the provider can say: the
finish reason, an error, an answer that is no stream, or that nothing answered.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

MAX_ERROR_BYTES = 8_000
"""Of the body of an error; the rest is not read."""
MAX_QUIET_BYTES = 8_000_000
MAX_QUIET_SECONDS = 900.0
"""How much, and for how long, a provider may send without a word of the answer: pings, empty events."""
MAX_EVENT_BYTES = 8_000_000
"""Of one event, or of an answer that is one JSON object; a longer one is passed on unread."""
MAX_DEPTH = 4
REASONS = ("finish_reason", "finishReason", "done_reason", "stop_reason", "stopReason")
"""The names that OpenAI and its likes, Gemini, Ollama, Anthropic and Bedrock give it. In vLLM's events
the fourth stands beside the first, and is the text that stopped the model."""
_BOM = b"\xef\xbb\xbf"


@dataclass
class Wire:
    """What came for one request."""

    address: str = ""
    """Scheme, host and port of the server; without the path and the query, which may hold a key."""
    status: int = 0
    """The HTTP status; 0 while nothing has answered."""
    failure: Exception | None = None
    """Why nothing answered."""
    reason: str = ""
    """The finish reason as the provider wrote it; empty where it gave none."""
    error: dict[str, Any] | None = None
    """The error that stands in an answer of status 200."""
    is_readable: bool = False
    """Whether the answer is JSON, whole or in events; else only litellm knows the finish reason."""
    body: dict[str, Any] = field(default_factory=dict)
    """An answer that is one JSON object, also where a stream was requested."""

    quiet_bytes: int = field(default=0, compare=False)
    quiet_since: float = field(default_factory=time.monotonic, compare=False)
    """What came since the last word of the answer, be it reasoning."""

    def hear(self) -> None:
        """Take note of a word of the answer."""
        self.quiet_bytes, self.quiet_since = 0, time.monotonic()

    def check_quiet(self, size: int) -> None:
        """Count further bytes of a stream.

        Raises:
            QuietStream: too many have come, or for too long, without a word of the answer.
        """
        self.quiet_bytes += size
        if self.quiet_bytes > MAX_QUIET_BYTES or time.monotonic() - self.quiet_since > MAX_QUIET_SECONDS:
            self.error = {"message": "something came all the time, but no word of the answer"}
            raise QuietStream(self.error["message"])

    def read(self, event: dict[str, Any]) -> None:
        """Keep what an event, or a whole answer, says beside its text."""
        self.is_readable = True
        self.reason = _find_reason(event) or self.reason
        if event.get("done") is True and "done_reason" not in event:  # Ollama before version 0.3
            self.reason = "stop"
        if error := event.get("error"):
            self.error = error if isinstance(error, dict) else {"message": str(error)}


class QuietStream(Exception):
    """A provider sends on and on, but nothing of the answer."""


class AnswerReader:
    """Read an answer's bytes into a `Wire`, and return them as litellm can read them.

    Each byte is passed on as it came, except for a byte order mark and white space at the beginning, and for
    content that is a list of parts, on which litellm's stream breaks off: its text parts become the content.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._parts: list[bytes] = []
        """The line that has not ended, or the whole of an answer that may be one JSON object."""
        self._size = 0
        self._kind = ""

    def feed(self, data: bytes) -> bytes:
        """Return what can be passed on so far."""
        if self._kind == "unread":
            return data
        self._parts.append(data)
        self._size += len(data)
        if not self._kind:
            self._begin()
        elif self._kind == "braces" and b"\n" in data:
            self._decide()
        if self._size > MAX_EVENT_BYTES:
            self._kind = "unread"
        if self._kind == "unread":
            return self._take()
        if self._kind != "lines" or b"\n" not in self._parts[-1]:
            return b""
        *lines, rest = self._take().split(b"\n")
        self._parts, self._size = [rest], len(rest)
        return b"".join(self._pass(line) + b"\n" for line in lines)

    def end(self) -> bytes:
        """Return what is left when nothing more comes."""
        text = self._take()
        if self._kind in ("braces", "object"):
            self._wire.body = _object(text)
            _join_parts(self._wire.body)
        return text if self._kind in ("", "unread") else self._pass(text)

    def _take(self) -> bytes:
        text, self._parts, self._size = b"".join(self._parts), [], 0
        return text

    def _begin(self) -> None:
        """Decide by the first character whether events come, or JSON in braces, or what nobody reads here."""
        head = self._take().removeprefix(_BOM).lstrip()
        self._parts, self._size = [head], len(head)
        if head.startswith(b"{"):
            self._kind = "braces"
            if b"\n" in head:
                self._decide()
        elif head and not _BOM.startswith(head):
            self._kind = "lines" if head[0] in b":abcdefghijklmnopqrstuvwxyz" else "unread"

    def _decide(self) -> None:
        """Decide by the first line whether one JSON object comes, or one in each line (Ollama)."""
        text = self._take()
        self._parts, self._size = [text], len(text)
        self._kind = "lines" if "done" in _object(text.partition(b"\n")[0]) else "object"

    def _pass(self, line: bytes) -> bytes:
        """Read a line, and return it for litellm."""
        name, colon, value = line.partition(b":")
        if line.lstrip().startswith(b"{"):
            name, colon, value = b"", b"", line
        event = _object(value) if name in (b"data", b"error", b"") else {}
        if not event:
            return line
        self._wire.read({"error": event} if name == b"error" else event)
        if not _join_parts(event):
            return line
        return name + colon + json.dumps(event).encode()


_current: ContextVar[Wire | None] = ContextVar("wire", default=None)


@contextmanager
def recording() -> Iterator[Wire]:
    """Record what comes for the request that is sent in the body."""
    wire = Wire()
    token = _current.set(wire)
    try:
        yield wire
    finally:
        _current.reset(token)


def install() -> None:
    """Replace litellm's transport by one that records, for all clients that are made from now on."""
    import httpx
    from litellm.llms.custom_httpx import aiohttp_transport

    class RecordedStream(httpx.AsyncByteStream):
        def __init__(self, stream: Any, wire: Wire) -> None:
            self._stream, self._wire = stream, wire

        async def __aiter__(self) -> AsyncIterator[bytes]:
            if self._wire.status >= 400:
                async for data in _bounded(self._stream):
                    yield data
                return
            reader = AnswerReader(self._wire)
            async for data in self._stream:
                self._wire.check_quiet(len(data))
                yield reader.feed(data)
            yield reader.end()

        async def aclose(self) -> None:
            await self._stream.aclose()

    class RecordingTransport(aiohttp_transport.LiteLLMAiohttpTransport):  # type: ignore[misc]  # no types
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            wire = _current.get()
            if wire is None:
                return cast("httpx.Response", await super().handle_async_request(request))
            vars(wire).update(vars(Wire(_origin(request.url))))  # because litellm may send a second one
            request.headers["accept-encoding"] = "identity"  # because the bytes are read before decoding
            try:
                response = await super().handle_async_request(request)
            except Exception as error:
                wire.failure = error
                raise
            wire.status = response.status_code
            response.headers.pop("content-length", None)
            stream = RecordedStream(response.stream, wire)
            return httpx.Response(wire.status, headers=response.headers, stream=stream, request=request)

    aiohttp_transport.LiteLLMAiohttpTransport = RecordingTransport


async def _bounded(stream: Any) -> AsyncIterator[bytes]:
    left = MAX_ERROR_BYTES
    async for data in stream:
        yield data[:left]
        left -= len(data)
        if left <= 0:
            return


def _origin(url: Any) -> str:
    return f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}"


def _object(text: bytes) -> dict[str, Any]:
    """Return the JSON object; an empty one where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _find_reason(value: Any, depth: int = MAX_DEPTH) -> str:
    """Return the finish reason in an event of any protocol; empty where there is none."""
    if isinstance(value, list):
        value = dict(enumerate(value[:1]))
    if not isinstance(value, dict):
        return ""
    for name in REASONS:
        if isinstance(reason := value.get(name), str) and reason not in ("", "null"):
            return reason
    parts = value.values() if depth else ()
    return next(filter(None, (_find_reason(part, depth - 1) for part in parts)), "")


def _join_parts(event: dict[str, Any]) -> bool:
    """Make one text of content that is a list of parts, and one of its reasoning; return whether it was."""
    choices = event.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    changed = False
    for message in (choice.get("delta"), choice.get("message")) if isinstance(choice, dict) else ():
        parts = message.get("content") if isinstance(message, dict) else None
        if isinstance(message, dict) and isinstance(parts, list):
            texts = [part.get("text") for part in parts if isinstance(part, dict)]
            message["content"] = "".join(text for text in texts if isinstance(text, str))
            thoughts = [part.get("thinking") for part in parts if isinstance(part, dict)]
            message["reasoning_content"] = "".join(filter(None, map(_plain, thoughts))) or None
            changed = True
    return changed


def _plain(thought: Any) -> str:
    """Return the text of a thinking part: a string, or a list of text parts (Mistral)."""
    if isinstance(thought, list):
        return "".join(str(part.get("text", "")) for part in thought if isinstance(part, dict))
    return thought if isinstance(thought, str) else ""

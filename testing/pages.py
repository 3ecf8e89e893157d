"""A web site on 127.0.0.1 for the tests: ordinary pages for reports, and hostile ones of any bytes.

`Pages.requests` is its ledger. A worker reads there with `Pages.environ` in its environment. It speaks
HTTP/1.1 by hand, because no library sends what a hostile server may.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult

from testing.background import Background

ROBOTS = "/robots.txt"
Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """One request to the site."""

    path: str
    """With its query."""
    host: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    at: float
    """By `time.monotonic`."""


@dataclass
class PageReply:
    """How to answer one request."""

    content: bytes | str = b""
    content_type: str | None = "text/html; charset=utf-8"
    status: int = 200
    reason: str = "OK"
    headers: Mapping[str, str] = field(default_factory=dict)
    before_seconds: float = 0.0
    send: Send | None = None
    """Sends the whole answer in place of all others, byte by byte as it likes."""


class Pages(Background):
    """Serves pages; `find` may be replaced at any time."""

    def __init__(
        self,
        pages: Mapping[str, PageReply] | None = None,
        find: Callable[[Request], PageReply] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self.pages = dict(pages or {})
        self.find = find or self._found
        self.port = 0
        self.accepted = 0
        """The connections so far, with a request or without."""
        self.most_at_once = 0
        self.requests: list[Request] = []
        self._open = 0
        self._tls = tls

    @property
    def environ(self) -> dict[str, str]:
        """The setting that lets a worker read here."""
        return {"READ_ALLOW": f"127.0.0.1:{self.port}"}

    def address(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, but for robots.txt."""
        return [request.path for request in self.requests if request.path != ROBOTS]

    def _found(self, request: Request) -> PageReply:
        return self.pages.get(request.path) or PageReply("Not here.", "text/plain", 404, "Not Found")

    async def serve(self) -> None:
        """Serve: see `Background`."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the site closes
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        if not first.isalpha():  # such as the handshake of TLS
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        request = Request(lines[0].split(" ")[1], headers.get("host", ""), headers, time.monotonic())
        self.requests.append(request)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            reply = self.find(request)
            await asyncio.sleep(reply.before_seconds)
            if reply.send:
                await reply.send(writer)
            else:
                writer.write(_bytes(reply))
            await writer.drain()
        finally:
            self._open -= 1


def _bytes(reply: PageReply) -> bytes:
    content = reply.content.encode() if isinstance(reply.content, str) else reply.content
    headers = {"Content-Length": str(len(content)), "Connection": "close", **reply.headers}
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + content


def html_page(title: str, *paragraphs: str) -> PageReply:
    """Return an ordinary page of these paragraphs."""
    body = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return PageReply(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title></head>"
        f"<body><main><h1>{title}</h1>\n{body}</main></body></html>"
    )


def redirect(location: str, status: int = 302) -> PageReply:
    """Return a redirect to any text."""
    return PageReply(status=status, reason="Found", headers={"Location": location})


class Names(AbstractResolver):
    """A DNS of its own: each name's answers in turn, the last one for ever."""

    def __init__(self, names: Mapping[str, list[list[str]]]) -> None:
        self.names = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.names.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass

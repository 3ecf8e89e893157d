"""Fetching a page from a foreign address: the one module of the program that opens one.

Knows nothing of Temporal. A page's address, its server and every byte of its answer are hostile;
docs/security.md says what is checked.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from research.sources.allow import Allow, is_public_host, normalize_host
from research.sources.body import BadBody, CutBody, Kind, kind_of, read_body
from research.sources.cleaning import clean_address
from research.sources.not_read import NotRead, is_transient, no_connection, read_retry_after
from research.sources.robots import MAX_ROBOTS_BYTES, USER_AGENT, Robots
from research.sources.turns import Turns

__all__ = ["NotRead", "Page", "fetch"]

FETCH_SECONDS = 30.0
"""For a page with its redirects and robots.txt; waiting for its turn at a host does not count."""
WAIT_SECONDS = 120.0
"""For its turns, because other pages of a host may take all their time."""
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 10.0
"""Between two pieces of a body: aiohttp waits for ever behind a chunk that is malformed."""
MAX_PAGE_BYTES = 10_000_000
"""Received, and again after decompression."""
MAX_REDIRECTS = 5
MAX_LOCATION_BYTES = 4_000
"""Of an address that is redirected to: signed ones are long."""
MAX_HEADER_BYTES = 16_000
MAX_TYPE_CHARACTERS = 200

_WRONG_PORT = "neither port 80 nor 443"
_REDIRECTS = (301, 302, 303, 307, 308)
_PAGES = (200, 203)
_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)
_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/pdf,text/markdown,text/plain,application/json;"
    "q=0.9,*/*;q=0.1",
    # What zlib can decompress piece by piece within a bound, in every version of Python.
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True)
class Page:
    """A page as it was sent, decompressed."""

    address: str
    """Where it was found, after redirects: up to MAX_LOCATION_BYTES long."""
    content: bytes
    content_type: str
    """The header, in printable ASCII; "" where there is none."""
    kind: Kind


@dataclass
class _Kept:
    """What is known of hosts, for the fetches of one event loop."""

    turns: Turns = field(default_factory=Turns)
    robots: Robots = field(default_factory=Robots)


_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()


async def fetch(address: str, allow: Allow, resolver: AbstractResolver | None = None) -> Page:
    """Return the page at an address.

    Args:
        address: any text; only http:// and https:// without a user name are opened.
        allow: what may be read beside public addresses.
        resolver: resolves names in place of the system's resolver.

    Raises:
        NotRead: there is no page that can be read; its reason says why.
    """
    kept = _kept.setdefault(asyncio.get_running_loop(), _Kept())
    fetching = _Fetching(allow, resolver or aiohttp.ThreadedResolver(), kept)
    try:
        async with fetching.deadline:
            return await fetching.page(address)
    except TimeoutError:
        reason = "took too long" if fetching.has_answered else f"no answer within {FETCH_SECONDS:.0f} s"
        raise NotRead(reason) from None  # for good, because the report waits for its slowest page


@dataclass(frozen=True)
class _Answer:
    url: URL
    status: int
    location: str | None
    """Where it redirects to."""
    content_type: str
    content: bytes
    """Nothing where the status is that of no page."""
    is_whole: bool
    retry_after: float | None


class _Fetching:
    """One page, with its redirects and their robots.txt."""

    def __init__(self, allow: Allow, resolver: AbstractResolver, kept: _Kept) -> None:
        self._allow, self._resolver, self._kept = allow, resolver, kept
        self.deadline = asyncio.timeout(FETCH_SECONDS)
        self.has_answered = False
        self._wait_left = WAIT_SECONDS

    async def page(self, address: str) -> Page:
        answer = await self._follow(address, MAX_PAGE_BYTES, obeys_robots=True)
        if answer.status not in _PAGES:
            raise NotRead(
                f"the server answered {answer.status}", is_transient(answer.status), answer.retry_after
            )
        if not answer.is_whole:
            raise NotRead("too large")
        if not answer.content.strip():
            raise NotRead("no text")
        kind = kind_of(answer.content, answer.content_type)
        if kind is None:
            found = _TYPE.match(answer.content_type)
            raise NotRead(f"neither a web page nor text or PDF{f' ({found[0]})' if found else ''}")
        return Page(str(answer.url), answer.content, answer.content_type, kind)

    async def _follow(self, address: str, limit: int, obeys_robots: bool) -> _Answer:
        """Follow redirects, each hop checked as the first: aiohttp would follow them without robots.txt."""
        for _ in range(MAX_REDIRECTS + 1):
            url = self._checked(address)
            if obeys_robots:
                await self._obey_robots(url)
            answer = await self._request(url, limit)
            if answer.location is None:
                return answer
            address = _joined(url, answer.location)
        raise NotRead("too many redirects")

    def _checked(self, address: str) -> URL:
        """Return an address that may be asked for, as aiohttp will read it."""
        cleaned = clean_address(address, MAX_LOCATION_BYTES)
        try:
            url = URL(cleaned).with_fragment(None)
            has_user = url.raw_user is not None or url.raw_password is not None
            is_web = url.scheme in ("http", "https") and bool(url.raw_host) and not has_user
            port = url.port or 0
        except ValueError:
            is_web = False
        if not is_web:
            raise NotRead("not a web address")
        if not self._allow.has_port(port):
            raise NotRead(_WRONG_PORT)
        return url

    async def _obey_robots(self, url: URL) -> None:
        async def read() -> bytes:
            answer = await self._follow(f"{site}/robots.txt", MAX_ROBOTS_BYTES, obeys_robots=False)
            if answer.status == 200:
                return answer.content
            if 400 <= answer.status < 500 and not is_transient(answer.status):
                return b""  # RFC 9309: there is none
            reason = f"its robots.txt cannot be read: the server answered {answer.status}"
            raise NotRead(reason, is_transient(answer.status), answer.retry_after)

        site = f"{url.scheme}://{url.host_port_subcomponent}"
        if not await self._kept.robots.allows(str(url), site, read):
            raise NotRead("blocked by robots.txt")

    async def _request(self, url: URL, limit: int) -> _Answer:
        refused, permitted = [], []

        def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
            # aiohttp connects to this very address, so nothing can be resolved anew behind the check.
            family, kind, protocol, _, (host, port, *_) = info
            if not self._allow.permits(url.raw_host or "", str(host), int(port)):
                refused.append(_WRONG_PORT if is_public_host(str(host)) else "not a public address")
                raise OSError("not allowed")
            permitted.append(host)
            return socket.socket(family, kind, protocol)

        # A connector for each request, because its check belongs to the host; so no connection is reused.
        connector = aiohttp.TCPConnector(
            socket_factory=make_socket, resolver=self._resolver, use_dns_cache=False, force_close=True
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
            trust_env=False,
            headers=_HEADERS,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        site = f"{normalize_host(url.raw_host or '')}:{url.port}"
        try:
            async with (
                session,
                self._kept.turns.turn(site, self._waiting),
                session.get(url, allow_redirects=False) as response,
            ):
                self.has_answered = True
                return await _read(url, response, limit)
        except aiohttp.ClientConnectorError as error:
            raise no_connection(error) if permitted or not refused else NotRead(refused[0]) from None
        except aiohttp.ConnectionTimeoutError:
            raise NotRead(f"no connection within {CONNECT_SECONDS:.0f} s", is_transient=True) from None
        except aiohttp.ClientResponseError:
            raise NotRead("the server's answer is no HTTP") from None
        except aiohttp.InvalidURL:
            raise NotRead("not a web address") from None
        except (aiohttp.ClientError, OSError):
            raise NotRead("the connection broke off", is_transient=True) from None
        except UnicodeError:  # a host that is no name of the DNS
            raise NotRead("no such host") from None

    @asynccontextmanager
    async def _waiting(self) -> AsyncIterator[None]:
        """Stop the deadline: what other pages of a host take is none of this page's time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        left = (self.deadline.when() or 0) - began
        self.deadline.reschedule(began + left + self._wait_left)
        try:
            yield
        except asyncio.CancelledError:
            if self.deadline.expired():
                raise NotRead("its host is busy with other pages", is_transient=True) from None
            raise
        self._wait_left -= loop.time() - began
        self.deadline.reschedule(loop.time() + left)


async def _read(url: URL, response: aiohttp.ClientResponse, limit: int) -> _Answer:
    headers, content, is_whole = response.headers, b"", True
    location = headers.get("Location") if response.status in _REDIRECTS else None
    if response.status in _PAGES:
        encoding = headers.get("Content-Encoding", "").strip().lower()
        try:
            content, is_whole = await read_body(_chunks(response.content), encoding, limit)
        except (CutBody, TimeoutError):
            raise NotRead("the connection broke off", is_transient=True) from None
        except BadBody:
            raise NotRead("its compression cannot be read") from None
    sent_type = headers.get("Content-Type", "")
    content_type = "".join(c for c in sent_type if " " <= c <= "~")[:MAX_TYPE_CHARACTERS]
    retry_after = read_retry_after(headers.get("Retry-After", ""))
    return _Answer(url, response.status, location, content_type, content, is_whole, retry_after)


async def _chunks(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            chunk = await content.readany()
        if not chunk:
            return
        yield chunk


def _joined(url: URL, location: str) -> str:
    try:
        return urljoin(str(url), location)
    except ValueError:  # such as an unclosed bracket in the host
        return ""

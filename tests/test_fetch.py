"""Fetching a page: what is never connected to, what a hostile server cannot do, why a page is not read."""

import asyncio
import gzip
import ipaddress
import socket
import ssl
import time
import tracemalloc
import zlib
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from protego import Protego

from research import __version__
from research.config import ROOT
from research.errors import UserError
from research.sources import allow, fetch, robots, turns
from research.sources.allow import Allow, is_public, parse_allow
from research.sources.body import BadBody, CutBody, Kind, kind_of, read_body
from research.sources.fetch import NotRead, Page
from testing.pages import ROBOTS, Names, PageReply, Pages, html_page, redirect
from tests.test_directions import imports, product, within

PUBLIC = "93.184.215.14"


class Dns(Names):
    """Names of its own, and the system's reading of numeric addresses; nobody is asked."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host in self.names:
            return await super().resolve(host, port, family)
        infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        self.names[host] = [[str(info[4][0]) for info in infos]]
        return await super().resolve(host, port, family)


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that a connection is tried to; only those of this machine are made."""
    tried: list[str] = []
    connect = BaseSelectorEventLoop.sock_connect

    async def sock_connect(self: Any, sock: socket.socket, address: Any) -> None:
        tried.append(address[0])
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError
        await connect(self, sock, address)

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", sock_connect)
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0.0)
    return tried


@pytest.fixture
def site() -> Iterator[Pages]:
    with Pages({"/": html_page("Tuns", "A tun is a dry tardigrade.")}) as site:
        yield site


async def read(site: Pages, path: str = "/", dns: Names | None = None) -> Page:
    return await fetch.fetch(site.address(path), parse_allow(site.environ["READ_ALLOW"]), dns or Dns({}))


async def not_read(site: Pages, path: str = "/", dns: Names | None = None) -> NotRead:
    with pytest.raises(NotRead) as caught:
        await read(site, path, dns)
    assert len(caught.value.reason) < 150
    assert caught.value.reason.isprintable()
    return caught.value


async def test_a_page(site: Pages) -> None:
    site.pages["/x?a=%20b"] = redirect("/#part")
    page = await read(site, "/x?a=%20b#top")
    assert page.address == site.address("/")
    assert (page.kind, page.content_type) == (Kind.HTML, "text/html; charset=utf-8")
    assert b"A tun is" in page.content
    assert site.paths() == ["/x?a=%20b", "/"]
    headers = site.requests[0].headers
    assert headers["user-agent"] == f"durable-research-reports/{__version__}"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert not {"cookie", "authorization", "referer"} & headers.keys()


async def test_a_hostile_content_type(site: Pages) -> None:
    site.pages["/"] = PageReply("<p>tun", f"text/html; charset=\x1b[31mé\udcff{'x' * 5_000}")
    page = await read(site)
    assert page.kind is Kind.HTML
    assert page.content_type == "text/html; charset=[31m".ljust(200, "x")


async def test_neither_a_proxy_nor_a_netrc_of_the_environment(
    site: Pages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login tun password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await read(site)
    assert "authorization" not in site.requests[-1].headers


async def test_no_cookie_comes_back(site: Pages) -> None:
    site.pages["/in"] = PageReply(status=302, headers={"Location": "/", "Set-Cookie": "id=1; Path=/"})
    await read(site, "/in")
    await read(site)
    assert not any("cookie" in request.headers for request in site.requests)


LOCAL = """
127.0.0.1 127.1 127.0.1 127.00.0.1 127.0.0.01 127.255.255.254 2130706433 017700000001 0x7f000001
0x7f.1 0x7F.0x1 0177.0.0.1 0177.0x0.1 127.0x1 0 0.0.0.0 00.0 0x0 127.0.0.1. 2130706433. 127.1.
127。0。0。1 １２７.０.０.１ ①②⑦.0.0.1 １２７。１ ⓪ x7f.1 0x7f.00000.00000.0001 00000177.1 localhost LOCALHOST
localhost. ⓛⓞⓒⓐⓛⓗⓞⓢⓣ tun.example TUN.example. six.example mapped.example both.example [::1] [::]
[0:0:0:0:0:0:0:1] [0000::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001]
[0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1]
[64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] [2001::5efe:7f00:1]
[::1%lo] [::1%25lo] [fe80::1] [fe80::1%1] [fe80::1%25eth0] [fec0::1] [fc00::1] [fd00:ec2::254]
[ff02::1] [::ffff:0:127.0.0.1] [100::1] [5f00::1] [3fff::1] [2001:db8::1] 10.0.0.1 172.16.0.1
172.31.255.255 192.168.0.1 169.254.169.254 0xa9fea9fe 2852039166 100.64.0.1 100.100.100.200
192.0.0.1 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1
240.0.0.1 255.255.255.255 [::ffff:10.0.0.1] [64:ff9b::a00:1] [2002:a00:1::] 127.0.0.1%00
127.0.0.1%2f 127.0.0.1\\@8.8.8.8
""".split()  # noqa: SIM905
NAMES = {
    "localhost": [["127.0.0.1", "::1"]],
    "localhost.": [["127.0.0.1"]],
    "tun.example": [["127.0.0.1"]],
    "tun.example.": [["127.0.0.1"]],
    "six.example": [["::1"]],
    "mapped.example": [["::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%1"]],
    "both.example": [["10.0.0.1", "127.0.0.1", "0.0.0.0"]],
}


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_nothing_private_is_connected_to(
    scheme: str, site: Pages, monkeypatch: pytest.MonkeyPatch, connections: list[str]
) -> None:
    """In any notation, with a port of the web's."""
    assert len(LOCAL) > 90
    monkeypatch.setattr(allow, "WEB_PORTS", frozenset({site.port}))
    for host in LOCAL:
        with pytest.raises(NotRead) as caught:
            await fetch.fetch(f"{scheme}://{host}:{site.port}/", Allow(), Dns(NAMES))
        reasons = ("not a public address", "not a web address", "no such host")
        assert caught.value.reason in reasons, host
        assert not caught.value.is_transient
    assert (connections, site.accepted) == ([], 0)


async def test_a_port_that_is_not_the_web_s(site: Pages, connections: list[str]) -> None:
    for port in (site.port, 0, 22, 8080, 65_535):
        with pytest.raises(NotRead, match="neither port 80 nor 443"):
            await fetch.fetch(f"http://tun.example:{port}/", Allow(), Dns({"tun.example": [[PUBLIC]]}))
    assert connections == []


@pytest.mark.parametrize(
    "address",
    [
        "", "tun", "/etc/passwd", "file:///etc/passwd", "ftp://tun.example/", "gopher://tun.example/",
        "data:,tun",
        "javascript:1", "http:", "http://", "http:///", "http://?", "http://[", "http://[::1",
        "http://[tun]/",
        "https://tun:secret@tun.example/", "http://tun@tun.example/", "http://@tun.example/", "http://:@tun/",
        "http://tun.example:99999/", "http://tun.example:-1/", "http://tun.example:x/",
        "http://tu\x00n.example/",
        "http://tun\r\nHost: x/", "unix://tun", "http+unix://tun/", f"http://{'a' * 70}.example/",
        f"http://tun.example/{'a' * 5_000}", "http://.example/", "http://a..example/", "http://xn--/",
        "//tun/",
    ],
)  # fmt: skip
async def test_what_is_no_address(address: str, connections: list[str]) -> None:
    with pytest.raises(NotRead) as caught:
        await fetch.fetch(address, Allow(), Dns({}))
    assert caught.value.reason in ("not a web address", "no such host", "neither port 80 nor 443")
    assert connections == []


async def test_dns_that_changes_its_answer(
    site: Pages, monkeypatch: pytest.MonkeyPatch, connections: list[str]
) -> None:
    """A check of one answer would be followed by a connection to the next one."""
    monkeypatch.setattr(allow, "WEB_PORTS", frozenset({site.port}))
    for answers in ([[PUBLIC], ["127.0.0.1"]], [["127.0.0.1"], [PUBLIC]], [["127.0.0.1", PUBLIC], ["::1"]]):
        dns = Dns({"tun.example": answers})
        for _ in range(3):
            with pytest.raises(NotRead) as caught:
                await fetch.fetch(f"http://tun.example:{site.port}/", Allow(), dns)
            assert caught.value.reason in ("not a public address", "no connection can be made")
    assert set(connections) == {PUBLIC}
    assert site.accepted == 0


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1/", "not a public address"),
        ("http://localhost:22/", "neither port 80 nor 443"),
        ("http://metadata.example/latest", "not a public address"),
        ("//10.0.0.1/", "not a public address"),
        ("https://[::ffff:127.0.0.1]/", "not a public address"),
        ("file:///etc/passwd", "not a web address"),
        ("ftp://tun.example/", "not a web address"),
        ("data:text/html,tun", "not a web address"),
        ("http://tun:secret@tun.example/", "not a web address"),
        ("http://[", "not a web address"),
        ("http://gone.example/", "no such host"),
        ("/loop", "too many redirects"),
        ("", "too many redirects"),
        ("/\udcff", "not a web address"),
        (f"/{'a' * 5_000}", "not a web address"),
    ],
)
async def test_a_redirect(location: str, reason: str, site: Pages, connections: list[str]) -> None:
    site.pages |= {"/loop": redirect("/again", 307), "/again": redirect("/loop", 308)}
    site.pages["/in"] = redirect(location)
    dns = Dns({"metadata.example": [["169.254.169.254"]], "gone.example": []})
    found = await not_read(site, "/in", dns)
    assert (found.reason, found.is_transient) == (reason, False)
    assert len(site.paths()) <= fetch.MAX_REDIRECTS + 1
    assert set(connections) == {"127.0.0.1"}
    assert len(connections) == site.accepted == len(site.requests)


@pytest.mark.parametrize(("count", "is_read"), [(5, True), (6, False)])
async def test_so_many_redirects(count: int, is_read: bool, site: Pages) -> None:
    site.pages |= {f"/{n}": redirect(f"/{n - 1}" if n > 1 else "/") for n in range(1, count + 1)}
    if is_read:
        assert (await read(site, f"/{count}")).address == site.address("/")
    else:
        assert (await not_read(site, f"/{count}")).reason == "too many redirects"


def test_nothing_else_opens_an_address() -> None:
    """The libraries of models, stores and Temporal connect to what the settings name, and to nothing else."""
    openers = (
        "aiohttp",
        "yarl",
        "urllib.request.urlopen",
        "urllib.request.Request",
        "http.client",
        "requests",
    )
    found = {
        module
        for module, path in product(ROOT)
        if any(within(name, opener) for name in imports(path) for opener in openers)
    }
    assert found == {"research.sources.fetch", "research.sources.not_read"}
    assert imports(ROOT / "research/sources/allow.py") & {"aiohttp", "yarl"} == set()


# --- what a hostile server sends


async def write_on(writer: asyncio.StreamWriter, chunk: bytes, pause: float = 0.0) -> None:
    while True:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(pause)


HTML_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HTML_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def sends(*parts: bytes, on: bytes | None = None, pause: float = 0.0) -> PageReply:
    """Return an answer of these parts, one after the other, and then of one more for ever."""

    async def send(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05)
        if on is not None:
            await write_on(writer, on, pause)

    return PageReply(send=send)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def bomb(size: int, wbits: int = 31) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    zeros = b"a" * 1_000_000
    return b"".join(packer.compress(zeros) for _ in range(size // len(zeros))) + packer.flush()


LARGE, PACKED, BROKEN = "too large", "its compression cannot be read", "the connection broke off"
NO_HTTP, NO_PAGE = "the server's answer is no HTTP", "neither a web page nor text or PDF"


def encoded(name: str) -> dict[str, str]:
    return {"Content-Encoding": name}


def short(value: object) -> str:
    return ascii(value)[:24]


@pytest.mark.parametrize(
    ("reply", "reason", "is_transient"),
    [
        (sends(HTML_HEAD, b"\r\n<p>", on=b"a" * 65_536), LARGE, False),
        (sends(CHUNKED, on=b"8000\r\n" + b"a" * 32_768 + b"\r\n"), LARGE, False),
        (PageReply(b"a" * 10_000_001, "text/plain"), LARGE, False),
        (PageReply(packed(b"") * 3_000, headers=encoded("gzip")), PACKED, False),
        (PageReply(packed(b"<p>tun")[:-9], headers=encoded("gzip")), BROKEN, True),
        (PageReply(b"<p>tun", headers=encoded("gzip")), PACKED, False),
        (PageReply(b"<p>tun", headers=encoded("br")), PACKED, False),
        (PageReply(b"<p>tun", headers=encoded("zstd")), PACKED, False),
        (PageReply(packed(b"tun"), headers=encoded("gzip, gzip")), PACKED, False),
        (sends(HTML_HEAD, b"X: ", b"x" * 1_000_000, b"\r\n\r\n"), NO_HTTP, False),
        (sends(HTML_HEAD, on=b"X: 1\r\n" * 1_000), NO_HTTP, False),
        (sends(b"HTTP/1.1 200 ", on=b"x" * 65_536), NO_HTTP, False),
        (sends(on=b"\0" * 65_536), NO_HTTP, False),
        (sends(b"SSH-2.0-OpenSSH_9.6\r\n"), NO_HTTP, False),
        (sends(HTML_HEAD, b"Content-Length: -5\r\n\r\n<p>"), NO_HTTP, False),
        (sends(b""), BROKEN, True),
        (sends(HTML_HEAD, b"Content-Length: 100\r\n\r\n<p>tun"), BROKEN, True),
        (sends(CHUNKED + b"5\r\n<p>tu\r\nxyz\r\n"), NO_HTTP, False),
        (sends(CHUNKED, b"5\r\n<p>tu\r\n"), BROKEN, True),
        (PageReply(b""), "no text", False),
        (PageReply(b" \r\n\t "), "no text", False),
        (PageReply(b"", headers=encoded("gzip")), "no text", False),
        (PageReply(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"), f"{NO_PAGE} (image/png)", False),
        (PageReply(b"PK\3\4\0\0", "text/html"), f"{NO_PAGE} (text/html)", False),
        (PageReply(b"PK\3\4\0\0", "\x1b[31m" + "x" * 5_000), f"{NO_PAGE}", False),
        (PageReply(b"body {}", "text/css"), f"{NO_PAGE} (text/css)", False),
        (PageReply(b"no", status=403, reason="\x1b[31mNo" * 99), "the server answered 403", False),
        (PageReply(b"no", status=404), "the server answered 404", False),
        (PageReply(b"", status=204), "the server answered 204", False),
        (PageReply(b"no", status=206), "the server answered 206", False),
        (PageReply(b"no", status=302), "the server answered 302", False),
        (PageReply(b"no", status=999), "the server answered 999", True),
        (PageReply(b"no", status=429), "the server answered 429", True),
        (PageReply(b"no", status=500), "the server answered 500", True),
        (PageReply(b"no", status=503), "the server answered 503", True),
    ],
    ids=short,
)  # fmt: skip
async def test_what_a_server_may_answer(
    reply: PageReply, reason: str, is_transient: bool, site: Pages
) -> None:
    site.pages["/"] = reply
    found = await not_read(site)
    assert (found.reason, found.is_transient) == (reason, is_transient)


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
async def test_a_bomb(encoding: str, wbits: int, site: Pages) -> None:
    site.pages["/"] = PageReply(bomb(40_000_000, wbits), headers=encoded(encoding))
    assert (await not_read(site)).reason == LARGE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7), ("0", None), ("-1", None), ("1e9", None), ("nan", None), ("inf", None), ("999999999", 300),
        ("9" * 5_000, None), ("soon", None), ("", None), ("٣", None), ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None), ("Fri, 99 Dec 9999 23:59:59 +9999", None),
    ],
)  # fmt: skip
async def test_retry_after(value: str, seconds: float | None, site: Pages) -> None:
    site.pages["/"] = PageReply(status=503, headers={"Retry-After": value})
    assert (await not_read(site)).retry_after == seconds


async def test_retry_after_a_date(site: Pages) -> None:
    when = datetime.now(UTC) + timedelta(seconds=60)
    site.pages["/"] = PageReply(status=429, headers={"Retry-After": format_datetime(when, usegmt=True)})
    assert 50 < ((await not_read(site)).retry_after or 0) <= 60


SLOW = {
    "no answer": PageReply(before_seconds=9),
    "endless headers": sends(b"HTTP/1.1 200 OK\r\n", on=b"X: 1\r\n", pause=0.05),
    "endless interim answers": sends(on=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.005),
    "a drip": sends(HTML_HEAD, b"\r\n", on=b"<p>", pause=0.02),
    "a drip in gzip": sends(
        HTML_HEAD, b"Content-Encoding: gzip\r\n\r\n", packed(b"")[:10], on=b"\0\0\0\xff\xff", pause=0.02
    ),
}


@pytest.mark.parametrize("path", ["/", ROBOTS])
@pytest.mark.parametrize("slow", SLOW)
async def test_a_server_that_takes_its_time(
    slow: str, path: str, site: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "FETCH_SECONDS", 0.4)
    site.pages[path] = SLOW[slow]
    begun = time.monotonic()
    found = await not_read(site)
    assert time.monotonic() - begun < 3
    is_begun = path == "/" or slow.startswith("a drip")
    assert found.reason == ("took too long" if is_begun else "no answer within 0 s")
    assert not found.is_transient  # because the report has waited for it long enough


@pytest.mark.parametrize(
    "reply",
    [
        sends(CHUNKED, b"5\r\n<p>tu\r\nxyz\r\n"),
        sends(HTML_HEAD, b"Content-Length: 100\r\n\r\n<p>tun", on=b"", pause=9),
    ],
    ids=["a malformed chunk", "silence"],
)
async def test_a_body_that_stops(reply: PageReply, site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "IDLE_SECONDS", 0.3)
    site.pages["/"] = reply
    found = await not_read(site)
    assert (found.reason, found.is_transient) == (BROKEN, True)


async def test_slow_redirects_have_one_deadline(site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FETCH_SECONDS", 0.5)
    slow = redirect("/in")
    slow.before_seconds = 0.2
    site.pages["/in"] = slow
    assert (await not_read(site, "/in")).reason == "took too long"
    assert len(site.paths()) < 4


async def test_no_connection(site: Pages, connections: list[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(NotRead, match="no connection can be made") as caught:
            await fetch.fetch(f"http://{place}/", parse_allow(place), Dns({}))
    assert caught.value.is_transient


class Busy(Names):
    async def resolve(self, host: str, port: int = 0, family: Any = None) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")


async def test_a_name_server_that_does_not_answer() -> None:
    with pytest.raises(NotRead, match="its name cannot be resolved now") as caught:
        await fetch.fetch("http://tun.example/", Allow(), Busy({}))
    assert caught.value.is_transient


async def test_a_certificate_that_nobody_has_signed(tmp_path: Path) -> None:
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tun.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tun.example")]), False)
        .sign(key, SHA256())
    )
    file = tmp_path / "tun.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    with Pages({"/": html_page("Tuns")}, tls=tls) as site:
        found = await not_read(site)
    assert found.reason.startswith("its certificate cannot be verified (self")
    assert not found.is_transient
    assert site.requests == []


async def test_https_that_is_http(site: Pages) -> None:
    with pytest.raises(NotRead, match="no TLS connection can be made"):
        await fetch.fetch(f"https://127.0.0.1:{site.port}/", parse_allow(f"127.0.0.1:{site.port}"))


# --- robots.txt and turns

BLOCKED, UNREADABLE = "blocked by robots.txt", "its robots.txt cannot be read: the server answered"
OURS = "user-agent: Durable-Research-Reports\nDisallow: /\n\nUser-agent: *\nAllow: /"
OURS_MAY = "User-agent: *\nDisallow: /\n\nUser-agent: durable-research-reports/1\nAllow: /"
ALL = "User-agent: *\nDisallow: /"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (PageReply("User-agent: *\nDisallow: /", "text/plain"), BLOCKED),
        (PageReply(OURS), BLOCKED),
        (PageReply(OURS_MAY), ""),
        (PageReply("User-agent: *\nDisallow: /*x\nUser-agent: others\nDisallow: /"), ""),
        (PageReply("User-agent: others\nUser-agent: *\nDisallow: /"), BLOCKED),
        (PageReply("\ufeffUser-agent: *\r\nDisallow: /\r\n"), BLOCKED),
        (PageReply(packed(ALL.encode()), headers=encoded("gzip")), BLOCKED),
        (PageReply("<!doctype html><p>tun"), ""),
        (PageReply(b"\0\xff\xfe" * 999), ""),
        (PageReply(b""), ""),
        (PageReply(status=401), ""),
        (PageReply(status=404), ""),
        (PageReply(status=429), f"{UNREADABLE} 429"),
        (PageReply(status=500), f"{UNREADABLE} 500"),
        (redirect("/other.txt"), BLOCKED),
        (redirect("/robots.txt"), "too many redirects"),
        (redirect("http://10.0.0.1/robots.txt"), "not a public address"),
        (sends(HTML_HEAD, b"\r\nUser-agent: *\nDisallow: /\n", on=b"# tun\n" * 9_999), BLOCKED),
        (sends(b""), BROKEN),
    ],
    ids=short,
)  # fmt: skip
async def test_robots(reply: PageReply, reason: str, site: Pages) -> None:
    site.pages |= {ROBOTS: reply, "/other.txt": PageReply("User-agent: *\nDisallow: /")}
    if reason:
        assert (await not_read(site)).reason == reason
        assert "/" not in site.paths()
    else:
        assert (await read(site)).kind is Kind.HTML


async def test_robots_of_the_place_that_is_redirected_to(site: Pages) -> None:
    with Pages({ROBOTS: PageReply("User-agent: *\nDisallow: /secret"), "/secret": html_page("No")}) as other:
        site.pages["/in"] = redirect(other.address("/secret"))
        both = parse_allow(f"127.0.0.1:{site.port},127.0.0.1:{other.port}")
        with pytest.raises(NotRead, match=BLOCKED):
            await fetch.fetch(site.address("/in"), both, Dns({}))
    assert other.paths() == []


async def test_robots_is_asked_for_once(site: Pages) -> None:
    await asyncio.gather(*(read(site) for _ in range(6)))
    await read(site)
    asked = [request.path for request in site.requests].count(ROBOTS)
    assert (asked, len(site.paths())) == (1, 7)


async def test_robots_is_kept_for_a_while(site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "KEPT_SECONDS", 0.0)
    await read(site)
    site.pages[ROBOTS] = PageReply(ALL)
    assert (await not_read(site)).reason == BLOCKED


async def test_a_failure_of_robots_is_shared_but_not_kept(site: Pages) -> None:
    site.pages[ROBOTS] = PageReply(status=500, before_seconds=0.1)
    found = await asyncio.gather(*(read(site) for _ in range(6)), return_exceptions=True)
    assert {str(error) for error in found} == {f"{UNREADABLE} 500"}
    assert all(isinstance(error, NotRead) and error.is_transient for error in found)
    assert len(site.requests) == 1
    site.pages[ROBOTS] = PageReply(status=404)
    assert (await read(site)).kind is Kind.HTML


def test_the_names_of_a_hostile_robots_file_are_one() -> None:
    """Ten thousand robots times ten thousand rules would take all memory."""
    line = "User-agent: {0}\nUser agent {0}x\n#\r useragent:\t{0}*\n#\u2028\x0cUSER-AGENT:{0}y # z"
    names = [line.format(number) for number in range(500)]
    rules = [f"Disallow: /{n}" for n in range(3_000)]
    parsed = Protego.parse(robots.own_rules("\n".join([*names, "User-agent: *", *rules])))
    assert set(parsed._user_agents) == {"others", "*"}
    assert not parsed.can_fetch("http://tun.example/77", robots.ROBOT)
    assert parsed.can_fetch("http://tun.example/x", robots.ROBOT)


async def test_little_is_kept_of_robots_files(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = robots.Robots()

    async def read_robots() -> bytes:
        return b"User-agent: *\nDisallow: /\n# " + b"x" * 90_000

    async def fail() -> bytes:
        raise NotRead("no such host")

    monkeypatch.setattr(robots, "MAX_KEPT", 50)
    monkeypatch.setattr(robots, "MAX_KEPT_CHARACTERS", 1_000_000)
    for n in range(40):
        assert not await kept.allows("http://tun.example/", f"http://{n}.example", read_robots)
    assert sum(site.characters for site in kept._sites.values()) < 1_200_000
    for n in range(200):
        with pytest.raises(NotRead):
            await kept.allows("http://tun.example/", f"http://failed-{n}.example", fail)
    assert len(kept._sites) <= 51


async def test_two_requests_at_a_time_and_a_pause(site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(fetch, "FETCH_SECONDS", 1.3)
    site.find = lambda request: PageReply("<p>tun", before_seconds=0.0 if request.path == ROBOTS else 0.3)
    begun = time.monotonic()
    pages = await asyncio.gather(*(read(site, f"/{n}") for n in range(12)))
    assert time.monotonic() - begun > 1.7  # and no deadline was missed for waiting
    assert len(pages) == 12
    assert site.most_at_once == 2
    began = [request.at for request in site.requests]
    assert min(later - earlier for earlier, later in pairwise(began)) > 0.03


async def test_waiting_for_a_turn_is_bounded(site: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FETCH_SECONDS", 0.8)
    monkeypatch.setattr(fetch, "WAIT_SECONDS", 0.0)
    site.find = lambda request: PageReply("<p>tun", before_seconds=0.0 if request.path == ROBOTS else 0.5)
    found = await asyncio.gather(*(read(site, f"/{n}") for n in range(8)), return_exceptions=True)
    reasons = {error.reason for error in found if isinstance(error, NotRead)}
    assert "its host is busy with other pages" in reasons
    site.find = lambda request: PageReply("<p>tun")
    assert (await read(site)).kind is Kind.HTML  # no turn is lost


# --- bodies


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


TUN = b"<p>A tun is a dry tardigrade.</p>" * 50
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
RAW_TUN = RAW.compress(TUN) + RAW.flush()


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", TUN), ("identity", TUN), ("gzip", packed(TUN)), ("x-gzip", packed(TUN)),
        ("gzip", packed(TUN[:99]) + packed(TUN[99:])), ("gzip", packed(TUN) + b"\0" * 99),
        ("deflate", zlib.compress(TUN)), ("deflate", RAW_TUN), ("deflate", zlib.compress(TUN) + b"tun"),
    ],
    ids=short,
)  # fmt: skip
async def test_a_body(encoding: str, data: bytes, size: int) -> None:
    assert await read_body(chunks(data, size), encoding, len(TUN)) == (TUN, True)
    content, is_whole = await read_body(chunks(data, size), encoding, 99)
    assert (content, is_whole) == (TUN[:99], False) or len(data) > 99 > len(content)


@pytest.mark.proof
@pytest.mark.parametrize("wbits", [31, 15, -15])
async def test_a_bomb_takes_no_more_memory_than_the_bound(wbits: int) -> None:
    data = bomb(100_000_000, wbits)
    assert len(data) < 400_000
    tracemalloc.start()
    encoding = "gzip" if wbits == 31 else "deflate"
    content, is_whole = await read_body(chunks(data, len(data)), encoding, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(content), is_whole) == (1_000_000, False)
    assert peak < 8_000_000


@pytest.mark.parametrize(("data", "error"), [(packed(TUN)[:-1], CutBody), (TUN, BadBody)])
async def test_a_body_that_is_not_what_it_says(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        await read_body(chunks(data, 10), "gzip", 9_999)


@pytest.mark.parametrize(
    ("content", "content_type", "kind"),
    [
        (b"<!doctype html><p>", "text/html", Kind.HTML), (b"tun", "text/html; charset=x", Kind.HTML),
        (b"<!-- x --> <!-- y --><HTML>", "text/plain", Kind.HTML),
        (b"<?xml version='1.0'?><html>", "application/xml", Kind.HTML),
        (b"<?xml version='1.0'?><rss>", "application/xml", None), (b"<svg>", "image/svg+xml", None),
        (b"<html>", "", Kind.HTML), (b"<p>tun", "application/octet-stream", Kind.HTML),
        (b"tun", "", Kind.TEXT),
        (b"<p align=center>tun", "text/plain", Kind.TEXT), (b"<h1>tun", "text/markdown", Kind.MARKDOWN),
        (b"# tun", "text/x-markdown; charset=utf-8", Kind.MARKDOWN), (b"tun", "TEXT/PLAIN", Kind.TEXT),
        (b'{"a": 1}', "application/json", Kind.JSON), (b" [1]\n", "application/ld+json", Kind.JSON),
        (b"{}", "", Kind.JSON), (b"{a} tun", "", Kind.TEXT), (b"tun", "application/json", None),
        (b"<html>", "application/json", Kind.HTML), (b"{}", "text/html", Kind.HTML),
        (b"%PDF-1.7\n\0", "text/html", Kind.PDF), (b"\xef\xbb\xbf\n%PDF-1.4", "", Kind.PDF),
        (b"%PDF-1.4", "image/png", Kind.PDF),
        (b"junk %PDF-1.4", "application/pdf", Kind.PDF), (b"a %PDF-1.4", "text/plain", Kind.TEXT),
        (b"<html>", "application/pdf", None), (b"%PDX", "application/pdf", None),
        (b"\x1f\x8b\x08\0", "text/html", None), (b"\xff\xd8\xff\xe0", "image/jpeg", None),
        (b"GIF89a", "text/plain", None),
        (b"{\\rtf1 tun}", "text/plain", None), (b"%!PS-Adobe", "", None), (b"tun\0", "text/plain", None),
        (b"a" * 2_000 + b"\0", "text/plain", None), ("tun\n".encode("utf-16"), "text/plain", Kind.TEXT),
        ("<html>".encode("utf-16"), "text/plain", Kind.HTML), (b"\xff\xfe\0\0\0\0\0\0", "text/html", None),
        ("Тихоходка".encode("koi8-r"), "text/plain; charset=koi8-r", Kind.TEXT),
        (b"\x1b$B%F%9", "text/plain", Kind.TEXT),
        (b"body{}", "text/css", None), (b"1;", "text/javascript", None), (b"tun", "video/mp4", None),
        (b"<!---->" * 999 + b"tun", "text/plain", Kind.TEXT), (b" " * 9_999, "text/plain", Kind.TEXT),
    ],
    ids=short,
)  # fmt: skip
def test_the_kind_of_a_page(content: bytes, content_type: str, kind: Kind | None) -> None:
    assert kind_of(content, content_type) is kind


# --- READ_ALLOW


@pytest.mark.parametrize(
    ("value", "permitted", "refused"),
    [
        ("", [], ["tun.example 127.0.0.1 80"]),
        ("wiki.corp", ["wiki.corp 10.0.0.1 80", "WIKI.corp. ::1 8080"], ["other.corp 10.0.0.1 8080"]),
        ("wiki.corp", [], ["x.wiki.corp 10.0.0.1 80", "xwiki.corp 10.0.0.1 80", "corp 10.0.0.1 80"]),
        ("wiki.corp:8080", ["wiki.corp 10.0.0.1 8080"], ["wiki.corp 10.0.0.1 80", "tun 10.0.0.1 8080"]),
        ("Wäger.example", ["xn--wger-loa.example 10.0.0.1 80"], ["waeger.example 10.0.0.1 80"]),
        ("10.0.0.0/8 , 127.0.0.1:99", ["any.example 10.2.3.4 81", "x 127.0.0.1 99", "x ::ffff:10.2.3.4 443"],
         ["x 127.0.0.1 80", "x 127.0.0.2 99", "x 11.0.0.1 99", "x 192.168.0.1 80"]),
        ("fd00::/8,[::1]:99,fc00::2", ["x fd12::1 80", "x ::1 99", "x fc00::2 8"], ["x ::1 80", "x :: 99"]),
        ("localhost", ["localhost 127.0.0.1 80"], ["localhost 127.1 80", "127.0.0.1 127.0.0.1 80"]),
    ],
)  # fmt: skip
def test_what_is_allowed(value: str, permitted: list[str], refused: list[str]) -> None:
    allowed = parse_allow(value)

    def permits(line: str) -> bool:
        name, host, port = line.split()
        return allowed.permits(name, host, int(port))

    assert [line for line in permitted if not permits(line)] == []
    assert [line for line in refused if permits(line)] == []
    assert permits(f"any.example {PUBLIC} 443")
    assert not permits(f"any.example {PUBLIC} 8080")


@pytest.mark.parametrize(
    "entry",
    [
        "http://wiki.corp", "wiki.corp/path", "wiki.corp:", "wiki.corp:0", "wiki.corp:65536", "wiki.corp:x",
        "*.corp",
        "user@wiki.corp", "wiki corp", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "1.2.3.4.5",
        "10.0.0.1/8",
        "0.0.0.0/0", "::/0", "10.0.0.0/33", "[::1", "::1]:80", "[::1]:99999", "-x.corp", "a..corp", ".",
        "x" * 99,
        "fe80::1%eth0/64", "wiki.corp\x1b[31m", "[wiki.corp", "[10.0.0.0/8]:80", "x" * 9_999,
    ],
)  # fmt: skip
def test_what_read_allow_cannot_mean(entry: str) -> None:
    with pytest.raises(UserError, match="READ_ALLOW has ") as caught:
        parse_allow(f"wiki.example.com, {entry}")
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    assert "READ_ALLOW=wiki.example.com,127.0.0.1:8080,10.20.0.0/16" in message


@pytest.mark.parametrize("allowed", ["wiki.corp:{}", "wiki.corp", "127.0.0.1", "127.0.0.0/8"])
async def test_a_host_that_is_allowed_is_read_by_its_name(site: Pages, allowed: str) -> None:
    """At any port where the entry names none."""
    dns = Dns({"wiki.corp": [["127.0.0.1"]]})
    address = site.address("/", "wiki.corp")
    page = await fetch.fetch(address, parse_allow(allowed.format(site.port)), dns)
    assert (page.kind, site.requests[-1].host) == (Kind.HTML, f"wiki.corp:{site.port}")


async def test_a_public_address_has_two_ports_whatever_else_is_allowed() -> None:
    dns = Dns({"public.example": [[PUBLIC]]})
    with pytest.raises(NotRead, match="neither port 80 nor 443"):
        await fetch.fetch("http://public.example:8080/", parse_allow("127.0.0.1"), dns)


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_what_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))

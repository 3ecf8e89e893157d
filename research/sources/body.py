"""A page's bytes: decompressed within a bound, and what kind of page they are."""

import codecs
import re
import zlib
from collections.abc import AsyncIterable
from enum import Enum

MAX_MEMBERS = 100
"""Of one gzip body: each costs a new decompressor and a copy of what is behind it."""
SNIFFED_BYTES = 1_445
"""As many as browsers sniff: the WHATWG's MIME sniffing standard."""

ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"


class BadBody(Exception):
    """The body is not what its Content-Encoding says."""


class CutBody(BadBody):
    """The compressed body ends before its end."""


class Kind(Enum):
    """What kind of page it is, and so who reads it."""

    HTML = "html"
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    PDF = "pdf"


async def read_body(chunks: AsyncIterable[bytes], encoding: str, limit: int) -> tuple[bytes, bool]:
    """Return the decompressed body, and whether it is whole: its first `limit` bytes where it is longer.

    Neither what is received nor what is decompressed takes more memory than that and one chunk.

    Raises:
        BadBody: the encoding was not asked for, or is not what the bytes are.
    """
    if encoding not in ENCODINGS:
        raise BadBody
    body = _Body(limit) if encoding in ("", "identity") else _Compressed(limit, encoding == "deflate")
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        body.feed(chunk)
        if received > limit or len(body.content) > limit:
            return bytes(body.content[:limit]), False
    body.finish()
    return bytes(body.content), True


class _Body:
    def __init__(self, limit: int) -> None:
        self.content, self.limit = bytearray(), limit

    def feed(self, chunk: bytes) -> None:
        self.content += chunk

    def finish(self) -> None:
        pass


class _Compressed(_Body):
    """A gzip or deflate body, which may have several members."""

    def __init__(self, limit: int, is_deflate: bool) -> None:
        super().__init__(limit)
        self._is_deflate, self._members, self._rest = is_deflate, 0, b""
        self._reader: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> None:
        chunk, self._rest = self._rest + chunk, b""
        while chunk and len(self.content) <= self.limit:
            if self._reader is None:
                if self._members and len(chunk) < len(_GZIP_MAGIC):
                    self._rest = chunk
                    return
                if self._members and (self._is_deflate or not chunk.startswith(_GZIP_MAGIC)):
                    return  # padding, which browsers leave out too
                self._reader = self._next_reader(chunk)
            try:
                self.content += self._reader.decompress(chunk, self.limit + 1 - len(self.content))
            except zlib.error:
                raise BadBody from None
            if not self._reader.eof:  # the chunk is used up, or the bound is reached
                return
            chunk, self._reader = self._reader.unused_data, None

    def finish(self) -> None:
        if self._reader:
            raise CutBody

    def _next_reader(self, chunk: bytes) -> "zlib._Decompress":
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BadBody
        # Because servers send both by the name of deflate: zlib's format, as meant, and the bare one.
        is_zlib = chunk[0] & 0x0F == 8 and (len(chunk) < 2 or int.from_bytes(chunk[:2], "big") % 31 == 0)
        return zlib.decompressobj((_ZLIB if is_zlib else _RAW) if self._is_deflate else _GZIP)


_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""What no text has; the escape character is left to ISO-2022-JP."""
_LOOKS_BINARY = re.compile(r"%!PS|\{\\rtf|GIF8[79]a|-----BEGIN PGP MESSAGE")
# Atomic, because the ends of many comments could else be tried in every combination.
_BEFORE_HTML = r"(?>\s+|<!--.*?-->|<\?xml[^>]{0,300}>)*+"
_HTML_PAGE = re.compile(_BEFORE_HTML + r"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_HTML_PART = re.compile(
    _BEFORE_HTML + r"<(title|meta|h1|div|p|table|article|main|script|style|font|br|a|b)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Plain text and Markdown may begin so too, such as many a README."""
_GENERIC = ("", "application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown")
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_MARKDOWN_TYPES = ("text/markdown", "text/x-markdown", "application/markdown")
_PDF_TYPES = ("application/pdf", "application/x-pdf")


def kind_of(content: bytes, content_type: str) -> Kind | None:
    """Return what kind of page these bytes are; None for one that is not read.

    The bytes decide: the header only tells apart what is text in any case, and refuses types of text that
    nobody reads, such as style sheets.
    """
    kind = content_type.partition(";")[0].strip().lower()
    start = content[:1024]
    begins_as_pdf = start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-")
    if begins_as_pdf or (kind in _PDF_TYPES and b"%PDF-" in start):
        return Kind.PDF
    text = _text_start(content)
    if text is None or _LOOKS_BINARY.match(text):
        return None
    is_page = _HTML_PAGE.match(text) is not None
    is_json = text.lstrip()[:1] in ("{", "[") and content.rstrip(b"\0 \t\r\n")[-1:] in (b"}", b"]")
    if kind in _HTML_TYPES:
        return Kind.HTML
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return Kind.JSON if is_json else Kind.HTML if is_page else None
    if kind in _MARKDOWN_TYPES:
        return Kind.MARKDOWN
    if kind == "text/plain":
        return Kind.HTML if is_page else Kind.TEXT
    if kind in _GENERIC:
        return Kind.HTML if is_page or _HTML_PART.match(text) else Kind.JSON if is_json else Kind.TEXT
    return Kind.HTML if is_page and kind in ("text/xml", "application/xml") else None


def _text_start(content: bytes) -> str | None:
    """Return the beginning of a text; None for bytes that are none."""
    bom = next((bom for bom in _BOMS if content.startswith(bom)), None)
    if bom and bom != codecs.BOM_UTF8:
        start = content[: SNIFFED_BYTES // 4 * 4].decode(_BOMS[bom], "replace")
        return None if "\0" in start or start.count("\ufffd") > len(start) // 10 else start
    if b"\0" in content or _BINARY.search(content[:SNIFFED_BYTES]):
        return None
    return content[:SNIFFED_BYTES].removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")

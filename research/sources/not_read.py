"""Why a page was not read."""

import re
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from research.sources.cleaning import clean_text

MAX_RETRY_AFTER_SECONDS = 300.0

_TRANSIENT = (408, 421, 425, 429)


class NotRead(Exception):
    """A page that could not be read."""

    def __init__(self, reason: str, is_transient: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        """A short clause for people, of one line."""
        self.is_transient = is_transient
        """Whether another attempt may succeed."""
        self.retry_after = retry_after
        """The seconds that the server asks for, at most MAX_RETRY_AFTER_SECONDS."""


def is_transient(status: int) -> bool:
    """Return whether another attempt may succeed after an answer with this status."""
    return status >= 500 or status in _TRANSIENT


def no_connection(error: aiohttp.ClientConnectorError) -> NotRead:
    """Return why there is no connection to an address that may be connected to."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        why = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else "it is invalid"
        return NotRead(f"its certificate cannot be verified ({clean_text(why, 100)})")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return NotRead("no TLS connection can be made")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if error.errno == socket.EAI_AGAIN:
            return NotRead("its name cannot be resolved now", is_transient=True)
        return NotRead("no such host")
    return NotRead("no connection can be made", is_transient=True)


def read_retry_after(value: str) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date; None for anything else."""
    try:
        if re.fullmatch(r"[0-9]{1,9}", value):
            seconds = float(value)
        else:
            when = parsedate_to_datetime(value[:60])
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            seconds = (when - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if seconds > 0 else None

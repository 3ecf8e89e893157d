"""Errors of model calls, classified by status code first, then by class, as litellm maps them.

The README shows the classification as a table.
"""

import json
import math
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from research.config import DOTENV, Settings
from research.errors import ErrorKind, StepError
from research.llm.wire import Wire

MAX_RETRY_AFTER_SECONDS = 300.0
"""A longer Retry-After would park the report, maybe for ever."""

_BROKEN = {
    "Timeout",
    "APIConnectionError",
    "JSONDecodeError",
    "TransportError",
    "APIResponseValidationError",
}

# As providers and gateways say it; "prompt of 5000 tokens, context of 4096" is llama.cpp's.
_TOO_LONG = re.compile(
    r"\bcontext\b.{0,60}\b(?:token|length|window|size|exceed)|\btokens?\b.{0,60}\bcontext\b|too many tokens"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|reduce (?:the|your) length"
    r"|exceeds? .{0,40}\btokens",
    re.IGNORECASE,
)


@dataclass
class ProviderError(StepError):
    """A call without an answer of the provider."""

    is_free: bool = False
    """Whether the provider answered with an error status in place of a text, which costs nothing."""


class PromptTooLong(ProviderError):
    """The prompt does not fit into the model's context."""


class StreamError(Exception):
    """An error that a provider sends inside an answer of status 200."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(str(body.get("message") or body))
        self.body = body
        self.code = body.get("code")
        self.status_code = _status_in(body)


def classify(error: Exception, settings: Settings, wire: Wire | None = None) -> ProviderError:
    """Return what an exception of a model call means; what came over the wire counts first."""
    if isinstance(error, ProviderError):
        return error
    if wire and wire.failure and not wire.status:
        return unreachable(wire.failure, wire.address, settings)
    if wire and wire.error:
        error = StreamError(wire.error)
    names = {kind.__name__ for kind in type(error).__mro__}
    said = settings.redact(provider_message(error))
    if "MidStreamFallbackError" in names:
        original = getattr(error, "original_exception", None)
        if not isinstance(original, Exception) or getattr(original, "status_code", 500) == 500:
            return ProviderError(ErrorKind.TRANSIENT, f"the provider's answer broke off: {said}")
        return classify(original, settings)
    fault = _classify(error, names, said, settings)
    fault.is_free = isinstance(getattr(error, "status_code", None), int) and "Timeout" not in names
    return fault


def _classify(error: Exception, names: set[str], said: str, settings: Settings) -> ProviderError:
    status = getattr(error, "status_code", None)
    code = str(getattr(error, "code", None))
    is_too_long = status in (400, 413, 422) and _TOO_LONG.search(said)
    if "ContextWindowExceededError" in names or code == "context_length_exceeded" or is_too_long:
        return PromptTooLong(ErrorKind.PERMANENT, f"the prompt is too long for {settings.model}: {said}")
    if "ContentPolicyViolationError" in names or code == "content_policy_violation":
        return ProviderError(
            ErrorKind.PERMANENT, f"the provider's content policy refuses this request: {said}"
        )
    if repair := _repair(status, error, settings):
        return ProviderError(ErrorKind.NEEDS_ACTION, f"{repair}; the report then continues by itself")
    if status in (408, 409, 429) or (isinstance(status, int) and status >= 500):
        return ProviderError(
            ErrorKind.TRANSIENT, f"the provider answered {status}: {said}", retry_after(error)
        )
    if names & _BROKEN:
        return ProviderError(ErrorKind.TRANSIENT, f"the provider cannot be reached or breaks off: {said}")
    if isinstance(status, int) and 400 <= status < 500:
        return ProviderError(ErrorKind.PERMANENT, f"the provider refuses this request ({status}): {said}")
    if "OpenAIError" in names or isinstance(error, OSError | StreamError):
        return ProviderError(ErrorKind.TRANSIENT, f"the provider's answer broke off: {said}")
    return ProviderError(ErrorKind.INTERNAL, f"{type(error).__name__}: {said}")


def unreachable(error: BaseException, address: str, settings: Settings) -> ProviderError:
    """Return the error of a request that nothing answered, with the reason and its remedy."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and len(causes) < 10:
        causes.append(cause)
    reason = next(filter(None, map(_why_unreachable, causes)), "")
    reason = reason or to_one_line(str(causes[-1])) or type(causes[-1]).__name__
    return ProviderError(ErrorKind.TRANSIENT, settings.redact(f"nothing answers at {address}: {reason}"))


def _why_unreachable(cause: BaseException) -> str:
    names = {kind.__name__ for kind in type(cause).__mro__}
    if isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_message"):
        why = cause.verify_message or cause.reason
        return f"its certificate cannot be verified ({why}). To fix: set SSL_CERT_FILE to its CA's file"
    if names & {"ClientProxyConnectionError", "ClientHttpProxyError", "ProxyError"}:
        status = getattr(cause, "status", "")
        said = f"the proxy refuses{f' ({status})' if status else ''}"
        return f"{said}. To fix: repair HTTP_PROXY or HTTPS_PROXY, or set NO_PROXY"
    if names & {"TimeoutException", "TimeoutError"}:
        return "no answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(cause, socket.gaierror):
        return "no such host"
    return ""


# A gateway's error may have a name in place of a number.
_STATUS_NAMES = {
    r"insufficient_quota|billing|payment": 402,
    r"rate_limit|resource_exhausted|too_many_requests": 429,
    r"overloaded": 529,
    r"authentication|permission|unauthori[sz]ed|invalid_api_key": 401,
    r"context_length|invalid_request|bad_?request|invalid_argument": 400,
}


def _status_in(body: dict[str, Any]) -> int | None:
    """Return the HTTP status that an error inside an answer stands for; None where it names none."""
    values = [body.get(name) for name in ("code", "status", "status_code", "http_status", "type")]
    for value in values:
        if str(value).isascii() and str(value).isdecimal() and 400 <= int(str(value)) < 600:
            return int(str(value))
    words = " ".join(map(str, values)).lower()
    return next((status for names, status in _STATUS_NAMES.items() if re.search(names, words)), None)


def to_one_line(text: str, limit: int = 300) -> str:
    """Return the text in one line of at most `limit` characters."""
    return " ".join(text.split())[:limit]


def provider_message(error: BaseException) -> str:
    """Return the provider's own message, without what litellm puts around it."""
    text = to_one_line(str(error), 2000)
    quoted = re.search(r'"message": ?("(?:[^"\\]|\\.)*")', text)
    if quoted:
        with suppress(ValueError):
            return to_one_line(str(json.loads(quoted[1])))
    text = text.partition(" Original exception: ")[0]
    text = re.sub(r"^((litellm\.)?\w+(Error|Exception)( -|:) )+", "", text)
    return to_one_line(text) or type(error).__name__


def _repair(status: object, error: Exception, settings: Settings) -> str | None:
    """Return what a person has to do; None where no person can do anything."""
    said = str(error).lower()
    where = f"in {DOTENV} and restart the worker"
    body = getattr(error, "body", None)
    codes = (getattr(error, "code", None), body.get("code") if isinstance(body, dict) else None)
    # A rate limit of Gemini's speaks of "quota" too, so the word alone means nothing.
    if status == 402 or "insufficient_quota" in codes:
        return f"the quota at the provider is used up: add credit, or set another LLM_MODEL {where}"
    bad_key = status == 400 and ("api key not valid" in said or "api_key_invalid" in said)
    if status in (401, 403) or bad_key:
        return f"the provider refused the key: set LLM_API_KEY {where}"
    if status == 407:
        return "the proxy wants a name and a password: set them in HTTP_PROXY and restart the worker"
    if status == 404:
        return f"the provider does not know {settings.model}: set LLM_MODEL or LLM_API_BASE {where}"
    return None


def retry_after(error: Exception) -> float | None:
    """Return the seconds of the provider's Retry-After header, at most MAX_RETRY_AFTER_SECONDS.

    None where there is no such header or no time in it; the retry delay is this program's own then.
    """
    seconds = _retry_after_header(error)
    if seconds is None or not 0 < seconds < math.inf:
        return None
    return min(seconds, MAX_RETRY_AFTER_SECONDS)


def _retry_after_header(error: Exception) -> float | None:
    """Return the header's seconds, given as a number or as a date."""
    answered = getattr(getattr(error, "response", None), "headers", None)
    headers: Any = getattr(error, "litellm_response_headers", None) or answered or {}
    headers = {str(name).lower(): str(value) for name, value in dict(headers).items()}
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1000
        return float(headers["retry-after"])
    except KeyError:
        return None
    except ValueError:
        return _seconds_until(headers.get("retry-after", ""))


def _seconds_until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()

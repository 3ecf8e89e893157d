"""What is a secret, and how secrets are taken out of text and of stored values."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

REMOVED = "[key removed]"
MIN_SECRET_CHARACTERS = 8
MIN_WORD_SECRET_CHARACTERS = 16
"""For a value that consists of letters only, in one or two words: see `is_secret`."""
_SECRET_NAMES = (
    *("_API_KEY", "_KEY", "_KEY_DATA", "_ACCESS_KEY_ID", "_TOKEN"),
    *("_PASSWORD", "_SECRET", "_CONNECTION_STRING"),
)
_WORDS = re.compile(r"[A-Za-z]+([-_ ][A-Za-z]+)?")
_KEY_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|pk|gsk|xai|hf)[-_][A-Za-z0-9*_-]{6,}"
    r"|AIza[A-Za-z0-9*_-]{10,}"
    r"|(?<=bearer )\S{6,}"
    r"|(?<=[?&]key=)[^&\s\"']+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.I,
)
_JSON_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')

Clean = Callable[[str], str]


def find_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environment's secrets: values of variables whose names say that they are keys."""
    return secrets_of(value for name, value in environ.items() if name.endswith(_SECRET_NAMES))


def secrets_of(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that are secrets, as they may stand in text: as they are, in JSON, in a URL.

    The longest is first, because one may be the beginning of another.
    """
    secrets = {value.strip() for value in values if is_secret(value.strip())}
    forms = {form for secret in secrets for form in (secret, _in_json(secret), quote(secret, safe=""))}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def is_secret(value: str) -> bool:
    """Return whether a key's value is taken out of texts.

    It is not if it has fewer than 8 characters, or fewer than 16 and consists of one or two words of
    ASCII letters ("ollama", "not-needed"), because a local model accepts any word as its key, and
    that word may be a word of the report.
    """
    if len(value) < MIN_SECRET_CHARACTERS:
        return False
    return len(value) >= MIN_WORD_SECRET_CHARACTERS or not _WORDS.fullmatch(value)


def remove_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text with REMOVED in place of each of the secrets; nothing else changes."""
    for secret in secrets:
        text = text.replace(secret, REMOVED)
    return text


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text with REMOVED in place of the secrets and of whatever has the form of a key."""
    return _KEY_SHAPES.sub(REMOVED, remove_secrets(text, secrets))


def clean_json(data: bytes, clean: Clean) -> bytes:
    """Return JSON with `clean` applied to all strings in it, keys of objects included.

    All other bytes stay, numbers among them; without a change, so do the strings' bytes.

    Raises:
        ValueError: the data is not JSON in UTF-8, or is nested too deeply.
    """
    text = data.decode()
    try:  # because only in valid JSON is each match of the pattern a string
        json.loads(text, parse_int=str, parse_float=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None

    def cleaned(match: re.Match[str]) -> str:
        value = json.loads(match[0])
        clean_value = clean(value)
        return match[0] if clean_value == value else json.dumps(clean_value)

    return _JSON_STRING.sub(cleaned, text).encode()


def clean_bytes(data: bytes, clean: Clean) -> bytes:
    """Return the bytes, read as UTF-8, with `clean` applied; bytes that are no UTF-8 stay."""
    return clean(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _in_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]

"""The one reader of `.env` and of the environment.

The environment wins over `.env`, and an empty value counts as none. What `.env` sets is
put into the process's environment too, because litellm and temporalio read their own
variables (OPENAI_API_KEY, TEMPORAL_ADDRESS, …) there.
"""

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from research.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
DOTENV = ROOT / ".env"
DEFAULT_MODEL = "openai/gpt-4o"
SAMPLE_MODEL = "sample/report"
DEFAULT_PORT = 7233
HIGHEST_PORT = 64535
"""The Web UI listens 1,000 above the dev server."""
_SECRET_NAMES = ("_API_KEY", "_SECRET_ACCESS_KEY", "_ACCESS_KEY_ID", "_TOKEN", "_PASSWORD", "_SECRET")
DEFAULT_CALLS = 1000
DEFAULT_STREAMS = 16
REMOVED = "[key removed]"

_PLACEHOLDER = re.compile(
    r"your.*(key|token).*|change.?me|.*placeholder.*|<.*>|\.\.\.|(sk-)?(x{3,}|\.{3}).*", re.I
)
# What a local model is given for a key ("ollama", "not-needed") is no secret, and may be
# an ordinary word of the report.
_PLAIN_WORDS = re.compile(r"[A-Za-z]+([-_ ][A-Za-z]+)?")
# A key that nobody told us of: in a provider's message, in a header, in a URL.
_KEY_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|pk|gsk|xai|hf)[-_][A-Za-z0-9*_-]{6,}"
    r"|AIza[A-Za-z0-9*_-]{10,}"
    r"|(?<=bearer )\S{6,}"
    r"|(?<=[?&]key=)[^&\s\"']+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.I,
)


@dataclass(frozen=True)
class Settings:
    """What this process was told, and by whom."""

    model: str
    api_key: str | None = field(repr=False)
    api_base: str | None
    reports_dir: Path | str
    """A folder of this machine as a Path; as a str, the address of a store that fsspec knows."""
    page_size: str
    """ "letter" or "a4"."""
    fonts: tuple[Path, ...]
    """Font files, and folders of them, to be preferred to the system's."""
    dev_server_port: int
    ui_url: str | None
    max_calls: int
    """Steps that one worker carries at a time; more of them wait for their turn."""
    max_streams: int
    """Calls among them that are streamed; the others get their answers whole."""
    max_cost: float | None
    """US dollars that one report may cost; None is no ceiling."""
    secrets: tuple[str, ...] = field(repr=False)
    sources: Mapping[str, str]
    """Where a name's value came from: "environment", ".env" or "default"."""

    @property
    def is_sample(self) -> bool:
        """Whether the offline sample model writes the reports."""
        return is_sample(self.model)

    def without_secrets(self, text: str) -> str:
        """The text without the keys that the settings hold; nothing else in it is touched."""
        for secret in self.secrets:
            text = text.replace(secret, REMOVED)
        return text

    def redact(self, text: str) -> str:
        """A message without any key in it, known or merely looking like one."""
        return _KEY_SHAPES.sub(REMOVED, self.without_secrets(text))


class _Reader:
    """Names to values, remembering where each came from."""

    def __init__(self, dotenv: Mapping[str, str]) -> None:
        self.sources = {name: ".env" for name in dotenv if not os.environ.get(name)}
        os.environ.update({name: dotenv[name] for name in self.sources})

    def get(self, name: str) -> str | None:
        value = os.environ.get(name, "").strip() or None
        self.sources.setdefault(name, "environment" if value else "default")
        return value

    def url(self, name: str) -> str | None:
        value = self.get(name)
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise UserError(f"{name} ({self.where(name)}) must be an http:// or https:// address.")
        return value

    def folder(self, name: str, default: str) -> Path | str:
        value = self.get(name) or default
        scheme, mark, rest = value.partition("://")
        if not mark:
            return ROOT / Path(value).expanduser()
        if scheme == "file" and rest.startswith("/"):
            from urllib.request import url2pathname

            return Path(url2pathname(rest))
        # The address is shown in many places, so what may be secret has another home.
        hiding = re.search(r":.*@|[?#\s]", rest) or not re.fullmatch(r"[\w+.-]+", scheme)
        if hiding or scheme == "file" or not rest.strip("/"):
            raise UserError(
                f"{name} ({self.where(name)}) must be a folder, file:///folder or an address such as"
                " s3://bucket/folder, without password and options: fsspec takes those from variables"
                " such as FSSPEC_SFTP_PASSWORD."
            )
        return value.rstrip("/")

    def choice(self, name: str, *choices: str) -> str:
        value = (self.get(name) or choices[0]).lower()
        if value not in choices:
            raise UserError(f"{name} ({self.where(name)}) must be {' or '.join(choices)}.")
        return value

    def number(self, name: str, least: int, most: int, default: int) -> int:
        value = self.get(name) or str(default)
        if not (value.isdecimal() and least <= int(value) <= most):
            raise UserError(f"{name} ({self.where(name)}) must be a number from {least} to {most}.")
        return int(value)

    def dollars(self, name: str) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", value):
            raise UserError(f"{name} ({self.where(name)}) must be an amount of dollars, such as 0.25.")
        return float(value)

    def key(self, name: str) -> str | None:
        value = self.get(name)
        if value and (_PLACEHOLDER.fullmatch(value) or not value.isascii() or " " in value):
            raise UserError(
                f"{name} ({self.where(name)}) is a placeholder, not a key: set {name} to your"
                f" provider's key, or set LLM_MODEL={SAMPLE_MODEL} to do without one."
            )
        return value

    def where(self, name: str) -> str:
        return f"from {DOTENV}" if self.sources[name] == ".env" else "from the environment"


def is_sample(model: str) -> bool:
    """Whether this model is the offline sample model, whose text is marked wherever it appears."""
    return model.startswith("sample/")


@cache
def load() -> Settings:
    """The settings of this process, read once.

    Raises:
        Fixable: a value that cannot be used, with the name to set.
    """
    read = _Reader(_parse_dotenv(DOTENV))
    api_base = read.url("LLM_API_BASE")
    configured = read.get("LLM_API_KEY") or read.get("OPENAI_API_KEY") or api_base
    model = read.get("LLM_MODEL") or (DEFAULT_MODEL if configured else SAMPLE_MODEL)
    provider = model.split("/")[0] if "/" in model else "openai"
    sample = is_sample(model)
    api_key = None if sample else read.key("LLM_API_KEY")
    if not api_key and not sample:
        read.key(f"{provider.upper()}_API_KEY")
    return Settings(
        model=model,
        api_key=api_key,
        api_base=api_base,
        reports_dir=read.folder("REPORTS_DIR", "reports"),
        page_size=read.choice("PAGE_SIZE", "letter", "a4"),
        fonts=tuple(
            Path(place).expanduser() for place in (read.get("FONTS") or "").split(os.pathsep) if place
        ),
        dev_server_port=read.number("DEV_SERVER_PORT", 1, HIGHEST_PORT, DEFAULT_PORT),
        ui_url=read.url("TEMPORAL_UI_URL"),
        max_calls=read.number("LLM_MAX_CALLS", 1, 10_000, DEFAULT_CALLS),
        max_streams=read.number("LLM_MAX_STREAMS", 0, 10_000, DEFAULT_STREAMS),
        max_cost=read.dollars("LLM_MAX_COST"),
        secrets=_secrets(os.environ),
        sources=read.sources,
    )


def _parse_dotenv(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"Cannot read {path}: {reason}. Mend or remove that file.") from None
    values = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or "\0" in (binding.value or ""):
            raise UserError(f"{path}, line {binding.original.line}: not of the form NAME=value.")
        if binding.key and (binding.value or "").strip():
            values[binding.key] = str(binding.value).strip()
    return values


def _secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values that are keys, longest first: one may be the beginning of another."""
    found = {value.strip() for name, value in environ.items() if name.endswith(_SECRET_NAMES)}
    return tuple(
        sorted(
            (key for key in found if len(key) >= 8 and not _is_plain_words(key)),
            key=len,
            reverse=True,
        )
    )


def _is_plain_words(value: str) -> bool:
    return len(value) < 16 and _PLAIN_WORDS.fullmatch(value) is not None

"""The one reader of `.env` and of the environment.

The environment wins over `.env`, and an empty value counts as none. What `.env` sets is
put into the process's environment too, because litellm and temporalio read their own
variables (OPENAI_API_KEY, TEMPORAL_ADDRESS, …) there.
"""

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from research import redaction
from research.errors import UserError

_CODE = Path(__file__).resolve().parent.parent
ROOT = _CODE if (_CODE / "Makefile").exists() else Path.cwd()
"""Where `.env`, `.temporal` and `reports` lie: the clone; of an installed program the current folder."""
DOTENV = ROOT / ".env"
DEFAULT_MODEL = "openai/gpt-4o"
SAMPLE_MODEL = "sample/report"
SAMPLE_SEARCH = "sample"
DEFAULT_PORT = 7233
MAX_PORT = 64535
"""Because the Web UI listens 1,000 above the dev server."""
DEFAULT_CALLS = 100
DEFAULT_STREAMS = 16
DEFAULT_PAGES = 20

_PLACEHOLDER = re.compile(
    r"your.*(key|token).*|change.?me|.*placeholder.*|<.*>|\.\.\.|(sk-)?(x{3,}|\.{3}).*", re.I
)


@dataclass(frozen=True)
class Settings:
    """The settings of a process, and where each comes from."""

    model: str
    api_key: str | None = field(repr=False)
    api_base: str | None
    reports_dir: Path | str
    """A folder of this machine as a Path; as a str, the address of a store that fsspec knows."""
    page_size: str
    """ "letter" or "a4"."""
    fonts: tuple[Path, ...]
    """Font files, and folders of them, that are preferred to the system's."""
    dev_server_port: int
    ui_url: str | None
    max_calls: int
    """Activities that one worker runs at a time; more of them wait in the task queue."""
    max_streams: int
    """Model calls among them that are streamed; the others get their answers whole."""
    max_cost: float | None
    """US dollars that one report may cost; None is no ceiling."""
    store: str
    """Whether the provider may keep answers, so that a killed worker loses none: "auto", "yes" or "no"."""
    search_provider: str | None
    """Who searches the web for reports with sources, by litellm's name."""
    reader_model: str
    """Takes passages and judges, by litellm's name."""
    max_pages: int
    """Pages that are read for one report with sources; at 0 what the search provider shows of them serves."""
    read_allow: str
    """What may be read although it is not public, for `sources.allow.parse_allow`."""
    secrets: tuple[str, ...] = field(repr=False)
    sources: Mapping[str, str]
    """For each name of a setting "environment", ".env" or "default"."""

    @property
    def is_sample(self) -> bool:
        """Whether the offline sample model writes the reports."""
        return is_sample(self.model)

    def for_reading(self) -> "Settings":
        """Return the settings of the model that takes passages and judges.

        One of another provider has the key of that provider's own variable, and no LLM_API_BASE.
        """
        reading = replace(self, model=self.reader_model)
        if _provider(self.model) == _provider(self.reader_model):
            return reading
        return replace(reading, api_key=None, api_base=None, store="no")

    def without_secrets(self, text: str) -> str:
        """Return the text without these settings' keys; nothing else in it changes."""
        return redaction.remove_secrets(text, self.secrets)

    def redact(self, text: str) -> str:
        """Return a message without these settings' keys and without anything that looks like a key."""
        return redaction.redact(text, self.secrets)


def is_sample(model: str) -> bool:
    """Return whether this is the offline sample model, whose text is marked wherever it appears."""
    return model.startswith("sample/")


@cache
def load() -> Settings:
    """Return the settings of this process, which are read once.

    Raises:
        UserError: a value that cannot be used; the message names the setting.
    """
    dotenv = read_dotenv(DOTENV)
    settings = read(os.environ, dotenv)
    os.environ.update({name: value for name, value in dotenv.items() if not os.environ.get(name)})
    return settings


def read(environ: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that these variables mean; those of `dotenv` count where `environ` has none.

    Raises:
        UserError: a value that cannot be used; the message names the setting.
    """
    values = _Reader(environ, dotenv or {})
    api_base = values.url("LLM_API_BASE")
    configured = values.get("LLM_API_KEY") or values.get("OPENAI_API_KEY") or api_base
    model = values.get("LLM_MODEL") or (DEFAULT_MODEL if configured else SAMPLE_MODEL)
    provider, pages = _search_provider(values), values.number("READ_MAX_PAGES", 0, 100, DEFAULT_PAGES)
    return Settings(
        model=model,
        api_key=_api_key(values, model),
        api_base=api_base,
        reports_dir=values.folder("REPORTS_DIR", "reports"),
        page_size=values.choice("PAGE_SIZE", "letter", "a4"),
        fonts=tuple(
            Path(place).expanduser() for place in (values.get("FONTS") or "").split(os.pathsep) if place
        ),
        dev_server_port=values.number("DEV_SERVER_PORT", 1, MAX_PORT, DEFAULT_PORT),
        ui_url=values.url("TEMPORAL_UI_URL"),
        max_calls=values.number("LLM_MAX_CALLS", 1, 10_000, DEFAULT_CALLS),
        max_streams=values.number("LLM_MAX_STREAMS", 0, 10_000, DEFAULT_STREAMS),
        max_cost=values.dollars("LLM_MAX_COST"),
        store=values.choice("LLM_STORE", "auto", "yes", "no"),
        reader_model=values.get("LLM_READER_MODEL") or model,
        search_provider=provider,
        max_pages=0 if provider == SAMPLE_SEARCH else pages,  # because the sample is offline
        read_allow=values.get("READ_ALLOW") or "",
        secrets=redaction.find_secrets(values.all),
        sources=values.sources,
    )


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the names and values of a `.env` file; nothing where there is no such file.

    Raises:
        UserError: it cannot be read; the message names the file, and the line where there is one.
    """
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"Cannot read {path}: {reason}. Fix or remove that file.") from None
    values = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or "\0" in (binding.value or ""):
            raise UserError(f"{path}, line {binding.original.line}: not of the form NAME=value.")
        if binding.key and (binding.value or "").strip():
            values[binding.key] = str(binding.value).strip()
    return values


def _api_key(values: "_Reader", model: str) -> str | None:
    """Return LLM_API_KEY; refuse a placeholder in the variable that the model's provider reads."""
    if is_sample(model):
        return None
    api_key = values.key("LLM_API_KEY")
    if not api_key:
        values.key(f"{_provider(model).upper()}_API_KEY")
    return api_key


def _provider(model: str) -> str:
    return model.split("/")[0] if "/" in model else "openai"


def _search_provider(values: "_Reader") -> str | None:
    """Return SEARCH_PROVIDER; refuse a placeholder in the variable that most providers read."""
    provider = (values.get("SEARCH_PROVIDER") or "").lower() or None
    if provider and provider.isidentifier():
        values.key(f"{provider.upper()}_API_KEY", f"SEARCH_PROVIDER={SAMPLE_SEARCH}")
    return provider


class _Reader:
    """Reads one value by its name and records where it comes from."""

    def __init__(self, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> None:
        added = {name: value for name, value in dotenv.items() if not environ.get(name)}
        self.all = {**environ, **added}
        self.sources = dict.fromkeys(added, ".env")

    def get(self, name: str) -> str | None:
        value = self.all.get(name, "").strip() or None
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
        # The address is shown in many places, so no password may be in it.
        has_options = re.search(r":.*@|[?#\s]", rest) or not re.fullmatch(r"[\w+.-]+", scheme)
        if has_options or scheme == "file" or not rest.strip("/"):
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

    def key(self, name: str, without: str = f"LLM_MODEL={SAMPLE_MODEL}") -> str | None:
        value = self.get(name)
        if value and (_PLACEHOLDER.fullmatch(value) or not value.isascii() or " " in value):
            raise UserError(
                f"{name} ({self.where(name)}) is a placeholder, not a key: set {name} to your"
                f" provider's key, or set {without} to do without one."
            )
        return value

    def where(self, name: str) -> str:
        return f"from {DOTENV}" if self.sources[name] == ".env" else "from the environment"

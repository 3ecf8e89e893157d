"""`python worker.py --check`: check what a report needs, and print a line for each part."""

import asyncio
import platform
import tempfile
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from models import LLMCallInput
from research import __version__
from research.cli import terminal
from research.config import Settings
from research.errors import UserError
from research.formatting import format_call, pluralize
from research.llm import client as llm
from research.llm import library, resume
from research.output import storage
from research.pdf import fonts
from research.sources.search import check_search
from research.temporal.client import connect

_SAMPLES = {"Chinese": "中", "Japanese": "か", "Korean": "한", "symbols": "✓", "emoji": "🙂"}


async def run(settings: Settings, call: bool) -> int:
    """Check each part, and return the exit status: 0 when a report could be made now, else 2."""
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "Versions": _versions,
        "Service": lambda: _service(settings),
        "Model": lambda: _model(settings, call),
        "Search": lambda: _search(settings),
        "Reports": lambda: asyncio.to_thread(_reports, settings),
        "Fonts": lambda: asyncio.to_thread(_fonts, settings),
    }
    failed = 0
    for name, check in checks.items():
        try:
            terminal.print_line(f"  ok    {name:<10}{await check()}")
        except UserError as error:
            failed += 1
            terminal.print_line(f"  FAIL  {name:<10}{settings.redact(str(error))}")
    if failed:
        terminal.print_error(f"{pluralize(failed, 'check')} failed.")
    return 2 if failed else 0


async def _versions() -> str:
    packages = " ".join(f"{name} {version(name)}" for name in ("temporalio", "litellm", "reportlab"))
    return f"research-report {__version__}, Python {platform.python_version()}, {packages}"


async def _service(settings: Settings) -> str:
    client, service = await connect(settings, terminal.print_error)
    about = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    return f"Temporal {about.server_version} at {service.address}, namespace {service.namespace!r}"


async def _model(settings: Settings, call: bool) -> str:
    await asyncio.to_thread(library.check, settings)
    resumed = f"after a kill {resume.describe(await asyncio.to_thread(resume.known_way, settings))}"
    if not call:
        return f"{settings.model} (not called: --check=call sends a request of one word); {resumed}"
    try:
        answer = await llm.complete(LLMCallInput("Answer with the one word: ok"), settings)
    except Exception as error:  # a report would meet the same
        raise UserError(f"{settings.model}: {error}") from None
    return f"{settings.model} answered: {format_call(answer)}; {resumed}"


async def _search(settings: Settings) -> str:
    if settings.search_provider is None:
        return "none: reports have no sources (SEARCH_PROVIDER is not set)"
    await asyncio.to_thread(check_search, settings)
    return f"{settings.search_provider} (not called)"


def _reports(settings: Settings) -> str:
    folder = settings.reports_dir
    storage.check(folder)
    try:
        if isinstance(folder, Path):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"can anything be written here?")
                probe.flush()
            return f"{folder} can be written"
        storage.probe(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{folder} cannot be used: {reason}. To fix: repair it, or set REPORTS_DIR."
        ) from None
    return f"{folder} answers"


def _fonts(settings: Settings) -> str:
    import research.pdf.unicode  # noqa: F401 - raises UserError where ICU cannot be loaded

    fonts.prefer(settings.fonts)
    missing = {
        name: fonts.package_for(character)[0]
        for name, character in _SAMPLES.items()
        if fonts.face_for(character, fonts.TEXT, False, False) is None
    }
    if not missing:
        return "every script is covered"
    packages = " ".join(sorted(set(missing.values())))
    return f"none for {', '.join(missing)} (shown by their codes; Debian: apt install {packages})"

"""What a worker prints when it starts: the settings that it serves with."""

from research import __version__
from research.cli import terminal
from research.config import Settings
from research.formatting import pluralize
from research.temporal.client import Service
from research.temporal.names import TASK_QUEUE


def banner(settings: Settings, service: Service, identity: str) -> str:
    """Return the version and a table of the settings."""
    model = settings.model
    if settings.is_sample:
        model += "  (sample text; see .env.example)"
    else:
        model += f"  (from {settings.sources['LLM_MODEL']})"
    if settings.reader_model != settings.model:
        model += f"; reads with {settings.reader_model}"
    rows = [
        ("Temporal service", service.address + ("  (local dev server)" if service.is_dev_server else "")),
        ("Namespace", service.namespace),
        ("Web UI", service.ui_url or "not known: set TEMPORAL_UI_URL"),
        ("Task queue", TASK_QUEUE),
        ("Model", model),
        ("Search", _search(settings)),
        ("Reports", f"{settings.reports_dir}  (from {settings.sources['REPORTS_DIR']})"),
        ("Identity", identity),
    ]
    return f"Research report worker {__version__}\n" + terminal.table(rows)


def _search(settings: Settings) -> str:
    if settings.search_provider is None:
        return "none: reports have no sources; see .env.example"
    pages = f"reads up to {pluralize(settings.max_pages, 'page')}" if settings.max_pages else "reads no pages"
    return f"{settings.search_provider}  ({pages})"

"""The format of the worker's log: one line for each event, without keys."""

import asyncio
import logging
import sys
from typing import Any

from temporalio.exceptions import ApplicationError

from research.cli.terminal import escape_controls, short_id
from research.config import Settings
from research.temporal.names import recorded_step, step_name

_SDK_CANCELS = "Activity cancelled"
"""What the SDK gives as the reason of a cancellation, where an Activity gives its own name."""


def set_up(settings: Settings, verbose: bool) -> None:
    """Send this process' log to standard error; `verbose` adds the libraries' logs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(settings))
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("temporalio.workflow", "temporalio.activity", "research"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)


class _LineFormatter(logging.Formatter):
    """Formats `12:34:56  1a2b3c4d  Research complete!`: time, the report's short ID, message."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("%(asctime)s  %(report)s%(message)s", "%H:%M:%S")
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        context: dict[str, Any] = {
            **getattr(record, "temporal_workflow", {}),
            **getattr(record, "temporal_activity", {}),
        }
        record.report = f"{short_id(context['workflow_id'])}  " if "workflow_id" in context else ""
        line = _line_for_people(record, context)
        if line:
            record = logging.makeLogRecord({**record.__dict__, "msg": line, "args": (), "exc_info": None})
        return escape_controls(self._settings.redact(super().format(record)))


def _line_for_people(record: logging.LogRecord, context: dict[str, Any]) -> str:
    """Return one line for an error that a person can read; empty for one that keeps its traceback."""
    error = record.exc_info[1] if record.exc_info else None
    name = context.get("activity_type")
    step = step_name(recorded_step(name)) if name else "Report"
    if isinstance(error, asyncio.CancelledError):
        names = [name for name in error.args if name != _SDK_CANCELS]
        return f"{names[0] if names else step}: cancelled"
    if not isinstance(error, ApplicationError):
        return ""
    delay = error.next_retry_delay
    again = f"; again in {delay.total_seconds():.0f} s" if delay and delay.seconds else ""
    return f"{step}, attempt {context.get('attempt', 1)}: {error.message}{again}"

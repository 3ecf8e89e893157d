"""The worker's log: one line per event, without keys and without noise."""

import logging
import sys
from typing import Any

from temporalio.exceptions import ApplicationError

from research.cli.terminal import escape_controls, short_id
from research.config import Settings
from research.temporal.names import STEP_LABELS


def set_up(settings: Settings, verbose: bool) -> None:
    """Send this process's logging to standard error; `verbose` adds all of the libraries'."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(settings))
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("temporalio.workflow", "temporalio.activity", "research"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)


class _LineFormatter(logging.Formatter):
    """`12:34:56  1a2b3c4d  Research complete!`, the report's short id in the middle."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("%(asctime)s  %(report)s%(message)s", "%H:%M:%S")
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        context: dict[str, Any] = {
            **getattr(record, "temporal_workflow", {}),
            **getattr(record, "temporal_activity", {}),
        }
        record.report = f"{short_id(context['workflow_id'])}  " if "workflow_id" in context else ""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ApplicationError):
            # Ours, meant for people: one line. What we did not foresee keeps its traceback.
            step = STEP_LABELS.get(context.get("activity_type", ""), "Report")
            attempt = context.get("attempt", 1)
            delay = error.next_retry_delay
            again = f"; again in {delay.total_seconds():.0f} s" if delay and delay.seconds else ""
            quiet = {"msg": f"{step}, attempt {attempt}: {error.message}{again}", "args": ()}
            record = logging.makeLogRecord({**record.__dict__, **quiet, "exc_info": None})
        return escape_controls(self._settings.redact(super().format(record)))

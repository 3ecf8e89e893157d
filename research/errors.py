"""The errors of every room: those that a person can fix, and those of a step of a report.

UserError                 exit status 2: a setting, an argument or a file to fix
└── ServiceUnavailable    exit status 3: the Temporal service does not answer
StepError                 a step without a result; its kind says what that means for the report

All others keep their traceback.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

MAX_BACKOFF_SECONDS = 60.0
NEEDS_ACTION_RETRY_SECONDS = 10.0
"""Between two attempts of a step that waits for a person: it continues this soon after the fix."""


class UserError(Exception):
    """Its message is one line: what is wrong, and the command or setting that fixes it."""

    exit_status = 2


class ServiceUnavailable(UserError):
    """The Temporal service cannot be reached or cannot be used."""

    exit_status = 3


class ErrorKind(StrEnum):
    """What an error means for the report; the type of the Activity's failure in the history."""

    TRANSIENT = "Transient"
    """Passes by itself: retried, slower and slower."""
    NEEDS_ACTION = "NeedsAction"
    """Waits for a person, for as long as it takes."""
    PERMANENT = "Permanent"
    """This request will never succeed."""
    REFUSED = "Refused"
    """So has the person asked for what is not there."""
    INTERNAL = "Internal"
    """A bug of this program: retried, so that a fixed worker completes the report."""


@dataclass
class StepError(Exception):
    """A step without a result; the message is one line for people."""

    kind: ErrorKind
    message: str
    retry_after: float | None = None
    """Seconds that the provider asks to wait."""

    def __str__(self) -> str:
        return self.message

    def delay(self, count: int) -> float | None:
        """Return the seconds until the attempt after `count` errors; None leaves it to the retry policy."""
        if self.kind is ErrorKind.NEEDS_ACTION:
            return NEEDS_ACTION_RETRY_SECONDS
        if self.kind is not ErrorKind.TRANSIENT:
            return None
        if self.retry_after is not None:
            return self.retry_after
        backoff: float = min(2.0 ** min(count - 1, 10), MAX_BACKOFF_SECONDS)
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311 jitter needs no secrecy

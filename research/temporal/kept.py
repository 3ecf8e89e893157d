"""What this worker has of its steps, for a next attempt that the service gives to it.

While the service does not answer, no heartbeat and no result reaches it. When it is back, it starts another
attempt from the last heartbeat that it has; this worker may know more, or the whole answer.
"""

import copy
import time
from collections import OrderedDict
from typing import Any, Protocol, TypeVar

from temporalio import activity

from research.temporal.heartbeat import Draft

KEEP_SECONDS = 900.0
MAX_KEPT = 200
"""Steps, the oldest are forgotten first; each has at most two megabytes."""


class CountedDraft(Draft, Protocol):
    """A draft that counts what it took."""

    requests: int


D = TypeVar("D", bound=CountedDraft)

_kept: OrderedDict[tuple[str | None, str], tuple[float, Any, Any]] = OrderedDict()


def keep(draft: Draft, answer: object = None) -> None:
    """Keep what the running step has, and its answer once there is one."""
    now = time.monotonic()
    _kept.pop(_key(), None)
    _kept[_key()] = (now + KEEP_SECONDS, draft, answer)
    while _kept and (len(_kept) > MAX_KEPT or next(iter(_kept.values()))[0] < now):
        _kept.popitem(last=False)


def recall(draft: D) -> tuple[D, Any]:
    """Return the last heartbeat's draft, or this worker's own where it has more, and its answer or None.

    It has more where it has made more requests, or has more text of the same one; else another worker has
    gone on since.
    """
    _, own, answer = _kept.get(_key(), (0.0, None, None))
    if type(own) is not type(draft) or own.requests < draft.requests:
        return draft, None
    has_more = own.requests > draft.requests or len(own.text) > len(draft.text)
    if answer is None and not (has_more and own.text.startswith(draft.text)):
        return draft, None
    own = copy.deepcopy(own)  # because the attempt that it belongs to may still run
    own.faults = max(own.faults, draft.faults)
    return own, answer


def _key() -> tuple[str | None, str]:
    return activity.info().workflow_run_id, activity.info().activity_id

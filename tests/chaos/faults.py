"""The faults of a chaos run's provider: what each does to an answer, and which texts it may meet."""

import time
from dataclasses import dataclass

from research.llm.blocks import MIN_DRAFT, cut_to_block
from research.llm.resume import Way
from testing.provider import Call, Reply

OF_STORED = ("dropped", "error event", "expired", "stream refused")
"""Faults that only an answer can have that the provider keeps."""
HARMLESS = ("", "silence", "cut", "dropped", "stream refused")
"""Faults after which an answer that the provider keeps is whole, and can be found."""
MAX_TIMES = {"length": 1, "cut cleanly": 1, "empty": 1}
"""How often a text may meet a fault: more often, the program rightly takes the shortened text."""
MANY_EVENTS, FEW_EVENTS = 30, 12
"""Of a connection that breaks; the first five come before the text."""


@dataclass
class Entry:
    """What the ledger has of one request besides the call itself."""

    call: Call
    way: Way
    number: int
    """The report's; -1 where the prompt is no report's."""
    kind: str
    fault: str
    text: str
    """The whole text that the report should get from calls of this kind."""
    asked_at: int
    """The character of the text at which the draft ends that was sent."""
    start: int
    """The character at which the answer begins: white space may be between."""
    finish: str | None = "stop"
    is_empty: bool = False

    @property
    def key(self) -> str:
        """The key of the worker that sent the request."""
        return self.call.headers["Authorization"].removeprefix("Bearer ")

    @property
    def begun(self) -> float:
        """When it came, as a Unix time."""
        return self.call.begun + time.time() - time.monotonic()

    @property
    def end(self) -> int:
        """The character of the text up to which it was sent."""
        return self.start + len(self.call.sent)

    @property
    def is_by_block(self) -> bool:
        """Whether the rest of a text was asked for in a new turn."""
        return bool(self.call.draft) and not self.call.is_prefill


def applies(fault: str, entry: Entry, before: list[Entry]) -> bool:
    """Return whether a fault may meet a request, after those that came before it for the same text."""
    if fault == "summary refused" and entry.kind != "s":
        return False
    if fault in OF_STORED and entry.way is not Way.RETRIEVE:
        return False
    if fault == "cut cleanly" and entry.way is Way.RETRIEVE:  # the stand-in cannot write on behind it
        return False
    if fault == "length" and not _can_continue(entry):
        return False
    if fault == "empty" and any(other.call.draft and other.is_empty for other in before):
        return False  # because a text is written again from its beginning once only
    return sum(other.fault == fault for other in before) < MAX_TIMES.get(fault, len(before) + 1)


def _can_continue(entry: Entry) -> bool:
    """Return whether a quarter more of the text is enough to ask for the rest: else it is taken as it is."""
    text = entry.text[: entry.start + (len(entry.text) - entry.start) // 4]
    return len(text) > 2 * MIN_DRAFT if entry.way is Way.PREFILL else bool(cut_to_block(text))


def spoil(reply: Reply, fault: str) -> None:
    """Make the reply an instance of the fault."""
    if fault[:3].isdigit():
        reply.status, reply.error = int(fault[:3]), {"message": "A fault of the chaos run."}
        if fault == "429":
            reply.headers = {"Retry-After": "1"}
        elif "date" in fault:
            reply.headers = {"Retry-After": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())}
    elif fault in ("reset", "cut"):
        reply.cut_bytes = 0 if fault == "reset" else 1_500
    elif fault in ("cut cleanly", "length"):
        reply.finish_reason = "length" if fault == "length" else None
        reply.ends_cleanly = True
        reply.text = reply.text[: len(reply.text) // 4 + 1]
    elif fault == "garbage":
        reply.error = "<html>Bad gateway</html>"
    elif fault == "empty":
        reply.text = ""
    elif fault == "silence":
        reply.before_seconds = 3.0
    elif fault == "summary refused":
        reply.status, reply.error = 400, {"message": "Not this one.", "code": "content_policy_violation"}
    elif fault in ("dropped", "expired", "stream refused"):
        reply.cut_events = MANY_EVENTS if fault == "dropped" else FEW_EVENTS
    elif fault == "error event":
        reply.error_after = len(reply.pieces(reply.text)) // 3

"""The provider of a chaos run: each report's own texts, the fault of the moment, and a ledger."""

import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache

from testing.provider import Call, Continuation, Provider, Reply, position, rest_of
from testing.texts import templated

RESEARCH_SECONDS, SUMMARY_SECONDS = 4.0, 0.8
CHUNK_SECONDS = 0.1
MAX_TIMES = {"length": 1, "cut cleanly": 1, "empty": 2}
"""How often a text may meet a fault: more often, the program rightly takes the shortened text."""


@cache
def text_of(number: int, kind: str) -> str:
    """Return the text of a report's research ("r") or summary ("s"); parts and words of it repeat.

    Each text is its report's own, so that a mix-up shows.
    """
    if kind == "s":
        part = f"Report {number} checks the list, checks the time, and checks the list again."
        return f"{part} {part} That was report {number}."
    return templated(seed=number + 1, length=500 + 300 * (number % 6))


@dataclass
class Entry:
    """What the ledger has of one request besides the call itself."""

    call: Call
    number: int
    """The report's; -1 where the prompt is no report's."""
    fault: str
    text: str
    """The whole text that the report should get from calls of this kind."""
    finish: str | None

    @property
    def begun(self) -> float:
        """When it came, as a Unix time."""
        return self.call.begun + time.time() - time.monotonic()

    @property
    def start(self) -> int:
        """The character of the text at which the answer begins: the length of the draft that was sent."""
        return position(self.text, self.call.draft)

    @property
    def end(self) -> int:
        """The character of the text up to which it was sent."""
        return self.start + len(self.call.sent)


class Endpoint(Provider):
    """Continues every draft exactly; spoils its answers while `fault` is set."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.fault = ""
        self.ledger: list[Entry] = []
        self.happened: Counter[str] = Counter()

    def of(self, number: int, kind: str) -> list[Entry]:
        """The requests for a report's research ("r") or summary ("s")."""
        return [
            entry
            for entry in self.ledger
            if entry.number == number and entry.call.is_summary == (kind == "s")
        ]

    def _reply(self, call: Call) -> Reply:
        kind = "s" if call.is_summary else "r"
        number = self._number(call)
        text = text_of(number, kind)
        seconds = SUMMARY_SECONDS if call.is_summary else RESEARCH_SECONDS
        chunk = max(1, round(len(text) * CHUNK_SECONDS / seconds))
        rest = rest_of(text, call, Continuation.EXACT)
        reply = Reply(rest, chunk_seconds=CHUNK_SECONDS, chunk_characters=chunk)
        fault = self.fault
        if fault == "summary refused" and kind == "r":
            fault = ""
        met = sum(entry.fault == fault for entry in self.of(number, kind))
        if met >= MAX_TIMES.get(fault, met + 1):
            fault = ""
        spoil(reply, fault)
        self.ledger.append(Entry(call, number, fault, text, reply.finish_reason))
        self.happened[f"answer: {fault}" if fault else "answer"] += 1
        return reply

    def _number(self, call: Call) -> int:
        """Return the report of a prompt; a summary's prompt has the research, and not the topic."""
        if not call.is_summary:
            found = re.search(r"report (\d+)", call.prompt)
            return int(found[1]) if found else -1
        numbers = {entry.number for entry in self.ledger}
        return next((n for n in numbers if n >= 0 and text_of(n, "r").strip() in call.prompt), -1)


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

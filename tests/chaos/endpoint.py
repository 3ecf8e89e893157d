"""The provider of a chaos run: each report's own texts, the fault of the moment, and a ledger."""

import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache

from research.reports.outline import below_title
from testing.provider import Call, Continuation, Provider, Reply, position, rest_of
from testing.texts import templated

RESEARCH_SECONDS, SECTION_SECONDS, OTHER_SECONDS = 4.0, 3.0, 0.8
CHUNK_SECONDS = 0.1
SECTIONS = 3
"""In every fourth report, the others are one text."""
MAX_TIMES = {"length": 1, "cut cleanly": 1, "empty": 2}
"""How often a text may meet a fault: more often, the program rightly takes the shortened text."""


@cache
def text_of(number: int, kind: str) -> str:
    """Return the text of a report's research ("r"), summary ("s"), plan ("p") or section ("1" and so on).

    Parts and words of it repeat. Each text is its own, so that a mix-up shows.
    """
    if kind == "p":
        return "\n".join(
            f"## {title_of(part)}\nWhat part {part} is about.\n" for part in kinds_of(number)[1:-1]
        )
    if kind.isdigit():
        return templated(seed=1_000 + 10 * number + int(kind), length=400 + 200 * int(kind))
    if kind == "s":
        part = f"Report {number} checks the list, checks the time, and checks the list again."
        return f"{part} {part} That was report {number}."
    return templated(seed=number + 1, length=500 + 300 * (number % 6))


def sections_of(number: int) -> int:
    """Return how many sections a report is asked for."""
    return SECTIONS if number % 4 == 3 else 0


def kinds_of(number: int) -> tuple[str, ...]:
    """Return the kinds of a report's model calls."""
    sections = sections_of(number)
    return ("p", *map(str, range(1, sections + 1)), "s") if sections else ("r", "s")


def title_of(kind: str) -> str:
    return f"The part of the list that is checked as number {kind}"


def content_of(number: int) -> str:
    """Return the text of the whole research, as it is to stand on the page."""
    if not sections_of(number):
        return text_of(number, "r")
    return "\n\n".join(f"## {title_of(kind)}\n\n{result_of(number, kind)}" for kind in kinds_of(number)[1:-1])


def result_of(number: int, kind: str) -> str:
    """Return what the Activity is to return for a text: a section's headings stand below its title."""
    text = text_of(number, kind)
    return below_title(text, title_of(kind)) if kind.isdigit() else text


def seconds_of(kind: str) -> float:
    """Return how long the endpoint takes for a text."""
    return {"r": RESEARCH_SECONDS, "s": OTHER_SECONDS, "p": OTHER_SECONDS}.get(kind, SECTION_SECONDS)


@dataclass
class Entry:
    """What the ledger has of one request besides the call itself."""

    call: Call
    number: int
    """The report's; -1 where the prompt is no report's."""
    kind: str
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
        """The requests for a report's text of this kind."""
        return [entry for entry in self.ledger if (entry.number, entry.kind) == (number, kind)]

    def _reply(self, call: Call) -> Reply:
        kind = "s" if call.is_summary else "p" if call.is_plan else str(call.section or "r")
        number = self._number(call)
        text = text_of(number, kind)
        chunk = max(1, round(len(text) * CHUNK_SECONDS / seconds_of(kind)))
        rest = rest_of(text, call, Continuation.EXACT)
        reply = Reply(rest, chunk_seconds=CHUNK_SECONDS, chunk_characters=chunk)
        fault = self.fault
        if fault == "summary refused" and kind != "s":
            fault = ""
        met = sum(entry.fault == fault for entry in self.of(number, kind))
        if met >= MAX_TIMES.get(fault, met + 1):
            fault = ""
        spoil(reply, fault)
        self.ledger.append(Entry(call, number, kind, fault, text, reply.finish_reason))
        self.happened[f"answer: {fault}" if fault else "answer"] += 1
        return reply

    def _number(self, call: Call) -> int:
        """Return the report of a prompt; a summary's prompt has the research, and not the topic."""
        if not call.is_summary:
            found = re.search(r"report (\d+)", call.prompt)
            return int(found[1]) if found else -1
        numbers = {entry.number for entry in self.ledger}
        return next((n for n in numbers if n >= 0 and content_of(n).strip() in call.prompt), -1)


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

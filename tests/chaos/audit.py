"""What came of a chaos run, from outside: the endpoint's ledger, the histories, the reports folder."""

import itertools
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from temporalio.api.enums.v1 import EventType

from tests.chaos.endpoint import Entry, content_of, kinds_of, result_of, seconds_of, sections_of, text_of
from tests.chaos.schedule import KILLS
from tests.chaos.world import STALL_SECONDS, WorkerRun, World

AGAIN_SECONDS = 1.0
"""How much text may be sent again for each stream that a kill interrupted, on average."""
WAKING_SECONDS = 5.0
"""For the service to tell a worker that was stalled what it has lost."""
FEW = 20
"""With fewer streams the average says little, and more is accepted."""
DISK = {"small": "really full", "locked": "made read-only", "": "not tried here"}

Row = tuple[str, object]


@dataclass
class Audit:
    """The outcome of a run; `table` computes it."""

    world: World
    reports: int
    ends: list[str]
    histories: list[Any]
    wrong_files: set[str]
    settled: float
    """Seconds from the last event to the last report's end."""
    broken: list[str] = field(default_factory=list)
    """The claims that did not hold."""

    def table(self) -> str:
        """Return every number as a Markdown table; what is wrong is added to `broken`."""
        rows = [*self._events(), *self._reports(), *self._requests(), *self._sent_again(), *self._files()]
        return "\n".join(["| | |", "| --- | --- |", *[f"| {name} | {value} |" for name, value in rows]])

    def _events(self) -> Iterator[Row]:
        happened = self.world.happened
        faults = sum(count for name, count in happened.items() if name.startswith("answer: "))
        yield "kills", ", ".join(f"{happened[kind]} {kind}" for kind in KILLS if happened[kind])
        yield "requests to the model, and faults among them", f"{len(self.world.endpoint.ledger)}, {faults}"
        yield "disk full", f"{happened['disk full']} times ({DISK[self.world.disk]})"

    def _reports(self) -> Iterator[Row]:
        """Each accepted report ended in one PDF and one Markdown file with exactly its text."""
        good = 0
        for number, (end, history) in enumerate(zip(self.ends, self.histories, strict=True)):
            problem = f"it is {end}" if end != "completed" else self._problem(number, history)
            if problem:
                self.broken.append(f"report {number}: {problem}")
            good += not problem
        if len(self.ends) != self.reports:
            self.broken.append(f"{len(self.ends)} reports were accepted, not {self.reports}")
        yield "reports accepted", len(self.ends)
        yield "of them in sections side by side", sum(map(bool, map(sections_of, range(len(self.ends)))))
        yield "with exactly one PDF and one Markdown file, the text exactly the provider's", good
        yield "the last one ended after the last kill by", f"{self.settled:.0f} s"

    def _problem(self, number: int, history: Any) -> str:
        """Return what is wrong with a completed report, or nothing."""
        started = history.events[0].workflow_execution_started_event_attributes
        suffix = started.original_execution_run_id.replace("-", "")[-12:]
        pdfs, texts = (list(self.world.reports.glob(f"*-{suffix}.{kind}")) for kind in ("pdf", "md"))
        if len(pdfs) != 1 or len(texts) != 1:
            return f"{len(pdfs)} PDFs, {len(texts)} Markdown files"
        recorded = {kind: _recorded_text(history, kind) for kind in kinds_of(number)}
        for kind, text in recorded.items():
            if text != result_of(number, kind) and not (kind == "s" and self._is_kept(text, number)):
                return f"its recorded text {kind!r} is not the provider's: {_difference(text, number, kind)}"
        return _wrong_markdown(number, texts[0], (recorded["s"] or "").strip()) or _wrong_pdf(number, pdfs[0])

    def _is_kept(self, text: str | None, number: int) -> bool:
        """Return whether a summary is what the provider had sent before it refused the rest."""
        refused = [
            entry.start for entry in self.world.endpoint.of(number, "s") if entry.fault == "summary refused"
        ]
        written = (text or "").rstrip()
        return any(text_of(number, "s")[:start].rstrip() == written for start in refused)

    def _requests(self) -> Iterator[Row]:
        """No request without an attempt of the service behind it; none for what was recorded.

        Except by a worker that was stalled just before: it cannot know yet what others have done.
        """
        after: list[str] = []
        unasked = 0
        for number, history in enumerate(self.histories):
            for kind in kinds_of(number):
                attempts, ended = _attempts(history, kind)
                entries = self.world.endpoint.of(number, kind)
                late = [entry for entry in entries if 0 < ended < entry.begun and not self._wakes(entry)]
                after += [f"{kind} of report {number}"] * len(late)
                continued = sum(entry.finish == "length" for entry in entries)
                unasked += max(0, len(entries) - continued - attempts)
        if after:
            self.broken.append(f"{len(after)} finished calls were made again: {', '.join(after)}")
        if unasked:
            self.broken.append(f"{unasked} requests that no attempt of the service stands behind")
        yield "finished calls made again", len(after)
        yield "requests without an attempt", unasked

    def _sent_again(self) -> Iterator[Row]:
        """How much text was sent again, by what interrupted the stream; and how long a kill was felt."""
        again: dict[str, list[float]] = {"a kill": [], "a stalled worker": [], "an outage of the service": []}
        delays = []
        for number, kind in [(n, kind) for n in range(len(self.ends)) for kind in kinds_of(n)]:
            for before, after in itertools.pairwise(self.world.endpoint.of(number, kind)):
                cause = self._cause(before)
                if not cause or (before.call.finished and after.start >= before.end):
                    continue
                if before.call.sent:
                    again[cause].append(_seconds(before, max(0, before.end - after.start)))
                if cause == "a kill":
                    delays.append(after.begun - self._run(before).ended)
        for cause, seconds in again.items():
            mean = f"{statistics.mean(seconds):.2f} s, worst {max(seconds):.1f} s" if seconds else "-"
            yield f"streams interrupted by {cause}: text sent again, mean", f"{len(seconds)}: {mean}"
        kills = again["a kill"]
        limit = AGAIN_SECONDS if len(kills) >= FEW else 2.5 * AGAIN_SECONDS
        if kills and statistics.mean(kills) > limit:
            self.broken.append(f"more than {limit:g} s of text was sent again for each kill")
        if delays:
            felt = f"{statistics.median(delays):.1f} s, {max(delays):.1f} s"
            yield "from a kill to the call's next attempt, median and worst", felt

    def _files(self) -> Iterator[Row]:
        left = [file.name for file in self.world.reports.iterdir() if file.name.startswith(".")]
        if self.wrong_files:
            names = ", ".join(sorted(self.wrong_files)[:3])
            self.broken.append(f"files seen half-written or changed: {names}")
        if left:
            self.broken.append(f"temporary files are left: {', '.join(left[:3])}")
        yield "files ever seen half-written or changed", len(self.wrong_files)
        yield "temporary files left", len(left)

    def _run(self, entry: Entry) -> WorkerRun:
        key = entry.call.headers["Authorization"].removeprefix("Bearer ")
        return next(run for run in self.world.runs if run.key == key)

    def _wakes(self, entry: Entry) -> bool:
        """Return whether a request was sent by a worker that a stall had held up before."""
        stalls = self._run(entry).stalls
        return any(stall < entry.begun < stall + STALL_SECONDS + WAKING_SECONDS for stall in stalls)

    def _cause(self, entry: Entry) -> str:
        """Return what interrupted an answer on its way; nothing where a fault of the provider did."""
        if entry.fault and entry.fault != "silence":
            return ""
        run, begun = self._run(entry), entry.begun
        if any(start - 6 < run.ended and begun < end for start, end in self.world.outages):
            return "an outage of the service"
        if any(begun < stall + STALL_SECONDS for stall in run.stalls):
            return "a stalled worker"
        return "a kill" if run.ended else ""


def _seconds(entry: Entry, characters: int) -> float:
    """Return how long the endpoint takes for so many characters of the entry's text."""
    return characters / len(entry.text) * seconds_of(entry.kind)


def _kind(scheduled: Any) -> str:
    """Return the kind of the text that a scheduled step is to bring."""
    attributes = scheduled.activity_task_scheduled_event_attributes
    if attributes.activity_type.name == "generate_summary":
        return "s"
    if attributes.activity_type.name != "llm_call":
        return ""
    label = json.loads(attributes.input.payloads[0].data).get("label", "")
    return "p" if label == "Plan" else label.split()[1] if label else "r"


def _attempts(history: Any, kind: str) -> tuple[int, float]:
    """Return how many attempts the service made of a step, and when it recorded the result."""
    scheduled, attempts, ended = set(), 0, 0.0
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if _kind(event) == kind:
                scheduled.add(event.event_id)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            attempts += started.attempt if started.scheduled_event_id in scheduled else 0
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            if completed.scheduled_event_id in scheduled:
                ended = event.event_time.ToMicroseconds() / 1e6
    return attempts, ended


def _recorded_text(history: Any, kind: str) -> str | None:
    """Return the text that a step gave back, or None where it has no result."""
    scheduled = set()
    for event in history.events:
        if _kind(event) == kind:
            scheduled.add(event.event_id)
        completed = event.activity_task_completed_event_attributes
        if completed.scheduled_event_id in scheduled:
            return str(json.loads(completed.result.payloads[0].data)["text"])
    return None


def _difference(text: str | None, number: int, kind: str) -> str:
    expected = result_of(number, kind)
    if text is None:
        return "there is none"
    same = next((i for i, (a, b) in enumerate(zip(text, expected, strict=False)) if a != b), None)
    place = min(len(text), len(expected)) if same is None else same
    return f"{len(text)} characters, not {len(expected)}; from {place}: {text[place : place + 40]!r}"


def _wrong_markdown(number: int, file: Path, summary: str) -> str:
    """Return what of summary and research is not in the file to the character; notes are expected."""
    written = file.read_text(encoding="utf-8")
    heading, _, body = content_of(number).partition("\n")
    if not written.startswith(f"{heading}\n") or not heading.startswith("# "):
        body = content_of(number)
    parts = {"research": f"\n\n---\n\n{body.strip(chr(10))}\n\n---\n\nMade with "}
    if summary:
        parts["summary"] = f"\n\n## Executive Summary\n\n{summary}\n\n"
    wrong = [name for name, part in parts.items() if written.count(part) != 1]
    return f"the Markdown file has not exactly the provider's {' and '.join(wrong)}" if wrong else ""


def _wrong_pdf(number: int, file: Path) -> str:
    """Return which numbers of the text's parts are not on the page."""
    printed = Counter(re.findall(r"\d{3,}", "\n".join(page.extract_text() for page in PdfReader(file).pages)))
    lost = Counter(re.findall(r"\d{3,}", content_of(number))) - printed
    return f"the PDF lacks {', '.join(sorted(lost)[:3])}" if lost else ""

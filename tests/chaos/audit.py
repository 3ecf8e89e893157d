"""What came of a chaos run, from outside: the endpoint's ledger, the histories, the reports folder."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import starmap
from typing import Any

from research.llm.blocks import MIN_DRAFT
from research.llm.resume import Way
from tests.chaos import exact, kept
from tests.chaos.faults import Entry
from tests.chaos.histories import attempts_of, recorded_text
from tests.chaos.interruptions import (
    AGAIN_SECONDS,
    KILL,
    Interruption,
    broken_limits,
    interruptions,
    rows_of_interruptions,
    wakes,
)
from tests.chaos.proof import proof_kinds_of
from tests.chaos.proven import faults_of_proof
from tests.chaos.reading import faults_of_reading, wrong_evidence
from tests.chaos.schedule import KILLS
from tests.chaos.texts import kinds_of, pages_of, result_of, seconds_of, sections_of, text_of
from tests.chaos.world import World

DISK = {"small": "really full", "locked": "made read-only", "": "not tried here"}

Row = tuple[object, ...]


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
        """Return every number as two Markdown tables; what is wrong is added to `broken`."""
        good = self._good_reports()
        rows = [*self._events(), *self._reports(good), *self._requests(), *self._pages(), *self._proofs()]
        rows += [*self._kept(), *self._delays(), *self._files()]
        ways = [("", *self.world.ways), ("---",) * (len(self.world.ways) + 1), *self._each_way(good)]
        return f"{_lines([('', ''), ('---', '---'), *rows])}\n\n{_lines(ways)}"

    def _events(self) -> Iterator[Row]:
        happened = self.world.happened
        faults = sum(count for name, count in happened.items() if name.startswith("answer: "))
        yield "kills", ", ".join(f"{happened[kind]} {kind}" for kind in KILLS if happened[kind])
        yield "requests to the model, and faults among them", f"{len(self.world.endpoint.ledger)}, {faults}"
        yield "disk full", f"{happened['disk full']} times ({DISK[self.world.disk]})"

    def _good_reports(self) -> list[int]:
        """Return the reports that ended in one PDF and one Markdown file with exactly their text."""
        good = []
        for number, (end, history) in enumerate(zip(self.ends, self.histories, strict=True)):
            problem = f"it is {end}" if end != "completed" else self._problem(number, history)
            if problem:
                self.broken.append(f"report {number} ({self.world.way_of(number)}): {problem}")
            else:
                good.append(number)
        if len(self.ends) != self.reports:
            self.broken.append(f"{len(self.ends)} reports were accepted, not {self.reports}")
        return good

    def _reports(self, good: list[int]) -> Iterator[Row]:
        yield "reports accepted", len(self.ends)
        yield "of them in sections side by side", sum(map(bool, map(sections_of, range(len(self.ends)))))
        yield "with exactly one PDF and one Markdown file, the text exactly the provider's", len(good)
        yield "the last one ended after the last kill by", f"{self.settled:.0f} s"

    def _problem(self, number: int, history: Any) -> str:
        """Return what is wrong with a completed report, or nothing."""
        started = history.events[0].workflow_execution_started_event_attributes
        suffix = started.original_execution_run_id.replace("-", "")[-12:]
        folder = self.world.reports / self.world.way_of(number)
        kinds = "pdf", "md", "evidence.json"
        pdfs, texts, evidence = (list(folder.glob(f"*-{suffix}.{kind}")) for kind in kinds)
        if (len(pdfs), len(texts), len(evidence)) != (1, 1, 1):
            return f"{len(pdfs)} PDFs, {len(texts)} Markdown files, {len(evidence)} evidence files"
        if wrong := wrong_evidence(self.world, number, pdfs[0]):
            return wrong
        recorded = {kind: recorded_text(history, kind) for kind in kinds_of(number)}
        for kind, text in recorded.items():
            if not self._is_exact(number, kind, text) and not (kind == "s" and self._is_kept(text, number)):
                return (
                    f"its recorded text {kind!r} is not the provider's:"
                    f" {exact.difference(text, number, kind)}"
                )
        is_by_block = any(self._is_by_block(number, kind) for kind in recorded)
        summary = (recorded["s"] or "").strip()
        wrong = exact.wrong_markdown(number, texts[0], summary, is_by_block, self.world.site)
        return wrong or exact.wrong_pdf(number, pdfs[0], self.world.site)

    def _is_by_block(self, number: int, kind: str) -> bool:
        """Return whether a text was resumed by block, so that its blank lines may be others."""
        return any(entry.is_by_block for entry in self.world.endpoint.of(number, kind))

    def _is_exact(self, number: int, kind: str, text: str | None) -> bool:
        expected = result_of(number, kind)
        if text is None or not self._is_by_block(number, kind):
            return text == expected
        return exact.without_blank_lines(text) == exact.without_blank_lines(expected)

    def _is_kept(self, text: str | None, number: int) -> bool:
        """Return whether a summary is of what the provider had sent before it refused more.

        There may be none where so little was sent that it was not recorded, or is not worth keeping.
        """
        entries = self.world.endpoint.of(number, "s")
        refused = [place for place, entry in enumerate(entries) if entry.fault == "summary refused"]
        written, whole = (text or "").rstrip(), text_of(number, "s")
        sent = max((entry.end for place in refused for entry in entries[:place]), default=0)
        if not written:
            unrecorded = len(whole) * AGAIN_SECONDS / seconds_of("s")
            return bool(refused) and sent <= max(MIN_DRAFT, unrecorded)
        return whole[:sent].startswith(written)

    def _requests(self) -> Iterator[Row]:
        """No request without an attempt of the service behind it; none for what was recorded.

        Except by a worker that was stalled just before: it cannot know yet what others have done.
        """
        after: list[str] = []
        unasked = 0
        for number, kind in self._calls:
            attempts, ended = attempts_of(self.histories[number], kind)
            entries = self.world.endpoint.of(number, kind)
            late = [entry for entry in entries if 0 < ended < entry.begun and not wakes(self.world, entry)]
            after += [f"{kind} of report {number}"] * len(late)
            continued = sum(
                entry.finish == "length" or bool(entry.call.draft and entry.is_empty) for entry in entries
            )
            unasked += max(0, len(entries) - continued - attempts)
        within = [entry for entry in self.world.endpoint.ledger if _is_within_line(entry)]
        if after:
            self.broken.append(f"{len(after)} finished calls were made again: {', '.join(after)}")
        if unasked:
            self.broken.append(f"{unasked} requests that no attempt of the service stands behind")
        if within:
            self.broken.append(f"the next paragraph was asked for within a line, {len(within)} times")
        yield "finished calls made again", len(after)
        yield "requests without an attempt", unasked
        yield "requests for the next paragraph within a line", len(within)

    def _pages(self) -> Iterator[Row]:
        """No page is fetched that was recorded; every text is written from all of its report's pages."""
        site, pages = self.world.site, [len(pages_of(number)) for number in range(len(self.ends))]
        yield "pages read, by how many reports", f"{sum(pages)}, {sum(map(bool, pages))}"
        yield "requests to their site, and faults among them", f"{len(site.paths())}, {site.faults}"
        for what, count in faults_of_reading(self.world, self.histories).items():
            self.broken += [f"{count} {what}"] * bool(count)
            yield what, count

    def _proofs(self) -> Iterator[Row]:
        """No forged passage is admitted, no verdict lost, and every report can be verified."""
        for what, count in faults_of_proof(self.world, len(self.ends)).items():
            self.broken += [f"{count} {what}"] * bool(count)
            yield what, count

    def _kept(self) -> Iterator[Row]:
        """Answers that the provider keeps are requested once, and deleted in the end."""
        if Way.RETRIEVE not in self.world.ways:
            return
        again = [fate for call in self._calls for fate in kept.requested_again(self.world, *call)]
        fates = list(kept.fates(self.world, self._has_failed))
        for found, what in (
            (again, "that the provider keeps were requested again"),
            (fates, "are left there"),
        ):
            if lost := [f"{entry.kind} of report {entry.number}" for reason, entry in found if not reason]:
                self.broken.append(f"{len(lost)} answers {what}: {', '.join(lost)}")
        ends = Counter(reason for reason, _ in fates)
        deleted, expired = ends.pop(kept.DELETED, 0), ends.pop(kept.EXPIRED, 0)
        yield "answers that the provider kept", f"{len(fates)}: {deleted} deleted, {expired} expired"
        yield "of them left there, and why", _reasons(ends)
        yield "of them requested again, and why", _reasons(Counter(reason for reason, _ in again))

    def _has_failed(self, entry: Entry) -> bool:
        return recorded_text(self.histories[entry.number], entry.kind) is None

    def _delays(self) -> Iterator[Row]:
        delays = [one.delay for one in self._interruptions if one.cause == KILL]
        if delays:
            felt = f"{statistics.median(delays):.1f} s, {max(delays):.1f} s"
            yield "from a kill to the call's next attempt, median and worst", felt

    def _files(self) -> Iterator[Row]:
        left = [file.name for file in self.world.reports.rglob(".*")]
        if self.wrong_files:
            names = ", ".join(sorted(self.wrong_files)[:3])
            self.broken.append(f"files seen half-written or changed: {names}")
        if left:
            self.broken.append(f"temporary files are left: {', '.join(left[:3])}")
        yield "files ever seen half-written or changed", len(self.wrong_files)
        yield "temporary files left", len(left)

    def _each_way(self, good: list[int]) -> Iterator[Row]:
        """How each way did: its reports and texts, and what was sent again of them."""
        for way in self.world.ways:
            self.broken += broken_limits(way, self._interruptions)
        numbers = [self._of(way, range(len(self.ends))) for way in self.world.ways]
        yield "reports", *map(len, numbers)
        yield "of them as they are to be", *[len(self._of(way, good)) for way in self.world.ways]
        texts = [[(n, kind) for n, kind in self._texts if n in mine] for mine in numbers]
        yield "texts", *map(len, texts)
        yield (
            "of them to the character the provider's",
            *[sum(starmap(self._is_same, each)) for each in texts],
        )
        yield (
            "of them written again from the beginning",
            *[sum(starmap(self._is_again, each)) for each in texts],
        )
        yield from rows_of_interruptions(self.world.ways, self._interruptions)

    def _of(self, way: Way, numbers: Iterable[int]) -> set[int]:
        return {number for number in numbers if self.world.way_of(number) is way}

    def _is_same(self, number: int, kind: str) -> bool:
        return recorded_text(self.histories[number], kind) == result_of(number, kind)

    def _is_again(self, number: int, kind: str) -> bool:
        """Return whether a text was requested from its beginning after a part of it had been sent."""
        entries = self.world.endpoint.of(number, kind)
        return any(
            not after.call.draft and any(before.call.sent for before in entries[:i])
            for i, after in enumerate(entries)
        )

    @cached_property
    def _texts(self) -> list[tuple[int, str]]:
        """The number of a report and the kind, for each text that a report is made of."""
        return [(number, kind) for number in range(len(self.ends)) for kind in kinds_of(number)]

    @cached_property
    def _calls(self) -> list[tuple[int, str]]:
        """The same, with the calls for the proofs."""
        proofs = [(number, kind) for number in range(len(self.ends)) for kind in proof_kinds_of(number)]
        return [*self._texts, *proofs]

    @cached_property
    def _interruptions(self) -> list[Interruption]:
        return [found for number, kind in self._texts for found in interruptions(self.world, number, kind)]


def _is_within_line(entry: Entry) -> bool:
    """Return whether the rest of a text was asked for in a new turn, behind a part of a line."""
    return entry.is_by_block and entry.text[entry.asked_at : entry.asked_at + 1] not in ("", "\n")


def _reasons(found: Counter[str]) -> str:
    """Return numbers with their reasons, in words."""
    named = [f"{count}: {reason or 'for no reason'}" for reason, count in found.most_common() if count]
    return "; ".join(named) or "none"


def _lines(rows: Iterable[Row]) -> str:
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)

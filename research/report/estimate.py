"""What the rest of a report will cost and take, by its plan: a range, with its basis in one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from models import GenerateReportInput, LLMCallOutput, PlannedSection
from research.formatting import format_cost, pluralize

SECTION_TOKENS, TEXT_TOKENS, SUMMARY_TOKENS = (600, 2_500), (1_000, 5_000), (150, 500)
"""What a model writes for a section, for the research as one text, and for a summary: from little to much."""
SOURCES_TOKENS = (3_000, 15_000)
"""What is quoted of the sources in the prompt for one text."""
PAGE_TOKENS, PASSAGES_TOKENS, JUDGE_TOKENS = (1_500, 15_000), (150, 800), (2_000, 8_000)
PAGES = (5, 20)
READING_SECONDS = (5.0, 40.0)
DEFAULT_SPEED = 60.0
"""Tokens a second, where the plan has not shown it."""


@dataclass(frozen=True)
class _Range:
    """Tokens that are sent and written, and seconds."""

    sent: float = 0.0
    written: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "_Range") -> "_Range":
        return _Range(self.sent + other.sent, self.written + other.written, self.seconds + other.seconds)


def estimate(
    asked: GenerateReportInput, plan: Sequence[PlannedSection], planned: LLMCallOutput | None
) -> str:
    """Return what is still to come, in one line; `planned` is the call that has brought the plan."""
    written = planned.output_tokens if planned else None
    speed = written / planned.seconds if planned and written and planned.seconds else DEFAULT_SPEED
    sections = sum(bool(section.title) for section in plan)
    least, most = (_total(asked, sections, end, speed) for end in (0, 1))
    reads = asked.sources or asked.documents
    basis = [pluralize(sections, "section") if sections else "one text"]
    basis += [f"{PAGES[0]} to {PAGES[1]} pages"] if asked.sources else []
    basis += ["passages and verdicts"] if reads and asked.evidence else []
    minutes = f"{max(least.seconds / 60, 0.1):.1f} to {max(most.seconds / 60, 0.2):.1f} minutes"
    prices = planned.prices if planned else None
    if not prices:
        return f"costs unknown, {minutes}: {', '.join(basis)}."
    if not any(prices):
        return f"free, {minutes}: {', '.join(basis)}."
    costs = [(each.sent * prices[0] + each.written * prices[1]) / 1e6 for each in (least, most)]
    at = f"at ${prices[0]:g} and ${prices[1]:g} for a million tokens"
    return f"{format_cost(costs[0])} to {format_cost(costs[1])}, {minutes}: {', '.join(basis)}, {at}."


def _total(asked: GenerateReportInput, sections: int, end: int, speed: float) -> _Range:
    """Return the least (0) or the most (1) of the rest; what runs side by side takes its time once."""
    parts, reads = max(sections, 1), bool(asked.sources or asked.documents)
    text = (SECTION_TOKENS if sections else TEXT_TOKENS)[end]
    quoted = SOURCES_TOKENS[end] / (2 if sections else 1) if reads else 300
    total = _Range(parts * quoted, parts * text, text / speed)
    total += _Range(parts * text, SUMMARY_TOKENS[end], SUMMARY_TOKENS[end] / speed)
    total += _Range(seconds=READING_SECONDS[end] if reads else 0.0)
    if reads and asked.evidence:
        pages = PAGES[end] if asked.sources else len(asked.documents)
        total += _Range(pages * PAGE_TOKENS[end], pages * PASSAGES_TOKENS[end], PASSAGES_TOKENS[end] / speed)
        judged = JUDGE_TOKENS[end] * (1 + end)
        total += _Range(parts * judged, parts * text / 5, text / 5 / speed)
    return total

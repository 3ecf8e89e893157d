"""The ledger of a report: what its model calls and searches took, and what durability saved."""

from collections.abc import Iterable, Sequence

from models import LLMCallOutput, Usage
from research.messages import WebSearchOutput


class Ledger:
    """Every answer that a report has paid for."""

    def __init__(self) -> None:
        self._stages: list[list[LLMCallOutput]] = []
        """The calls of one stage were made side by side, and are in the order in which they ended."""
        self._searches: list[WebSearchOutput] = []

    def begin_stage(self) -> None:
        """Begin a stage: the calls that are entered from now on were made side by side."""
        self._stages.append([])

    def enter(self, call: LLMCallOutput | None) -> None:
        """Enter a call of the stage that was begun last, when it has ended; None for one that has failed."""
        self._stages[-1] += [call] if call else []

    def enter_searches(self, searches: Iterable[WebSearchOutput]) -> None:
        """Enter the searches that were made."""
        self._searches += searches

    @property
    def spent(self) -> float:
        """What the report has cost so far, in US dollars, as far as that is known."""
        costs = [call.cost for call in self._calls] + [search.cost for search in self._searches]
        return sum(cost or 0.0 for cost in costs)

    @property
    def stored(self) -> tuple[str, ...]:
        """The IDs of the answers that the provider keeps for this report."""
        return tuple(number for call in self._calls for number in call.stored)

    def usage(self, interrupted_at_end: bool = False) -> Usage:
        """Return the usage of all calls and searches together.

        What durability saved is what a program without it would have paid again: all that had ended when a
        call was interrupted for the last time, or everything with `interrupted_at_end`, and the part of a
        text that a resumed call did not have to generate again.
        """
        calls = self._calls
        again = calls if interrupted_at_end else self._ended_before_interruption()
        answered = [search for search in self._searches if not search.failure]
        kept = [call for call in calls if call.kept_tokens]
        return Usage(
            input_tokens=sum(call.input_tokens or 0 for call in calls),
            output_tokens=sum(call.output_tokens or 0 for call in calls),
            cost=_sum([*(call.cost for call in calls), *(search.cost for search in answered)]),
            seconds=round(sum(call.seconds for call in calls), 2),
            requests=sum(call.requests for call in calls),
            saved_tokens=sum(call.kept_tokens for call in kept)
            + sum((call.input_tokens or 0) + (call.output_tokens or 0) for call in again),
            saved_cost=_sum([call.kept_cost for call in kept] + [call.cost for call in again]),
            searches=len(answered),
            search_cost=_sum([search.cost for search in answered]) if answered else None,
        )

    @property
    def _calls(self) -> list[LLMCallOutput]:
        return [call for stage in self._stages for call in stage]

    def _ended_before_interruption(self) -> list[LLMCallOutput]:
        """Return the calls that had ended when one was interrupted; in its own stage only whole ones had."""
        stages = self._stages
        interrupted = [
            place for place, stage in enumerate(stages) if any(call.interruptions for call in stage)
        ]
        if not interrupted:
            return []
        last = stages[interrupted[-1]]
        end = max(place for place, call in enumerate(last) if call.interruptions)
        earlier = [call for stage in stages[: interrupted[-1]] for call in stage]
        return [*earlier, *[call for call in last[:end] if not call.interruptions]]


def _sum(costs: Sequence[float | None]) -> float | None:
    """Return the sum, or None where one of the costs is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None

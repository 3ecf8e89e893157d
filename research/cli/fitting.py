"""Which steps of a report have a line on the screen, where a long report has more than there are lines."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from research.cli.status import State, StepStatus

_FIRST_SHOWN = (
    *(State.RUNNING, State.LOST, State.RETRYING, State.FAILED),
    *(State.QUEUED, State.CANCELLED, State.DONE, State.WAITING),
)
_COUNTED = {State.QUEUED: "waiting"}


@dataclass(frozen=True)
class Rows:
    """The steps that are shown, in their order."""

    steps: tuple[StepStatus, ...]
    has_texts: bool = True
    """Whether the end of each section's text has a line of its own."""
    rest: str = ""
    """The sections that are not shown, counted; for a line below those that are."""


def fit(steps: Sequence[StepStatus], lines: int | None, height: Callable[[StepStatus, bool], int]) -> Rows:
    """Return the rows that fit into so many lines: sections that run come first, the others are counted.

    `height` returns the lines of a step with or without the end of its text. None is as many lines as needed.
    """
    sections = [step for step in steps if step.is_section]
    if lines is None or not sections:
        return Rows(tuple(steps))
    left = lines - sum(height(step, True) for step in steps if not step.is_section)
    for has_texts in (True, False):
        if sum(height(step, has_texts) for step in sections) <= left:
            return Rows(tuple(steps), has_texts)
    first = sorted(sections, key=lambda step: _FIRST_SHOWN.index(step.state))  # stable: in the plan's order
    shown = first[: max(left - 1, 1)]
    before = [step for step in steps[: steps.index(sections[0])] if step not in sections]
    after = [step for step in steps[len(before) :] if step not in sections]
    return Rows((*before, *shown, *after), False, _count(first[len(shown) :]))


def _count(steps: Sequence[StepStatus]) -> str:
    """Return how many steps there are in which state, such as "12 more: 9 done, 3 waiting"."""
    states = Counter(_COUNTED.get(step.state, str(step.state)) for step in steps)
    return f"{len(steps)} more: {', '.join(f'{count} {state}' for state, count in states.items())}"

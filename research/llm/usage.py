"""Accounting: what the model calls and the searches of a report took, and what durability saved."""

from collections.abc import Sequence

from models import LLMCallOutput, Usage, WebSearchOutput
from research.config import SAMPLE_MODEL

BYTES_PER_TOKEN = 4
"""For estimates, because providers send chunks of one token or of a hundred."""


def total(
    stages: Sequence[Sequence[LLMCallOutput]],
    searches: Sequence[WebSearchOutput] = (),
    interrupted_at_end: bool = False,
) -> Usage:
    """Return the usage of all calls and searches together.

    The calls of one stage were made side by side, and are in the order in which they ended. What durability
    saved is what a program without it would have paid again: all that had ended when a call was interrupted
    for the last time, or everything with `interrupted_at_end`, and the part of a text that a resumed call
    did not have to generate again.
    """
    calls = [call for stage in stages for call in stage]
    again = calls if interrupted_at_end else _ended_before_interruption(stages)
    answered = [search for search in searches if not search.failure]
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


def _ended_before_interruption(stages: Sequence[Sequence[LLMCallOutput]]) -> list[LLMCallOutput]:
    """Return the calls that had ended when one was interrupted; in its own stage only whole ones had."""
    interrupted = [number for number, stage in enumerate(stages) if any(call.interruptions for call in stage)]
    if not interrupted:
        return []
    last = stages[interrupted[-1]]
    end = max(place for place, call in enumerate(last) if call.interruptions)
    earlier = [call for stage in stages[: interrupted[-1]] for call in stage]
    return [*earlier, *[call for call in last[:end] if not call.interruptions]]


def spent(stages: Sequence[Sequence[LLMCallOutput]], searches: Sequence[WebSearchOutput]) -> float:
    """Return what a report has cost so far, as far as that is known."""
    costs = [call.cost for stage in stages for call in stage] + [search.cost for search in searches]
    return sum(cost or 0.0 for cost in costs)


def price(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price in US dollars by litellm's price list; None where it has none for the model."""
    if model == SAMPLE_MODEL or is_ollama(model):
        return 0.0
    import litellm

    try:
        prices = litellm.cost_per_token(model, input_tokens, output_tokens)
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return None
    return round(float(sum(prices)), 9)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; for Chinese about three in four characters."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def is_ollama(model: str) -> bool:
    """Return whether an Ollama server runs the model: free, and unknown to litellm's lists."""
    return model.startswith(("ollama/", "ollama_chat/"))


def _sum(costs: Sequence[float | None]) -> float | None:
    """Return the sum, or None where one of the costs is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None

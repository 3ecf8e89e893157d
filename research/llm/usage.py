"""Accounting: what the model calls of a report took, and what durability saved."""

from collections.abc import Sequence

from models import LLMCallOutput, Usage
from research.config import SAMPLE_MODEL


def total(calls: Sequence[LLMCallOutput], interrupted_after: int = 0) -> Usage:
    """Return the usage of all calls together.

    `interrupted_after` is the number of finished calls after which a step was interrupted: a
    program without durability would have paid for those calls again. The part of a text that a
    resumed call did not have to generate again is saved besides.
    """
    again = calls[:interrupted_after]
    kept = [call for call in calls if call.kept_tokens]
    return Usage(
        input_tokens=sum(call.input_tokens or 0 for call in calls),
        output_tokens=sum(call.output_tokens or 0 for call in calls),
        cost=_sum([call.cost for call in calls]),
        seconds=round(sum(call.seconds for call in calls), 2),
        requests=sum(call.requests for call in calls),
        saved_tokens=sum(call.kept_tokens for call in kept)
        + sum((call.input_tokens or 0) + (call.output_tokens or 0) for call in again),
        saved_cost=_sum([call.kept_cost for call in kept] + [call.cost for call in again]),
    )


def price(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price in US dollars by litellm's price list; None where it has none for the model."""
    if model == SAMPLE_MODEL:
        return 0.0
    import litellm

    try:
        prices = litellm.cost_per_token(model, input_tokens, output_tokens)
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return None
    return round(float(sum(prices)), 9)


def _sum(costs: Sequence[float | None]) -> float | None:
    """Return the sum, or None where one of the costs is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None

"""What a report took, what durability saved of it, and what its reader has to know."""

from models import LLMCallOutput, Usage


def total(calls: list[LLMCallOutput], interrupted_after: int = 0) -> Usage:
    """The bill of the calls.

    `interrupted_after` is how many of the finished calls a program without durability would
    have made again, because a later step broke off; what an attempt resumed counts besides.
    """
    again = calls[:interrupted_after]
    return Usage(
        input_tokens=sum(call.input_tokens or 0 for call in calls),
        output_tokens=sum(call.output_tokens or 0 for call in calls),
        cost=_sum([call.cost for call in calls]),
        seconds=round(sum(call.seconds for call in calls), 2),
        requests=sum(call.requests for call in calls),
        saved_tokens=sum(call.kept_tokens for call in calls)
        + sum((call.input_tokens or 0) + (call.output_tokens or 0) for call in again),
        saved_cost=_sum([call.kept_cost for call in calls if call.kept_tokens] + [c.cost for c in again]),
    )


def format_usage(bill: Usage) -> str:
    """The bill for people."""
    tokens = f"{bill.input_tokens:,} tokens in, {bill.output_tokens:,} out"
    line = f"{tokens}, cost {format_cost(bill.cost)}, {bill.seconds:.0f} s, requests {bill.requests}"
    if bill.saved_tokens:
        line += f"; durability saved {bill.saved_tokens:,} tokens ({format_cost(bill.saved_cost)})"
    return line


def format_call(call: LLMCallOutput) -> str:
    """What one call brought and took, for the worker's log."""
    words = pluralize(len(call.text.split()), "word")
    tokens = pluralize(call.output_tokens or 0, "token")
    return f"{words}, {tokens}, cost {format_cost(call.cost)}, {call.seconds:.0f} s"


def pluralize(number: int, thing: str) -> str:
    """`1 page`, `1,204 pages`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def notes(research: LLMCallOutput, summary: LLMCallOutput | None, failure: str) -> tuple[str, ...]:
    """What stands on the page about texts that are cut, missing, shortened or resumed."""
    found = []
    if research.finish_reason in ("length", "too_long"):
        found.append("The research ends where the longest possible answer ended; it is not complete.")
    if research.finish_reason == "empty":
        found.append("The model did not go on with the research where it was broken off; it is not complete.")
    if summary is None:
        found.append(f"There is no executive summary: {failure}.")
    elif summary.prompt_shortened:
        found.append(
            "The summary covers the beginning of the research only: all of it is too long for the model."
        )
    if research.resumed_at:
        found.append(f"The research was interrupted and resumed at character {research.resumed_at:,}.")
    return tuple(found)


def _sum(costs: list[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def format_cost(cost: float | None) -> str:
    """A cost for people."""
    return "unknown" if cost is None else f"${cost:.4f}"

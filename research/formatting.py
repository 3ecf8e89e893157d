"""Formatting of numbers, costs, usage and notes for people; sizes of texts in JSON.

Imports the standard library and `models` only, because the workflow and the starter import it.
"""

import json
from bisect import bisect_right

from models import LLMCallOutput, Usage

MAX_SUMMARY_BYTES = 400
"""The service's limit for the JSON of a Workflow's or a step's summary."""
INCOMPLETE = {
    "length": "ends where the longest possible answer ended; it is not complete",
    "too_long": "ends where the longest possible answer ended; it is not complete",
    "empty": "was interrupted, and the model did not continue it; it is not complete",
    "unfinished": "may be incomplete: the model never said that the text was finished",
}
"""What a reader must know, by the finish reason of the text."""


def pluralize(number: int, thing: str) -> str:
    """Return a count with its noun, as in `1 page` or `1,204 pages`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def format_cost(cost: float | None) -> str:
    """Return a cost in US dollars, or "unknown" where the model has no price."""
    return "unknown" if cost is None else f"${cost:.4f}"


def cut_summary(text: str) -> str:
    """Return the beginning of the text that the service accepts as a step's summary."""
    line, limit = " ".join(text.split()), MAX_SUMMARY_BYTES - len('""')
    if json_bytes(line) <= limit:
        return line
    return truncate_json(line, limit - json_bytes("…")).rstrip() + "…"


def format_usage(usage: Usage) -> str:
    """Return the usage of a report in one line."""
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    line = f"{tokens}, cost {format_cost(usage.cost)}, {usage.seconds:.0f} s, requests {usage.requests}"
    if usage.searches:
        line += f", searches {usage.searches} ({format_cost(usage.search_cost)})"
    if usage.saved_tokens:
        line += f"; durability saved {usage.saved_tokens:,} tokens ({format_cost(usage.saved_cost)})"
    return line


def format_call(call: LLMCallOutput) -> str:
    """Return the size and the usage of one model call in one line, for the worker's log."""
    words = pluralize(len(call.text.split()), "word")
    tokens = pluralize(call.output_tokens or 0, "token")
    return f"{words}, {tokens}, cost {format_cost(call.cost)}, {call.seconds:.0f} s"


def summary_notes(summary: LLMCallOutput | None, failure: str) -> list[str]:
    """Return the notes for the page about the summary, or about the reason why there is none."""
    if summary is None:
        return [f"There is no executive summary: {failure}."]
    shortened = "The summary covers the beginning of the research only: all of it is too long for the model."
    return [*([shortened] if summary.prompt_shortened else []), *call_notes("The summary", summary)]


def call_notes(part: str, call: LLMCallOutput) -> list[str]:
    """Return the notes about one text, as sentences whose subject is `part`."""
    clauses = [*call.notes]
    if call.finish_reason in INCOMPLETE:
        clauses.insert(0, INCOMPLETE[call.finish_reason])
    clauses += resumed_clause(call, f" at character {call.resumed_at:,}" if call.resumed_at else "")
    return [f"{part} {clause}." for clause in clauses]


def resumed_clause(call: LLMCallOutput, where: str = "") -> list[str]:
    """Return what a reader must know of the seam in a resumed text.

    There is none where the provider had kept the answer.
    """
    if not call.resumed_at or call.resumed_by == "retrieve":
        return []
    seam = "; the model wrote the rest, from the next paragraph on, as a second answer"
    return [f"was interrupted and resumed{where}{seam if call.resumed_by == 'block' else ''}"]


def json_bytes(text: str) -> int:
    """Return the bytes of the text in the JSON that Temporal's data converter writes, without quotes."""
    return len(json.dumps(text)) - 2


def truncate_json(text: str, max_bytes: int) -> str:
    """Return the longest beginning of the text whose JSON has at most `max_bytes` bytes."""
    if json_bytes(text) <= max_bytes:
        return text
    end = bisect_right(range(len(text)), max_bytes, key=lambda length: json_bytes(text[:length]))
    return text[: end - 1]

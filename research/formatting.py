"""Formatting of numbers, costs, usage and notes for people; sizes of texts in JSON.

Imports the standard library and `models` only, because the workflow and the starter import it.
"""

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from models import LLMCallOutput, Note, Usage

Say = Callable[..., str]
"""Takes a wording and its values, and returns it in some language."""

MAX_SUMMARY_BYTES = 400
"""The service's limit for the JSON of a Workflow's or a step's summary."""
_INCOMPLETE = {
    "length": "The text ends where the longest possible answer ended; it is not complete.",
    "too_long": "The text ends where the longest possible answer ended; it is not complete.",
    "empty": "The text was interrupted, and the model did not continue it; it is not complete.",
    "unfinished": "The text may be incomplete: the model never said that it was finished.",
}
"""What a reader must know, by the finish reason of the text."""
_PLACE = re.compile(r"\{(\d)\}")


def pluralize(number: int, thing: str) -> str:
    """Return a count with its noun, as in `1 page` or `1,204 pages`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def format_cost(cost: float | None) -> str:
    """Return a cost in US dollars, or "unknown" where the model has no price."""
    return "unknown" if cost is None else f"${cost:.4f}"


def control_character(text: str) -> str:
    """Return the code of a text's first control character or half of a pair, such as U+001B; "" without.

    Line ends and tabs are none.
    """
    found = (each for each in text if each not in "\n\t" and unicodedata.category(each) in ("Cc", "Cs"))
    return next((f"U+{ord(each):04X}" for each in found), "")


def cut_summary(text: str) -> str:
    """Return the beginning of the text that the service accepts as a step's summary."""
    line, limit = " ".join(text.split()), MAX_SUMMARY_BYTES - len('""')
    if json_bytes(line) <= limit:
        return line
    return truncate_json(line, limit - json_bytes("…")).rstrip() + "…"


def fill(wording: str, values: Sequence[str]) -> str:
    """Return a wording with its values; `str.format` would obey what strangers write into braces."""
    return _PLACE.sub(
        lambda place: values[int(place[1])] if int(place[1]) < len(values) else place[0], wording
    )


def in_english(wording: str, *values: str | int) -> str:
    """Return a wording with its values, as it is."""
    return fill(wording, [f"{value:,}" if isinstance(value, int) else value for value in values])


def format_note(note: Note, say: Say = in_english) -> str:
    """Return a note as a sentence, in the language in which `say` has a wording with its values.

    What it is about comes first: the part, such as "Sections {0}" with their numbers, and an earlier version.
    """
    text = say(note.wording, *note.values)
    if note.part:
        numbers = say(", ").join(say("{0}", number) for number in note.numbers)
        text = fill(say("{0}: {1}"), [fill(say(note.part), [numbers]), text])
    if note.version:
        text = fill(say("{0}: {1}"), [say("Version {0}", note.version), text])
    return text


def as_remarks(remarks: Sequence[Note], notes: Sequence[str]) -> tuple[Note, ...]:
    """Return what a reader must know; a version before 0.10 has told it in English texts alone."""
    return tuple(remarks) or tuple(Note("{0}", (note,)) for note in notes)


def format_usage(usage: Usage, say: Say = in_english) -> str:
    """Return the usage of a report in one line, in the language in which `say` has a wording."""
    parts = [
        say("{0} tokens in, {1} out", usage.input_tokens, usage.output_tokens),
        say("cost {0}", format_cost(usage.cost)),
        say("{0} s", round(usage.seconds)),
        say("requests {0}", usage.requests),
    ]
    if usage.searches:
        parts.append(say("searches {0} ({1})", usage.searches, format_cost(usage.search_cost)))
    line = say(", ").join(parts)
    if usage.saved_tokens:
        saved = say("durability saved {0} tokens ({1})", usage.saved_tokens, format_cost(usage.saved_cost))
        line += say("; ") + saved
    return line


def format_call(call: LLMCallOutput) -> str:
    """Return the size and the usage of one model call in one line, for the worker's log."""
    words = pluralize(len(call.text.split()), "word")
    tokens = pluralize(call.output_tokens or 0, "token")
    return f"{words}, {tokens}, cost {format_cost(call.cost)}, {call.seconds:.0f} s"


def summary_notes(summary: LLMCallOutput | None, failure: str) -> list[Note]:
    """Return the notes for the page about the summary, or about the reason why there is none."""
    if summary is None:
        return [Note("There is no executive summary: {0}.", (failure,))]
    covers = "The summary covers the beginning of the research only: all of it is too long for the model."
    shortened = [Note(covers)] if summary.prompt_shortened else []
    return [*shortened, *(replace(note, part="Summary") for note in call_notes(summary))]


def call_notes(call: LLMCallOutput, with_place: bool = True) -> list[Note]:
    """Return the notes about one text; `with_place` also the character at which it was resumed."""
    notes = [Note("{0}", (f"The text {clause}.",)) for clause in call.notes]  # of a version before 0.10
    notes += call.remarks
    if call.finish_reason in _INCOMPLETE:
        notes.insert(0, Note(_INCOMPLETE[call.finish_reason]))
    if not call.resumed_at or call.resumed_by == "retrieve":  # the provider had kept the answer: no seam
        return notes
    place = Note("The text was interrupted and resumed at character {0}.", (call.resumed_at,))
    notes.append(place if with_place else Note("The text was interrupted and resumed."))
    if call.resumed_by == "block":
        notes.append(Note("The model wrote the rest, from the next paragraph on, as a second answer."))
    return notes


def json_bytes(text: str) -> int:
    """Return the bytes of the text in the JSON that Temporal's data converter writes, without quotes."""
    return len(json.dumps(text)) - 2


def truncate_json(text: str, max_bytes: int) -> str:
    """Return the longest beginning of the text whose JSON has at most `max_bytes` bytes."""
    if json_bytes(text) <= max_bytes:
        return text
    end = bisect_right(range(len(text)), max_bytes, key=lambda length: json_bytes(text[:length]))
    return text[: end - 1]

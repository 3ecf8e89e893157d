"""What the offline sample model writes for each call, from the Markdown files beside this one."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from models import LLMCallInput, Step, StepKind
from research.sample import reading
from research.sample.publications import DOIS


class Section(NamedTuple):
    """A planned section about tardigrades; its text cites publications as `{name}`."""

    title: str
    covers: str
    query: str
    text: str


_READING: Mapping[str, Callable[[LLMCallInput], str]] = {
    StepKind.PASSAGES: reading.passages,
    StepKind.JUDGE: reading.verdicts,
    StepKind.REWRITE: lambda call: reading.NOTHING,
    StepKind.CHANGES: reading.changes,
    StepKind.ANSWER: reading.answer,
}


def answer(call: LLMCallInput) -> str:
    """Return what the sample model writes for a call."""
    step = call.step if call.step.kind else Step(StepKind.RESEARCH, topic=call.prompt)
    is_about_tardigrades = "tardigrade" in step.topic.lower()
    if step.kind == StepKind.SUMMARY:
        return _read("tardigrades_summary.md" if is_about_tardigrades else "skeleton_summary.md")
    if step.kind == StepKind.PLAN:
        if step.count:
            return plan(step.count, is_about_tardigrades)
        return _read("tardigrades_queries.md") if is_about_tardigrades else f"## Queries\n\n- {_line(step)}\n"
    if step.kind in _READING:
        return _READING[step.kind](call)
    start, length = call.material.start, sum(call.material.pieces)
    numbers = _numbers(call.prompt[start : start + length])
    if step.kind == StepKind.SECTION:
        text = section(step, numbers, has_sources=length > 0)
        wish = reading.escaped(" ".join(call.wish.split()))
        return f"{text}\nThis section was written once more, with the wish: {wish}\n" if wish else text
    if is_about_tardigrades and (numbers or not length):
        return _with_citations(_read("tardigrades.md"), numbers)
    return _read("skeleton.md").replace("TOPIC", _line(step)) + reading.section(call)


def plan(count: int, is_about_tardigrades: bool) -> str:
    """Return a plan of so many sections; fewer about tardigrades, of which there are eight."""
    if is_about_tardigrades:
        parts = [
            f"## {part.title}\n{part.covers}\n- {part.query}\n" for part in tardigrade_sections()[:count]
        ]
    else:
        parts = [f"## {title}\n{covers}\n" for title, covers in list(_skeleton().items())[:count]]
    return "\n".join(parts)


def section(step: Step, numbers: Mapping[str, str], has_sources: bool) -> str:
    """Return the text of a section; `numbers` has the numbers of the sources by their DOIs."""
    found = next((part for part in tardigrade_sections() if part.title == step.title), None)
    if found:
        return _with_citations(found.text, numbers)
    covers = _skeleton().get(step.title, "what the plan gives it")
    return _read("skeleton_section.md").format(
        number=step.number,
        covers=covers[0].lower() + covers[1:].rstrip("."),
        topic=_line(step),
        sources="with the sources that the search found" if has_sources else "without sources",
    )


@cache
def tardigrade_sections() -> tuple[Section, ...]:
    """Return the planned sections about tardigrades with their texts."""
    found = []
    for part in re.split(r"^## ", _read("tardigrades_sections.md"), flags=re.MULTILINE)[1:]:
        head, _, text = part.partition("\n\n")
        title, covers, query = head.split("\n")
        found.append(Section(title, covers, query.removeprefix("- "), f"{text.rstrip()}\n"))
    return tuple(found)


@cache
def _skeleton() -> dict[str, str]:
    """Return what each section about another topic covers, by its title."""
    return dict(json.loads(_read("skeleton_sections.json")))


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _with_citations(text: str, numbers: Mapping[str, str]) -> str:
    """Return the text with the numbers of the sources in place of the names of publications."""
    return re.sub(r" ?\{(\w+)\}", lambda mark: _citation(numbers.get(DOIS[mark[1]])), text)


def _citation(number: str | None) -> str:
    return f" [{number}]" if number else ""


def _numbers(sources: str) -> dict[str, str]:
    """Return the numbers of the quoted sources by their DOIs."""
    found = re.findall(r"^\[(\d+)\].*\n.*\n.*doi\.org/(\S+)", sources, re.MULTILINE)
    return {doi: number for number, doi in found}


def _line(step: Step) -> str:
    """Return the topic's beginning as one line of Markdown."""
    words = " ".join(step.topic.split())
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", words[:120] + ("…" if len(words) > 120 else ""))

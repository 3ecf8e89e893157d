"""A plan of a report: the sections and search queries that a model proposes, read from its Markdown.

Read tolerantly, because small local models must be able to write one: headings of one level, bold lines
or numbered lines are sections, bullets are queries, other lines say what a section covers.

The Workflow reads plans while it replays: a change that reads a recorded plan differently needs
`workflow.patched` there, or a running report can't be replayed.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models import Note, PlannedSection
from research.markdown.reference_lists import is_reference_label

MIN_SECTIONS, MAX_SECTIONS = 2, 20
MAX_QUERIES = 4
MAX_QUERY_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 120
MAX_COVERS_CHARACTERS = 400
MAX_PLAN_BYTES = 60_000
"""Bytes of a plan as JSON: the Workflow reads it, and has two seconds. 20 sections need a quarter."""

_HEADING = re.compile(r"(?P<level>#{1,6})\s+(?P<text>.+)")
_BOLD = re.compile(r"(?:\d{1,2}[.)]\s*)?(?:\*\*|__)(?P<text>[^*_]+)(?:\*\*|__)\s*[:：]?\s*(?P<covers>.*)")
_NUMBERED = re.compile(r"(?:\d{1,2}\s*[.)、]|[一二三四五六七八九十]{1,3}、)\s*(?P<text>.+)")
_BULLET = re.compile(r"[-*+•–]\s+(?P<text>.+)")
_LABEL = re.compile(
    r"(?:(?P<query>(?:search\s+)?(?:quer(?:y|ies)|search|keywords?)|查询|搜索|検索|запрос(?:ы)?)"
    r"|covers?|scope|description|内容)\s*(?:\d+\s*)?(?:[:：]\s*|$)",
    re.IGNORECASE,
)
# Not from within a run of white space, or each of its characters would be searched to its end.
_NUMBER = re.compile(
    r"(?:(?:(?:section|part)\s*|(?<!\s)\s*)\d{1,2}\s*[.):：、]|[一二三四五六七八九十]{1,3}、)\s*",
    re.IGNORECASE,
)
_ADDED = ("executive summary", "summary", "abstract", "摘要", "zusammenfassung", "résumé", "resumen")
_DECORATION = "\"'`“”„«»「」『』*_# \t"


@dataclass(frozen=True)
class PlannedQuery:
    """A query for the search provider, and the sections that it is for, counted from 1."""

    text: str
    sections: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Heading(PlannedSection):
    """A section while it is read."""

    level: int = 0
    """Of its heading; 0 where it begins with another kind of line."""


def read_plan(text: str) -> tuple[PlannedSection, ...]:
    """Return the sections of a plan in their order; none where nothing of the text can be read as one."""
    lines = list(_lines(text))
    level = _section_level(lines)
    has_bold = any(_bold(line) for line in lines)
    sections: list[_Heading] = []
    for line in lines:
        start = _section(line, level, has_bold)
        if start:
            sections.append(start)
            continue
        if not sections:
            sections.append(_Heading(""))
        sections[-1] = _extended(sections[-1], line)
    return tuple(PlannedSection(each.title, each.covers, each.queries) for each in _without_titles(sections))


def sections_asked_for(number: int) -> int:
    """Return how many sections a plan is asked for; 0 for a report of one text."""
    return min(number, MAX_SECTIONS) if number >= MIN_SECTIONS else 0


def plan_notes(asked: int, planned: int) -> list[Note]:
    """Return the notes for the page about sections that were asked for and not planned."""
    if asked > MAX_SECTIONS:
        return [Note("A report has at most {0} sections; {1} were asked for.", (MAX_SECTIONS, asked))]
    if sections_asked_for(asked) and not planned:
        return [Note("The model wrote no plan of sections that could be read, so the report is one text.")]
    return []


def sections_to_write(plan: Sequence[PlannedSection]) -> tuple[PlannedSection, ...]:
    """Return the sections of a plan, at most MAX_SECTIONS; none where it has less than MIN_SECTIONS.

    Summary and references, which the program adds, are left out.
    """
    sections = [
        section
        for section in plan
        if section.title and not is_reference_label(section.title) and section.title.casefold() not in _ADDED
    ]
    return tuple(sections[:MAX_SECTIONS]) if len(sections) >= MIN_SECTIONS else ()


def search_queries(
    plan: Sequence[PlannedSection], topic: str, limit: int = MAX_QUERIES
) -> tuple[PlannedQuery, ...]:
    """Return at most `limit` queries, the first of each section before the second of any.

    A plan without queries is searched by its titles, and no plan at all by the topic.
    """
    columns = [section.queries or ((section.title,) if section.title else ()) for section in plan]
    wanted: dict[str, tuple[str, list[int]]] = {}
    for row in range(max(map(len, columns), default=0)):
        for number, column in enumerate(columns, start=1):
            if row < len(column):
                _, sections = wanted.setdefault(column[row].casefold(), (column[row], []))
                sections.append(number)
    queries = tuple(PlannedQuery(text, sections=tuple(numbers)) for text, numbers in wanted.values())
    return queries[:limit] or (PlannedQuery(_cut(" ".join(topic.split()), MAX_QUERY_CHARACTERS)),)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith(("```", "~~~", "---", "***")):
            yield stripped


def _section_level(lines: Sequence[str]) -> int:
    """Return the level of the headings that begin sections; those below it belong to them. 0 without any."""
    levels = Counter(len(heading["level"]) for line in lines if (heading := _HEADING.fullmatch(line)))
    return min((level for level, times in levels.items() if times > 1), default=max(levels, default=0))


def _section(line: str, level: int, has_bold: bool) -> _Heading | None:
    """Return the section that begins with this line, by the plan's strongest kind of beginning."""
    if level:
        heading = _HEADING.fullmatch(line)
        is_section = heading is not None and len(heading["level"]) <= level
        return _titled(heading["text"], level=len(heading["level"])) if heading and is_section else None
    if has_bold:
        bold = _bold(line)
        return _titled(bold["text"], bold["covers"]) if bold else None
    numbered = _NUMBERED.fullmatch(line)
    if not numbered:
        return None
    title, _, covers = numbered["text"].partition(": ")
    return _titled(title, covers)


def _titled(text: str, covers: str = "", level: int = 0) -> _Heading | None:
    title = _cut(_plain(_NUMBER.sub("", _plain(text), count=1)), MAX_TITLE_CHARACTERS)
    return _Heading(title, _cut(covers.strip(), MAX_COVERS_CHARACTERS), level=level) if title else None


def _extended(section: _Heading, line: str) -> _Heading:
    """Return the section with one more query, or with more of what it covers."""
    item = _BULLET.fullmatch(line) or _NUMBERED.fullmatch(line)
    text = re.sub(r"\*\*|__", "", item["text"] if item else line.lstrip("# ")).strip()
    label = _LABEL.match(text)
    text = text[label.end() :] if label else text
    if (item and not label) or (label and label["query"]):
        query = _cut(_plain(text), MAX_QUERY_CHARACTERS)
        is_wanted = query and len(section.queries) < MAX_SECTIONS
        return replace(section, queries=(*section.queries, query)) if is_wanted else section
    if not section.title:  # a remark before the plan
        return section
    return replace(section, covers=_cut(f"{section.covers} {text}".strip(), MAX_COVERS_CHARACTERS))


def _bold(line: str) -> re.Match[str] | None:
    """Return a bold line, unless it is a label such as "**Queries:**"; a line with a number is none."""
    bold = _BOLD.fullmatch(line)
    is_label = (
        bold and re.search("[:：]", line) and line[0] in "*_" and _LABEL.fullmatch(bold["text"].strip())
    )
    return None if is_label else bold


def is_label(text: str) -> bool:
    """Return whether the text begins with a label of a plan's line, such as "Queries:" or "Covers:"."""
    return _LABEL.match(text) is not None


def _without_titles(sections: list[_Heading]) -> Iterator[_Heading]:
    """Leave out the plan's own title, a heading over other headings, and what is empty."""
    for number, section in enumerate(sections):
        below = sections[number + 1].level if number + 1 < len(sections) else 0
        is_title = not section.queries and 0 < section.level < below
        if not is_title and (section.title or section.queries):
            yield section


def _plain(text: str) -> str:
    return text.strip(_DECORATION).strip()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]

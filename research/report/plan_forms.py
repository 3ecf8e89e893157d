"""Forms of a plan in which models answer although headings were asked for: JSON, tables, "Section 1: …".

`as_headings` brings them into the one form that `plan.py` reads. It is for the Activity that asks for a plan,
whose result is recorded: so the Workflow reads a recorded plan as it always did, and replays.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from models import PlannedSection
from research.formatting import truncate_json
from research.markdown.fences import opening
from research.report.plan import MAX_PLAN_BYTES, MAX_SECTIONS, is_label, read_plan, sections_to_write

# Beginnings of words in the names of fields and columns.
_TITLES = (
    "title",
    "section",
    "heading",
    "name",
    "chapter",
    "标题",
    "章",
    "titel",
    "titre",
    "título",
    "abschnitt",
)
_COVERS = ("cover", "desc", "content", "scope", "summary", "about", "内容", "inhalt", "contenu", "contenido")
_QUERIES = ("quer", "search", "keyword", "查询", "搜索", "検索", "suche", "recherche", "búsqueda")
_LISTS = ("sections", "chapters", "parts", "outline", "plan", "章节", "部分", "abschnitte", "kapitel")

MAX_PARTS = 100
"""Rows and objects of a plan that are read; more than MAX_SECTIONS, because some are none."""

_GAP = r"[ \t\u00a0\u3000]{0,9}"
_KIND = (
    r"(?:chapter|section|part|kapitel|abschnitt|teil|chapitre|partie|cap[ií]tulo|sección|parte"
    r"|глава|раздел|часть)"
)
_END = rf"(?:{_GAP}[.):：、|·–—-]{_GAP}|[ \t](?=(?-i:[^\W\d_a-zà-ÿа-я])))"
_LABEL = re.compile(
    rf"(?:{_KIND}{_GAP}(?:№|\#)?(?:\d{{1,2}}|[IVX]{{1,5}}\b){_END}"
    rf"|第{_GAP}[\d一二三四五六七八九十]{{1,3}}{_GAP}[章节節部回]{_GAP}[.:：、–—-]?{_GAP}"
    rf"|제{_GAP}\d{{1,2}}{_GAP}[장절]{_GAP}[.:：–—-]?{_GAP})(?=\S)",
    re.IGNORECASE,
)
_NUMERAL = re.compile(rf"([IVX]{{1,5}})[.)]{_GAP}(?=\S)")
_NUMBER = re.compile(rf"\d{{1,2}}{_GAP}[.):：、]{_GAP}(?=\S)")
_TITLE_LINE = re.compile(rf"{_GAP}(#{{1,6}}[ \t]{{1,9}}(?:\*\*|__)?|\*\*|__)")
_UNDERLINE = re.compile(rf" {{0,3}}(=+|-{{2,}}){_GAP}")
_NO_TITLE = re.compile(r"[#>|]|[-*+•–]\s|\d{1,2}[.)]\s")
_RULE_OF_TABLE = re.compile(r"[|:\- \t]{3,}")
_BETWEEN_QUERIES = re.compile(r"<br ?/?>|[;；\n]")


def as_headings(text: str) -> str:
    """Return the plan as headings, what they cover, and queries in bullets, its titles without their labels.

    Text that has this form already stays as it is, and so does whatever can be read in no form.
    """
    text = truncate_json(text, MAX_PLAN_BYTES)
    plan = read_plan(text)
    if sections_to_write(plan):
        cleaned = _with_clean_titles(text)
        return text if read_plan(cleaned) == plan else truncate_json(cleaned, MAX_PLAN_BYTES)
    for form in (_from_json, _from_table, _from_underlines, _from_labels):
        if len(sections := form(text)) > 1:
            return truncate_json("\n\n".join(map(_written, range(1, 100), sections)), MAX_PLAN_BYTES)
    queries = [] if plan else [*_queries_in_json(text), *_queries_in_table(text)]
    return "\n".join(f"- {query}" for query in queries) or text


def _written(number: int, section: PlannedSection) -> str:
    """Return a section as `read_plan` reads it; that removes the first number of a title, so it gets one."""
    lines = [f"## {number}. {section.title}", section.covers, *(f"- {query}" for query in section.queries)]
    return "\n".join(" ".join(line.split()) for line in lines if line)


def _with_clean_titles(text: str) -> str:
    """Return the plan with its headings, and its bold lines, without labels such as "Chapter 1 –" or "I."."""
    lines = text.split("\n")
    starts = [_TITLE_LINE.match(line) for line in lines]
    bare = [line[start.end() :] if start else "" for line, start in zip(lines, starts, strict=True)]
    is_numeral = _counts_in_numerals(bare)
    for number, start in enumerate(starts):
        own = _without_label(bare[number], is_numeral)
        if start and own != bare[number] and not is_label(bare[number].strip("*_ ")):
            lines[number] = f"{start[0]}1. {own}"
    return "\n".join(lines)


def _counts_in_numerals(titles: Sequence[str]) -> bool:
    """Return whether the titles begin with "I." and "II.", because "V." alone may be a name."""
    numerals = [found[1] for title in titles if (found := _NUMERAL.match(title))]
    return numerals[:2] == ["I", "II"]


def _without_label(title: str, is_numeral: bool) -> str:
    """Return the title without its label, or without its number where one more follows in the title."""
    for pattern in (_LABEL, *([_NUMERAL] if is_numeral else []), _NUMBER):
        if found := pattern.match(title):
            return title[found.end() :]
    # Because `read_plan` takes a number out of the middle of a title, too: "Phase 2: Tests".
    return f"{title} " if re.search(r"\d[ \t]?[.):：、]", title) else title


def _from_json(text: str) -> list[PlannedSection]:
    return next((sections for value in _values(_json(text)) if len(sections := _sections(value)) > 1), [])


def _json(text: str) -> Any:
    """Return the first JSON value in the text that is a list or an object; None without one."""
    found = re.search(r"[\[{]", text)
    try:
        return json.JSONDecoder().raw_decode(text[found.start() :])[0] if found else None
    except (ValueError, RecursionError):
        return None


def _values(value: Any, depth: int = 3) -> Iterator[Any]:
    """Yield the value, and what is in it, the outermost first."""
    yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts if depth else ():
        yield from _values(part, depth - 1)


def _sections(value: Any) -> list[PlannedSection]:
    """Return the sections that a list of objects stands for, an object of them, or a list of titles."""
    if isinstance(value, list):
        parts = [part for part in value[:MAX_PARTS] if isinstance(part, dict)]
        return [section for part in parts if (section := _section(part))]
    if not isinstance(value, dict):
        return []
    for name in _named(value, _LISTS):
        if titles := [part for part in _strings(value[name])[:MAX_PARTS] if isinstance(value[name], list)]:
            return [PlannedSection(_cleaned(title)) for title in titles]
    known = _named(value, (*_TITLES, *_COVERS, *_QUERIES, *_LISTS))
    named = [(name, part) for name, part in value.items() if isinstance(part, dict) or name not in known]
    return [section for title, part in named[:MAX_PARTS] if (section := _section(part, title))]


def _section(part: Any, title: str = "") -> PlannedSection | None:
    """Return the section that an object stands for; None where it has no title."""
    fields = part if isinstance(part, dict) else {_QUERIES[0]: part}
    own = title or next(filter(None, (_one_line(fields[name]) for name in _named(fields, _TITLES))), "")
    covers = next(filter(None, (_one_line(fields[name]) for name in _named(fields, _COVERS))), "")
    queries = tuple(query for name in _named(fields, _QUERIES) for query in _strings(fields[name]))
    if not own or (title and not covers and not queries):
        return None
    return PlannedSection(_cleaned(own), covers, queries[:MAX_SECTIONS])


def _named(names: Any, beginnings: Sequence[str]) -> list[str]:
    """Return those of the names that say so, whatever their case."""
    return [
        name
        for name in names
        if any(word.startswith(tuple(beginnings)) for word in re.split(r"[\W_]+", str(name).casefold()))
    ]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip(" \t-*•\"'`") for part in _BETWEEN_QUERIES.split(value) if part.strip()]
    return [_one_line(part) for part in value if _one_line(part)] if isinstance(value, list) else []


def _one_line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _cleaned(title: str) -> str:
    return _without_label(title.strip(" \t*_#`"), is_numeral=True).strip(" \t*_")


def _queries_in_json(text: str) -> list[str]:
    """Return the queries of `{"queries": […]}`, or of a list of strings."""
    for value in _values(_json(text), depth=1):
        if isinstance(value, dict) and (names := _named(value, _QUERIES)):
            return [query for name in names for query in _strings(value[name])][:MAX_SECTIONS]
        if isinstance(value, list) and any(isinstance(part, str) for part in value):
            return _strings(value)[:MAX_SECTIONS]
    return []


def _table(text: str) -> list[dict[str, str]]:
    """Return the rows of the first table, each by the names of its columns."""
    lines = [line.strip() for line in text.split("\n")]
    for number, (head, rule) in enumerate(pairwise(lines)):
        if "|" in head and "-" in rule and _RULE_OF_TABLE.fullmatch(rule):
            names = [f"{name}{' ' * column}" for column, name in enumerate(_cells(head))]  # each once
            below = lines[number + 2 :]
            end = next((row for row, line in enumerate(below) if "|" not in line), len(below))
            return [dict(zip(names, _cells(line), strict=False)) for line in below[:end]]
    return []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _from_table(text: str) -> list[PlannedSection]:
    rows = _table(text)
    names = list(rows[0]) if rows else []
    known = {*_named(names, _COVERS), *_named(names, _QUERIES)}
    counts = {name for name in names if all(row.get(name, "").strip(".)#").isdigit() for row in rows)}
    titles = [name for name in _named(names, _TITLES) if name not in counts]
    titles = titles or [name for name in names if name not in known | counts]
    if not titles:
        return []
    found = []
    for row in rows[:MAX_PARTS]:
        about = {name: cell for name, cell in row.items() if name in known and name != titles[0]}
        found.append(_section({_TITLES[0]: row.get(titles[0], ""), **about}))
    return [section for section in found if section]


def _queries_in_table(text: str) -> list[str]:
    rows = _table(text)
    return [query for row in rows for name in _named(row, _QUERIES) for query in _strings(row[name])][
        :MAX_SECTIONS
    ]


def _from_underlines(text: str) -> list[PlannedSection]:
    """Read the headings that are underlined, of which each is one line."""
    lines = text.split("\n")
    for number in range(1, len(lines)):
        found, title = _UNDERLINE.fullmatch(lines[number]), lines[number - 1].strip()
        if found and title and not _NO_TITLE.match(title) and not opening(title):
            lines[number - 1] = f"{'#' if found[1][0] == '=' else '##'} 1. {_cleaned(title)}"
            lines[number] = ""
    return _titled_sections("\n".join(lines))


def _from_labels(text: str) -> list[PlannedSection]:
    """Read the lines that begin with "Section 1:" or "第一章", or with numerals from "I." on."""
    lines = [line.strip().strip("*_").strip() for line in text.split("\n")]
    is_numeral = _counts_in_numerals(lines)
    written = []
    for line in lines:
        label = _LABEL.match(line) or (_NUMERAL.match(line) if is_numeral else None)
        title, _, covers = line[label.end() if label else 0 :].partition(": ")
        written += [f"## 1. {title}", covers] if label else [line]
    return _titled_sections("\n".join(written))


def _titled_sections(text: str) -> list[PlannedSection]:
    return list(sections_to_write(read_plan(text)))

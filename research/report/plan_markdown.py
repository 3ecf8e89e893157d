"""A plan as the Markdown that a person reads and edits, and what an edited one says."""

from collections.abc import Iterator, Sequence

from models import PlannedSection
from research.report.plan import MAX_COVERS_CHARACTERS, MAX_QUERY_CHARACTERS, MAX_TITLE_CHARACTERS

QUERIES = "Queries"
"""The heading of queries that belong to no section."""


class BadPlan(Exception):
    """An edited plan that cannot be read; the message is a sentence that names the line."""


def plan_markdown(plan: Sequence[PlannedSection]) -> str:
    """Return a plan as Markdown: headings, what the sections cover, and a bullet for each query."""
    return "\n\n".join(
        "\n".join(
            [
                f"## {section.title or QUERIES}",
                *filter(None, [section.covers]),
                *(f"- {q}" for q in section.queries),
            ]
        )
        for section in plan
    )


def edited_plan(text: str, has_sections: bool) -> tuple[PlannedSection, ...]:
    """Return the plan that a person has written, in the form of `plan_markdown`.

    Raises:
        BadPlan: a line that is none of it.
    """
    found: list[PlannedSection] = []
    for number, line in _lines(text):
        kind, _, words = line.partition(" ")
        words = words.strip()
        if kind in ("-", "*", "+") and not words:
            raise BadPlan(f'Line {number}: a query has words, such as "- moss in space".')
        if kind.startswith("#") and (kind.strip("#") or not words):
            raise BadPlan(f'Line {number}: a heading has a space and words, such as "## Background".')
        if kind.startswith("#"):
            title = words if has_sections else ""
            found.append(PlannedSection(_short(title, MAX_TITLE_CHARACTERS, number)))
            continue
        if not found:
            raise BadPlan(f'Line {number}: a section begins with a heading, such as "## Background".')
        section = found[-1]
        if kind in ("-", "*", "+"):
            queries = (*section.queries, _short(words, MAX_QUERY_CHARACTERS, number))
            found[-1] = PlannedSection(section.title, section.covers, queries)
        elif not has_sections:
            raise BadPlan(f'Line {number}: this plan has only search queries, such as "- moss in space".')
        elif section.queries:
            raise BadPlan(
                f'Line {number}: what a section covers stands above its queries, which begin with "- ".'
            )
        else:
            covers = f"{section.covers} {line}".strip()
            found[-1] = PlannedSection(section.title, _short(covers, MAX_COVERS_CHARACTERS, number))
    if not found:
        raise BadPlan("There is nothing in it.")
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("<!--"):
            yield number, " ".join(line.split())


def _short(words: str, most: int, number: int) -> str:
    if len(words) > most:
        raise BadPlan(f"Line {number}: {len(words)} characters are too many; at most {most} are taken.")
    return words

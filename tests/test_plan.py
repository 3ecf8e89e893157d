"""A plan is read as models write it, small local ones too; whatever they write, there is a query."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import PlannedSection
from research.formatting import truncate_json
from research.report.plan import (
    MAX_PLAN_BYTES,
    MAX_QUERY_CHARACTERS,
    MAX_SECTIONS,
    PlannedQuery,
    read_plan,
    search_queries,
    sections_to_write,
)
from research.report.plan_forms import as_headings

SHAPES = {
    "headings": (
        "# Plan: Tardigrades\n\n## Biology\nAnatomy and kinship.\n- tardigrade anatomy\n"
        "- tardigrade phylogeny\n\n## Survival\nHow they endure.\n"
        "- tardigrade cryptobiosis\n- tardigrade phylogeny\n"
    ),
    "bold, numbered, with labels": (
        'Sure, here is the plan.\n\n**1. Biology**: Anatomy and kinship.\n* Query: "tardigrade anatomy"\n'
        "* Search 2: `tardigrade phylogeny`\n\n**2. Survival**\nCovers: How they endure.\n"
        "• tardigrade cryptobiosis\n"
    ),
    "numbered": (
        "1. Biology: Anatomy and kinship.\n   - tardigrade anatomy\n   - tardigrade phylogeny\n"
        "2) Survival: How they endure.\n   - tardigrade cryptobiosis\n"
    ),
    "headings below each section": (
        "# Report\n\n## Section 1: Biology\n### Covers\nAnatomy and kinship.\n### Queries\n"
        "- tardigrade anatomy\n- tardigrade phylogeny\n## Section 2: Survival\n### Covers\n"
        "How they endure.\n### Queries\n- tardigrade cryptobiosis\n"
    ),
    "bold, with bold labels": (
        "**Biology**\n**Covers:** Anatomy and kinship.\n**Query 1:** tardigrade anatomy\n"
        "**Query 2:** tardigrade phylogeny\n\n**Survival**\n- **Covers**: How they endure.\n"
        "- **Query**: tardigrade cryptobiosis\n"
    ),
    "in a fence, ordered queries": (
        "```markdown\n### Section 1: Biology\nAnatomy and kinship.\n1. tardigrade anatomy\n"
        "2. tardigrade phylogeny\n### Section 2: Survival ###\n"
        "How they endure.\n1. tardigrade cryptobiosis\n```"
    ),
}


def texts_of(queries: tuple[PlannedQuery, ...]) -> list[str]:
    return [query.text for query in queries]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_in_the_shapes_that_models_write(shape: str) -> None:
    plan = read_plan(SHAPES[shape])
    assert [(section.title, section.covers) for section in plan] == [
        ("Biology", "Anatomy and kinship."),
        ("Survival", "How they endure."),
    ]
    assert plan[0].queries == ("tardigrade anatomy", "tardigrade phylogeny")
    assert plan[1].queries[0] == "tardigrade cryptobiosis"
    first, second, third = search_queries(plan, "Tardigrades")
    assert first == PlannedQuery("tardigrade anatomy", (1,))
    assert second == PlannedQuery("tardigrade cryptobiosis", (2,))
    assert (third.text, third.sections[0]) == ("tardigrade phylogeny", 1)


def test_a_plan_in_chinese() -> None:
    plan = read_plan("## 一、生物学\n内容：解剖。\n- 查询：水熊虫 解剖\n- 水熊虫 亲缘\n")
    assert plan[0].queries == ("水熊虫 解剖", "水熊虫 亲缘")
    assert (plan[0].title, plan[0].covers) == ("生物学", "解剖。")


def test_the_sections_that_are_written() -> None:
    """What the program adds is not written by the model; a plan of one section, or of thirty, is bounded."""
    plan = read_plan("## Executive Summary\n## Biology\n## Survival\n## 9. References\n")
    assert [section.title for section in sections_to_write(plan)] == ["Biology", "Survival"]
    assert sections_to_write(read_plan("## Biology\n- moss\n## References\n")) == ()
    thirty = read_plan("".join(f"## Part of the whole, {number}\n" for number in range(30)))
    assert sections_to_write(thirty) == thirty[:20]


def test_queries_without_sections() -> None:
    plan = read_plan("Here are some queries:\n- moss\n- tun\n- MOSS\n- vacuum\n- cold\n- heat\n")
    assert texts_of(search_queries(plan, "Tardigrades")) == ["moss", "tun", "vacuum", "cold"]


def test_a_query_of_two_sections_is_made_once_for_both() -> None:
    plan = read_plan("## Moss\n- Tardigrades in moss\n## Space\n- tardigrades in MOSS\n- orbit\n")
    assert search_queries(plan, "Tardigrades") == (
        PlannedQuery("Tardigrades in moss", (1, 2)),
        PlannedQuery("orbit", (2,)),
    )


def test_a_plan_without_queries_is_searched_by_its_titles() -> None:
    plan = read_plan("## Moss\nWhere they live.\n## Space\n")
    assert search_queries(plan, "A topic") == (PlannedQuery("Moss", (1,)), PlannedQuery("Space", (2,)))


@pytest.mark.parametrize("text", ["", "I cannot plan that.", '{"queries": ["a", "b"]}', "\n\n---\n"])
def test_without_a_plan_the_topic_is_the_query(text: str) -> None:
    topic = "How do tardigrades\nsurvive? " + "word " * 100
    [query] = texts_of(search_queries(read_plan(text), topic))
    assert query.startswith("How do tardigrades survive? word")
    assert len(query) <= MAX_QUERY_CHARACTERS


OTHER_FORMS = {
    "JSON": (
        '```json\n{"title": "Tardigrades", "sections": [\n'
        '  {"title": "1. Biology", "covers": "Anatomy.", "queries": ["tardigrade anatomy", "kinship"]},\n'
        '  {"title": "Survival", "description": "How they endure.", "search_queries": "cryptobiosis"}]}\n```'
    ),
    "JSON, a list": (
        'Here it is:\n[{"Section": "Biology", "Content": "Anatomy.",'
        ' "Keywords": "tardigrade anatomy; kinship"},'
        ' {"Section": "Survival", "Content": "How they endure.", "Keywords": ["cryptobiosis"]}]'
    ),
    "JSON, by title": (
        '{"plan": {"Chapter 1: Biology": {"covers": "Anatomy.",'
        ' "queries": ["tardigrade anatomy", "kinship"]},'
        ' "Chapter 2: Survival": {"covers": "How they endure.", "queries": ["cryptobiosis"]}}}'
    ),
    "a table": (
        "| # | Section | What it covers | Search queries |\n|---|:---|---|---|\n"
        "| 1 | **Biology** | Anatomy. | tardigrade anatomy<br>kinship |\n"
        "| 2 | Survival | How they endure. | cryptobiosis |\n\nThat is all."
    ),
    "underlined": (
        "Tardigrades\n===========\n\nBiology\n-------\nAnatomy.\n- tardigrade anatomy\n- kinship\n\n"
        "Survival\n--------\nHow they endure.\n- cryptobiosis\n"
    ),
    "labels": (
        "Section 1: Biology\nAnatomy.\n- tardigrade anatomy\n- kinship\n\n"
        "Section 2: Survival\nHow they endure.\n- cryptobiosis\n"
    ),
    "numerals": (
        "I. Biology: Anatomy.\n- tardigrade anatomy\n- kinship\n"
        "II. Survival: How they endure.\n- cryptobiosis\n"
    ),
}


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_a_plan_in_another_form_becomes_headings(form: str) -> None:
    text = as_headings(OTHER_FORMS[form])
    plan = sections_to_write(read_plan(text))
    assert [(section.title, section.covers, section.queries) for section in plan] == [
        ("Biology", "Anatomy.", ("tardigrade anatomy", "kinship")),
        ("Survival", "How they endure.", ("cryptobiosis",)),
    ]
    assert as_headings(text) == text


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_of_headings_stays_as_it_is(shape: str) -> None:
    """To the letter, because it was read before; so does a text that is no plan."""
    assert as_headings(SHAPES[shape]) == SHAPES[shape]
    assert as_headings(f"I cannot plan that. {shape}") == f"I cannot plan that. {shape}"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Chapter 1 – Biology", "Biology"),
        ("CHAPTER 2: Biology", "Biology"),
        ("Part II. Biology", "Biology"),
        ("Chapter 3 Biology", "Biology"),
        ("Kapitel 4 - Biologie", "Biologie"),
        ("Глава 5. Биология", "Биология"),
        ("第一章 生物学", "生物学"),
        ("第12节：生物学", "生物学"),
        ("제3장 생물학", "생물학"),
        ("Phase 2: Tests", "Phase 2: Tests"),
        ("Part 2 of the story", "Part 2 of the story"),
        ("Chapter 11 bankruptcy", "Chapter 11 bankruptcy"),
        ("V. Woolf and her time", "V. Woolf and her time"),
        ("2024 in review", "2024 in review"),
    ],
)
@pytest.mark.parametrize("form", ["## {}\n- a query\n## Other\n", "**{}**\n- a query\n**Other**\n"])
def test_titles_lose_their_labels(written: str, title: str, form: str) -> None:
    plan = read_plan(as_headings(form.format(written)))
    assert [section.title for section in plan] == [title, "Other"]
    assert plan[0].queries == ("a query",)


def test_titles_in_numerals_lose_them() -> None:
    plan = read_plan(as_headings("## I. Biology\n## II. Survival\n## III. References\n"))
    assert [section.title for section in sections_to_write(plan)] == ["Biology", "Survival"]


@pytest.mark.parametrize(
    "text",
    [
        '{"queries": ["moss", "tun"]}',
        '["moss", "tun"]',
        "| # | Query |\n|---|---|\n| 1 | moss |\n| 2 | tun |\n",
    ],
)
def test_queries_alone_in_another_form(text: str) -> None:
    assert texts_of(search_queries(read_plan(as_headings(text)), "Tardigrades")) == ["moss", "tun"]


@given(st.text(alphabet='#*-1. aé中\n:"`_|[]{},第章I', max_size=200))
def test_any_text_becomes_a_plan_of_which_nothing_is_lost(text: str) -> None:
    """What was read as sections or queries is so still, and its titles have no more than they had."""
    before, after = read_plan(text), read_plan(as_headings(text))
    if sections_to_write(before):
        assert len(after) == len(before)
        assert [section.queries for section in after] == [section.queries for section in before]
    assert len(after) >= len(before) or len(sections_to_write(after)) > len(sections_to_write(before))


@given(st.text(alphabet='#*-1. aé中\n:"`_', max_size=200), st.integers(1, 6))
def test_any_text_gives_queries_within_bounds(text: str, limit: int) -> None:
    plan = read_plan(text)
    queries = texts_of(search_queries(plan, "A topic", limit))
    assert 1 <= len(queries) <= limit
    assert all(query.strip() == query and query for query in queries)
    assert all(isinstance(section, PlannedSection) and (section.title or section.queries) for section in plan)


def test_a_wordy_plan_is_kept_whole() -> None:
    """In Chinese, where each character may take six bytes as JSON; the last section is there too."""
    section = (
        "## 第 {} 节：水熊虫\n"
        + "它们怎样在真空、辐射和干燥中生存。" * 16
        + "\n- 水熊虫 隐生 机制\n- 水熊虫 太空 实验\n"
    )
    text = "".join(section.format(number) for number in range(1, MAX_SECTIONS + 1))
    kept = truncate_json(text, MAX_PLAN_BYTES)
    assert kept == text
    assert len(sections_to_write(read_plan(kept))) == MAX_SECTIONS


@pytest.mark.proof
@pytest.mark.parametrize(
    "part", ["x\n", "- a\n", "# a\n", "**a**\n", "1. a\n", "## a\n- b\n", "# ", "**", "1. "]
)
def test_every_plan_is_read_in_little_time(part: str) -> None:
    """The Workflow reads it, and has two seconds; here twice the longest, in half of them."""
    text = part * (2 * MAX_PLAN_BYTES // len(part))
    begun = time.process_time()
    plan = read_plan(text)
    sections_to_write(plan)
    search_queries(plan, "Tardigrades")
    assert time.process_time() - begun < 1.0

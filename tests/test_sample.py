"""The sample model's reports of sections: as many as are planned, each with its own text."""

import re

import pytest

from research.llm import sample_sections
from research.llm.library import load
from research.llm.prompts import planned_sections, section_prompt, sections_plan_prompt, summary_prompt
from research.reports.plan import read_plan, sections_to_write


@pytest.mark.parametrize(
    ("topic", "asked", "planned"),
    [("Tardigrades in space", 8, 8), ("Tardigrades in space", 20, 8), ("Why is the sky {blue}?", 20, 20)],
)
def test_a_plan_and_its_sections(topic: str, asked: int, planned: int) -> None:
    """No two texts are the same, and nothing of a template is left in any of them."""
    load()
    from research.llm.sample import TARDIGRADE_SUMMARY, answer

    prompt = sections_plan_prompt(topic, asked, has_sources=False)
    assert planned_sections(prompt) == asked
    plan = [section.line() for section in sections_to_write(read_plan(answer(prompt)))]
    assert len(plan) == planned
    texts = [answer(section_prompt(topic, plan, number, ())) for number in range(1, planned + 1)]
    assert len(set(texts)) == planned
    assert all(len(text) > 400 for text in texts)
    assert not re.search(r"\{(?!blue)|\[\d", "".join(texts))
    if planned == 8:
        assert answer(summary_prompt("\n\n".join(texts))) == TARDIGRADE_SUMMARY


def test_every_publication_is_cited_by_its_number() -> None:
    numbers = {doi: str(number) for number, doi in enumerate(sample_sections.DOIS.values(), start=1)}
    plan = [f"{part.title}: {part.covers}" for part in sample_sections.TARDIGRADES]
    prompts = [section_prompt("Tardigrades", plan, number, ()) for number in range(1, len(plan) + 1)]
    text = "".join(sample_sections.section(prompt, numbers) for prompt in prompts)
    assert {*re.findall(r" \[(\d)\]", text)} == {*numbers.values()}

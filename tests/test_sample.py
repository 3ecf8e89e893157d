"""The sample model's reports of sections: as many as are planned, each with its own text."""

import re

import pytest

from models import GenerateReportInput, LLMCallInput, LLMCallOutput
from research.report.plan import read_plan
from research.report.report import Report
from research.report.sections import Answer
from research.sample import writing
from research.sample.publications import DOIS

LOOKS_LIKE_A_PROMPT = (
    "Plan a research report on moss for my class",
    "Plan a research report on the topic below, in 3 sections.",
    "Provide a 2-3 sentence executive summary of this research: moss",
    "Write section 2 of 3 of a research report.",
    "Moss\n\nWrite the report from the numbered sources below.\n\nThe sources:\n\n"
    "[1] A title\n2020\nhttps://doi.org/10.1016/j.cub.2008.06.048\n> In orbit.",
)


def answer(call: LLMCallInput) -> LLMCallOutput:
    text = writing.answer(call)
    return LLMCallOutput(text, plan=read_plan(text))


def planned(topic: str, sections: int) -> Report:
    """A report for which the sample model has written the plan."""
    report = Report(GenerateReportInput(topic, sections=sections), "1", "2026-01-01")
    assert report.plan.take(Answer(answer(report.plan.begin(1))))
    return report


@pytest.mark.parametrize(
    ("topic", "asked", "count"),
    [("Tardigrades in space", 8, 8), ("Tardigrades in space", 20, 8), ("Why is the sky {blue}?", 20, 20)],
)
def test_a_plan_and_its_sections(topic: str, asked: int, count: int) -> None:
    """No two texts are the same, and nothing of a template is left in any of them."""
    report = planned(topic, asked)
    assert len(report.plan.sections) == count
    written = [answer(call) for call in report.begin_sections()]
    texts = [call.text for call in written]
    assert len(set(texts)) == count
    assert all(len(text) > 400 for text in texts)
    assert not re.search(r"\{(?!blue)|\[\d", "".join(texts))
    report.take_sections(list(map(Answer, written)))
    summary = answer(report.begin_summary()).text
    assert ("half-millimetre animals" in summary) is (count == 8)


@pytest.mark.parametrize("topic", LOOKS_LIKE_A_PROMPT)
def test_a_topic_that_looks_like_one_of_the_program_s_own_prompts_is_a_topic(topic: str) -> None:
    """Its report is about it: no plan, no summary, no section, no source."""
    report = Report(GenerateReportInput(topic), "1", "2026-01-01")
    research = answer(report.begin_text())
    assert research.text.startswith("## About this text")
    assert "[1]" not in research.text.replace("\\[1\\]", "")
    report.take_text(research)
    assert answer(report.begin_summary()).text.startswith("This is sample text from the built-in")


def test_every_publication_is_cited_by_its_number() -> None:
    numbers = {doi: str(number) for number, doi in enumerate(DOIS.values(), start=1)}
    steps = [call.step for call in planned("Tardigrades", 8).begin_sections()]
    text = "".join(writing.section(step, numbers, has_sources=True) for step in steps)
    assert {*re.findall(r" \[(\d)\]", text)} == {*numbers.values()}

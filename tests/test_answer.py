"""Answers as models send them: reasoning, a fence around it all and markers of citations are no report."""

import re

import pytest

from models import Source, StepKind
from research.formatting import json_bytes, truncate_json
from research.llm import answer
from research.llm.prompts import research_prompt, shorten, summary_prompt
from testing.asked import call_for

REPORT = "# Moss\n\nWater bears live in moss.\n\n```python\nprint('<think>')\n```\n\nThe end 【of it】."


@pytest.mark.parametrize(
    "sent",
    [
        f"<think>\nFirst I plan.\n\n```\na plan\n```\n</think>\n\n{REPORT}",
        f"I plan without an opening tag.\n</think>\n\n{REPORT}",
        f"<thinking>One.</thinking>\n<reasoning>\nTwo.\n</reasoning>\n{REPORT}",
        f"{REPORT}\n\n<think>\nWas that all? The answer was cut here",
    ],
)
def test_reasoning_is_no_report(sent: str) -> None:
    """At the beginning, between, without its opening tag, unclosed; code that shows a tag stays."""
    assert answer.clean(sent).strip() == REPORT


def test_a_text_about_such_tags_stays() -> None:
    text = "Models enclose their reasoning in <think> and </think>, as in `<think>a</think>`."
    assert answer.clean(text) == text


@pytest.mark.parametrize("mark", ["markdown", "md", ""])
def test_a_whole_answer_in_a_fence_is_unwrapped(mark: str) -> None:
    inner = "# Moss\n\nA command:\n\n```bash\nls\n```\n\nThe end."
    assert answer.clean(f"````{mark}\n{inner}\n````") == inner
    assert answer.clean(f"```{mark}\n# Moss\n\nThe end.\n```") == "# Moss\n\nThe end."


def test_a_text_between_two_code_blocks_is_not_unwrapped() -> None:
    text = "```\nfirst\n```\n\nAnd then:\n\n```\nsecond\n```"
    assert answer.clean(text) == text


def test_the_providers_own_citation_markers_go() -> None:
    sent = "They survive\ue200cite\ue202turn0search1\ue201 the cold【4:0†source】, as 【moss】"
    sent += " does:contentReference[oaicite:2]{index=2}."
    assert answer.clean(sent) == "They survive the cold, as 【moss】 does."
    code = "`【4:0†source】`\n\n```\n【4:0†source】\n```"
    assert answer.clean(code) == code


def test_a_file_s_citation_stays_until_the_sources_are_known() -> None:
    """It may be a citation of a source; the check of the citations decides (test_citations.py)."""
    assert (
        answer.clean("They survive【4†source】, too【1†L3-L5】.")
        == "They survive【4†source】, too【1†L3-L5】."
    )


@pytest.mark.parametrize("text", ["語" * 1000, 'a "quoted" \\ text\n' * 100, "🙂" * 500])
def test_a_text_is_cut_by_the_bytes_of_its_json(text: str) -> None:
    cut = truncate_json(text, 900)
    assert text.startswith(cut)
    assert json_bytes(cut) <= 900 < json_bytes(text[: len(cut) + 1])


def test_a_summary_prompt_keeps_its_instructions_when_it_is_shortened() -> None:
    call = call_for(summary_prompt("# One\n\nText.\n\n" * 200), StepKind.SUMMARY)
    short = shorten(call, 1_200, repeat_instruction=True).prompt
    assert short.startswith("Provide a 2-3 sentence executive summary of this research: # One")
    assert short.endswith("Write the summary in the language of the research above.")
    assert short.count("executive summary") == 2
    assert 500 < short.count("# One") * len("# One\n\nText.\n\n") <= 1_200
    assert re.search(r"(# One\n\nText\.\n\n)+Provide a 2-3", short), "it ends behind a paragraph"
    again = shorten(shorten(call, 1_200), 100).prompt
    assert len(again) < len(short)


def test_hostile_answers_take_no_time() -> None:
    """Each is bounded in time: one of them, a long run of white space, once took hours."""
    for text in (
        " \t" * 400_000,
        "<think>" * 20_000,
        "x </think> " * 20_000,
        "\ue200" * 200_000,
        "`` ` " * 50_000,
    ):
        answer.clean(text)


def test_a_prompt_with_sources_keeps_all_but_the_last_when_it_is_shortened() -> None:
    sources = [
        Source(n, f"https://example.org/{n}", f"Title {n}", snippet="word " * 60) for n in range(1, 21)
    ]
    topic = "A topic\n\nThe sources:\n\n[1] Title of the person's own"
    call = call_for(research_prompt(topic, sources), StepKind.RESEARCH)
    short = shorten(call, sum(call.material.pieces) // 2).prompt
    instruction, mark, _ = call.prompt.rpartition("\n\nThe sources:\n\n")
    assert short.startswith(f"{instruction}{mark}[1] Title 1\n")
    assert call.prompt.startswith(short)
    numbers = re.findall(r"^\[(\d+)\] Title", short, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 11)]
    assert short.endswith("word ")
    nothing = shorten(call, 0).prompt
    assert instruction.startswith(nothing.removesuffix("\n\nThe sources:"))

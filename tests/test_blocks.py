"""Where an interrupted text is cut when the rest is asked for: behind its last complete block."""

import pytest

from research.config import ROOT
from research.llm.blocks import MIN_DRAFT, cut_to_block, ends_in_loop, ends_within_sentence
from testing.texts import KINDS, LANGUAGES, templated

TEXT = "# Tides\n\nThe tide rises twice a day along this coast.\n\n"
CORPUS = sorted((ROOT / "tests" / "corpus").glob("*.md"))


@pytest.mark.parametrize(
    ("kept", "lost"),
    [
        ("", "The harbour is closed at low"),
        ("", "The harbour is closed at low water.\n"),  # its next line may belong to it
        ("The harbour is closed at low water.\n\n", ""),
        ("The harbour is closed at low water.\n\n", "## Boats"),
        ("The harbour is closed.\n\n", "## Boats\n\n"),
        ("The harbour is closed.\n\n", "## Boats\n\n**Small ones:**\n\n- the fir"),
        ("The harbour is closed.\n\n", "Bug Fixes:\n\n- the fir"),
        ("The harbour is closed.\n\n", "二、背景\n\n这是"),
        ("", "- the first one\n- the sec"),
        ("", "- the first one\n\n- the second one\n\n"),  # there may be a third one
        ("- the first one\n- the second one\n\n", ""),
        ("- the first one\n- the second one\n\n", "The harbour"),
        ("1. the first one\n   - a part of it\n2. the second one\n\n", "The harbour"),
        ("", "1. the first one\n   - a part of it\n\n   More on it.\n2. the sec"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\n\n", "The harbour"),
        ("", "| a | b |\n| --- | --- |\n| 1 | 2 |\n"),  # there may be another row
        ("", "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 |"),
        ("", "**Tides:**\n\n| a | b |\n| --- | --- |\n| 1 |"),
        ("", "```python\nfor tide in tides:\n\n    print(ti"),
        ("```python\nfor tide in tides:\n\n    print(tide)\n```\n", "And th"),
        ("", "$$\nh = a\n\n+ b"),
        ("$$\nh = a\n\n+ b\n$$\n\n", "where h is"),
        ("", r"\[" + "\nh = a\n\n+ b"),
    ],
)
def test_a_text_is_cut_behind_its_last_complete_block(kept: str, lost: str) -> None:
    """Never in code or in a formula, and never behind a heading or a label."""
    assert cut_to_block(TEXT + kept + lost) == TEXT + kept


@pytest.mark.parametrize(
    "text", ["", "One paragraph that has not ended and is long enough", "# T\n\nShort.\n\nNo"]
)
def test_a_text_of_one_block_is_requested_again(text: str) -> None:
    assert cut_to_block(text) == ""


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_real_reports_are_cut_where_a_reader_sees_a_block_end(path: object) -> None:
    """Cut anywhere, what is left ends with a line of the text; little of what was written is given up."""
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    for place in range(400, len(text), max(1, len(text) // 40)):
        cut = cut_to_block(text[:place])
        assert text.startswith(cut)
        assert cut == "" or cut.endswith("\n")
        assert cut.count("```") % 2 == 0
        assert place - len(cut) < 2_500


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cut_text_stays_as_it_is(kind: str, language: str) -> None:
    """An attempt that brought nothing loses no further block."""
    text = templated(7, kind, 1_500, language)
    for place in range(MIN_DRAFT, len(text), 97):
        cut = cut_to_block(text[:place])
        assert cut_to_block(cut) == cut


@pytest.mark.parametrize(
    ("end", "is_within"),
    [
        ("The harbour is closed at low water, and the boats wait for the", True),
        ("The boats wait outside. The harbour is closed at low water, and", True),
        ("```python\nprint(tide)", True),
        (
            "低潮时港口关闭，船只在外面等候，直到下一次涨潮才能进入港口；涨潮每天有两次，船只因此需要等候，直到水位足够高为止，然后",
            True,
        ),
        ("The harbour is closed at low water, and the boats wait for the tide.", False),
        ("The harbour is closed at low water [3]", False),
        ("低潮时港口关闭，船只在外面等候。", False),
        ("- the harbour, which is closed at low water and in the night and", False),
        ("| the harbour is closed | and the boats wait for it in the evening |", False),
        ("## The harbour is closed at low water and in the night as well", False),
        ("ท่าเรือปิดเมื่อน้ำลงและเรือรออยู่ข้างนอกจนกว่าน้ำจะขึ้นอีกครั้งหนึ่งในวันนั้น", False),
        ("Yours, the harbour", False),
    ],
)
def test_a_text_that_breaks_off(end: str, is_within: bool) -> None:
    before = (
        "The tide rises twice a day along this coast, and falls twice a day. The moon pulls it. It is so.\n\n"
    )
    assert ends_within_sentence(before + end) is is_within


def test_a_text_without_periods_may_end_without_one() -> None:
    assert not ends_within_sentence("roses are red and violets are blue and the tide is high\n\n" * 4)


def test_a_model_that_has_lost_its_way_is_seen() -> None:
    """It says one long line again and again; a short one may stand there often."""
    line = "The harbour is closed at low water, and the boats wait for the tide.\n\n"
    assert ends_in_loop(TEXT + line * 3 + "The harbour is clo"[:0])
    assert not ends_in_loop(TEXT + line * 2)
    assert not ends_in_loop(TEXT + "- done\n" * 20)
    assert not ends_in_loop(TEXT)

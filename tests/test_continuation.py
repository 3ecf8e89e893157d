"""A text and its rest joined: nothing is lost, nothing is changed, whatever the model does."""

import re

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from research.llm import continuation
from research.llm.blocks import cut_to_block
from research.llm.continuation import BlockJoiner, Joiner, PrefillJoiner, trim_partial_word
from research.llm.repetition import MAX_WAIT
from testing.texts import KINDS, LANGUAGES, templated

EXAMPLES = hypothesis_settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
REMARKS = [
    "Sure, here is the rest:\n\n",
    "Certainly! Continuing from where I left off:\n\n",
    "Continuing exactly where I stopped:\n\n",
    "Here is the remaining part of the report:\n",
    "Natürlich, hier ist die Fortsetzung:\n\n",
    "好的，以下是续写内容：\n\n",
]


def joined(joiner: Joiner, answer: str, size: int = 7, is_whole: bool = True) -> Joiner:
    """The joiner after the whole answer, which came in pieces of that size."""
    grown = len(joiner.text.rstrip())
    for start in range(0, len(answer), size):
        text = joiner.add(answer[start : start + size])
        assert joiner.replaced or len(text) >= grown, "what was written stays"
        grown = len(text)
    joiner.end(is_whole)
    return joiner


# Texts: the templated ones of `testing/texts.py`, and ones put together by Hypothesis from very little.

LINES = [
    "- done",
    "- not done yet, check again",
    "# Check the pump",
    "| yes | no | yes |",
    "The pump is checked, and then the pump is checked again.",
    "    check(pump)",
    "    # check",
    "```python",
    "```",
    "**Q:** And then? **A:** And then it is checked.",
    "> checked",
    "1. 检查水泵，再检查一遍水泵。",
    "تحقق من المضخة ثم تحقق منها مرة أخرى.",
    "ポンプを確かめる。もう一度ポンプを確かめる。",
    "Die Pumpe prüfen und die Pumpe prüfen und prüfen.",
    "ตรวจปั๊มแล้วตรวจปั๊มอีกครั้ง",
    "",
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        kind, language = draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(sorted(LANGUAGES)))
        return templated(draw(st.integers(0, 99)), kind, draw(st.sampled_from([300, 900])), language)
    part = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=6))
    end = draw(st.sampled_from(["\n", "\n\n", "\r\n", "\n\n\n"]))
    number = draw(st.sampled_from(["", " {n}", "{n}. "]))
    title = draw(st.sampled_from(["", "# Pumps\n\n", "The pump is checked. ", "# Check the pump\n"]))
    times = draw(st.integers(2, 12))
    return title + "".join(end.join([*part, number.format(n=n)]) + end for n in range(times))


@given(st.data())
@EXAMPLES
def test_a_message_that_is_continued_exactly_gives_the_exact_text(data: st.DataObject) -> None:
    """To the character, wherever the text was cut, whether the provider strips white space or not."""
    text = data.draw(texts())
    draft = trim_partial_word(text[: data.draw(st.integers(1, len(text)))])
    exact = text[len(draft.rstrip()) :]
    answer = data.draw(st.sampled_from([exact, exact.lstrip() if draft else exact]))
    joiner = PrefillJoiner(draft, data.draw(st.sampled_from([None, False])))
    assert joined(joiner, answer, data.draw(st.sampled_from([1, 5, 40, 4000]))).text == text


@given(st.data())
@EXAMPLES
def test_a_message_that_comes_back_with_its_continuation_stands_there_once(data: st.DataObject) -> None:
    """Also where the text repeats itself, once the server is known to send it back."""
    text = data.draw(texts())
    draft = trim_partial_word(text[: data.draw(st.integers(1, len(text)))])
    joiner = PrefillJoiner(draft, echoes=True)
    assert joined(joiner, text, data.draw(st.sampled_from([1, 5, 40, 4000]))).text == text


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_message_that_comes_back_unexpectedly_stands_there_once(size: int) -> None:
    draft = "Moss is a small plant that lives where it is damp. It has neither roots "
    for answer in (
        f"{draft}nor flowers.",
        f" {draft.rstrip()} nor flowers.",
        "nor flowers.",
        " nor flowers.",
    ):
        assert joined(PrefillJoiner(draft), answer, size).text == f"{draft}nor flowers."


# The rest from the next block on.

BLOCKS = ["# Moss", "Moss lives where it is damp, and takes its water through the leaves, one cell thick.",
          "It has neither roots nor flowers; most kinds like the shade, and some survive for years dry.",
          "Twenty thousand kinds are known, from the woods of the tropics to the rocks of Antarctica.",
          "- the first kind, which is green all through the winter and the summer as well"]  # fmt: skip
DRAFT = "\n\n".join(BLOCKS[:4]) + "\n\n"
REST = "\n\n".join(BLOCKS[4:]) + "\n\nThe end of it."


@given(st.data())
@EXAMPLES
def test_the_rest_from_the_next_block_on_gives_the_exact_text(data: st.DataObject) -> None:
    """Where the model says nothing again; a line break more or less between two blocks is no loss."""
    text = data.draw(texts())
    draft = cut_to_block(text[: data.draw(st.integers(1, len(text)))])
    rest = text[len(draft) :]
    assume(rest.strip())
    answer = data.draw(st.sampled_from([rest, rest.lstrip("\n"), "\n\n" + rest]))
    result = joined(BlockJoiner(draft), answer, data.draw(st.sampled_from([1, 5, 40, 4000]))).text
    assert re.sub(r"\n\s*\n", "\n", result.strip()) == re.sub(r"\n\s*\n", "\n", text.strip())


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("remark", ["", *REMARKS])
def test_what_is_proven_to_be_a_repetition_is_left_out(remark: str, size: int) -> None:
    """A remark in front of the next block, and the last block once more."""
    for again in ("", BLOCKS[3] + "\n\n"):
        joiner = joined(BlockJoiner(DRAFT), remark + again + REST, size)
        assert (joiner.text, joiner.replaced) == (DRAFT + REST, False)


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("- done\n- done\n- done, and checked once more by the other one\n", "- done\n- done\n"),
        (f"{BLOCKS[1]}\n\n{BLOCKS[1]}\n\n{BLOCKS[2]}\n\n{BLOCKS[1]}\n\n", BLOCKS[1]),
        (f"{BLOCKS[1]}\n\n", f"{BLOCKS[1]}\n\n{BLOCKS[2]}"),
        (f"The model wrote:\n\n{REMARKS[0]}and it did.\n\n", f"{REMARKS[0]}no"),
        (DRAFT, f"{BLOCKS[3]} And more of it."),
        (DRAFT, f"{BLOCKS[3][:60]}, and so on."),
    ],
)
def test_in_doubt_the_answer_is_appended(draft: str, answer: str) -> None:
    assert joined(BlockJoiner(draft), answer, 5).text == draft + answer


@pytest.mark.parametrize(
    ("draft", "rest", "between"),
    [
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\n", "| 3 | 4 |", ""),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\n", "After the table.", "\n"),
        ("- one thing\n", "- another thing", ""),
        ("- one thing\n", "   - a part of it", ""),
        ("- one thing\n", "A paragraph.", "\n"),
        ("A paragraph.\n\n", "- one thing", ""),
        ("```\ncode\n```\n", "A paragraph.", "\n"),
        ("A sentence. ", "Another one.", "\n\n"),
    ],
)
def test_a_block_stands_by_itself(draft: str, rest: str, between: str) -> None:
    """An item joins its list and a row its table; anything else is set off from the block above it."""
    draft = "A beginning that is long enough to be kept.\n\n" + draft
    assert joined(BlockJoiner(draft), rest, 3).text == draft + between + rest


# An answer that begins again.

FIRST = "# Moss\n\n" + "".join(f"Sentence {n} of the first version says this. " for n in range(20)) + "\n\n"
SECOND = FIRST[:400] + "But now it goes another way. " * 3


def test_a_second_answer_replaces_the_draft_when_it_is_longer() -> None:
    """Until then the draft is what a heartbeat would hold."""
    joiner = BlockJoiner(FIRST)
    assert joiner.add(SECOND) == FIRST
    assert joiner.is_holding and not joiner.replaced
    longer = SECOND + "x" * len(FIRST)
    assert joiner.add(longer[len(SECOND) :]) == longer
    assert joiner.end() == longer
    assert joiner.replaced


def test_a_second_answer_that_is_whole_replaces_the_draft() -> None:
    assert joined(BlockJoiner(FIRST), SECOND).text == SECOND


def test_a_second_answer_that_breaks_off_leaves_the_draft() -> None:
    joiner = joined(BlockJoiner(FIRST), SECOND, is_whole=False)
    assert (joiner.text, joiner.replaced) == (FIRST, False)


def test_two_blocks_that_begin_alike_are_both_kept() -> None:
    """Code with the same imports: only the whole beginning, or a long one, proves a restart."""
    names = ("asyncio", "collections", "contextlib", "dataclasses", "functools", "itertools", "logging")
    imports = "```python\n" + "".join(f"import {name}\n" for name in names)
    first, second = f"{imports}print(1)\n```\n\n", f"{imports}print(2)\n```\n"
    assert joined(BlockJoiner(first), second).text == first + second


# What waits is not in the heartbeats: a kill would lose it.


@given(st.data())
@EXAMPLES
def test_the_wait_is_bounded(data: st.DataObject) -> None:
    text = data.draw(texts())
    draft = cut_to_block(text[: data.draw(st.integers(1, len(text)))]) or text
    joiner = BlockJoiner(draft)
    held, again = 0, False
    for character in (text + text + "x" * 2000)[data.draw(st.integers(0, len(text))) :]:
        before = joiner.text
        held = held + 1 if joiner.add(character) == before else 0
        again |= held > MAX_WAIT + 1
    assert not again or joiner.replaced


# Where a draft is cut.


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("One sentence that is long enough, and then a wo", "One sentence that is long enough, and then a "),
        ("One sentence that is long enough, and then it ends.\n\n## Ne", "… and then it "),
        ("One sentence that is long enough, and then it\n\n```py\n    return", "… and then "),
        ("One sentence that is long enough, and then it\r\n\r\nEnd", "… and then "),
        ("短い文ではなく、四十文字を超える長さの文を書いて、その途中で切ることにするので、ここで終わ", -1),
        (
            "这是一个超过四十个字符的句子，用来检查在没有空格的文字里，草稿应该在哪里结束，也就是在这里结束",
            -1,
        ),
        ("x" * 50 + " y z", 51 + 2),
        ("See https://example.org/" + "path/" * 60 + "en", -1),
        ("Flags and families, one behind the other: " + "👩‍👩‍👧" * 60, -5),
        ("Flags and families, one behind the other: " + "🇩🇪" * 61, -2),
        ("Letters with marks that belong to them:  " + "e\u0301\u0323" * 80, -3),
        ("too short for it", ""),
        ("", ""),
        (" \n" * 60, ""),
    ],
)
def test_a_draft_ends_where_it_can_be_continued_exactly(text: str, trimmed: str | int) -> None:
    if isinstance(trimmed, int):
        trimmed = text[:trimmed]
    assert trim_partial_word(text) == trimmed.replace("…", "One sentence that is long enough,")


@given(st.data())
@EXAMPLES
def test_a_draft_ends_before_a_character_that_is_no_white_space(data: st.DataObject) -> None:
    text = data.draw(texts())
    text = text[: data.draw(st.integers(1, len(text)))]
    draft = trim_partial_word(text)
    assert text.startswith(draft)
    assert not draft or not text[len(draft)].isspace()
    assert not draft or len(text.rstrip()) - len(draft) <= continuation.MAX_TRIM

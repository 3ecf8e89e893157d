"""A continuation joined to a truncated text: nothing is lost, nothing is changed, whatever the model does."""

import random
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from research.config import ROOT, Settings, load
from research.llm import client as llm
from research.llm import continuation
from research.llm.continuation import ContinuationJoiner, trim_partial_word
from research.llm.draft import Draft
from research.llm.repetition import MAX_WAIT
from testing.provider import Call, Provider, Reply, rest_of
from testing.texts import KINDS, LANGUAGES, templated
from tests.conftest import KEY

CORPUS = sorted((ROOT / "tests" / "corpus").glob("*.md"))
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


def joined(draft: str, answer: str, size: int = 7, prefill: bool = False, is_whole: bool = True) -> Any:
    """The joiner after the whole answer, which came in pieces of that size."""
    joiner = ContinuationJoiner(draft, prefill=prefill)
    grown = 0
    for start in range(0, len(answer), size):
        text = joiner.add(answer[start : start + size])
        assert len(text) >= min(grown, len(draft.rstrip())), "what was written stays"
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


def cut(data: st.DataObject, text: str) -> str:
    """The draft that is left of a text somewhere in it."""
    return trim_partial_word(text[: data.draw(st.integers(1, len(text)))])


@given(st.data())
@EXAMPLES
def test_an_exact_continuation_gives_the_exact_text(data: st.DataObject) -> None:
    """To the character, wherever the text was cut, whether the provider strips white space or not."""
    text = data.draw(texts())
    draft = cut(data, text)
    sent = draft.rstrip()
    exact = text[len(sent) :]
    answer = data.draw(st.sampled_from([exact, exact.lstrip() if draft else exact]))
    joiner = joined(draft, answer, data.draw(st.sampled_from([1, 5, 40, 4000])), data.draw(st.booleans()))
    assert joiner.text == text
    assert not joiner.restarted


@pytest.mark.parametrize("kind", ["days", "chapters", "tables", "steps"])
def test_templated_texts_cut_everywhere(kind: str) -> None:
    """At each character of texts whose parts, comments, rows and steps repeat."""
    for language in ("en", "zh", "ja"):
        text = templated(3, kind, 500, language)
        for place in range(len(text)):
            draft = trim_partial_word(text[:place])
            exact = text[len(draft.rstrip()) :]
            assert joined(draft, exact.lstrip() if place % 2 else exact, 1 + place % 60).text == text, place


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_real_texts_cut_anywhere(path: Path) -> None:
    """Exactly continued by prefill and in a turn, by a provider that returns the prefill, and again."""
    text = path.read_text()
    chance = random.Random(path.stem)
    for _ in range(6):
        draft = trim_partial_word(text[: chance.randrange(len(text))])
        exact = text[len(draft.rstrip()) :]
        for answer, prefill in [(exact, True), (exact, False), (exact.lstrip(), False), (text, True)]:
            joiner = joined(draft, answer, chance.choice([3, 30, 300]), prefill)
            assert joiner.text == text
            assert not (draft and joiner.restarted)


@given(st.data())
@EXAMPLES
def test_nothing_is_lost_whatever_the_model_does(data: st.DataObject) -> None:
    """A remark in front, an overlap, the answer from its beginning: nothing is missing."""
    text = data.draw(texts())
    draft = cut(data, text)
    rest = text[len(draft) :]
    overlap = data.draw(st.integers(1, max(1, min(300, len(draft)))))
    answers = [
        data.draw(st.sampled_from(REMARKS)) + rest,
        draft.rstrip()[-overlap:] + text[len(draft.rstrip()) :],
        "```python\n" + rest,
        text,
    ]
    result = joined(draft, data.draw(st.sampled_from(answers)), data.draw(st.sampled_from([1, 30]))).text
    assert result.startswith(draft.rstrip())
    assert result.endswith(rest)


# Repetitions that are proven. The ordinary case: the draft ends between two words of a sentence.

PROSE = {
    "en": "# Moss\n\nMoss is a small plant that lives where it is damp. It has neither roots nor flowers,"
    " and takes its water through the leaves, which are one cell thick. Most kinds like the shade. ",
    "de": "# Moos\n\nMoos ist eine kleine Pflanze, die feuchte Orte liebt. Es hat weder Wurzeln noch Blüten"
    " und nimmt sein Wasser mit den Blättern auf, die nur eine Zelle dick sind. Meist mag es Schatten. ",
    "ar": "# الطحالب\n\nالطحالب نباتات صغيرة تعيش في الأماكن الرطبة. ليس لها جذور ولا أزهار وهي تمتص"
    " الماء من خلال أوراقها التي لا يزيد سمكها على خلية واحدة. معظم أنواعها تحب الظل والبرد معا. ",
    "zh": "# 苔藓\n\n苔藓是一类小型植物，喜欢阴暗潮湿的环境。它们没有真正的根，也不开花，"
    "水分由只有一层细胞的叶片直接吸收。全世界约有两万种苔藓，从热带雨林到南极的岩石上都能见到它们。"
    "有些种类干枯多年以后遇到水分还能恢复生长，因此常被用来研究植物怎样耐受干旱。",
    "ja": "# 苔\n\n苔は日かげの湿った場所を好む小さな植物である。根も花も持たず、"
    "一層の細胞でできた葉から直接に水を吸収する。世界にはおよそ二万種が知られ、"
    "熱帯の森から南極の岩の上まで広く見られる。何年も乾いていたあとで水を得て生き返る種類もある。",
}


@pytest.mark.parametrize("language", PROSE)
def test_what_is_proven_to_be_a_repetition_is_left_out(language: str) -> None:
    text = PROSE[language]
    draft = trim_partial_word(text[: -len(text) // 6])
    rest = text[len(draft) :]
    line = draft.rpartition("\n")[2]
    for answer in [*(remark + rest for remark in REMARKS), line + rest, text, REMARKS[0] + text]:
        for size in (1, 1000):
            assert joined(draft, answer, size).text == text
    words = regex.findall(r"\S+\s*" if draft.endswith(" ") else ".", draft)
    few = "".join(words[-16 if len(words[-1]) == 1 else -8 :])
    assert joined(draft, few + rest).text == text, "a few words: 24 characters, four different words"


def test_a_code_fence_that_is_open_is_not_opened_again() -> None:
    code = (
        "Some code, well explained and long enough:\n\n```python\n# take the legs in\nfor leg in the_legs:\n"
    )
    joiner = joined(code + "    # pull the ", "```python\nleg in\n    leg.pull()\n```\n")
    assert joiner.text == code + "    # pull the leg in\n    leg.pull()\n```\n"


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("A list of all that was checked today:\n\n- ", "Sure, here is the rest:\n\n- the pump\n"),
        ("These are the pumps that were checked, and ", "here is the rest:\n\n- the other pump\n"),
        ("## Programmes of the Faculty for Adults in ", "Continuing Education:\n\n- the first of them\n"),
        ("He opened the letter, and all it said was ", "Here is the thing:\n\nI am leaving.\n"),
        (
            "The model wrote: Sure, here is the rest:\n\nand so it did, and then ",
            "Sure, here is the rest:\n\nno",
        ),
        ("They sang it over and over again: row row row row ", "row row row row your boat\n"),
        (
            "| the same long cell as ever | the same long cell as ever | ",
            "the same long cell as ever | no |\n",
        ),
        (
            "Some ```fences``` are here.\n\n~~~markdown\nOpen it with the marker ",
            "```python\nand close it\n~~~\n",
        ),
        (
            "# install the package\npip install example  # and then\n",
            "# install the package\npip install it\n",
        ),
        (
            "Look at it.\n\nThe end of the line.\n- Check the ",
            "line.\n- Check the line.\n- Check the line.\n",
        ),
    ],
)
def test_in_doubt_the_answer_is_appended(draft: str, answer: str) -> None:
    assert joined(draft, answer).text == draft + answer


# An answer that begins again.

FIRST = "# Moss\n\n" + "".join(f"Sentence {n} of the first version says this. " for n in range(20)) + "And so"
SECOND = FIRST[:300] + "But now it goes another way. " * 5


def test_a_second_answer_replaces_the_draft_when_it_is_longer() -> None:
    """Until then the draft is what a heartbeat would hold."""
    joiner = ContinuationJoiner(FIRST + " ")
    assert joiner.add(SECOND) == FIRST + " "
    assert joiner.restarted and not joiner.replaced
    longer = SECOND + "x" * len(FIRST)
    assert joiner.add(longer[len(SECOND) :]) == longer
    assert joiner.end() == longer
    assert joiner.replaced and not joiner.doubled


def test_a_second_answer_that_ends_sooner_stands_behind_the_draft() -> None:
    joiner = joined(FIRST + " ", SECOND)
    assert joiner.text == f"{FIRST}\n\n{SECOND}"
    assert joiner.doubled and not joiner.replaced


def test_a_second_answer_that_breaks_off_leaves_the_draft() -> None:
    joiner = joined(FIRST + " ", SECOND, is_whole=False)
    assert (joiner.text, joiner.doubled) == (FIRST + " ", False)


def test_a_second_answer_that_is_the_same_replaces_nothing() -> None:
    joiner = joined(FIRST + " ", FIRST + " it ends.")
    assert joiner.text == FIRST + " it ends."
    assert joiner.restarted and not joiner.replaced


# What waits is not in the heartbeats: a kill would lose it.


def test_a_continuation_is_held_back_no_longer_than_something_can_be_proven() -> None:
    joiner = ContinuationJoiner(FIRST + " ")
    assert joiner.add("it goes ") == FIRST + " it goes "
    overlap = ContinuationJoiner(FIRST + " ")
    assert overlap.add("the first version says") == FIRST + " "
    assert overlap.add(" nothing") == FIRST + " the first version says nothing"
    remark = ContinuationJoiner(FIRST + " ")
    assert remark.add("Sure, here is the rest") == FIRST + " "
    assert remark.add(" of my life.") == FIRST + " "
    assert remark.add(" It was\n") == FIRST + " Sure, here is the rest of my life. It was\n"


@given(st.data())
@EXAMPLES
def test_the_wait_is_bounded(data: st.DataObject) -> None:
    text = data.draw(texts())
    draft = cut(data, text) or text
    joiner = ContinuationJoiner(draft)
    answer = (text + text + "x" * 2000)[data.draw(st.integers(0, len(text))) :]
    held = 0
    for character in answer:
        before = joiner.text
        held = held + 1 if joiner.add(character) == before else 0
        assert held <= MAX_WAIT + 1 or joiner.restarted


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


# Through litellm, by HTTP.


def configured(model: str, provider: Provider) -> Settings:
    values = {**load.__wrapped__().__dict__, "model": model, "api_key": KEY, "api_base": provider.url}
    return Settings(**{**values, "secrets": (KEY,)})


@pytest.mark.parametrize("model", ["openai/gpt-4o", "deepseek/deepseek-chat"])
async def test_a_resumed_text_is_what_an_undisturbed_one_is(provider: Provider, model: str) -> None:
    """Asked for in a further turn, and by prefill where litellm says that the model takes it."""
    for number, kind in enumerate(KINDS):
        text = templated(number, kind, 900)
        place = len(text) * (number + 2) // 10

        def reply(call: Call, text: str = text) -> Reply:
            return Reply(text.removeprefix(str(call.messages[1]["content"])))

        provider.reply = reply
        answer = await llm.complete(
            "A topic", configured(model, provider), Draft(text=text[:place], requests=1)
        )
        assert answer.text == text
        assert place - continuation.MAX_TRIM <= (answer.resumed_at or 0) <= place
        assert answer.kept_tokens > 0
        assert len(provider.calls[-1].messages) == (2 if model.startswith("deepseek") else 3)


async def test_a_model_that_begins_again_is_paid_again(provider: Provider) -> None:
    provider.reply = lambda call: Reply(FIRST + " it ends.")
    settings = configured("openai/gpt-4o", provider)
    answer = await llm.complete("A topic", settings, Draft(text=FIRST, requests=1))
    assert answer.text == FIRST + " it ends."
    assert (answer.resumed_at, answer.kept_tokens, answer.notes) == (None, 0, ())

    provider.reply = lambda call: Reply(SECOND + FIRST)
    answer = await llm.complete("A topic", settings, Draft(text=FIRST, requests=1))
    assert (answer.text, answer.resumed_at) == (SECOND + FIRST, None)
    assert "second answer replaced the first" in answer.notes[0]

    provider.reply = lambda call: Reply(SECOND)
    answer = await llm.complete("A topic", settings, Draft(text=FIRST, requests=1))
    assert FIRST[:-3] in answer.text
    assert SECOND in answer.text
    assert "shorter answer stands behind the first" in answer.notes[0]


async def test_an_answer_cut_by_its_length_is_continued(provider: Provider) -> None:
    """Up to a bound; what is cut even then says so."""
    text = templated(4, "questions", 4000, "en")

    def in_parts(call: Call) -> Reply:
        rest = rest_of(text, call)
        return Reply(rest[:1800], finish_reason="length" if len(rest) > 1800 else "stop")

    provider.reply = in_parts
    settings = configured("openai/gpt-4o", provider)
    answer = await llm.complete("A topic", settings)
    assert (answer.text, answer.finish_reason, answer.requests) == (text, "stop", 3)

    provider.reply = lambda call: Reply(rest_of(text, call)[:600], finish_reason="length")
    answer = await llm.complete("A topic", settings)
    assert (answer.finish_reason, answer.requests) == ("length", llm.MAX_CONTINUATIONS)
    assert text.startswith(answer.text.rstrip())

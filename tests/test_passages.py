"""The words that a model has copied are found in the frozen text, and nothing else is."""

import re
import time
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from research.evidence.passages import MAX_PASSAGE_CHARACTERS, MAX_QUOTES, find, locate, page_of, quotes

ONE = "Tardigrades live wherever moss is wet."
TWO = "In 2007 they were exposed to the vacuum of space."


@pytest.mark.parametrize(
    ("answer", "passages"),
    [
        (f"Here:\n\n> {ONE}\n\n> {TWO}\n", [ONE, TWO]),
        (f"> {ONE}\n>\n> {TWO}", [ONE, TWO]),
        (f"> {ONE}\n> {TWO}", [f"{ONE}\n{TWO}"]),
        (f"1. > {ONE}\n2. > {TWO}", [ONE, TWO]),
        (f"- > {ONE}\n- > {TWO}", [ONE, TWO]),
        (f"**1.** >> {ONE}\n\n  (2) > > {TWO}", [ONE, TWO]),
        (f"> 1. {ONE}\n\n> 2. {TWO}", [ONE, TWO]),
        (f"> “{ONE}”\n\n> *„{TWO}“*", [ONE, TWO]),
        (f'> "{ONE}"\n> "{TWO}"', [ONE, TWO]),
        (f"```markdown\n> {ONE}\n\n> {TWO}\n```", [ONE, TWO]),
        (f"> {ONE} … {TWO}", [ONE, TWO]),
        (f"> {ONE} [...] {TWO}", [ONE, TWO]),
        (f"> {ONE[:-1]}...\n\n> ...{TWO}", [ONE[:-1], TWO]),
        (f"＞ {ONE}\n\n&gt; {TWO}", [ONE, TWO]),
        (f"> {ONE}\n\n> {ONE}\n\n- {TWO}", [ONE]),
        (f"- {ONE}\n2) {TWO}\n\nNo passage is this line.", [ONE, TWO]),
        (f"“{ONE}”\n\n'{TWO}'.\n\nNo “passage” is this line of it.", [ONE, TWO]),
        ("> 水熊虫生活在潮湿的苔藓中。\n\n> 水熊虫。", ["水熊虫生活在潮湿的苔藓中。"]),
        ("> Too short.\n\n> 2007 - … - 2008", []),
        ("No passage says anything about it, and so I give none.", []),
        ("", []),
    ],
)
def test_what_a_model_gives(answer: str, passages: list[str]) -> None:
    assert quotes(answer) == passages


def test_no_more_than_so_many() -> None:
    assert len(quotes("\n\n".join(f"> {number}: {TWO}" for number in range(100)))) == MAX_QUOTES


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("They live in **moss** and _lichen_.", "live in moss and lichen", "live in **moss** and _lichen"),
        ("See [the label](http://a.b/c(d)?e) here", "see the label here", None),
        (
            "# A heading\n\nSome `code` in x_y",
            "a heading some code in x_y",
            "A heading\n\nSome `code` in x_y",
        ),
        (
            "- one item\n* two items\n  - three",
            "one item two items three",
            "one item\n* two items\n  - three",
        ),
        ("- 5 mosses\n- 2024: two", "5 mosses 2024: two", "5 mosses\n- 2024: two"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d", "a | b |\n|---|---|\n| c | d"),
        ("rock\n> quoted text\n> more", "rock quoted text more", None),
        ("**B**ayesian **N**et", "Bayesian Net", "B**ayesian **N**et"),
        ("line one\n\n\f line  two", "line one line two", None),
        ("an exam-\nple of a well-\nknown thing", "an example of a well-known thing", None),
        ("an exam-\nple of a well-\fknown thing", "an exam- ple of a well-known thing", None),
        ("soft\u00adhyphen exam\u00ad\nple", "softhyphen example", None),
        ("„Foo“ said it’s a ‹bar›", "\"foo\" SAID it's a 'Bar'", None),
        ("word—word, 1990–1995", "word - word, 1990-1995", None),
        ("ﬁnd ＡＢＣ in CO₂ of the Straße…", "find abc in CO2 of the STRASSE...", None),
        ("在 2007\n年，水熊虫“在”太空", "在2007年,水熊虫「在」太空", None),
        ("共有 10 万人", "共有10万人", None),
        ("12\nmil-\nlion and 5 Mrd. Euro", "12 million and 5\u00a0Mrd. Euro", None),
        ("costs 10\u202f000 euros", "costs 10\n000 euros", None),
        ("it was −5 degrees", "it was -5 degrees", None),
        ("تعيش  في\nالطحالب", "تعيش في الطحالب", None),
        ("कवक के साथ", "कवक के", "कवक के"),
    ],
)
def test_what_is_forgiven(text: str, quote: str, found: str | None) -> None:
    place = find(text, quote)
    assert place and text[slice(*place)] == (found or text)


def test_the_first_place_where_it_is_whole() -> None:
    assert find("100, 1.10, 10 000, 10 or 10", "10") == (19, 21)
    assert find("no moss, moss", "moss") == (3, 7)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("They do not live there", "They do live there"),
        ("They live there", "They do not live there"),
        ("In 2007 it was", "In 2008 it was"),
        ("68 percent", "67 percent"),
        ("about 100 of them", "about 10"),
        ("about 1.5 of them", "5 of them"),
        ("about 1.5 of them", "about 1"),
        ("about .5 of them", "5 of them"),
        ("about 1,500 of them", "about 1"),
        ("about 10 000 of them", "about 10"),
        ("about 10 000 of them", "000 of them"),
        ("at 10:30 it", "at 10"),
        ("about 12 million of them", "about 12"),
        ("about 12 million of them", "million of them"),
        ("rund 12 Mrd. Euro", "rund 12"),
        ("it was -5 degrees", "5 degrees"),
        ("it was\n> 5 degrees", "it was 5 degrees"),
        ("moss [12] is wet", "moss is wet"),
        ("10² people", "102 people"),
        ("1½ cups", "11⁄2 cups"),
        ("5*3 is 15", "53 is 15"),
        ("5 * 3 is 15", "5 3 is 15"),
        ("they can't fly", "they can"),
        ("they can’t fly", "they can"),
        ("unimportant", "important"),
        ("a well-\nknown thing", "known thing"),
        ("a wellknown thing", "a well-known thing"),
        ("a well-known thing", "a wellknown thing"),
        ("共有10万人", "共有10"),
        ("共有 10 万人", "共有10"),
        ("二十年前", "十年前"),
        ("他不在北京", "他在北京"),
        ("a 👨‍👩‍👧 family", "a 👨"),
        ("cafe\u0301 noir", "cafe"),
        ("123 كتاب", "١٢٣ كتاب"),
        ("2007\n1. the first", "2007 the first"),
        ("anything", ""),
        ("anything", "**"),
        ("", "anything"),
    ],
)
def test_what_is_not_forgiven(text: str, quote: str) -> None:
    assert find(text, quote) is None


def test_a_passage_has_its_length() -> None:
    text = f"Before. {ONE} {TWO} 水熊虫生活在潮湿的苔藓中。" + "And so on. " * 200
    assert locate(text, ONE.upper()) == (8, 8 + len(ONE))
    assert locate(text, "Tardigrades live") is None
    assert locate(text, "水熊虫生活在潮湿") is not None
    assert locate(text, "水熊虫生活在潮") is None
    assert locate(text, ("And so on. " * 80)[:-1]) is not None
    assert locate(text, ("And so on. " * 100)[:-1]) is None
    assert locate(text, "And so on. " * 100_000) is None
    assert MAX_PASSAGE_CHARACTERS == 1_000


def test_the_page_of_a_passage() -> None:
    assert [page_of("one\ftwo\fthree", place) for place in (0, 3, 4, 8)] == [1, 1, 2, 3]
    assert page_of("no pages", 3) == 0


WORDS = {
    language: words.split()
    for language, words in {
        "en": "moss is wet they can't 10, 100, 1.5 well-known “quoted” it’s (a) don't 2007 U.S. naïve",
        "de": "Moos „ist“ naß 1.500 Übel z.B. Straße 5 15. Nicht‑Ziel – daß",
        "ar": "تعيش في الطحالب ١٥ لا، 2007 الماء",
        "zh": "水 熊 虫 不 在 苔藓 中。 10 5 十 二 “年” ， GCS 𠀀",
    }.items()
}


def separator(language: str) -> str:
    return "" if language == "zh" else " "


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, int, int]:
    """A text, and between which characters of it a quote is cut out at the ends of its words."""
    language = draw(st.sampled_from(sorted(WORDS)))
    words = draw(st.lists(st.sampled_from(WORDS[language]), min_size=3, max_size=30))
    if language == "zh":  # so that no two of them make one number
        words = [f"{word}的" if re.search(r"[\d十二S]$", word) else word for word in words]
    gap = separator(language)
    ends = list(accumulate(len(word) + len(gap) for word in words))
    first = draw(st.integers(0, len(words) - 1))
    last = draw(st.integers(first, min(len(words) - 1, first + 12)))
    start, end = ends[first] - len(words[first]) - len(gap), ends[last] - len(gap)
    return gap.join(words), start, end


def disguised(draw: st.DrawFn, quote: str) -> str:
    quote = quote.upper() if draw(st.booleans()) and "ß" not in quote else quote
    quote = quote.translate(str.maketrans("“”„’–", draw(st.sampled_from(['"""\'—', "«»‘´-", "“”„’–"]))))
    space = draw(st.sampled_from([" ", "\n", "\f", " \u00a0 ", "\t"]))
    quote = re.sub(r" ", space, quote)
    if space in (" ", "\n"):
        quote = re.sub(r"([水熊虫不苔])(?=[水熊虫不苔])", rf"\1{space}", quote)
    return f"**{quote}**" if draw(st.booleans()) else quote


@given(cuts(), st.data())
def test_a_disguised_quote_is_found_at_its_place(cut: tuple[str, int, int], data: st.DataObject) -> None:
    """Where its words stand first, to the character."""
    text, start, end = cut
    quote = text[start:end]
    assume(any(map(str.isalnum, quote)) and quote[0] not in "–，" and quote[-1] not in "–")
    place = find(text, data.draw(st.composite(disguised)(quote)))
    assert place is not None
    assert place[0] <= start
    assert text[slice(*place)] == quote


@given(cuts(), st.data())
def test_one_changed_character_is_not_found(cut: tuple[str, int, int], data: st.DataObject) -> None:
    text, start, end = cut
    places = [place for place in range(start, end) if text[place].isalnum()]
    assume(places)
    place = data.draw(st.sampled_from(places))
    quote = f"{text[start:place]}{'7' if text[place].isdecimal() else 'ø'}{text[place + 1 : end]}"
    assume(quote != text[start:end] and quote not in text)
    assert find(text, quote) is None


@given(st.text(), st.text())
def test_any_text(text: str, quote: str) -> None:
    place = find(text, quote)
    assert place is None or 0 <= place[0] < place[1] <= len(text)
    quotes(text)
    locate(text, quote)


HOSTILE = [
    "a",
    "a-\n",
    "[",
    "[a](",
    "](",
    "**",
    "- ",
    "10 000 ",
    "一",
    "a b ",
    "\\",
    "\u0301",
    "<br",
    "a_",
    "[[a]",
    "> ",
]


@pytest.mark.proof
@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_texts_take_time_that_is_linear(part: str) -> None:
    text = part * (50_000 // len(part))
    start = time.process_time()
    assert find(text, f"{'a b ' * 300}z") is None
    quotes(text)
    assert time.process_time() - start < 1.5

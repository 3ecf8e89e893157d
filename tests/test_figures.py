"""The numbers, dates and quoted words of a statement, looked for in its passages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.evidence.figures import missing

MILLIONS = [
    "1.5 million", "1,500,000", "1 500 000", "1\u202f500\u202f000", "1.500.000", "1'500'000", "15,00,000",
    "150万", "150 万", "一百五十万", "1,5 Mio.", "1,5 Millionen", "1.5m", "1.5M", "15 lakh",
    "１５０万", "١٬٥٠٠٬٠٠٠", "१५,००,०००", "1½ million",
]  # fmt: skip
DATES = [
    "15 January 2021", "January 15, 2021", "Jan. 15, 2021", "15th of January 2021", "2021-01-15", "2021/1/15",
    "15.01.2021", "15. 1. 2021", "15/01/2021", "15. Januar 2021", "15 de enero de 2021", "15 janvier 2021",
    "2021年1月15日", "２０２１年１月１５日", "二〇二一年一月十五日", "15 يناير 2021", "१५ जनवरी २०२१",
]  # fmt: skip


@pytest.mark.parametrize("written", MILLIONS)
def test_a_number_in_any_notation(written: str) -> None:
    for other in MILLIONS:
        assert missing(f"There are {written} of them.", [f"about {other} live there"]) == []
    others = ["1.6 million", "15, 150 and 1500", "15,000,000", "1.5 thousand", "1.5 billion", "11,500,000"]
    assert missing(f"There are {written} of them.", others) != []


@pytest.mark.parametrize("written", DATES)
def test_a_date_in_any_notation(written: str) -> None:
    for other in DATES:
        assert missing(f"It began on {written}.", [f"since {other} it has"]) == []
    others = [
        "16 January 2021",
        "15 February 2021",
        "15 January 2020, 15 people in 2021",
        "2021",
        "2021-01-14",
    ]
    assert missing(f"It began on {written}.", others) == [written]


@pytest.mark.parametrize(
    ("statement", "passage"),
    [
        ("12 %", "12 percent"),
        ("12 Prozent", "百分之十二"),
        ("百分之十二", "12%"),
        ("一成二即百分之一点五", "1.5 %"),
        ("1½ cups", "1.5 cups"),
        ("½ of it", "1/2"),
        ("三分之一", "1/3"),
        ("three of them", "3"),
        ("3 of them", "drei davon"),
        ("0.42千瓦时", "0.42 kWh"),
        ("三年", "three years"),
        ("twenty-five", "25"),
        ("fünfundzwanzig", "25"),
        ("Dreißig", "30"),
        ("fünf Millionen", "5,000,000"),
        ("a million", "1,000,000"),
        ("5 Mrd. Euro", "5 billion euros"),
        ("€5m and EUR50", "5 million, 50"),
        ("1亿5000万", "150 million"),
        ("2.648 billion", "2,648,000,000"),
        ("1.234,56", "1,234.56"),
        ("٢٠٠٧", "2007"),
        ("二〇〇七年", "in 2007"),
        ("the 1990s", "in 1990"),
        ("in January 2021, in 2021", "on 15 January 2021"),
        ("on 15 January 2021", "In 2021 it rained; on January 15 it did not"),
        ("between 1.5 million and 2 million", "1.5–2 million"),
        ("2019-2020", "from 2019 to 2020"),
        ("at 10:30 with version 1.2.3", "1.2.3 at 10:30"),
        ("GPT-4", "GPT 4"),
        ("40 %", "约占四成"),
        ("four pumps", "حلت محلها أربع مضخات"),
        ("4 pumps", "четыре насоса"),
        ("两座医院", "في المدينة مستشفيان"),
        ("vier Eier", "quatre œufs"),
        ("2 million", "deux millions"),
    ],
)
def test_what_is_the_same(statement: str, passage: str) -> None:
    assert missing(statement, ["nothing", passage]) == []


@pytest.mark.parametrize(
    ("statement", "passage", "lost"),
    [
        ("10", "100", "10"),
        ("10", "10 000", "10"),
        ("10 000", "10", "10 000"),
        ("5", "1.5", "5"),
        ("5", "0.5 and 5.5", "5"),
        ("15", "1.5", "15"),
        ("1,500", "1.5", "1,500"),
        ("2007", "20071", "2007"),
        ("2007", "12007 and H2007", "2007"),
        ("10", "10:30", "10"),
        ("300", "300万", "300"),
        ("2", "2 million", "2"),
        ("5 million", "5 billion", "5 million"),
        ("68", "67.6", "68"),
        ("about 68", "67.6", "68"),
        ("15 people", "on 15 January", "15"),
        ("twenty-six", "25", "twenty-six"),
        ("百分之十二", "百分之二十", "百分之十二"),
        ("三年", "十三年", "三"),
        ("GPT-4", "GPT-3", "4"),
        ("3千米", "3000", "3"),
        ("1½", "1 and 2", "1½"),
        ("1.5 million", "1.5–2 thousand", "1.5 million"),
        ("five", "three of 4 μm, as Δt", "five"),
        ("five", "tres huevos", "five"),
        ("13 pumps", "ثلاث عشرة مضخة", "13"),
    ],
)
def test_what_is_not_the_same(statement: str, passage: str, lost: str) -> None:
    assert missing(statement, ["nothing", passage]) == [lost]


@pytest.mark.parametrize(
    "statement",
    [
        "1. As in section 3, figure 2 and Tabelle 4.1 [5].",
        "一个，统一，十分，四川，万一，第三，零部件，“十四五”规划，“向下流动”，金砖五国",
        "One of them is made of H2O and CO2.",
        "Eine von ihnen, siehe https://example.org/2024/7.",
        "第3章，图2",
        "A “term” and „ein“ 「术语」",
        "Es sei denn, dass das Sechste einmal kam; once it was due.",
    ],
)
def test_what_does_not_count(statement: str) -> None:
    assert missing(statement, []) == []


def test_quoted_words_stand_in_a_passage() -> None:
    passages = ["They said that moss is\nnot **wet** at all.", "水熊虫生活在苔藓中。"]
    assert missing("It says “Moss is not wet”, and 「水熊虫生活在苔藓中」.", passages) == []
    assert missing('It says "moss is … wet at all".', passages) == []
    for wrong in ("“moss is wet”", '"that moss isn"', "„Moss is not wett“", "«not all»", "『生活在清水中』"):
        assert missing(f"It says {wrong}.", passages) == [wrong[1:-1]]


WRITTEN = st.text("0123456789.,:/ -'½²一二十百万亿年月日点分之第 kmMb\u202f٣५５aA“”", max_size=40) | st.text()


@given(WRITTEN)
def test_a_statement_stands_in_itself(text: str) -> None:
    statement = text.translate(dict.fromkeys(map(ord, '"“”„«»‹›「」『』')))
    assert missing(statement, [statement]) == []


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_two_numbers_are_two(one: int, other: int) -> None:
    for written in (f"{one}", f"{one:,}", f"{one:,}".replace(",", ".")):
        lost = missing(f"They are {written}.", [f"They are {other:,} of {other} and {other}0."])
        assert bool(lost) == (one not in (other, other * 10))


@pytest.mark.proof
@pytest.mark.parametrize(
    "part", ["1", "1,", "1 000 ", "一", "a1", "15 January ", "two ", "“a", "[1", "1 to ", "1-"]
)
def test_hostile_texts_take_no_time(part: str) -> None:
    start = time.process_time()
    missing(part * 5_000, [part * 5_000])
    assert time.process_time() - start < 5

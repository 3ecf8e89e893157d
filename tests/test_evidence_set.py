"""The benchmark's set of pages and statements keeps its rules, and the program alone decides it rightly."""

import re
import unicodedata
from collections import Counter

from benchmarks.evidence import free_checks
from benchmarks.evidence.forgeries import true_passages
from benchmarks.evidence.testset import KINDS, MAX_GROUP, groups, pages, section, statements
from research.evidence.statements import cited_statements

LANGUAGES = ("en", "de", "zh", "ar")
MIN_OF_A_KIND, MIN_STATEMENTS = 6, 60
_NUMBER = re.compile(r"\d[\d.,٫٬]*\d|\d")


def digits(text: str) -> set[str]:
    """The numbers of a text as digits alone, by no code of the program."""
    return {
        "".join(str(unicodedata.decimal(c)) for c in number if c.isdecimal())
        for number in _NUMBER.findall(text)
    }


def test_each_page_is_short_and_in_a_known_language() -> None:
    assert list(pages()) == list(range(1, 9))
    scripts = Counter(
        "zh" if re.search("[\u4e00-\u9fff]", page) else "ar" if "\u0627" in page else "Latin"
        for page in pages().values()
    )
    assert scripts == {"Latin": 4, "zh": 2, "ar": 2}
    for page in pages().values():
        words = len(re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+", page))
        assert 400 <= words <= 1_200
        assert len(true_passages(page)) > 30


def test_there_are_enough_statements_of_each_kind_in_each_language() -> None:
    kinds = Counter(stated.kind for stated in statements())
    assert len(statements()) >= MIN_STATEMENTS
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= MIN_OF_A_KIND
    assert {(s.kind, s.language) for s in statements()} == {(k, la) for k in KINDS for la in LANGUAGES}
    assert len({stated.sentence for stated in statements()}) == len(statements())


def test_what_is_right_has_its_words_in_the_pages() -> None:
    for stated in statements():
        cited = [pages()[number] for number in stated.sources]
        others = [pages()[stated.elsewhere]] if stated.elsewhere else cited
        assert stated.expected == KINDS[stated.kind]
        assert bool(stated.rests_on) == (stated.kind != "absent"), stated.sentence
        assert bool(stated.elsewhere) == (stated.kind == "another source"), stated.sentence
        assert stated.elsewhere not in stated.sources
        for words in stated.rests_on:
            assert any(words in page for page in others), words
            assert others is cited or not any(words in page for page in cited), words


def test_a_strange_number_is_in_no_cited_page() -> None:
    for stated in statements():
        for strange in stated.strange:
            assert strange in stated.sentence
            assert digits(strange).isdisjoint(*(digits(pages()[number]) for number in stated.sources))
    assert sum(bool(stated.strange) for stated in statements()) >= MIN_OF_A_KIND


def test_each_statement_is_one_that_cites_its_sources() -> None:
    for group in groups():
        assert 1 <= len(group) <= MAX_GROUP
        assert len({stated.language for stated in group}) == 1
        found = cited_statements(section(group), pages())
        assert [each.numbers for each in found] == [stated.sources for stated in group]


def test_true_passages_are_taken_and_forged_ones_are_not() -> None:
    for kind, count in free_checks.take_true().items():
        assert count.given == count.taken > 100, kind
    for kind, count in free_checks.take_forged().items():
        assert count.given > 50, kind
        assert count.taken == 0, kind


def test_strange_numbers_are_refused_and_supported_statements_are_not() -> None:
    decided = free_checks.decide()
    assert len(decided) == len(statements())
    assert free_checks.wrongly_refused(decided) == []
    assert free_checks.wrongly_admitted(decided) == []
    assert sum(each.has_its_words for each in decided) >= 0.95 * len(decided)


def test_each_row_of_a_table_has_as_many_cells() -> None:
    table = free_checks.statements_table(free_checks.decide())
    assert len({line.count("|") for line in table.splitlines()}) == 1

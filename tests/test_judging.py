"""What a model's verdicts are taken for, by which passages a statement is judged, how it is rewritten."""

import pytest

from models import Citation, Passage, Verdict
from research.evidence.judging import basis, docket, verdicts
from research.evidence.rewriting import rewritten
from research.evidence.statements import cited_statements
from research.evidence.taking import take

S, P, C, A = Verdict.SUPPORTED, Verdict.PARTLY, Verdict.CONTRADICTED, Verdict.ABSENT
PUMPS = {
    Passage(1, 0, 10): "The pump was checked in May.",
    Passage(1, 20, 30): "The pump stood still for 12 days.",
    Passage(1, 40, 50): "The pump was sold for 900 euros.",
    Passage(1, 60, 70): "Nobody knows the pump.",
    Passage(2, 0, 10): "Another pump was sold for 700 euros.",
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1: supported\n2: partly\n3: contradicted\n4: absent", {1: S, 2: P, 3: C, 4: A}),
        ("1. Supported.\n2) PARTLY\n**3:** absent\n- 4 - supported", {1: S, 2: P, 3: A, 4: S}),
        ("1: supported, because the passage says so\n2: partially supported", {1: S, 2: P}),
        ("1: not supported\n2: unsupported\n3: not contradicted", {1: A, 2: A, 3: Verdict.UNCHECKED}),
        ("1: supported\n1: absent\n2: absent\n2: absent", {2: A}),
        ("Statement 1 is supported.\n1 supported", {1: S}),
        ("The verdicts:\n\n| 1 | supported |\n| 2 | absent |", {1: S, 2: A}),
        ("1：supported\n2、absent", {1: S, 2: A}),
        ("yes\n1: yes\n12: true\n\n1:\nsupported", {}),
        ("1: supportedness", {}),
        ("", {}),
    ],
)
def test_what_an_answer_is_taken_for(answer: str, expected: dict[int, Verdict]) -> None:
    """A number with two verdicts, or with a word that is none, has none."""
    assert verdicts(answer) == expected


def test_an_answer_without_end_is_read_in_no_time() -> None:
    for answer in ("1" * 10**6, "1: " * 10**6, "\n" * 10**6, "1:\u00a0" * 10**5, "- " * 10**6):
        assert verdicts(answer) in ({}, {1: S})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pump was checked [1].", ["The pump was checked in May."]),
        ("It was sold for 900 euros and stood still for 12 days [1].", ["sold for 900", "still for 12"]),
        ("A pump was sold for 700 euros, one for 900 [1][2].", ["Another pump", "sold for 900"]),
    ],
)
def test_a_statement_is_judged_by_the_passages_that_have_its_figures(text: str, expected: list[str]) -> None:
    [statement] = cited_statements(text, [1, 2])
    chosen = basis(statement, PUMPS)
    assert len(chosen) <= 3
    assert {passage.source for passage in chosen} == set(statement.numbers)
    for words in expected:
        assert any(words in passage for passage in chosen.values()), chosen


def test_what_shares_no_word_is_judged_by_all() -> None:
    """As where statement and page are in two languages."""
    [statement] = cited_statements("Niemand kennt sie [1].", [1])
    assert list(basis(statement, PUMPS).values()) == [PUMPS[p] for p in PUMPS if p.source == 1]


def test_of_a_source_in_another_language_the_judge_gets_more_than_the_first() -> None:
    [statement] = cited_statements("The pump was sold [1][3].", [1, 3])
    german = {Passage(3, n, n + 9): text for n, text in enumerate(("Katze.", "Sie stand.", "Nass."))}
    chosen = basis(statement, PUMPS | german)
    assert set(german) < set(chosen)


def test_the_first_statements_are_judged_and_those_without_passage_are_not_asked_about() -> None:
    text = "The pump was checked [1]. It has 77 wheels [1]. It is green [3]. The pump was sold [2]."
    judged = docket(text, [1, 2, 3], PUMPS, (), 100_000)
    assert [statement for statement, _ in judged.asked] == ["The pump was checked.", "The pump was sold."]
    decided = judged.decided("1: supported\n2: contradicted\n3: supported", "a judge", "2026-11-26")
    assert [(c.verdict, c.judge, c.judged) for c in decided] == [
        (S, "a judge", "2026-11-26"), (A, "", ""), (Verdict.UNCHECKED, "", ""), (C, "a judge", "2026-11-26"),
    ]  # fmt: skip
    again = docket(text.replace("checked", "tested"), [1, 2, 3], PUMPS, decided, 100_000)
    assert [statement for statement, _ in again.asked] == ["The pump was tested."]
    assert len(docket(text, [1, 2, 3], PUMPS, (), 600).citations) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "1: The pump was tested [1].",
            "# A\n\nThe pump was tested [1]. The pump is old [2].\n\n- It is red [1].\n",
        ),
        ("1: leave out\n3: Leave out.", "# A\n\nThe pump is old [2].\n\n"),
        ("2: The pump is new [7][2]!", "# A\n\nThe pump ran [1]. The pump is new [2]!\n\n- It is red [1].\n"),
        ("3: # It | is\u00a0green", "# A\n\nThe pump ran [1]. The pump is old [2].\n\n- It / is green [1]\n"),
        ("1: leave out\n2: leave out\n3: no", "# A\n\n\n- no [1]\n"),
        ("2: leave out\n3: It is green.", "# A\n\nThe pump ran [1].\n\n- It is green [1].\n"),
        ("3: " + "x" * 2_000, None),
        ("I would not.", None),
        (
            "1: " + "x" * 1_400 + "\n2: " + "x" * 1_400 + "\n3: " + "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 1_400,
            None,
        ),
    ],
)
def test_a_rewritten_statement_takes_the_place_of_the_old_one(answer: str, expected: str | None) -> None:
    """With its own marks and no others, and without any Markdown; the rest stays to the character."""
    text = "# A\n\nThe pump ran [1]. The pump is old [2].\n\n- It is red [1].\n"
    asked = [Citation(s.text, s.numbers) for s in cited_statements(text, [1, 2])]
    found = rewritten(text, [1, 2], asked, answer)
    assert found == (text if expected is None else expected)


ROWS = "| pump | days |\n|---|---|\n| red | 12 [1] |\n| green | 13 [1] |\n\n```yaml\n- \n- a [1]\n```\n"


@pytest.mark.parametrize(
    ("answer", "row"),
    [
        ("1: red | 14", "| red | 14 [1] |\n"),
        ("1: leave out", ""),
        ("1: The red one stood for 14 days.", "| red | 12 [1] |\n"),
    ],
)
def test_a_row_stays_a_row(answer: str, row: str) -> None:
    """And code stays what it is, though something is left out."""
    asked = [Citation(s.text, s.numbers) for s in cited_statements(ROWS, [1])]
    assert len(asked) == 2
    assert rewritten(ROWS, [1], asked, answer) == ROWS.replace("| red | 12 [1] |\n", row)


def test_the_same_statement_twice_is_rewritten_each_for_itself() -> None:
    text = "It ran [1]. It stood [1]. It ran [1]."
    asked = [Citation(s.text, s.numbers) for s in cited_statements(text, [1])]
    answer = "1: It ran in May [1].\n2: leave out\n3: It ran in June [1]."
    assert rewritten(text, [1], asked, answer) == "It ran in May [1]. It ran in June [1]."
    assert rewritten(text, [1], [asked[0], asked[2]], "2: It ran in June [1].") == (
        "It ran [1]. It stood [1]. It ran in June [1]."
    )


def test_passages_are_the_page_s_own_characters() -> None:
    """Forged ones are counted, those within others and the ninth are not kept."""
    facts = [f"In year {number}, the “pump” – it was old – stood still." for number in range(2001, 2012)]
    page = "\n\n".join(facts)
    answer = "\n\n".join(f"> {fact.replace('“', chr(34)).replace('”', chr(34)).upper()}" for fact in facts)
    passages, dropped = take(f"{answer}\n\n> In year 2001, the pump – it was new – stood still.", 7, page, [])
    assert [page[p.start : p.end] for p in passages] == facts[:8]
    assert (dropped, {(p.source, p.page, p.is_copied) for p in passages}) == (1, {(7, 0, True)})
    whole = "It is not true that the pump stood still. The other one ran."
    passages, dropped = take("> the pump stood still. The other one", 7, f"Why? {whole} Nobody knows.", [])
    assert [f"Why? {whole}"[p.start : p.end] for p in passages] == [whole], "what is before it may be a not"
    together = f"> {facts[3]}\n> {facts[1]}\n> {facts[1].replace('2', '3')}\n> {facts[5]}"
    passages, dropped = take(together, 7, page, [])
    assert ([page[p.start : p.end] for p in passages], dropped) == ([facts[1], facts[3], facts[5]], 1)
    passages, dropped = take("> In year 2001, the pump ran.", 7, page, ["year 2003"])
    assert dropped == 1 and passages and not any(p.is_copied for p in passages)

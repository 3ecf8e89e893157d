"""The sentences of a section that cite, each with its numbers and where it stands."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.evidence.sentences import sentences
from research.evidence.statements import Statement, cited_statements

ALL = range(1, 100)


def found(markdown: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(statement.text, statement.numbers) for statement in cited_statements(markdown, ALL)]


@pytest.mark.parametrize(
    "mark", ["[1]", "[^1]", "【1】", "[1](http://a.b/c?d)", "[[1]](http://a.b)", "[Source 1]"]
)
@pytest.mark.parametrize("sentence", ["It **is** {}.", "It **is**{}.", "It **is**. {}", "It **is**.{}"])
def test_a_mark_before_or_behind_the_full_stop(mark: str, sentence: str) -> None:
    markdown = f"Before it. {sentence.format(mark)} Behind it."
    [statement] = cited_statements(markdown, ALL)
    assert (statement.text, statement.numbers) == ("It is.", (1,))
    assert markdown[statement.start : statement.end] == sentence.format(mark)


@pytest.mark.parametrize(
    ("marks", "numbers"),
    [
        ("[1]", (1,)),
        ("[2][5]", (2, 5)),
        ("[5], [2]", (5, 2)),
        ("[1, 3]", (1, 3)),
        ("[1-3]", (1, 2, 3)),
        ("【1】【2】", (1, 2)),
        ("[1][1]", (1,)),
        ("[1][999]", (1,)),
        ("[4, p. 12]", (4,)),
        ("([1], [2])", (1, 2)),
        ("(see [1])", (1,)),
        ("（参考：[1][2]）", (1, 2)),
    ],
)
def test_the_numbers_of_a_statement(marks: str, numbers: tuple[int, ...]) -> None:
    assert found(f"It is true {marks}. It is not.") == [("It is true.", numbers)]


def test_only_the_numbers_that_are_asked_for() -> None:
    text = "One [1]. Two [2, 3]. Three [2024]. Four [0]."
    assert [s.numbers for s in cited_statements(text, {2})] == [(2,)]
    assert cited_statements(text, ()) == []


@pytest.mark.parametrize(
    ("markdown", "statements"),
    [
        ("水熊虫生活在苔藓中。【1】它们可以干燥。[2]第三句[3]。第四句。", [
            ("水熊虫生活在苔藓中。", (1,)), ("它们可以干燥。", (2,)), ("第三句。", (3,)),
        ]),
        ("他说。“神”既在。[1]**真。**[2]**下一句。**[3]", [
            ("“神”既在。", (1,)), ("真。", (2,)), ("下一句。", (3,)),
        ]),
        ("تعيش في الطحالب.[1] وتجف. [2] هل هذا صحيح؟ [3] نعم", [
            ("تعيش في الطحالب.", (1,)), ("وتجف.", (2,)), ("هل هذا صحيح؟", (3,)),
        ]),
        ("यह सच है। [1] दूसरा वाक्य [2]।", [("यह सच है।", (1,)), ("दूसरा वाक्य।", (2,))]),
        ("Am 15. Januar war es so [1]. Im 19. Jahrhundert z. B. Moos. [2] Rund 5 Mio. Euro [3].", [
            ("Am 15. Januar war es so.", (1,)), ("Im 19. Jahrhundert z. B. Moos.", (2,)),
            ("Rund 5 Mio. Euro.", (3,)),
        ]),
        ("Dr. Smith et al. (2020) said e.g. Foo [1]. J. Doe saw No. 5 of version 3.5 [2]! \"True?\" [3]", [
            ("Dr. Smith et al. (2020) said e.g. Foo.", (1,)), ("J. Doe saw No. 5 of version 3.5!", (2,)),
            ('"True?"', (3,)),
        ]),
        ("😀 One [1]. 𠀀😀 Two [2]. Three.", [("😀 One.", (1,)), ("𠀀😀 Two.", (2,))]),
    ],
)  # fmt: skip
def test_sentences_of_many_languages(markdown: str, statements: list[tuple[str, tuple[int, ...]]]) -> None:
    assert found(markdown) == statements


@pytest.mark.parametrize(
    ("markdown", "statements"),
    [
        ("A line\ngoes on [1].\n\nAnother [2]\n", [("A line goes on.", (1,)), ("Another", (2,))]),
        ("A\r\nB [1].\r\n\r\n1. C [2]\r\n", [("A B.", (1,)), ("C", (2,))]),
        ("Title  \n[1] Text.\\\nEnd [2]", [("Text.", (1,)), ("End", (2,))]),
        ("- one *item* [1]\n  goes on.\n  - two [2]\n\n    Three. [3]", [
            ("one item goes on.", (1,)), ("two", (2,)), ("Three.", (3,)),
        ]),
        ("> A quote [1]. Its\n> end [2]", [("A quote.", (1,)), ("Its end", (2,))]),
        ("| A | B [9] |\n|---|---|\n| c **d** | 12 % [2] |\n| e | f |\n| g \\| h [3] | |", [
            ("c d | 12 %", (2,)), ("g | h", (3,)),
        ]),
        ("<div>\nHello [1]. World.\n</div>", [("Hello.", (1,))]),
        ("See [a label](http://a.b/c?d! E) and [it](http://q.r) R&amp;D, 5*3, a_b [1].", [
            ("See [a label](http://a.b/c?d! E) and it R&D, 5*3, a_b.", (1,)),
        ]),
        ("`a. B?` and $x. Y$ in https://a.b/?C [1]", [("a. B? and $x. Y$ in https://a.b/?C", (1,))]),
        ("**Lead.** Text [1].", [("Text.", (1,))]),
        ("It is ([1], [2]). So [3]: it is.", [("It is.", (1, 2)), ("So: it is.", (3,))]),
        ("[1] says so. True.", [("says so.", (1,))]),
    ],
)  # fmt: skip
def test_blocks(markdown: str, statements: list[tuple[str, tuple[int, ...]]]) -> None:
    assert found(markdown) == statements


@pytest.mark.parametrize(
    "markdown",
    [
        "# Heading [1]\n\nHeading [2]\n===\n\n```\ncode [3]\n```\n\n    code [4]",
        "`code [1]`, $x[2]$, \\[3], [label [4]](http://a.b)",
        "[1]: A title\n\n- [2]: Another title",
        "## References\n\n[1] A title.\n\n[2] Another.",
        "**Quellen:**\n\n- [1] Ein Titel",
        "Text.\n\n[1] A title: https://a.b/c  \n[2] Another. http://d.e",
        "[1]\n\n([2])\n\n- [3]",
        "Nothing at all.",
        "",
    ],
)
def test_what_cites_nothing(markdown: str) -> None:
    assert cited_statements(markdown, ALL) == []


def test_statements_go_on_behind_a_list_of_references() -> None:
    assert found("# Sources\n\n[1] A title.\n\n# Next\n\nText [4].") == [("Text.", (4,))]


@pytest.mark.parametrize(
    "markdown",
    [
        "**One. [1]** Two [2]. *Three.* [3]",
        "- **One**: is [1]\n- `Two` [2]",
        "> | a | b |\n> |---|---|\n> | c [1] | d |",
        "\u3000\nOne [1]. Two\n\t[2].",
        "- a\n\n\tOne [1]. Two [2].",
        "1. 1 [1]\n2. 2. x [2]",
    ],
)
def test_where_a_statement_stands(markdown: str) -> None:
    statements = cited_statements(markdown, ALL)
    assert statements
    for statement in statements:
        written = markdown[statement.start : statement.end]
        assert all(f"[{number}]" in written for number in statement.numbers)
        assert all(word.strip(".:|") in written for word in statement.text.split())
        assert written == written.strip()


PARTS = st.sampled_from(
    ["[1]", "[2, 3]", "【1】", " ", "\n", "  \n", "\n\n", "- ", "> ", "# ", "| a | b |\n|--|--|\n", "|", "`",
     "**", "_", "One.", "two", "真。", "？", "http://a.b ", "[x](y)", "\t", "\r\n", "\\", "<br>", "😀", "\0",
     "1. ", "$", "“", ":", "\u3000", "&amp;", "(", ")"]
)  # fmt: skip


@given(st.lists(PARTS | st.text(max_size=3), max_size=30).map("".join))
def test_any_markdown(markdown: str) -> None:
    """Statements stand one behind the other, each around its marks."""
    end = 0
    for statement in cited_statements(markdown, ALL):
        assert end <= statement.start < statement.end <= len(markdown)
        assert statement.text and statement.numbers
        end = statement.end


@given(st.text())
def test_sentences_are_the_whole_text(text: str) -> None:
    parts = list(sentences(text))
    assert "".join("".join(text[start:end].split()) for start, end in parts) == "".join(text.split())


def test_what_a_statement_is() -> None:
    assert cited_statements("It is. [1]", [1]) == [Statement("It is.", 0, 10, (1,))]


@pytest.mark.proof
@pytest.mark.parametrize(
    "part", ["[1]", "A [1]. ", "a [1] ", "[1] http://a\n", "| a [1] |\n", "**[1]", "- [1]\n", "a.", "“"]
)
def test_hostile_texts_take_no_time(part: str) -> None:
    start = time.process_time()
    cited_statements(f"|a|b|\n|-|-|\n{part * (25_000 // len(part))}", ALL)
    assert time.process_time() - start < 2

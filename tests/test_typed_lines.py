"""Lists that models type with labels of their own, and lines that are bold: each is a line of its own."""

from typing import Any

import pytest

from research.markdown.parser import Node, parse, plain, walk
from tests.page_reader import pages


def shown(content: str) -> str:
    return " ".join("\n".join(pages(content)).split())


def kinds(node: Node) -> Any:
    return [(child.type, kinds(child)) if child.children else child.type for child in node.children]


@pytest.mark.parametrize(
    ("typed", "marks"),
    [
        ("Steps:\na. first\nb. second\n   goes on\nc. third", ["a.", "b.", "c."]),
        ("(1) first\n\n(2) second\n\n(3) third\n\nBehind.", ["(1)", "(2)", "(3)"]),
        ("（一）first\n（二）second", ["（一）", "（二）"]),
        ("(i) first\n(ii) second\n(iii) third", ["(i)", "(ii)", "(iii)"]),
        ("① first\n② second", ["①", "②"]),
        ("A) first\nB) second\n\nA. Smith writes.", ["A)", "B)"]),
        ("i. first\nii. second\niii. third", ["i.", "ii.", "iii."]),
        ("I. first\nII. second", ["I.", "II."]),
        ("Text:\n1、first\n2、second", ["1、", "2、"]),
        ("一、first\n二、second\n三、third", ["一、", "二、", "三、"]),
        ("– first\n– second", ["–", "–"]),
        ("✅ first\n❌ second\n⚠️ third", ["✅", "❌", "⚠️"]),
        ("1.first\n2.second", ["1.", "2."]),
        ("1.1 first\n1.2 second\n2.1 third", ["1.1", "1.2", "2.1"]),
        ("➢ first\n➢ second", ["➢", "➢"]),
        ("✓ first\n✓ second", ["✓", "✓"]),
        ("- item\n  a. first\n  b. second", ["a.", "b."]),
        ("１. first\n２. second", ["１.", "２."]),
        ("١. first\n٢. second", ["١.", "٢."]),
        ("（１）first\n（２）second", ["（１）", "（２）"]),
        ("・first\n・second", ["・", "・"]),
    ],
)
def test_typed_numbers_make_a_list_that_keeps_them(typed: str, marks: list[str]) -> None:
    tree = parse(typed)
    items = [node for node in walk(tree) if node.type == "list_item"]
    assert [item.meta["mark"] for item in items][-len(marks) :] == marks
    words = [plain(item) for item in items][-len(marks) :]
    assert [word.split()[0] for word in words] == ["first", "second", "third"][: len(marks)]
    page, whole = ("".join(text.split()) for text in (shown(typed), typed.replace("- ", "• ")))
    assert page.startswith(f"ResearchReport{whole}")


@pytest.mark.parametrize(
    "marks", [("أ)", "ب)"), ("א.", "ב."), ("ア．", "イ．"), ("가.", "나."), ("۱.", "۲.")]
)
def test_letters_and_digits_of_other_scripts_number_items(marks: tuple[str, str]) -> None:
    [items] = parse("\n".join(f"{mark} first second" for mark in marks)).children
    assert [item.meta["mark"] for item in items.children] == [*marks]
    assert {plain(item) for item in items.children} == {"first second"}


@pytest.mark.parametrize(
    "text",
    [
        "A. Smith writes.\nC. Jones, too.",
        "(1) alone",
        "as in (1) and\n(2) so",
        "b. x\nc. y",
        "(1) x\n\nWords.\n\n(2) y",
        "1.5 million\n2.5 million",
        "✅ alone\nand words",
        "– alone",
        "1.x is old\n3.x is new",
        "一、二、三\n三、四",
        "Words – and\nmore – words",
    ],
)
def test_labels_that_are_not_in_a_row_stay_text(text: str) -> None:
    assert {node.type for node in parse(text).children} == {"paragraph"}
    assert plain(parse(text)) == text.replace("\n\n", "")


def test_a_list_nested_in_a_typed_item_takes_no_item_with_it() -> None:
    typed = "a) x\nb) y\n   - nested\n     1.1 p\n     1.2 q\nc) z\n   1. last\n\nEnd."
    outer, numbers, end = parse(typed).children
    assert [item.meta["mark"] for item in outer.children] == ["a)", "b)", "c)"]
    assert [[child.type for child in item.children] for item in outer.children] == [
        ["paragraph"], ["paragraph", "bullet_list"], ["paragraph"],
    ]  # fmt: skip
    assert (plain(outer), plain(numbers), plain(end)) == ("xynestedpqz", "last", "End.")
    assert kinds(parse("text\n- a\nmore\n\n2024. We")) == kinds(parse("text\n- a\n  more\n\n2024. We"))


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("**Findings**\nCosts fell.\nMuch.", "Findings|Costs fell. Much."),
        ("**技术路径：**\n公司成立于1992年。", "技术路径：|公司成立于1992年。"),
        ("**Pros**:\ncheap [1]\n**Cons** [2]\nheavy\n**Sum**\nx", "Pros:|cheap [1]|Cons [2]|heavy|Sum|x"),
        ("Data is scarce.\n**Limits**\nNone.", "Data is scarce.|Limits|None."),
        ("**Company:** ACME\n**Founded**: 1999\n**HQ:** Berlin", "Company: ACME|Founded: 1999|HQ: Berlin"),
        ("a sentence with\n**bold words**\nin its middle", "a sentence with bold words in its middle"),
        ("**Bold** words\nand\n**more** of them", "Bold words and more of them"),
        ("as said,\n**Note:** this", "as said, Note: this"),
    ],
)
def test_a_bold_line_is_a_line_of_its_own(typed: str, wanted: str) -> None:
    marks = {"softbreak": " ", "hardbreak": "|"}
    assert (
        "".join(marks.get(node.type, node.content) for node in walk(parse(typed)) if not node.children)
        == wanted
    )


def test_a_bold_line_ends_the_list_above_it() -> None:
    typed = "**Pros**\n- cheap\n  - safe\n**Cons**\n1. heavy\n**Price:** 5\n- goes\non **and** on"
    pro, [_, items], con, numbers, price, [_, more] = kinds(parse(typed))
    assert [block[0] for block in (pro, con, price)] == ["paragraph"] * 3
    assert plain(parse(typed)).endswith("goes\non and on")
    assert (len(items), len(numbers[1]), len(more)) == (1, 1, 1)

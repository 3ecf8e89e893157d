"""Markdown as models write it: what CommonMark has not, read as it was meant."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from models import PDFGenerationInput
from research.markdown.parser import Node, parse, plain
from research.output.report_markdown import report_markdown
from research.pdf import document
from tests.conftest import needs_fonts
from tests.page_reader import EXAMPLES, boxes, pages, pdf


def emphasized(markdown: str) -> list[str]:
    """The parts of the text that are bold, italic or struck through."""

    def walk(node: Node) -> Iterator[str]:
        if node.type in ("strong", "em", "s"):
            yield plain(node)
        for child in node.children:
            yield from walk(child)

    return list(walk(parse(markdown)))


def shown(content: str, **more: Any) -> str:
    """The words of the page, without the summary's and the footer's."""
    return " ".join("\n".join(pages(content, **more)).split())


# Emphasis.


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("また**「約束」**である", ["「約束」"]),
        ("第一に**費用（税込）**を示す。", ["費用（税込）"]),
        ("其中**价格：**上涨；**（必读）**参见附录", ["价格：", "（必读）"]),
        ("他说**“可以”**吗", ["“可以”"]),
        ("먼저 **요점(要點)**을 본다", ["요점(要點)"]),
        ("그는 **'좋다'**라고 했다", ["'좋다'"]),
        ("模型**LLM（大模型）**发展很快", ["LLM（大模型）"]),
        ("これは~~「旧版」~~新版", ["「旧版」"]),
        ("これは*「斜体」*と**`code`**です", ["「斜体」", "code"]),
        ("漢字︀**「異体」**だ", ["「異体」"]),
        ("**Label:**text, **Rate: 5%**of all and **“quoted”**words", ["Label:", "Rate: 5%", "“quoted”"]),
    ],
)
def test_emphasis_beside_cjk_punctuation_is_emphasis(markdown: str, wanted: list[str]) -> None:
    assert emphasized(markdown) == wanted
    assert not re.search(r"[*~]", shown(markdown))


@pytest.mark.parametrize(
    "markdown",
    [
        "snake_case_名前_です",
        "2 * 3 * 4",
        'a**"b"**c',
        "5*（3＋4）",
        "漢字 ** 空白 ** 漢字",
        "✅x**(done)**x",
    ],
)
def test_marks_that_are_no_emphasis_stay(markdown: str) -> None:
    assert emphasized(markdown) == []


@pytest.mark.parametrize("section", sorted(set(EXAMPLES) - {"HTML"}))
def test_the_specification_means_what_it_meant(section: str) -> None:
    """No rule of ours changes what is emphasized in an example of CommonMark."""
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 300}).enable(["table", "strikethrough"])
    for example in EXAMPLES[section]:
        tokens = [child for token in reader.parse(example) for child in token.children or []]
        assert len(emphasized(example)) == sum(t.type in ("strong_open", "em_open", "s_open") for t in tokens)


def test_a_new_line_between_chinese_characters_is_no_space() -> None:
    needs_fonts("这是一个很长的句子한국어")
    assert "这是一个很长的句子" in shown("这是一个很\n长的句子")
    assert "한국어 문장" in shown("한국어\n문장")
    assert "用 Python 写" in shown("用\nPython\n写")


# Blocks.


def kinds(node: Node) -> Any:
    return [(child.type, kinds(child)) if child.children else child.type for child in node.children]


@pytest.mark.parametrize("mark", ["- ", "3. ", "  - ", "- [x] "])
def test_a_table_right_below_an_item_is_a_table_in_the_item(mark: str) -> None:
    markdown = f"{mark}Rates today\n| Term | Rate |\n|:-----|-----:|\n| Year | 2.5 |\n{mark}Next\n"
    [(_, [(_, first), (_, second)])] = kinds(parse(markdown))
    assert [kind[0] for kind in first] == ["paragraph", "table"]
    assert [kind[0] for kind in second] == ["paragraph"]
    text = shown(markdown)
    assert "|" not in text
    assert "Year 2.5" in text


def test_lines_with_bars_below_an_item_that_are_no_table_stay_text() -> None:
    assert "Either | or this | or that" in shown("- Either | or\nthis | or that\n")


def cells(markdown: str) -> list[list[str]]:
    """The texts of the cells of all rows, wherever in the document they are."""

    def walk(node: Node) -> Iterator[list[str]]:
        if node.type == "tr":
            yield [plain(cell) for cell in node.children]
        for child in node.children:
            yield from walk(child)

    return list(walk(parse(markdown)))


@pytest.mark.parametrize("before", ["", "> ", "- "])
def test_a_bar_in_code_or_a_formula_parts_no_cells(before: str) -> None:
    inner = before.replace("-", " ")
    rows = ["| `a|b` | $P(X|Y)$ |", "|---|---|", r"| \(|x|\) | left `|` right |", "| 1 | 2 | "]
    markdown = before + f"\n{inner}".join(rows)
    assert cells(markdown) == [["a|b", "P(X|Y)"], ["|x|", "left | right"], ["1", "2"]]
    below = "\n# Head\n| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"
    assert cells(f"{markdown}{below}")[3:] == [["a", "b", "c"], ["1", "2", "3"]]
    assert "|---|" in plain(parse(f"```\n{markdown}\n|---|\n| `1|2|3` |\n```"))


def test_no_cell_beyond_the_header_is_lost() -> None:
    markdown = "| a | b |\n|---|---|\n| 1 | 2 | 3 | *4* |\n| $5 | $6 | $7 |\n| `8 | 9 |\n| 10 | 11 | |\n"
    assert cells(markdown)[1:] == [["1", "2 | 3 | 4"], ["$5", "$6 | $7"], ["`8", "9"], ["10", "11"]]
    assert "1 2 | 3 | 4 $5 $6 | $7" in shown(markdown)


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"])
def test_a_callout_says_its_kind_in_a_word(kind: str) -> None:
    text = shown(f"> [!{kind}]\n> Mind the **gap**.\n>\n> - and the step\n\n> [!OTHER]\n> Plain quote.")
    assert f"{kind.capitalize()} Mind the gap. • and the step" in text
    assert f"[!{kind}]" not in text
    assert "[!OTHER] Plain quote." in text


def test_a_definition_list_has_no_colons() -> None:
    assert "Yield What a bond pays. Coupon Its rate." in shown(
        "Yield\n: What a bond pays.\n\nCoupon\n: Its rate.\n"
    )


def test_code_ends_where_a_citation_stands_behind_its_fence() -> None:
    text = shown("```\nrun --all\n``` [21]\n\n## Conclusion\n\nIt is **fast**.\n\n```\nmore\n```\n")
    assert "[21] Conclusion It is fast. more" in text


def test_each_source_stands_in_lines_of_its_own() -> None:
    sources = "References:\n[1] https://a.test/one - First work\n[2] https://b.test/two - Second\n[13] Third"
    assert pages(sources)[0].count("\n") >= pages("x")[0].count("\n") + 3
    assert "[1] https://a.test/one - First work" in shown(sources)
    assert "as in [1] and so on [2] of it" in shown("as in\n[1] and so on\n[2] of it")


# Lines as models type them.


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("Key figures:\n• Revenue\n•Cost\n   ◦ Rent", "Key figures:\n- Revenue\n- Cost\n   - Rent"),
        ("Text:\n\n    • one\n    • two", "Text:\n\n- one\n- two"),
        ("> ▪ quoted\n\n· item", "> - quoted\n\n- item"),
        ("##Heading\n\n#Über alles\n\n#数据", "## Heading\n\n# Über alles\n\n# 数据"),
        ("\u200b## Heading\n\n\u00a0###\u00a0Below", "## Heading\n\n### Below"),
        (
            "## 1. 1. Scope\n\n### **1.1 1.1 Aim**\n\n## 10 10 rules",
            "## 1. Scope\n\n### **1.1 Aim**\n\n## 10 10 rules",
        ),
        ("&nbsp;\n\nText.\n\n&nbsp;&nbsp;", "Text."),
    ],
)
def test_typed_bullets_and_headings_are_lists_and_headings(typed: str, wanted: str) -> None:
    assert kinds(parse(typed)) == kinds(parse(wanted))
    assert plain(parse(typed)) == plain(parse(wanted))


@pytest.mark.parametrize(
    "text",
    ["#AI #Tides", "#1 of all", "#include <x>", "3 · 4", "A•B", "```\n•x\n##y\n```", "    x • y", "#AI"],
)
def test_what_is_no_typed_list_or_heading_stays(text: str) -> None:
    assert plain(parse(text)).strip() == text.strip("`\n ")
    assert parse(text).children[0].type in ("paragraph", "fence", "code_block")


def test_a_text_that_is_marked_as_one_heading_is_a_text() -> None:
    blocks = parse("# " + "A sentence of it. " * 100 + "\n\n## Next").children
    assert [node.type for node in blocks] == ["paragraph", "heading"]


def test_a_table_that_is_drawn_keeps_its_lines() -> None:
    for drawn in ("+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n+---+---+", "┌──┬──┐\n│ a│ b│\n└──┴──┘"):
        assert kinds(parse(f"Text.\n\n{drawn}\n\nMore.")) == [
            ("paragraph", ["text"]),
            "code_block",
            ("paragraph", ["text"]),
        ]
        assert plain(parse(drawn)) == f"{drawn}\n"


def test_an_image_that_is_written_out_is_named_only() -> None:
    data = "iVBORw0KGgo" * 4_000
    text = f"A ![tide chart](data:image/png;base64,{data}) and ![](data:image/svg+xml;base64,{data}) end."
    assert "A [Image: tide chart] and [Image: no description] end." in shown(text)
    assert "iVBOR" in shown(f"```\ndata:image/png;base64,{data[:100]}\n```")


# The title.

LONG = "Compare, for a reader who knows nothing of it, " + "the causes and the consequences of it all, " * 12


def test_a_research_that_begins_with_its_own_title_has_it_once() -> None:
    content = "# On *Tides* and AT&T\n\n" + "".join(
        f"## Part {n}\n\n{'Text of it. ' * 150}\n\n" for n in range(9)
    )
    report = PDFGenerationInput(content, topic=LONG, date="2026-11-25")
    reader = pdf(content, topic=LONG, date="2026-11-25")
    first = " ".join(reader.pages[0].extract_text().split())
    assert first.startswith("On Tides and AT&T Compare, for a reader")
    assert first.count("On Tides and AT&T") == 1
    assert f"{LONG.strip()} November 25, 2026" in first  # whole
    assert reader.metadata and reader.metadata.title == "On Tides and AT&T"
    outline: Any = reader.outline
    assert [entry["/Title"] for entry in outline] == [f"Part {n}" for n in range(9)]
    assert report_markdown(report).startswith("# On *Tides* and AT&T\n")


def test_without_a_title_of_its_own_the_topic_is_the_title() -> None:
    assert shown("Text.", topic="Tides").startswith("Tides Text.")
    assert shown("Text.").startswith("Research Report Text.")
    assert shown("## Part\n\nText.", topic="Tides").startswith("Tides Part Text.")
    chapters = "".join(f"# Chapter {n}\n\nText.\n\n```\n# a remark\n```\n\n" for n in range(1, 4))
    assert shown(chapters, topic="Tides").startswith("Tides Chapter 1 Text.")


def test_a_topic_that_is_the_title_is_not_said_twice() -> None:
    assert shown("# tides\n\nText.", topic="Tides").startswith("tides Text.")


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("What is the tide? " + LONG + "Say also why!", "What is the tide?"),
        (LONG + "Say also why!", LONG[:176].strip()),
        ("word " * 80, ("word " * 40).strip()),
        ("Tides\nIn the north:\n- when\n- why", "Tides"),
        ("请比较这些国家的政策。" + "以及它们的影响" * 40, "请比较这些国家的政策。"),
        ("Why is the sea salty, and what would it be without its salt, say to fish? " * 2, None),
    ],
)
def test_a_long_question_is_on_the_first_page_once_and_whole(topic: str, title: str | None) -> None:
    """Without a title of the research it begins as the title, and goes on in smaller letters."""
    needs_fonts("请比较这些国家的政策")
    reader = pdf("Text.\n\n" * 200, topic=topic)
    text = "".join(reader.pages[0].extract_text().split())
    assert text.startswith("".join(topic.split()) + "Text.")
    assert reader.metadata and reader.metadata.title == (title or topic.strip())


def test_the_panel_has_no_name_that_a_section_has() -> None:
    own = "# Tides\n\n## 1. Executive summary\n\nTwice a day.\n"
    assert shown(own, summary="In short.") == "Tides In short. 1. Executive summary Twice a day. Page 1 of 1"
    assert "Executive Summary In short." in shown("## Summary\n\nText.", summary="In short.")


def test_what_introduces_a_list_stands_on_its_page() -> None:
    for lines in range(20, 44):
        content = "line  \n" * lines + "\n\n## Heading\n\n### Below\n\n**Reasons:**\n\n- first\n- second\n"
        for text in pages(content):
            together = {word in text for word in ("Heading", "Below", "Reasons:", "first")}
            assert len(together) == 1, lines


@pytest.mark.parametrize(
    "item",
    [
        "- **Reasons:**\n  - first\n  - second\n",
        "1. Reasons\n   - first\n   - second\n",
        "**Reasons**\n\nfirst\n",
        "Reasons:\n[1] first https://a.test/1\n[2] second https://a.test/2\n",
    ],
)
def test_a_label_stands_with_its_list(item: str) -> None:
    for lines in range(30, 44):
        for text in pages("line  \n" * lines + "\n" + item):
            assert ("Reasons" in text) == ("first" in text), lines


def test_what_belongs_to_an_item_is_nearer_than_the_next_item() -> None:
    loose = "- one\n\n  two\n\n  - three\n\n    four\n\n  - five\n\n- six\n\n- seven\n"
    top = {box.text: box.top for box in boxes(document.render(PDFGenerationInput(loose)).data)}
    words = ["one", "two", "three", "four", "five", "six", "seven"]
    gaps = [top[below] - top[above] for above, below in pairwise(words)]
    inside, between = [*gaps[:2], gaps[2]], [gaps[4], gaps[5]]
    assert max(inside) + 1 < gaps[3] < min(between) - 1

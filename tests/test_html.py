"""HTML that models write: on the page stand its text and its plain meaning, never its tags."""

import re
from typing import Any

import pytest

from research.markdown.parser import Node, parse, plain
from tests.page_reader import pages


def outline(node: Node) -> Any:
    """A node as its kind and its children, a text as its words."""
    if node.type == "text":
        return node.content
    return (node.type, *map(outline, node.children)) if node.children else f"<{node.type}>"


def shown(content: str) -> str:
    return " ".join("\n".join(pages(content)).split())


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("<b>bold *it*</b>", ("strong", "bold ", ("em", "it"))),
        ("<STRONG class='x' id=y>bold</STRONG>", ("strong", "bold")),
        ("<u>under</u>", ("em", "under")),
        ("**<i>both</i>**", ("strong", ("em", "both"))),
        ("<small>s</small>", ("small", "s")),
        ("<sup>[3]</sup>", ("sup", "[3]")),
        ("<del>old</del>", ("s", "old")),
        ('<a href="https://a.test/?x=1&amp;y=2">link</a>', ("link", "link")),
        ('<span style="color: red">red</span>', "red"),
        ("<kbd>Ctrl</kbd>", "<code_inline>"),
    ],
)
def test_a_tag_in_a_line_is_what_it_means(markdown: str, wanted: Any) -> None:
    [paragraph] = parse(f"x {markdown} z").children
    assert outline(paragraph) == ("paragraph", "x ", wanted, " z")


@pytest.mark.parametrize(
    "prose",
    [
        "List<int> and Map<String, List<T>>", "a < b and c > d", "a <b and c> d", "Vec<i> of x<y>z",
        "<placeholder>", "<5% and >3", "5 <- 3 -> 1", "`<b>x</b>`", r"\<br\>", "&lt;b>",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_tag_is_not_lost(prose: str) -> None:
    assert plain(parse(prose)) == re.sub(r"[`\\]", "", prose).replace("&lt;", "<")


def test_code_stays_as_it_is() -> None:
    text = "```html\n<div><b>x</b></div>\n<!-- c -->\n```\n\n    <br> <u>y</u>\n\n`<table>`"
    assert [plain(node) for node in parse(text).children] == [
        "<div><b>x</b></div>\n<!-- c -->\n", "<br> <u>y</u>\n", "<table>",
    ]  # fmt: skip
    raw = "<pre><code>if a &lt; b:\n\n    *go*\n</code></pre>"
    assert outline(parse(raw)) == ("root", "<code_block>")
    assert plain(parse(raw)) == "if a < b:\n\n    *go*\n"
    assert plain(parse("> <pre>\n> one\n> two</pre>\n\nText")) == "one\ntwo\nText"


def test_tags_that_are_not_closed_or_cross_are_not_shown() -> None:
    assert plain(parse("An <b>open, a closed</i> and <b>*a crossing</b>* one.<br/>End")) == (
        "An open, a closed and a crossing one.\nEnd"
    )


BLOCKS = """<p align="center"><img src="https://a.test/x.png" alt="Logo" width="9"></p>
Text above
<div style="text-align: center">

## A *heading*

</div>
<h2>Heading in HTML</h2>
Text below.<hr>
<details>
<summary>In detail</summary>

- one
- two
</details>

<!-- a comment

of lines -->
<center>Centred <!-- and one --> words</center>
"""


def test_blocks_of_html_are_blocks() -> None:
    assert outline(parse(BLOCKS))[1:] == (
        ("paragraph", "<image>"), ("paragraph", "Text above"), ("heading", "A ", ("em", "heading")),
        ("heading", "Heading in HTML"), ("paragraph", "Text below."), "<hr>",
        ("paragraph", ("strong", "In detail")),
        ("bullet_list", ("list_item", ("paragraph", "one")), ("list_item", ("paragraph", "two"))),
        ("paragraph", "Centred words"),
    )  # fmt: skip
    assert not re.search(r"[<>]|comment|align", shown(BLOCKS))


def test_lists_in_html_are_lists() -> None:
    text = "Before\n<ul>\n<li>one\n<li>two <ol start=3><li>inner</li></ol></li>\n</ul>\n\nAfter</ul>"
    assert outline(parse(text))[1:] == (
        ("paragraph", "Before"),
        ("bullet_list", ("list_item", ("paragraph", "one")),
         ("list_item", ("paragraph", "two "), ("ordered_list", ("list_item", ("paragraph", "inner"))))),
        ("paragraph", "After"),
    )  # fmt: skip
    assert "3. inner" in shown(text)
    deep = parse("<ul><li>x" * 200)
    assert plain(deep) == "x" * 200
    assert shown("<ul><li>y" * 50).count("y") == 50


TABLE = """<table border="1">
<caption>Rates</caption>
<thead><tr><th>Name</th><th colspan="2">Value</th></tr></thead>
<tr><td rowspan=2>A</td><td>1</td><td><p>x</p><p>y</p></td></tr>
<tr><td><ul><li>p</li><li>q</li></ul></td><td>

**bold**

- item

</td></tr>
</table>

Behind.
"""


def test_a_table_in_html_is_a_table() -> None:
    caption, table, behind = parse(TABLE).children
    rows = [[plain(cell) for cell in row.children] for part in table.children for row in part.children]
    assert (plain(caption), plain(behind)) == ("Rates", "Behind.")
    assert rows == [["Name", "Value", ""], ["A", "1", "x\ny"], ["", "• p\n• q", "bold\n• item"]]
    assert "Name Value A 1 x y • p • q bold • item Behind." in shown(TABLE)


@pytest.mark.parametrize("text", ["<table><tr><td>one", "<table>\n<tr><td>one\n\n## Next\n\n</table>"])
def test_a_table_that_does_not_end_takes_nothing_with_it(text: str) -> None:
    assert "one" in plain(parse(text))
    assert parse(f"{text}\n\n## Heading\n\nText.").children[-1].type == "paragraph"
    assert any(node.type == "heading" for node in parse(f"{text}\n\n## Heading\n\nText.").children)


def test_lists_in_cells_have_lines_of_their_own() -> None:
    text = (
        "| a | b |\n|---|---|\n"
        + "| <ul><li>one</li><li>two</li></ul> | x<br> y<ol><li>p</li><li>q</li></ol> |\n"
    )
    cells = [plain(cell) for cell in parse(text).children[0].children[1].children[0].children]
    assert cells == ["• one\n• two", "x\ny\n1. p\n2. q"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<ul>\n\n    <li>One</li>\n\n    <li>Two</li>\n\n</ul>", "bullet_list: One, Two"),
        ("<ol>\n\n    <li>One</li>\n\n    <li>Two</li>\n\n</ol>", "ordered_list: One, Two"),
        ("<ul>\n\n    Lost\n\n</ul>", "bullet_list: Lost"),
        ("<table>\n    <tr><td>A</td></tr>\n\n    <tr><td>B</td></tr>\n</table>", "table: A, B"),
        ("<table>\n<tr><td>a\n\n    b</td></tr>\n</table>", "table: a\nb"),
        (
            "<div>\n  <h2>A</h2>\n\n    <p>B</p>\n\n\t<p>C</p>\n</div>",
            "heading: A, paragraph: B, paragraph: C",
        ),
    ],
)
def test_an_indented_tag_in_a_block_of_html_is_no_code(text: str, wanted: str) -> None:
    def said(node: Node) -> str:
        parts = [row for part in node.children for row in part.children] if node.type == "table" else []
        items = parts or (node.children if node.type.endswith("list") else [node])
        return f"{node.type}: {', '.join(map(plain, items))}"

    assert ", ".join(map(said, parse(text).children)) == wanted
    assert "<" not in shown(text)


@pytest.mark.parametrize(
    "before",
    ["", "`<div>` is a tag.\n\n", "<div>never closed\n\n", "<div>closed</div>\n\n", "```\n<div>\n```\n\n"],
)
def test_an_indented_tag_elsewhere_is_code(before: str) -> None:
    assert plain(parse(f"{before}    <p>code</p>\n\nText.")).endswith("<p>code</p>\nText.")
    inside = parse("<details>\n\n    x = 1\n\n    <p>B</p>\n\n</details>\n\n    <p>code</p>")
    assert [node.type for node in inside.children] == ["code_block", "paragraph", "code_block"]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<img src="https://a.test/i.png" alt="Revenue > $5B">', "Revenue > $5B"),
        ('<a href="https://a.test/" title="Growth > 5% < 9%">Growth</a>', "Growth"),
        ("<span data-x='1>0' class=y>span</span>", "span"),
        ('<iframe src="https://a.test/" allowfullscreen></iframe>', ""),
        ('<video controls><source src="x.mp4">No video.</video>', "No video."),
        ('<label for="a">Name</label> <input type="checkbox" checked> <button>Go</button>', "Name  Go"),
        ("<select><option>A</option><option selected>B</option></select>", "AB"),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "漢(kan)"),
        ("<picture><source srcset=a.png><canvas>c</canvas></picture>", "c"),
        ("<data value='1'>one</data> <noscript>two</noscript> <object>three</object>", "one two three"),
        ("<math><mi>x</mi><mo>&lt;</mo><mn>1</mn></math>", "x<1"),
        ('<svg width="9"><text>drawn</text></svg><style>p{}</style><script>if (a<b) x()</script>', ""),
        ("<svg>\n  <path d='M0 0'/>\n\n  <text>drawn</text>\n</svg>", ""),
        ("<script>\na()\n\nb()\n</script>", ""),
    ],
)
def test_no_tag_of_html_is_on_the_page(html: str, words: str) -> None:
    assert plain(parse(html)) == words
    page = shown(f"Text\n{html}\nend.")
    assert page.startswith("Research Report Text") and "end." in page
    assert not re.search(r"</?[a-z]|drawn", page)
    assert plain(parse(f"```\n{html}\n```")) == f"{html}\n"


@pytest.mark.parametrize(
    "prose", ["List<object> x", "cp <input> <output>", "Map<string, data>", "<video>", "a<data>b"]
)
def test_a_name_of_a_tag_that_is_a_word_stays(prose: str) -> None:
    assert plain(parse(prose)) == prose

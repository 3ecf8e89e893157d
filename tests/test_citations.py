"""Citations: no number in a text without an entry, no entry without a number, and no word lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from models import PDFGenerationInput, Source
from research.address import normalize_address
from research.checked import CheckedReport
from research.evidence.citations import check_citations, check_report
from research.markdown.parser import parse
from research.markdown.parser_rules import mark_citations
from research.output.report_markdown import report_markdown
from research.output.words import Words

SOURCES = (
    Source(1, "https://www.example.org/genome?utm_source=feed", "The genome of a tardigrade"),
    Source(2, "https://example.com/tun_(biology)", "How a tun survives the vacuum of space"),
    Source(3, "https://doi.org/10.1000/182", "水熊虫的基因组研究与进化"),
    Source(4, "http://example.net/مقال", "دراسة عن بطيئات المشية"),
)
WORDS = ["moss", "tun", "moss", "water", "熊虫很小", "مياه", "naïve", "10", "2024", "a[0]", "[sic]", "x^2"]
MARKS = [
    "[1]",
    " [2]",
    "[3, 1]",
    " [1-3]",
    "【4】",
    "^2^",
    "[^3]",
    " [9]",
    "[1][2]",
    " [Source 2]",
    "[17, 4]",
]
KEPT = [
    "`a[1]`",
    "$x_{[1]}$",
    "[see [2] here](https://example.com/tun_(biology))",
    "``b ` [3]``",
    "\\[x[1]\\]",
]


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\[\^(\d+)\]", text)}


def words(text: str) -> list[str]:
    """The text without any citation."""
    return re.sub(r"\[\^?\d[\d, -]*\]|\[Source 2\]|【\d】|\^\d\^|[\s,]", "", text).split()


pieces = st.lists(
    st.sampled_from(WORDS + MARKS + KEPT + [". ", "\n\n", "\n- ", "\n\n## ", "\n> "]), max_size=60
)


@given(pieces, st.integers(1, 4))
def test_any_text_with_any_numbers(parts: list[str], given: int) -> None:
    """Every number has an entry, every entry a number, in the order of citing; every word is still there."""
    text = " ".join(parts)
    checked = check_citations(text, SOURCES[:given])
    assert numbers(checked.text) == set(range(1, len(checked.cited) + 1))
    assert [source.number for source in checked.cited] == sorted(numbers(checked.text))
    first = list(dict.fromkeys(re.findall(r"\[\^(\d+)\]", checked.text)))
    assert first == [str(source.number) for source in checked.cited]
    assert {source.url for source in checked.cited} <= {source.url for source in SOURCES[:given]}
    if checked.removed_lists:  # the text ended like one: `[1] https://…`
        return
    assert words(checked.text) == words(text)
    for kept in KEPT:
        assert checked.text.count(kept) == text.count(kept)
    assert check_citations(text, SOURCES[:given]) == checked


@given(st.text(alphabet="[]()^0123456789`$\\ \n-,:【】ab.<>h*#", max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    checked = check_citations(text, SOURCES)
    assert len(checked.cited) <= len(SOURCES)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("It survives [2]. It lives [2], too [1].", "It survives[^1]. It lives[^1], too[^2]."),
        ("It survives [9].", "It survives."),
        (" [9]   [9] moss [1]\n- [8]      tun [2]", " moss[^1]\n- tun[^2]"),
        ("It survives [1][9] cold.", "It survives[^1] cold."),
        ("It survives [1, 2-3].", "It survives[^1][^2][^3]."),
        ("它能生存【3】。", "它能生存[^1]。"),
        ("It survives [1](https://invented.example/page).", "It survives[^1]."),
        ("It survives ([1], [2]).", "It survives ([^1][^2])."),
        ("See https://example.org/genome[1] now.", "See https://example.org/genome[^1] now."),
        ("- [1] shows.\n- [2](https://x.example/) too.", "- [^1] shows.\n- [^2] too."),
        ("The report of [2019](https://x.example/).", "The report of [2019](https://x.example/)."),
        ("The index a[0] [1][2024] [9].", "The index a[0] [^1][2024] ."),
        ("In [2024] the index a[0] was 3.", "In [2024] the index a[0] was 3."),
        ("Two powers: 2^10^ and 5^3^.", "Two powers: 2^10^ and 5^3^."),
        ("| a | b |\n| --- | --- |\n| x [2] | y |", "| a | b |\n| --- | --- |\n| x[^1] | y |"),
        ("- [ ] a task\n- [x] done [1]", "- [ ] a task\n- [x] done[^1]"),
        ("It survives [Source 2, Source 1].", "It survives[^1][^2]."),
        ("It survives (Source 2).", "It survives[^1]."),
        ("It survives (Sources 1 and 2), they say.", "It survives[^1][^2], they say."),
        ("它能生存 [来源1、来源2]。", "它能生存[^1][^2]。"),
        ("It survives [1 and 2].", "It survives[^1][^2]."),
        ("It survives [1, 2 & 3].", "It survives[^1][^2][^3]."),
        ("It survives [1, p. 5].", "It survives[^1]."),
        ("It survives [1, pp. 5–7; 2, p. 9].", "It survives[^1][^2]."),
        ("It survives [#2].", "It survives[^1]."),
        ("It survives【2†L3-L5】【 1†source 】.", "It survives[^1][^2]."),
        ("It survives【9†source】.", "It survives."),
        ("Issue [#12](https://x.example/12) stays.", "Issue [#12](https://x.example/12) stays."),
        ("(2) is no source, nor is (Source: 2019).", "(2) is no source, nor is (Source: 2019)."),
        ("See p. 5 [p. 5] (see 2).", "See p. 5 [p. 5] (see 2)."),
        ("Line one [1]\r\nline two [2]\r\n", "Line one[^1]\nline two[^2]"),
    ],
)
def test_how_a_citation_is_written(written: str, read: str) -> None:
    assert check_citations(written, SOURCES).text == read


def test_code_stays_as_it_is() -> None:
    """Fenced at any depth, indented, with a language or without."""
    text = (
        "Before [1].\n\n```python\nx = a[1]  # [2]\n```\n\n- item [2]\n\n  ~~~\n  b[3] = [1, 2]\n  ~~~\n\n"
        "Text.\n\n    c[4] = [1]\n\nAfter [2]."
    )
    checked = check_citations(text, SOURCES)
    code = [
        token.content for token in MarkdownIt().parse(checked.text) if token.type in ("fence", "code_block")
    ]
    assert code == ["x = a[1]  # [2]\n", "b[3] = [1, 2]\n", "c[4] = [1]\n"]
    assert numbers(checked.text) == {1, 2}


BODY = "Tardigrades survive the vacuum [2].\n\n1. Open https://example.com/tool and press start.\n2. Wait.\n"
LISTS = {
    "brackets": "## References\n\n[1] Smith. The genome of a tardigrade. https://made.up/1\n[2] https://made.up/2",
    "definitions": "[1]: https://made.up/1\n[2]: https://made.up/2",
    "footnotes": "---\n\n[^1]: Smith, https://made.up/1\n[^2]: Jones, https://made.up/2",
    "Chinese": "## 参考文献\n\n1. 水熊虫的基因组研究与进化，https://made.up/1\n2. 另一篇文章 https://made.up/2",
    "Russian": "**Источники:**\n\n- Иванов. https://made.up/1\n- Петров. https://made.up/2",
    "a heading nobody knows": "### Zdroje a odkazy\n\n- [1] Novák, https://made.up/1\n- [2] https://made.up/2",
    "the addresses given": "All from:\n\n1. https://example.org/genome\n2. https://example.com/tun_(biology)",
    "titles alone": "## Sources\n\n- The genome of a tardigrade\n- How a tun survives the vacuum of space",
    "wrapped": "# References\n\n1. Smith, J.\n   The genome of a tardigrade.\n   https://made.up/1",
    "two lists": "## Sources\n\n1. https://made.up/1\n\n## Further\n\n[2] https://made.up/2",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_references_that_the_model_wrote_goes(name: str) -> None:
    """In any language and shape, with its heading; the text before it stays, a list of steps with it."""
    checked = check_citations(f"{BODY}\n{LISTS[name]}\n", SOURCES)
    assert checked.removed_lists == LISTS[name].count("## ") if name == "two lists" else 1
    assert "made.up" not in checked.text
    assert checked.text.rstrip("\n-") == BODY.replace(" [2]", "[^1]").rstrip()


@pytest.mark.parametrize(
    "section",
    [
        "## Sources of water\n\n- Rain falls on the moss.\n- Dew settles on it at night.",
        "## Steps\n\n1. Open https://example.com/tool and press the button.\n2. Read https://example.com/manual.",
        "## References\n\nThe letter refers to a treaty of 1648 that nobody has read since.",
        "Three things matter:\n\n- [1] shows that they survive.\n- [2] shows for how long.",
    ],
)
def test_a_section_that_is_no_list_of_references_stays(section: str) -> None:
    text = f"Tardigrades survive [1].\n\n{section}\n"
    checked = check_citations(text, SOURCES)
    assert checked.removed_lists == 0
    assert words(checked.text) == words(text)


def test_a_long_run_of_references_that_is_no_list() -> None:
    """It is followed by text."""
    text = "[1] https://made.up/1\n\n" * 300 + "Text."
    assert check_citations(text, SOURCES).removed_lists == 0


def test_what_the_reader_is_told() -> None:
    long = "This paragraph is long enough to be expected to name the source that it was taken from. "
    text = f"{long}[1]\n\n{long}\n\n{long}[3] [8]\n\nSee [this](https://nowhere.example/).\n\n[1] https://made.up/1"
    assert check_citations(text, SOURCES).account(Words()) == (
        "2 of 4 sources cited; 1 of 3 paragraphs without a citation;"
        " 1 number that the model made up was removed; a list of references that the model wrote was removed;"
        " 1 link in the text leads to no source that was found."
    )


def test_without_sources_a_text_stays_as_it_is() -> None:
    text = "A text [1] with [7] numbers.\r\n\r\n[1]: https://example.org"
    assert check_citations(text, ()).text == text


def test_without_sources_a_file_s_citation_is_a_marker() -> None:
    """It goes from the text and from the summary, but not from code."""
    code = "```\n【4†source】\n```\n\n`【4†source】`"
    text = f"They survive 【4†source】 the cold【1†L3】.\n\n{code} and 【moss】 [1]."
    report = check_report(PDFGenerationInput(text, summary="In short【4†source】."))
    assert report.content == text.replace(" 【4†source】 the cold【1†L3】", " the cold", 1)
    assert report.summary == "In short."
    plain = PDFGenerationInput("A dagger †, [1] and 【moss】.")
    assert check_report(plain) == plain


def citations(report: PDFGenerationInput) -> list[int]:
    """The numbers that become citations on the page."""
    assert isinstance(report, CheckedReport)
    tree = parse(mark_citations(report.content, report.marks), len(report.sources))
    return [node.meta["label"] for node in tree.walk() if node.type == "citation"]


def marks(report: PDFGenerationInput) -> list[int]:
    """The numbers that the check has put in the content."""
    assert isinstance(report, CheckedReport)
    found = [re.compile(r"\[\^(\d+)\]").match(report.content, place) for place in report.marks]
    return [int(mark[1]) for mark in found if mark]


@given(pieces, st.integers(1, 4))
def test_only_marks_of_the_check_become_citations(parts: list[str], given: int) -> None:
    """On the page and in the Markdown the same ones, whatever marks the model wrote."""
    text = " ".join(parts)
    report = check_report(PDFGenerationInput(text, sources=SOURCES[:given], retrieved="2026-11-25"))
    assert isinstance(report, CheckedReport)
    assert citations(report) == marks(report)
    assert len(marks(report)) == len(report.marks)
    assert set(marks(report)) == {source.number for source in report.sources}
    markdown = report_markdown(report)
    assert re.findall(r"^\[\^(\d+)\]: ", markdown, re.M) == [str(source.number) for source in report.sources]
    assert report.account in markdown


@pytest.mark.parametrize(
    "text",
    [
        "A [label [^2]](https://example.com/tun_(biology)) and $x[^2]$ and `a[^2]` and \\[^2].",
        "Its own \u2060[^2](https://example.com/x) mark, in `code\u2060[^2]` too.",
        "- `an open tick\n- [^2](https://example.com/x)` closed in another item",
    ],
)
def test_a_mark_that_a_model_wrote_leads_nowhere(text: str) -> None:
    """Nor does it without a check: a report without sources has no citations."""
    report = check_report(PDFGenerationInput(f"{text} [3]", summary="In short [3].", sources=SOURCES))
    assert citations(report) == marks(report)
    assert report.summary == "In short."
    plain = check_report(PDFGenerationInput(text, summary="In short [3]."))
    assert plain == PDFGenerationInput(text, summary="In short [3].")
    assert not [node for node in parse(plain.content).walk() if node.type == "citation"]


def test_a_number_behind_the_end_of_code_is_a_citation() -> None:
    text = "```python\nx[1]\n``` [2]\nAfter [1]."
    assert check_citations(text, SOURCES).text == "```python\nx[1]\n```\n[^1]\nAfter[^2]."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.example.org/a/?utm_source=x&b=2", "http://example.org/a?b=2#part"),
        ("https://example.org/a?b=1&a=2", "https://EXAMPLE.org/a?a=2&b=1"),
    ],
)
def test_two_addresses_of_one_page(one: str, other: str) -> None:
    assert normalize_address(one) == normalize_address(other)


def test_addresses_of_two_pages() -> None:
    assert normalize_address("https://example.org/watch?v=1") != normalize_address(
        "https://example.org/watch?v=2"
    )
    assert normalize_address("http://[broken") == "http://[broken"

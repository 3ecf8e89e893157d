"""No text of a model, a page or a provider takes much time: each function against hostile shapes.

`python -m benchmarks.hostile` has every shape with up to 900 kB; here is a part of them.
"""

import time

import pytest

from models import PDFGenerationInput
from testing.hostile import readers, shapes

pytestmark = pytest.mark.proof

SHAPES = shapes()
READERS = readers()
HEAVY = (
    "citations.",
    "reference_lists.without",
    "sections.written",
    "continuation.Prefill",
    "markdown.parser",
    "pdf.",
)
"""They take long for any text, so they get fewer shapes."""
MAX_SECONDS = 1.0
"""Ten times what the slowest takes, on a machine that is busy; a square took 4 s and more."""
MAX_PAGE_SECONDS = 3.0
"""For what once took a page's reader long: it takes up to 1 s, and took 4 s and more."""
FEW, MANY = 7, 60
"""Of so many shapes a function gets one."""

ONCE_SLOW = {
    "plan.read_plan": [
        f"{filler!r} in {frame!r}" for filler in " \t\u00a0" for frame in ("# x{}x", "search{}x")
    ],
    "outline.below_title": [
        f"{filler!r} in {frame!r}" for filler in " \t\u00a0" for frame in ("# x{}x", "# {}", "**x**{}x")
    ],
    "outline.below_title, title": ["'\\n' repeated", "' ' in 'x{}x'"],
    "citations.check_citations": [
        "'\\xa0' in '[Source{}'",
        *(f"{unit!r} repeated" for unit in ("[1", "$a", "`", "[", "^1", "[1,")),
    ],
    "reference_lists.without_reference_lists": ["references, then text"],
    "cleaning.clean_text": [
        f"{unit!r} repeated" for unit in ("<a ", "<!--", "<a b='", "<think ", "\u0301\u0323")
    ],
    "cleaning.clean_results": ["'<a ' repeated", "'&#1' repeated"],
    "markdown.parser.parse": [
        *(f"{unit!r} repeated" for unit in ("![", "[1, ", "<![CDATA[", "https://a.b/(", "$$ab\n")),
        *("[] nested", "a footnote, then marks", "images nested around text", "quotes nested, then lines"),
    ],
}
SLOW_EARLY = ("'!['", "'[1, '", "'<![CDATA['", "[] nested", "a footnote", "quotes nested")
"""They took the parser more than a second, and mostly four, with 20 kB already; it takes a fifth of one."""


def seconds(function: str, shape: str, size: int) -> float:
    text = SHAPES[shape](size)
    begun = time.process_time()
    READERS[function](text)
    return time.process_time() - begun


@pytest.mark.parametrize("function", READERS)
def test_a_hostile_text_takes_little_time(function: str) -> None:
    step = MANY if function.startswith(HEAVY) else FEW
    first = sum(map(ord, function)) % step  # so that the functions together get every shape
    for shape in list(SHAPES)[first::step]:
        taken = seconds(function, shape, 20_000)
        assert taken < MAX_SECONDS, (shape, taken)


@pytest.mark.parametrize("function", ONCE_SLOW)
def test_texts_that_once_took_long(function: str) -> None:
    is_parser = function.startswith("markdown.parser")
    for shape in ONCE_SLOW[function]:
        is_early = is_parser and shape.startswith(SLOW_EARLY)
        taken = seconds(function, shape, 20_000 if is_early else 80_000)
        assert taken < (MAX_PAGE_SECONDS if is_parser and not is_early else MAX_SECONDS), (shape, taken)


@pytest.mark.parametrize(("shape", "size"), [("'\\xa0' in 'x{}x'", 20_000), ("'水' in '# x{}x'", 180_000)])
def test_a_page_that_once_took_long(shape: str, size: int) -> None:
    from research.pdf import document

    report = PDFGenerationInput(SHAPES[shape](size))
    begun = time.process_time()
    assert document.render(report).warnings == ()
    assert time.process_time() - begun < MAX_PAGE_SECONDS


def test_nothing_is_lost_where_a_bound_is_reached() -> None:
    from research.markdown import parser

    words = " ".join(f"word{number}" for number in range(3_000))
    for text in (
        words,
        words.replace(" ", ""),
        words.replace(" ", "\n"),
        f"# {words}",
        f"|a|\n|-|\n|{words}|",
    ):
        shown = parser.plain(parser.parse(text))
        assert "".join(shown.split()).endswith("".join(words.split()))
    for mark in ("> ", "- ", "1. ", "> - ", "![", "[", "**"):
        for depth in (5, 15, 70, 400):
            shown = parser.plain(parser.parse(f"{mark * depth}text\n\nmore"))
            assert "text" in shown and "more" in shown, (mark, depth)


def test_a_long_paragraph_is_parted_between_its_lines() -> None:
    from research.markdown import parser

    lines = "\n".join(
        f"[{number}] A title, *number {number}*. https://a.b/{number}" for number in range(1, 400)
    )
    [paragraph] = parser.parse(lines).children
    kinds = [node.type for node in paragraph.children]
    assert kinds.count("link") == kinds.count("em") == 399
    assert kinds.count("hardbreak") == 398 and "softbreak" not in kinds

"""No text of a model, a page or a provider takes much time: each function against hostile shapes.

`python -m benchmarks.hostile` has every shape with up to 900 kB; here is a part of them.
"""

import time

import pytest

from testing.hostile import readers, shapes

SHAPES = shapes()
READERS = readers()
HEAVY = ("citations.", "reference_lists.without", "sections.written", "continuation.Prefill", "pdf.")
"""They take long for any text, so they get fewer shapes."""
MAX_SECONDS = 1.0
"""Ten times what the slowest takes, on a machine that is busy; a square took 4 s and more."""
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
    "citations.check_citations": ["'\\xa0' in '[Source{}'"],
    "reference_lists.without_reference_lists": ["references, then text"],
    "cleaning.clean_text": [
        f"{unit!r} repeated" for unit in ("<a ", "<!--", "<a b='", "<think ", "\u0301\u0323")
    ],
    "pdf.parser.parse": [
        f"{unit!r} repeated" for unit in ("![", "https://a.b/(", "<![CDATA[", "[1, ", "- a\n")
    ],
    "cleaning.clean_results": ["'<a ' repeated", "'&#1' repeated"],
}


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
    for shape in ONCE_SLOW[function]:
        taken = seconds(function, shape, 80_000)
        assert taken < MAX_SECONDS * (4 if function.startswith("pdf.") else 1), (shape, taken)

"""Unicode's own test files, through the functions that the page uses.

Debian's package `unicode-data` has the files.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from research.pdf.bidi import AUTO, LEFT_TO_RIGHT, RIGHT_TO_LEFT, embedding_levels, visual_order
from research.pdf.unicode import graphemes, icu, line_breaks
from tests import unicode_differences

FOLDER = Path("/usr/share/unicode")
LISTED_VERSION = "15.0.0"
"""The version of the files whose differences are all listed."""


def cases(name: str) -> Iterator[str]:
    """Yield the lines of a file that are cases; skip where it is missing or newer than ICU's rules."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not here; Debian's package unicode-data has it")
    text = path.read_text(encoding="utf-8")
    if version(text)[:1] > [int(part) for part in icu.UNICODE_VERSION.split(".")][:1]:
        pytest.skip(f"{name} has newer rules than ICU's, of Unicode {icu.UNICODE_VERSION}")
    yield version_text(text)
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    yield from (line for line in lines if line)


def version_text(text: str) -> str:
    found = re.match(r"# \w+-([\d.]+)\.txt", text)
    assert found
    return found[1]


def version(text: str) -> list[int]:
    return [int(part) for part in version_text(text).split(".")]


def characters(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split())


def assert_known(differing: set[str], known: dict[str, set[str]], file_version: str) -> None:
    """Every difference is a listed one; in the version that the list was made with, all of them differ."""
    listed = set(chain(*known.values()))
    assert differing - listed == set()
    if file_version == LISTED_VERSION:
        assert listed - differing == set()


@pytest.mark.proof
def test_bidi_levels_and_order_are_those_of_unicode() -> None:
    file_version, *lines = cases("BidiCharacterTest.txt")
    directions = {"0": LEFT_TO_RIGHT, "1": RIGHT_TO_LEFT, "2": AUTO}
    differing = set()
    for line in lines:
        codes, direction, _, wanted, order = line.split(";")
        levels = embedding_levels(characters(codes), directions[direction])
        kept = [(at, level) for at, level in enumerate(wanted.split()) if level != "x"]  # x: removed by X9
        places = [at for at, _ in kept]
        same_levels = all(levels[at] == int(level) for at, level in kept)
        shown = visual_order(places, [levels[at] for at in places])
        if not same_levels or shown != [int(at) for at in order.split()]:
            differing.add(f"{codes};{direction}")
    assert len(lines) > 90_000
    assert_known(differing, unicode_differences.BIDI, file_version)


def test_lines_break_where_unicode_says() -> None:
    file_version, *lines = cases("auxiliary/LineBreakTest.txt")
    differing = set()
    for line in lines:
        parts = [characters(part.replace("×", " ")) for part in line.split("÷")]
        wanted = [len("".join(parts[: end + 1])) for end in range(len(parts) - 1)]
        if line_breaks("".join(parts)) != [end for end in wanted if end]:
            differing.add(line)
    assert len(lines) > 7_000
    assert_known(differing, unicode_differences.LINE_BREAKS, file_version)


def test_grapheme_clusters_are_those_of_unicode() -> None:
    _, *lines = cases("auxiliary/GraphemeBreakTest.txt")
    wanted = [
        tuple(filter(None, (characters(part.replace("×", " ")) for part in line.split("÷"))))
        for line in lines
    ]
    assert len(lines) > 500
    assert [clusters for clusters in wanted if graphemes("".join(clusters)) != clusters] == []

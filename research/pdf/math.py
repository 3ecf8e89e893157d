"""Formulas: LaTeX set by ziamath as outlines, which the page draws as vector paths.

A formula that cannot be set whole and quickly is no formula here: the caller shows its source.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element, SubElement, fromstring

from research.markdown.latex import settable

log = logging.getLogger(__name__)

MAX_FORMULA_CHARACTERS = 1_500
MAX_COST = 8_000
"""Boxes that ziamath may build for one formula: about a third of a second."""
FIXED_COST = 10
"""What every formula costs besides its boxes."""
MAX_EMS = 200
SIZE = 24.0
"""The size at which formulas are set, in points: ziamath's own, to which it bounds small scripts."""

_SQUARE, _STANDS_FOR = "\u25a0", "stands-for-"
# \def and its kin expand without bound, and an address or a class has no place on paper.
_REFUSED = re.compile(r"\\(?:[egx]?def|let|(?:re)?newcommand|href|class|style|verb)(?![A-Za-z])|[<&]#?\w+;")
_PATH = re.compile(r"[MLQCZ]|-?[\d.]+")
_OPERATORS = {"M": ("m", 1), "L": ("l", 1), "Q": ("c", 2), "C": ("c", 3), "Z": ("h", 0)}
"""For each of SVG's operators the one of PDF, and how many points follow it."""
_setting = Lock()  # ziamath keeps its font's open file and caches for all threads


@dataclass(frozen=True)
class Formula:
    """One formula: its extents in ems from the baseline, and its PDF path operators at `SIZE`."""

    width: float
    height: float
    depth: float
    operators: str
    foreign: tuple[tuple[str, float, float, float], ...] = ()
    """Characters that the maths font lacks, for another to draw: each with x, y and size in ems."""


@lru_cache(maxsize=1_000)
def set_formula(source: str, display: bool) -> tuple[Formula | None, int]:
    """Return the formula, or None where it cannot be set, and what the attempt cost, in boxes.

    It cannot be set for bad syntax, an unknown macro, a character that the font lacks, or its size.
    """
    cost = FIXED_COST + len(source) // 20
    if len(source) > MAX_FORMULA_CHARACTERS or _REFUSED.search(source):
        return None, cost
    latex = settable(source)
    with _setting:
        try:
            tree = _parsed(latex, display)
            cost += _cost(tree)
            return _set(tree), cost
        except Exception as error:  # ziamath and latex2mathml raise many kinds, AssertionError among them
            log.debug("%r is not set as a formula: %r", source, error)
            return None, cost


def _parsed(latex: str, display: bool) -> Element:
    """Return the formula as MathML.

    Raises:
        Exception: of any kind, where it cannot be set or would take too long.
    """
    # Half a second, which a report without formulas need not wait for.
    from ziamath.tex import tex2mml
    from ziamath.zmath import denamespace, loadedfonts

    mathml = fromstring(tex2mml(latex, inline=not display))  # noqa: S314 (no < or entity is in it)
    tree = _without_idle_rows(denamespace(mathml))
    if any("\\" in text for text in tree.itertext()):
        raise ValueError("it has an unknown macro, which would be set as its name")
    has_glyph = loadedfonts["default"].glyphindex
    foreign = {c for text in tree.itertext() for c in text if not (c.isspace() or has_glyph(c))}
    if any(east_asian_width(character) not in "WF" for character in foreign):
        raise ValueError("it has a character that the maths font lacks")
    for leaf in list(tree.iter()) if foreign else []:
        if leaf.text and (leaf.text[0].isspace() or not foreign.isdisjoint(leaf.text)):
            _part(leaf, foreign)
    if _cost(tree) > MAX_COST:
        raise ValueError("it is nested too deeply")
    return tree


def _part(leaf: Element, foreign: set[str]) -> None:
    """Put a square for each Chinese, Japanese or Korean character; its colour is the character's number."""
    text, leaf.text = leaf.text or "", None
    tag, leaf.tag, attributes = leaf.tag, "mrow", dict(leaf.attrib)
    for piece in re.findall(rf"[{''.join(sorted(foreign))}]|\s+|[^\s{''.join(sorted(foreign))}]+", text):
        if piece in foreign:
            SubElement(leaf, "mtext", mathcolor=f"{_STANDS_FOR}{ord(piece)}").text = _SQUARE
        elif piece.isspace():  # ziamath would give its colour to the glyph before it
            SubElement(leaf, "mspace", width=f"{len(piece) / 4}em")
        else:
            SubElement(leaf, tag, attributes).text = piece


def _set(tree: Element) -> Formula:
    from ziamath.config import config
    from ziamath.zmath import Math

    config.svg2 = False  # paths where they stand, no references to symbols
    math = Math(tree, size=SIZE)
    box = math.node.bbox
    drawing = Element("svg")
    math.node.draw(-box.xmin, 0, drawing)
    square = math.font.glyph(_SQUARE)
    foreign = tuple(
        _place(path.attrib, square.bbox, square.advance())
        for path in drawing.iter("path")
        if path.attrib.get("fill", "").startswith(_STANDS_FOR)
    )
    operators = "\n".join(_operators(drawing))
    width, height, depth = (box.xmax - box.xmin) / SIZE, box.ymax / SIZE, -box.ymin / SIZE
    if not (operators or foreign) or max(width, height, depth) > MAX_EMS:
        raise ValueError("it is empty, or too large for a page")
    return Formula(width, height, depth, operators, foreign)


def _place(path: dict[str, str], square: Any, advance: float) -> tuple[str, float, float, float]:
    """Return the character that a square stands for, and its place and size in ems."""
    numbers = [float(token) for token in _PATH.findall(path["d"]) if not token.isalpha()]
    left, bottom, scale = min(numbers[::2]), max(numbers[1::2]), 1 / (square.xmax - square.xmin)
    scale *= max(numbers[::2]) - left
    x, y = left - square.xmin * scale, -bottom - square.ymin * scale
    return chr(int(path["fill"].removeprefix(_STANDS_FOR))), x / SIZE, y / SIZE, advance * scale / SIZE


def _without_idle_rows(element: Element) -> Element:
    """Return the element without rows of one child: ziamath builds what is in a row twice."""
    for index, child in enumerate(element):
        while child.tag == "mrow" and len(child) == 1:
            child = child[0]
        element[index] = _without_idle_rows(child)
    return element


_BUILT_TWICE = ("math", "mrow", "mtd", "mstyle", "mphantom", "mpadded", "msqrt", "menclose")


def _cost(element: Element) -> int:
    """Return how many boxes ziamath builds for the element: it doubles with each row in a row."""
    if element.tag == "mfenced":  # two rows, and a search for two brackets of the right height
        return 10 + 4 * sum(map(_cost, element))
    return 1 + (2 if element.tag in _BUILT_TWICE else 1) * sum(map(_cost, element))


def _operators(drawing: Element) -> Iterator[str]:
    """Yield PDF path operators for the SVG elements that ziamath draws with.

    Raises:
        ValueError: an element that is none of them.
    """
    for element in drawing.iter():
        if element.tag in ("svg", "g") or element.attrib.get("fill", "").startswith(_STANDS_FOR):
            continue
        if element.tag == "path":
            shape = " ".join(_path(element.attrib["d"]))
        elif element.tag == "rect":
            x, y, width, height = (float(element.attrib[key]) for key in ("x", "y", "width", "height"))
            shape = f"{x:.2f} {-y - height:.2f} {width:.2f} {height:.2f} re"
        else:
            raise ValueError(f"<{element.tag}> is not drawn here")
        paint = f"{element.attrib['stroke-width']} w S" if "stroke" in element.attrib else "f"
        yield f"{shape} {paint}"


def _path(data: str) -> Iterator[str]:
    """Yield the operators of one SVG path: y turns round, quadratic curves become cubic ones."""
    tokens = iter(_PATH.findall(data))
    last = 0j
    for command in tokens:
        operator, count = _OPERATORS[command]
        points = [complex(float(next(tokens)), -float(next(tokens))) for _ in range(count)]
        if command == "Q":
            control, end = points
            points = [last + (control - last) * 2 / 3, end + (control - end) * 2 / 3, end]
        *_, last = last, *points
        numbers = (f"{point.real:.2f} {point.imag:.2f}" for point in points)
        yield " ".join([*numbers, operator])

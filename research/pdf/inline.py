"""Inline Markdown to runs of text: one small method for each kind of node."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from research.markdown.parser import Node, plain
from research.markdown.parser_rules import is_cjk
from research.pdf import fonts
from research.pdf.formula import formula_box, formula_source
from research.pdf.math import Formula, set_formula
from research.pdf.runs import InlineBox, Run, TextStyle
from research.pdf.styles import ACCENT, CODE, MARKED, MUTED, STRIPE

LINK_SCHEMES = ("http", "https", "mailto")
WORD_JOINER = "\u2060"
MAX_FORMULA_COST = 30_000
"""What the formulas of one document may cost, some five seconds; further ones stay source."""
MAX_INLINE_HEIGHT = 5.0
"""The height of a formula in a line of text, in ems."""
_MARKS = ("citation", "footnote_ref")
_STYLES: dict[str, dict[str, Any]] = {
    "strong": {"bold": True}, "em": {"italic": True}, "s": {"strike": True}, "mark": {"shade": MARKED},
}  # fmt: skip
_SCRIPTS = {
    "sup": str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"),
    "sub": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}


class InlineRenderer:
    """Makes the runs of one document: `_make_X` those of a node of the type X."""

    def __init__(self) -> None:
        self._formulas: dict[tuple[str, bool], Formula | None] = {}
        self._formula_cost = 0

    def runs(self, nodes: Sequence[Node], style: TextStyle, width: float) -> list[Run]:
        """Return the runs for the nodes; a formula is made to fit into the width, in points."""
        runs: list[Run] = []
        for index, node in enumerate(nodes):
            if node.type in _MARKS and index and nodes[index - 1].type in _MARKS:
                runs.append(Run(", ", replace(runs[-1].style, link="", place="", role="")))
            if node.type == "softbreak":
                before = runs[-1].text if runs else ""
                after = plain(nodes[index + 1]) if index + 1 < len(nodes) else ""
                runs.append(Run("" if _joins(before, after) else " ", style))
            else:
                own = replace(style, place=node.meta["place"]) if "place" in node.meta else style
                runs += getattr(self, f"_make_{node.type}", self._make_text)(node, own, width)
        return runs

    def formula(
        self, latex: str, style: TextStyle, width: float, height: float, display: bool = False
    ) -> InlineBox | None:
        """Return a formula; None where it cannot be set, is too large, or the document has set enough."""
        key = latex, display
        if key not in self._formulas and self._formula_cost <= MAX_FORMULA_COST:
            self._formulas[key], cost = set_formula(latex, display)
            self._formula_cost += cost
        formula = self._formulas.get(key)
        return formula_box(formula, latex, style, width, height) if formula else None

    def _make_text(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        return [Run(node.content, style), *self.runs(node.children, style, width)]

    def _make_strong(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        return self.runs(node.children, replace(style, **_STYLES[node.type]), width)

    _make_em = _make_s = _make_mark = _make_strong

    def _make_small(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        return self.runs(node.children, replace(style, size=style.size * 0.85), width)

    def _make_sup(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        """Return raised or lowered text, in Unicode's characters where it has them: they can be copied."""
        text = plain(node)
        moved = text.translate(_SCRIPTS[node.type])
        if all(new != old for new, old in zip(moved, text, strict=True)):
            return [Run(moved, style)]
        is_raised = node.type == "sup"
        return self.runs(node.children, replace(style, raised=is_raised, lowered=not is_raised), width)

    _make_sub = _make_sup

    def _make_code_inline(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        code = replace(style, family=fonts.CODE, size=style.size * 0.88, shade=STRIPE, role="Code")
        return [Run(node.content, code)]

    def _make_math_inline(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        """Return a formula on the line's baseline, smaller where it is large; else its source as code."""
        box = self.formula(node.content, style, width, MAX_INLINE_HEIGHT * style.size)
        if box is None:
            return [Run(formula_source(node), replace(style, family=CODE.family, size=style.size * 0.88))]
        return [Run(box.text, style, box)]

    _make_math_inline_double = _make_math_inline

    def _make_footnote_ref(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        raised = replace(style, raised=True, bold=False, italic=False)
        # A joiner, because no line begins with a mark.
        return [Run(WORD_JOINER, raised), *self._make_reference(node, raised, width)]

    _make_citation = _make_footnote_ref

    def _make_reference(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        """Return a mark, linked to the note or to the entry that it means."""
        words, to = str(node.meta.get("label", node.content)), node.meta.get("to", "")
        role = "" if node.type == "footnote_reference" else "Reference"  # the way back is none
        return [Run(words, replace(style, color=ACCENT, link=to and f"#{to}", role=role))]

    _make_footnote_reference = _make_reference

    def _make_hardbreak(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        return [Run("\n", style)]

    def _make_link(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        """Return the label as the link, with its address, which can be read on paper, too."""
        address = str(node.attrs.get("href", ""))
        label = self.runs(node.children, style, width)
        words = "".join(run.text for run in label)
        if urlsplit(address).scheme.lower() not in LINK_SCHEMES:
            return [*label, Run(f" ({address})", style)] if address.lstrip("#") == address != "" else label
        label = [
            run._replace(style=replace(run.style, color=ACCENT, link=run.style.link or address))
            for run in label
        ]
        if _bare(words) == _bare(address) or node.meta.get("is_numbered"):
            return label
        small = replace(style, size=style.size * 0.8, color=MUTED, link=address)
        return [*label, *([Run(" ", style), Run(f"({address})", small)] if words else [Run(address, small)])]

    def _make_image(self, node: Node, style: TextStyle, width: float) -> list[Run]:
        """Return the description and the address of an image, which is never fetched."""
        address = str(node.attrs.get("src", ""))
        where = "" if address.startswith("data:") else f", {address}"
        text = f"[Image: {node.content or 'no description'}{where}]"
        return [Run(text, replace(style, italic=True, color=MUTED))]


def _joins(before: str, after: str) -> bool:
    """Return whether a line break between the texts is no space: in Chinese and Japanese, not in Korean."""
    sides = (before[-1:], after[:1])
    return all(side and is_cjk(side) and not "\uac00" <= side <= "\ud7af" for side in sides)


def _bare(address: str) -> str:
    return unquote(address).strip().removeprefix("mailto:").rstrip("/")

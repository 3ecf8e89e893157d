r"""LaTeX as models write it, as LaTeX that can be set: environments, `\ce{…}`, `\tag{…}`."""

import re

ENVIRONMENTS = {
    "equation": "", "displaymath": "", "math": "", "align": "aligned", "alignat": "aligned",
    "flalign": "aligned", "eqnarray": "aligned", "gather": "gathered", "multline": "gathered",
}  # fmt: skip
"""The environments that stand without dollars, and what stands in the place of each within a formula."""
MAX_CHEMISTRY_CHARACTERS = 300

_BEGIN_OR_END = re.compile(rf"\\(begin|end)\{{({'|'.join(ENVIRONMENTS)})\*?\}}(?:\{{\d\}})?")
_IGNORED = re.compile(r"\\label\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z])")
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
_CHEMISTRY = re.compile(rf"\\ce\s?\{{((?:[^{{}}]|\{{[^{{}}]*\}}){{1,{MAX_CHEMISTRY_CHARACTERS}}})\}}")
_CHEMICAL = re.compile(
    r"(?P<arrow><=>|<->|->|<-)(?:\[(?P<above>[^\[\]]*)\])?"
    r"|[\^](?:\{(?P<up>[^{}]*)\}|(?P<charge>\d*[+-]|\d+))|_(?:\{(?P<low>[^{}]*)\}|(?P<index>\w))"
    r"|(?<=[A-Za-z)\]])(?P<count>\d+)|(?<=[A-Za-z\d)\]}])(?P<sign>[+-])(?=[\s)\]]|$)|(?P<bond>-)(?=[A-Z(])"
    r"|(?P<escaping>(?<=\s)\^(?=\s|$))|(?P<falling>(?<=\s)v(?=\s|$))"
    r"|(?P<command>\\[A-Za-z]+)|(?P<letters>[A-Za-z]+)|(?P<dot>[*.](?=\s?\d?[A-Z]))|(?P<space>\s+)"
)
_ARROWS = {"<=>": "rightleftharpoons", "<->": "leftrightarrow", "->": "rightarrow", "<-": "leftarrow"}


def settable(latex: str) -> str:
    """Return the formula without what only numbers and refers, and with what a setter knows for the rest."""
    latex = _CHEMISTRY.sub(lambda found: _CHEMICAL.sub(_chemical, found[1]), latex)
    latex = _BEGIN_OR_END.sub(_environment, latex).replace("&=&", "&=")
    return _TAG.sub(r"\\qquad\\text{(\1)}", _IGNORED.sub("", latex)).replace("<", r"\lt ")


def chemistry_end(text: str, start: int) -> int:
    r"""Return where a `\ce{…}` ends that begins at a place, or -1."""
    found = _CHEMISTRY.match(text, start)
    return found.end() if found else -1


def _environment(found: re.Match[str]) -> str:
    name = ENVIRONMENTS[found[2]]
    return rf"\{found[1]}{{{name}}}" if name else ""


def _chemical(found: re.Match[str]) -> str:
    """Return LaTeX for one part of a chemical formula, by mhchem's rules."""
    part, words = found.lastgroup, found[0]
    if found["arrow"]:
        arrow = _ARROWS[found["arrow"]]
        above = found["above"]
        return rf" \x{arrow}{{{_CHEMICAL.sub(_chemical, above)}}} " if above else rf" \{arrow} "
    if part in ("up", "charge", "sign"):
        return rf"^{{{found[part]}}}"
    if part in ("low", "index", "count"):
        return rf"_{{{found[part]}}}"
    if part == "letters":
        return rf"\mathrm{{{words}}}"
    return {
        "escaping": r"\uparrow ",
        "falling": r"\downarrow ",
        "dot": r"\cdot ",
        "bond": r"\text{-}",
        "space": r"\ ",
    }.get(part or "", words)

"""Formulas as models write them between dollar signs, as one can read them in a line of text."""

import re
import unicodedata

_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]*)\}")
_WORDS = re.compile(r"\\(?:text|mathrm|mathbf|operatorname)\{([^{}]*)\}")
_LEFT_OVER = re.compile(r"\\(?:(?:left|right|displaystyle|quad)(?![A-Za-z])|[,;!])")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_RAISED = re.compile(r"([_^])(?:\{([^{}]*)\}|(\w))")

_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "div": "÷", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼", "equiv": "≡", "propto": "∝", "infty": "∞",
    "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "in": "∈", "notin": "∉",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "forall": "∀", "exists": "∃",
    "cup": "∪", "cap": "∩", "subset": "⊂", "ldots": "…", "dots": "…", "cdots": "⋯", "circ": "∘",
    "degree": "°", "hbar": "ħ",
}  # fmt: skip
_SCRIPTS = {
    "^": str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"),
    "_": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}


def readable(formula: str) -> str:
    """The formula in Unicode where that is possible; what is not is left as it was written."""
    text = _LEFT_OVER.sub("", _WORDS.sub(r"\1", formula.strip()))
    text = _RAISED.sub(_script, _COMMAND.sub(_sign, text))
    for _ in range(3):
        text = _ROOT.sub(r"√(\1)", _FRACTION.sub(_in_a_line, text))
    return text


def _sign(command: re.Match[str]) -> str:
    name = command[1]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return _SIGNS.get(name) or unicodedata.lookup(f"GREEK {case} LETTER {name}")
    except KeyError:
        return command[0]


def in_script(mark: str, part: str) -> str:
    """Characters raised ("^") or lowered ("_"), where Unicode has them all; else the mark before them."""
    moved = part.translate(_SCRIPTS[mark])
    has_all = all(new != old for new, old in zip(moved, part, strict=True))
    return moved if has_all else f"{mark}{part}" if len(part) == 1 else f"{mark}({part})"


def _script(script: re.Match[str]) -> str:
    return in_script(script[1], script[2] if script[2] is not None else script[3])


def _in_a_line(fraction: re.Match[str]) -> str:
    above, below = (part if re.fullmatch(r"\w+", part) else f"({part})" for part in fraction.groups())
    return f"{above}/{below}"

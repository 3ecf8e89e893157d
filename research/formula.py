"""Formulas as models write them between dollar signs, as one can read them in a line of text."""

import re

import unicodeit

_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_ROOT = re.compile(r"(?:\\sqrt|√)\{([^{}]*)\}")
_WORDS = re.compile(r"\\(?:text|mathrm|mathbf|operatorname)\{([^{}]*)\}")
_LEFT_OVER = re.compile(r"\\(?:left|right|displaystyle|,|;|!|quad)(?![A-Za-z])")


def readable(formula: str) -> str:
    """The formula in Unicode where that is possible; what is not is left as it was written."""
    text = _LEFT_OVER.sub("", _WORDS.sub(r"\1", formula.strip()))
    for _ in range(3):
        text = _ROOT.sub(r"√(\1)", _FRACTION.sub(_in_a_line, text))
    try:
        return _ROOT.sub(r"√(\1)", unicodeit.replace(text))
    except Exception:  # the package makes no promise for what is no formula
        return text


def _in_a_line(fraction: re.Match[str]) -> str:
    above, below = (part if re.fullmatch(r"\\?\w+", part) else f"({part})" for part in fraction.groups())
    return f"{above}/{below}"

"""Code on the page, in Pygments' tokens."""

from dataclasses import replace
from functools import cache

from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String
from reportlab.lib.colors import HexColor

from research.pdf.runs import Run, TextStyle

LONGEST = 50_000
"""Characters above which code stays in one colour."""
_COLORS = {
    Comment: "#6b7782",
    Keyword: "#0b6170",
    Operator.Word: "#0b6170",
    String: "#8a4b08",
    Number: "#8a4b08",
    Name.Function: "#34408f",
    Name.Class: "#34408f",
}


@cache
def _known() -> frozenset[str]:
    """Return the names of languages; for others Pygments would search for plugins, file by file."""
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


def colored(text: str, language: str, style: TextStyle) -> list[Run]:
    """Return the code as runs, coloured where Pygments knows the language that the model names."""
    name = language.lower().partition(" ")[0]
    if name not in _known() or len(text) > LONGEST:
        return [Run(text, style)]
    lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    runs = []
    for token, part in lexer.get_tokens(text):
        color = next((_COLORS[kind] for kind in _COLORS if token in kind), None)
        runs.append(Run(part, replace(style, color=HexColor(color)) if color else style))
    return runs if "".join(run.text for run in runs) == text else [Run(text, style)]

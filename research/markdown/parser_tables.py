"""Tables for markdown-it: below a list item, and with bars that part no cells.

GitHub's tables know no bar within code or a formula, and drop the cells of a row that its header has not.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore

_HIDDEN = "\x00"
"""Stands for a bar that parts no cells while blocks are parsed; `normalize` has taken it out of the text."""
_DELIMITER = re.compile(r"[\s>|:-]+")
_OTHER_BLOCK = re.compile(r"[ \t>]*(?:#{1,6}[ \t]|```|~~~|[-*+][ \t]|\d{1,9}[.)][ \t])")
_BEGINNING = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*\|?")
"""What stands before the first cell of a row, in a quote or a list item, too."""
_BAR = r"(?<!\\)\|"
_WHOLE = (
    r"(?<!`)(`{1,3})(?!`)[^`]*(?<!`)\1(?!`)"
    r"|(?<!\\)\$(?=[^\s$])[^$]*(?<=[^\s\\])\$(?!\d)"
    r"|\\[(\[](?:(?!\\[()\[\]]).)*\\[)\]]"
)
"""Code, or a formula."""
_PARTS = re.compile(f"{_WHOLE}|(?P<bar>{_BAR})")


def add_table_rules(parser: MarkdownIt) -> None:
    """Add the rules of this module to a parser."""
    parser.core.ruler.after("normalize", "hide_bars", _hide_bars)
    parser.core.ruler.after("block", "show_bars", _show_bars)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table, in a list item also where its lines are not indented: models write it so."""
    indent, own = state.blkIndent, state.sCount[start]
    if not silent or not 0 <= own < indent:
        return table(state, start, end, silent)
    state.blkIndent = own
    found = table(state, start, end, True)
    state.blkIndent = indent
    for line in range(start, end if found else start):
        if state.sCount[line] < own or "|" not in state.src[state.bMarks[line] : state.eMarks[line]]:
            break
        state.sCount[line] = max(indent, state.sCount[line])
    return found


def _hide_bars(state: StateCore) -> None:
    """Hide the bars that would part a row of a table into more cells than there are columns.

    Nothing else changes, and `_show_bars` puts them back: what only looks like a table stays as it is.
    """
    lines = state.src.split("\n") if "|" in state.src else []
    columns = 0
    for number, line in enumerate(lines):
        if number and not columns and "|" in line and "-" in line and _DELIMITER.fullmatch(line):
            columns = sum("-" in cell for cell in line.split("|"))
            lines[number - 1] = _with_cells(lines[number - 1], columns, is_header=True)
        elif "|" not in line or _OTHER_BLOCK.match(line):
            columns = 0
        elif columns:
            lines[number] = _with_cells(line, columns)
    state.src = "\n".join(lines) or state.src


def _with_cells(row: str, columns: int, is_header: bool = False) -> str:
    """Return a row with bars for no more cells than there are columns.

    A bar within code or a formula parts no cells, where the other bars make enough of them. The cells beyond
    the last column belong to the last one, with the bars between them; a header with such cells is none.
    """
    start, end = _BEGINNING.match(row).end(), len(row.rstrip(" \t|"))  # type: ignore[union-attr]
    bars = [bar.start() for bar in re.finditer(_BAR, row[:end]) if bar.start() >= start]
    if len(bars) < columns:
        return row
    outside = [found.start() for found in _PARTS.finditer(row, start, end) if found["bar"]]
    if is_header and len(outside) != columns - 1:
        return row
    parting = outside if len(outside) >= columns - 1 else bars
    hidden = set(bars) - set(parting[: columns - 1])
    return "".join(_HIDDEN if at in hidden else character for at, character in enumerate(row))


def _show_bars(state: StateCore) -> None:
    for token in state.tokens:
        token.content = token.content.replace(_HIDDEN, "|")
        token.info = token.info.replace(_HIDDEN, "|")

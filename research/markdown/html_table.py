"""A table in HTML as a table of Markdown, and a text in HTML as one with line breaks, as a cell holds it."""

from collections.abc import Iterable, Iterator
from typing import Any

from markdown_it.token import Token

MAX_SPAN = 30
"""Columns or rows that one cell takes."""
_BREAKS = ("hardbreak", "softbreak")


def line_break() -> Token:
    """Return the token of a line break."""
    return Token("hardbreak", "br", 0)


def with_breaks(words: Iterable[Token]) -> list[Token]:
    """Return the tokens of a text with a line break for each tag of a block, and a mark for each item."""
    made: list[Token] = []
    counts: list[int | None] = []
    for token in words:
        if token.type == "softbreak" and (not made or made[-1].type in _BREAKS):
            continue
        if token.type != "html":
            made.append(token)
            continue
        closes = token.meta["closes"]
        if token.tag in ("ul", "ol") and not closes:
            counts.append(0 if token.tag == "ol" else None)
        elif token.tag in ("ul", "ol") and counts:
            counts.pop()
        if made and made[-1].type in _BREAKS:
            made[-1] = line_break()
        elif made:
            made.append(line_break())
        if token.tag == "li" and not closes:
            made.append(Token("text", "", 0, content=_mark(counts)))
    seen = [index for index, token in enumerate(made) if not _is_blank(token)]
    if seen and made[seen[0]].type == "text":
        made[seen[0]].content = made[seen[0]].content.lstrip(" \t")
    return made[seen[0] : seen[-1] + 1] if seen else []


def _mark(counts: list[int | None]) -> str:
    """Return the mark of the next item in the innermost list."""
    if not counts or (count := counts[-1]) is None:
        return "• "
    counts[-1] = count + 1
    return f"{count + 1}. "


def _is_blank(token: Token) -> bool:
    return token.type in _BREAKS or (token.type == "text" and not token.content.strip())


class HtmlTable:
    """A table that is being read; it takes what stands between its tags."""

    def __init__(self) -> None:
        self._rows: list[list[list[Token]]] = []
        self._cell: list[Token] | None = None
        self._outside: list[Token] = []
        """What stands in no cell, such as the caption."""
        self._spans: dict[int, int] = {}
        """By its column, how many more rows a cell takes."""
        self._tables_within = 0
        self._blocks = 0
        """The blocks of Markdown that are open in the table."""
        self._closed = False

    @property
    def has_ended(self) -> bool:
        """Whether the table is closed, and with it the blocks of Markdown in it."""
        return self._closed and not self._blocks

    def takes(self, token: Token) -> bool:
        """Take a token of Markdown; return whether it belongs to the table, which a heading does not."""
        if not self._blocks and (token.nesting < 0 or token.type in ("heading_open", "hr", "table_open")):
            return False
        self._blocks += token.nesting
        if token.type == "inline":
            self.add(token.children or [])
        elif token.type == "list_item_open" and self._cell:
            self._cell.append(Token("html", "li", 0, meta={"closes": False}))
        elif token.content:
            self.add([Token("text", "", 0, content=token.content.strip("\n"))])
        return True

    def add(self, words: list[Token]) -> None:
        """Put words into the cell, in lines of their own."""
        place = self._outside if self._cell is None or self._closed else self._cell
        place += words if not place or place[-1].type == "html" else [line_break(), *words]

    def tag(self, token: Token) -> None:
        """Read a tag of a block."""
        closes, tag = token.meta["closes"], token.tag
        if tag == "table":
            self._closed = self._closed or (closes and not self._tables_within)
            self._tables_within = max(0, self._tables_within + (-1 if closes else 1))
        elif self._tables_within or tag not in ("tr", "td", "th", "thead", "tbody", "tfoot"):
            (self._outside if self._cell is None else self._cell).append(token)
        elif tag in ("td", "th") and not closes:
            self._begin_cell(token.attrs)
        else:
            self._cell = None
            if tag == "tr" and not closes:
                self._rows.append([])

    def _begin_cell(self, attributes: dict[str, Any]) -> None:
        if not self._rows:
            self._rows.append([])
        row = self._rows[-1]
        while self._spans.get(len(row), 0):
            self._spans[len(row)] -= 1
            row.append([])
        columns, rows = (_span(attributes.get(name)) for name in ("colspan", "rowspan"))
        for column in range(len(row), len(row) + columns):
            self._spans[column] = rows - 1
        self._cell = []
        row += [self._cell, *([] for _ in range(columns - 1))]

    def tokens(self) -> Iterator[Token]:
        """Yield the table's tokens, what stands in no cell before them."""
        rows = [row for row in self._rows if row]
        columns = max(map(len, rows), default=0)
        if outside := with_breaks(self._outside):
            bold = [Token("strong_open", "strong", 1), *outside, Token("strong_close", "strong", -1)]
            yield from (Token("paragraph_open", "p", 1), _inline(bold), Token("paragraph_close", "p", -1))
        if not rows:
            return
        yield Token("table_open", "table", 1)
        for number, row in enumerate(rows):
            part, tag = ("thead", "th") if not number else ("tbody", "td")
            if number < 2:
                yield Token(f"{part}_open", part, 1)
            yield Token("tr_open", "tr", 1)
            for cell in [*row, *([] for _ in range(columns - len(row)))]:
                yield from (
                    Token(f"{tag}_open", tag, 1),
                    _inline(with_breaks(cell)),
                    Token(f"{tag}_close", tag, -1),
                )
            yield Token("tr_close", "tr", -1)
            if not number or number == len(rows) - 1:
                yield Token(f"{part}_close", part, -1)
        yield Token("table_close", "table", -1)


def _inline(words: list[Token]) -> Token:
    return Token("inline", "", 0, children=words)


def _span(value: Any) -> int:
    text = str(value or "")
    return max(1, min(int(text), MAX_SPAN)) if text.isdecimal() and len(text) < 6 else 1

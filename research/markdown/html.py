"""Blocks of HTML between Markdown's: paragraphs, headings, lists and tables, as models write them.

A block of HTML begins and ends with its tags, whatever blocks of Markdown stand between them.
"""

import re
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from research.markdown.html_indent import add_indented_html, is_code
from research.markdown.html_table import HtmlTable, line_break, with_breaks
from research.markdown.html_tags import HEADINGS, LABELS, LISTS, MAX_OPEN, parse_tag, resolve_tags

_KINDS = {"ul": "bullet_list", "ol": "ordered_list", "li": "list_item", "blockquote": "blockquote"}
MAX_RAW_LINES, MAX_RAW_CHARACTERS = 1_000, 50_000
"""Of a comment, or of what HTML does not set as text."""
_RAW = re.compile(r"<!--|<(pre|script|style|svg)(?:\s[^<>]*)?>")
_RAW_TAGS = re.compile(r"</?(?:pre|code)(?:\s[^<>]*)?>")


def add_html(parser: MarkdownIt) -> None:
    """Add the rules of this module to a parser that has all its other rules."""
    add_indented_html(parser)
    parser.block.ruler.at("html_block", _raw_block, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.at("html_inline", parse_tag)
    parser.core.ruler.push("html", lambda state: _Blocks(state).read())


def _raw_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a comment, a script or a drawing, which are not shown, or code, in lines of its own."""
    position = state.bMarks[start] + state.tShift[start]
    found = _RAW.match(state.src, position)
    if not found or is_code(state, start):
        return False
    closing = f"</{found[1]}>" if found[1] else "-->"
    last = min(end, start + MAX_RAW_LINES)
    ending = state.src.find(closing, found.end(), min(state.eMarks[last - 1], position + MAX_RAW_CHARACTERS))
    if ending < 0:
        return False
    line = next(line for line in range(start, last) if state.eMarks[line] > ending)
    if state.src[ending + len(closing) : state.eMarks[line]].strip():
        return False  # what stands behind it is text
    if not silent:
        state.line = line + 1
        if found[1] == "pre":
            token = state.push("code_block", "code", 0)
            content = _RAW_TAGS.sub("", state.getLines(start, line + 1, state.blkIndent, False))
            token.content, token.map = unescape(content).strip("\n") + "\n", [start, line + 1]
    return True


class _Blocks:
    """The blocks of one document, in which tags of HTML are read as blocks of Markdown."""

    def __init__(self, state: StateCore) -> None:
        self.state = state
        self.made: list[Token] = []
        self.level = 0
        """How many blocks of Markdown are open."""
        self.open: list[tuple[str, int]] = []
        """The open lists, items and quotes of HTML, each with the level of Markdown at which it stands."""
        self.table: HtmlTable | None = None
        self.closing_tables = 0
        """The tags that end a table from here on: a table that does not end is none."""
        self.leaf = ""
        """The tag of a heading or a label that is open."""

    def read(self) -> None:
        """Read the document's tokens, and put those that they mean in their place."""
        tokens = self.state.tokens
        for token in tokens:
            if token.type == "inline" and any(child.type == "html" for child in token.children or ()):
                token.children = list(resolve_tags(token.children or []))
                self.closing_tables += sum(_is_tag(child, "table", True) for child in token.children)
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "paragraph_open" and self._has_html(tokens[index + 1]):
                self._paragraph(token, tokens[index + 1])
                index += 3
            else:
                self._other(token)
                index += 1
        self._close_all()
        self.state.tokens = self.made

    def _has_html(self, inline: Token) -> bool:
        """Return whether a paragraph stands in a block of HTML, has a tag, or nothing that is seen."""
        words = inline.children or ()
        return (
            bool(self.table or self.open)
            or any(child.type == "html" for child in words)
            or not with_breaks(words)
        )

    def _paragraph(self, opening: Token, inline: Token) -> None:
        """Read a paragraph of Markdown, between whose words blocks of HTML begin and end."""
        words: list[Token] = []
        level = 0
        for child in inline.children or ():
            level += child.nesting
            if child.type != "html":
                words.append(child)
            elif level:
                words.append(line_break())
            else:
                self._words(words, opening)
                self._tag(child)
                words = []
        self._words(words, opening)
        self.leaf = ""

    def _words(self, words: list[Token], opening: Token) -> None:
        """Put words into the block that is open: a cell, a heading, a label or a paragraph."""
        words = with_breaks(words)
        if not words:
            return
        if self.table:
            self.table.add(words)
            return
        if self.open and self.open[-1][0] in ("ul", "ol"):
            self._begin("li")
        if self.leaf in LABELS:
            words = [Token("strong_open", "strong", 1), *words, Token("strong_close", "strong", -1)]
        kind, tag = ("heading", self.leaf) if self.leaf in HEADINGS else ("paragraph", "p")
        hidden = opening.hidden or (bool(self.open) and self.open[-1][0] == "li")
        self.made += [
            Token(f"{kind}_open", tag, 1, map=opening.map, hidden=hidden, meta=opening.meta),
            Token("inline", "", 0, children=words, content="".join(word.content or "\n" for word in words)),
            Token(f"{kind}_close", tag, -1, hidden=hidden),
        ]

    def _tag(self, token: Token) -> None:
        """Begin or end a block."""
        tag, closes = token.tag, bool(token.meta["closes"])
        if _is_tag(token, "table", True):
            self.closing_tables -= 1
        if self.table:
            self.table.tag(token)
            self._end_table()
        elif tag == "table" and not closes and self.closing_tables:
            self.table = HtmlTable()
        elif tag == "hr":
            self.made.append(Token("hr", "hr", 0))
        elif tag in LISTS and closes:
            self._end(tag)
        elif tag in LISTS:
            self._begin(tag, token)
        elif tag in HEADINGS or tag in LABELS:
            self.leaf = "" if closes else tag

    def _begin(self, tag: str, token: Token | None = None) -> None:
        here = [name for name, level in self.open if level == self.level]
        if tag == "li" and not {"ul", "ol"}.intersection(here):
            self._begin("ul")
        elif tag == "li":
            while self.open[-1][0] not in ("ul", "ol"):
                self._pop()
        elif self.open and self.open[-1] in (("ul", self.level), ("ol", self.level)):
            self._begin("li")
        if len(self.open) < MAX_OPEN:
            start = str(token.attrs.get("start", "")) if token else ""
            attributes: dict[str, str | int | float] = (
                {"start": int(start)} if start.isdecimal() and len(start) < 6 else {}
            )
            self.open.append((tag, self.level))
            self.made.append(Token(f"{_KINDS[tag]}_open", tag, 1, attrs=attributes))

    def _end(self, tag: str) -> None:
        while (tag, self.level) in self.open:
            name, _ = self.open[-1]
            self._pop()
            if name == tag:
                return

    def _pop(self) -> None:
        tag, _ = self.open.pop()
        self.made.append(Token(f"{_KINDS[tag]}_close", tag, -1))

    def _other(self, token: Token) -> None:
        """Read a token of Markdown that is no paragraph's."""
        if token.type == "inline":
            token.children = with_breaks(token.children or ())
        if self.table and self.table.takes(token):
            self._end_table()
            return
        if self.table:
            self._close_table()
        self.level += min(token.nesting, 0)
        while self.open and self.open[-1][1] > self.level:
            self._pop()
        if token.nesting >= 0 and self.open and self.open[-1] in (("ul", self.level), ("ol", self.level)):
            self._begin("li")  # because a list has nothing but items, and the rest would be lost
        self.level += max(token.nesting, 0)
        self.made.append(token)

    def _close_all(self) -> None:
        if self.table:
            self._close_table()
        while self.open:
            self._pop()

    def _end_table(self) -> None:
        if self.table and self.table.has_ended:
            self._close_table()

    def _close_table(self) -> None:
        table, self.table = self.table, None
        self.made += table.tokens() if table else ()


def _is_tag(token: Token, tag: str, closes: bool) -> bool:
    return token.type == "html" and token.tag == tag and token.meta["closes"] is closes

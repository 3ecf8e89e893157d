"""Bounds for markdown-it: every text is read in a time in proportion to its length, and none of it is lost.

Where a rule of markdown-it reads a text again for each mark in it, a rule of this module takes its place.
What it still does in more than a linear time it does in a part of a paragraph, not in the whole of it.
"""

import re
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination, parseLinkTitle
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_ref

from research.address import ADDRESS_END

MAX_PART_CHARACTERS = 8_000
"""Of a paragraph, a heading or a cell, four printed pages; a longer one is read in parts, as if each stood
alone: emphasis or a link does not reach from one part into the next."""

_CUTS = ("\n", " ", "。", "，")
"""Behind which a part may end, best first."""
_NESTING: dict[str, tuple[int, RuleOptionsType]] = {
    "blockquote": (10, {"alt": ["paragraph", "reference", "blockquote", "list"]}),
    "list": (60, {"alt": ["paragraph", "reference", "blockquote"]}),
    "footnote_def": (60, {"alt": ["paragraph", "reference"]}),
    "deflist": (60, {"alt": ["paragraph", "reference", "blockquote"]}),
}
"""The levels of nesting below which a block may hold others, by its rule, and what it may interrupt. A list
takes two levels. Markdown-it itself drops what is nested deeper; here its marks stay text."""
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,999}\]")
_ESCAPE = re.compile(r"\\([&_*~#()\[\]=?.!-])")
_SCHEME = re.compile(r"(?<![a-z0-9.+-])(?:https?|ftp)$", re.IGNORECASE)
_SCHEME_CHARACTERS = 6
"""Of the longest scheme, and of what stands before it."""


def add_bounds(parser: MarkdownIt) -> None:
    """Replace the rules of a parser that has all its rules and plugins."""
    parser.core.ruler.after("block", "part_texts", _part_texts)
    parser.core.ruler.after("linkify", "join_texts", _join_texts)
    parser.helpers = SimpleNamespace(  # type: ignore[assignment]
        parseLinkLabel=_label_end, parseLinkDestination=parseLinkDestination, parseLinkTitle=parseLinkTitle
    )
    parser.inline.ruler.at("linkify", _address)
    parser.inline.ruler.at("footnote_ref", _footnote_mark)
    rules = dict(zip(parser.block.ruler.get_active_rules(), parser.block.ruler.getRules(""), strict=True))
    for name, (levels, interrupts) in _NESTING.items():
        parser.block.ruler.at(name, partial(_unless_deep, rules[name], levels), interrupts)


def _unless_deep(rule: Any, levels: int, state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < levels and bool(rule(state, start, end, silent))


def _part_texts(state: StateCore) -> None:
    """Part each text that is too long, before it is read; its parts stand beside each other in its block."""
    state.tokens[:] = [part for token in state.tokens for part in _parts(token)]


def _join_texts(state: StateCore) -> None:
    """Join the parts of each text, of which all marks have been read."""
    joined: list[Token] = []
    for token in state.tokens:
        if token.type == "inline" and joined and joined[-1].type == "inline":
            joined[-1].children = [*(joined[-1].children or ()), *(token.children or ())]
            joined[-1].content += token.content
        else:
            joined.append(token)
    state.tokens[:] = joined


def _parts(token: Token) -> Iterator[Token]:
    text = token.content
    if token.type != "inline" or len(text) <= MAX_PART_CHARACTERS:
        yield token
        return
    start = 0
    while start < len(text):
        end = _end_of_part(text, start)
        yield token.copy(content=text[start:end], children=[])
        start = end


def _end_of_part(text: str, start: int) -> int:
    """Return where a part ends: with a line, a word or a clause, where one ends in its second half."""
    end = start + MAX_PART_CHARACTERS
    if end >= len(text):
        return len(text)
    for cut in _CUTS:
        if (found := text.rfind(cut, start + MAX_PART_CHARACTERS // 2, end)) >= 0:
            return found + 1
    return end


class InlineState(StateInline):
    """The state of the inline parser, which remembers where the labels of links end."""

    def __init__(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self.labels: dict[int, tuple[int, bool]] = {}
        """By the place of an opening bracket: the place of its closing one, or -1; whether a link stands
        between them."""


def _label_end(state: InlineState, start: int, disableNested: bool = False) -> int:
    """Return where a link's label ends that begins at a place, or -1: each bracket is matched only once.

    In one function, because Python's recursion limit counts each call for each level of nesting.
    """
    if start not in state.labels:
        before, end, has_link = state.pos, -1, False
        state.pos = start + 1
        while state.pos < state.posMax:
            at = state.pos
            if state.src[at] == "]":
                end = at
                break
            state.md.inline.skipToken(state)
            if state.src[at] != "[":
                continue
            if state.pos > at + 1:
                has_link = True
                continue
            # A bracket that is text: it has been matched, when it was found to begin no link.
            inner, inner_has_link = state.labels.get(at, (-1, False))
            if inner < 0:
                break  # without an end of its own, it leaves none for the label around it
            has_link |= inner_has_link
            state.pos = inner + 1
        state.pos = before
        state.labels[start] = end, has_link
    end, has_link = state.labels[start]
    return -1 if disableNested and has_link else end


def _address(state: StateInline, silent: bool) -> bool:
    """Parse an address without brackets; markdown-it's own rule copies what follows for each `://`."""
    linkify, start = state.md.linkify, state.pos
    if state.linkLevel or linkify is None or not state.src.startswith("://", start):
        return False
    found, end = _SCHEME.search(state.pending[-_SCHEME_CHARACTERS:]), ADDRESS_END.search(state.src, start)
    if found is None:
        return False
    text = found[0] + state.src[start : end.start() if end else None]
    length = linkify.test_schema_at(text, f"{found[0]}:", len(found[0]) + 1)
    if not length:
        return False
    address = text[: len(found[0]) + 1 + length].rstrip("*")
    meant = _ESCAPE.sub(r"\1", address)
    link = state.md.normalizeLink(meant)
    if not state.md.validateLink(link):
        return False
    if not silent:
        state.pending = state.pending.removesuffix(found[0])
        state.push("link_open", "a", 1).attrs = {"href": link}
        state.push("text", "", 0).content = state.md.normalizeLinkText(meant)
        state.push("link_close", "a", -1)
    state.pos = start + len(address) - len(found[0])
    return True


def _footnote_mark(state: StateInline, silent: bool) -> bool:
    """Parse the mark of a footnote; markdown-it's own rule searches the whole text for its end."""
    return bool(_FOOTNOTE.match(state.src, state.pos)) and footnote_ref(state, silent)

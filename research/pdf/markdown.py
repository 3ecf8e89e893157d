"""Model Markdown to a small tree. Nothing in the text is trusted: HTML stays text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import get_ident
from typing import Any

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from research.pdf.math import readable

# The presets stop at 20 levels and silently drop the rest of the document; this many
# are read whole, and still rendered well within Python's recursion limit.
MAX_NESTING = 300
_SOURCE = re.compile(r"\[\d+\]:")
# What models write although Markdown does not have it: line breaks in cells, H<sub>2</sub>O, and
# formulas between brackets. The lengths are bounded, so that no text makes the search long.
_EXTRA = re.compile(
    r"<br\s{0,9}/?>|<(?P<move>su[bp])>(?P<moved>[^<>\n]{1,40})</(?P=move)>"
    r"|\\\((?P<inline>(?!\\[^A-Za-z]).{1,500}?)\\\)|\\\[(?P<display>(?!\\[^A-Za-z]).{1,500}?)\\\]",
    re.DOTALL | re.IGNORECASE,
)


@dataclass
class Node:
    """One piece of a document: its kind as markdown-it names it, its text or its children."""

    kind: str
    text: str = ""
    info: str = ""
    """A code block's language, a link's or an image's address, a list's first number, a footnote's
    label, a cell's alignment."""
    level: int = 0
    """A heading's level, 1 to 6."""
    children: list["Node"] = field(default_factory=list)
    lines: tuple[int, int] = (0, 0)
    """Where a block stands in the source, and the source's lines, which all nodes share."""
    source: list[str] = field(default_factory=list, repr=False)

    def as_written(self) -> str:
        """A block's own lines of the source."""
        return "\n".join(self.source[slice(*self.lines)]) or self.plain()

    def addresses(self) -> Iterator[str]:
        """Where all the links and images below lead."""
        if self.kind in ("link", "image"):
            yield self.info
        for child in self.children:
            yield from child.addresses()

    def plain(self) -> str:
        """The text of the node and of all below it, without any markup."""
        breaks = "\n" if self.kind in ("softbreak", "hardbreak") else ""
        return self.text + breaks + "".join(child.plain() for child in self.children)


def parse(text: str) -> Node:
    """The document as a tree, for any string."""
    whole = text.encode("utf-8", "replace").decode()
    definitions: dict[str, Any] = {}
    root = _tree(_parser(get_ident()).parse(whole, definitions), whole.split("\n"))
    root.children += _unused(definitions.get("references", {}), root)
    return root


@cache
def _parser(thread: int) -> MarkdownIt:
    """A thread's own: linkify-it keeps what it has found in itself."""
    parser = MarkdownIt("js-default", {"html": False, "linkify": True, "maxNesting": MAX_NESTING})
    parser.linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False)
    parser.block.ruler.at("reference", _reference, {"alt": []})
    parser.inline.ruler.before("escape", "extra", _extra)
    return parser


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A link's definition, except `[1]: …`: models list their sources so, and cite them as [1]."""
    if _SOURCE.match(state.src, state.bMarks[start] + state.tShift[start]):
        return False
    return reference(state, start, end, silent)


def _extra(state: StateInline, silent: bool) -> bool:
    """`<br>`, `<sub>`, `<sup>`, `\\(…\\)` and `\\[…\\]`; every other tag stays text."""
    found = _EXTRA.match(state.src, state.pos)
    if found is None:
        return False
    state.pos = found.end()
    if silent:
        return True
    if found["moved"]:
        state.push(f"{found['move'].lower()}_open", "", 1)
        state.push("text", "", 0).content = found["moved"]
        state.push(f"{found['move'].lower()}_close", "", -1)
    elif formula := found["inline"] or found["display"]:
        state.push("math_inline", "math", 0).content = formula
    else:
        state.push("hardbreak", "br", 0)
    return True


def _unused(definitions: dict[str, Any], root: Node) -> list[Node]:
    """Definitions of links that nothing refers to, which would else be lost."""
    used = set(root.addresses())
    return [
        Node("paragraph", children=[Node("text", f"{label}: {link['href']} {link['title']}".strip())])
        for label, link in definitions.items()
        if link["href"] not in used
    ]


def _tree(tokens: list[Token], source: list[str]) -> Node:
    root, notes = Node("document"), Node("footnote_block")
    stack = [root]
    for token in _flat(tokens):
        if token.nesting == -1:
            stack.pop()
            continue
        node = _node(token)
        node.source, node.lines = source, (token.map[0], token.map[1]) if token.map else (0, 0)
        above = notes if node.kind == "footnote_reference" else stack[-1]
        if _SOURCE.match(node.text) and above.children and above.children[-1].kind == "softbreak":
            above.children[-1].kind = "hardbreak"  # each source in a line of its own
        above.children.append(node)
        if token.nesting == 1:
            stack.append(node)
    root.children += [notes] if notes.children else []
    return root


def _flat(tokens: list[Token]) -> Iterator[Token]:
    """All tokens in order, those of the inline content in the place of their container."""
    for token in tokens:
        if token.type == "inline":
            yield from token.children or []
        else:
            yield token


def _node(token: Token) -> Node:
    kind = token.type.removesuffix("_open")
    address = (
        token.attrGet("href")
        or token.attrGet("src")
        or token.attrGet("start")
        or token.attrGet("style")
        or ""
    )
    if token.type == "image":
        alternative = "".join(_node(child).plain() for child in token.children or [])
        return Node(kind, text=alternative, info=str(address))
    if kind in ("footnote_ref", "footnote_reference"):
        return Node(kind, info=token.meta["label"])
    return Node(
        kind,
        text=readable(token.content) if kind.startswith("math") else token.content,
        info=token.info.strip() if token.type == "fence" else str(address),
        level=int(token.tag[1]) if kind == "heading" else 0,
    )

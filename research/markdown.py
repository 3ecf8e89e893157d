"""Model Markdown to a small tree. Nothing in the text is trusted: HTML stays text."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from research.formula import readable

# The presets stop at 20 levels and silently drop the rest of the document; this many
# are read whole, and still rendered well within Python's recursion limit.
MAX_NESTING = 300


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

    def plain(self) -> str:
        """The text of the node and of all below it, without any markup."""
        breaks = "\n" if self.kind in ("softbreak", "hardbreak") else ""
        return self.text + breaks + "".join(child.plain() for child in self.children)


def parse(text: str) -> Node:
    """The document as a tree, for any string."""
    whole = text.encode("utf-8", "replace").decode()
    parser = MarkdownIt("js-default", {"html": False, "linkify": True, "maxNesting": MAX_NESTING})
    parser.linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False)
    return _tree(parser.parse(whole), whole.split("\n"))


def _tree(tokens: list[Token], source: list[str]) -> Node:
    root, notes = Node("document"), Node("footnote_block")
    stack = [root]
    for token in _flat(tokens):
        if token.nesting == -1:
            stack.pop()
            continue
        node = _node(token)
        node.source, node.lines = source, (token.map[0], token.map[1]) if token.map else (0, 0)
        (notes if node.kind == "footnote_reference" else stack[-1]).children.append(node)
        if token.nesting == 1:
            stack.append(node)
    root.children += [notes] if notes.children else []
    return root


def _flat(tokens: list[Token]) -> Iterator[Token]:
    """All tokens in order, those of the inline content in the place of their container."""
    for token in tokens:
        if token.type == "inline":
            yield from token.children or []
        elif not token.hidden:
            yield token
        else:  # the paragraph of a tight list: no space around it, but a block all the same
            token.meta["tight"] = True
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

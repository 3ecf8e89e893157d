"""Model Markdown to a small tree. Nothing in the text is trusted: HTML stays text."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The presets stop at 20 levels and silently drop the rest of the document; this many
# are read whole, and still rendered well within Python's recursion limit.
MAX_NESTING = 300


@dataclass
class Node:
    """One piece of a document: its kind as markdown-it names it, its text or its children."""

    kind: str
    text: str = ""
    info: str = ""
    """A code block's language, a link's or an image's address, a list's first number."""
    level: int = 0
    """A heading's level, 1 to 6."""
    children: list["Node"] = field(default_factory=list)

    def plain(self) -> str:
        """The text of the node and of all below it, without any markup."""
        breaks = "\n" if self.kind in ("softbreak", "hardbreak") else ""
        return self.text + breaks + "".join(child.plain() for child in self.children)


def parse(text: str) -> Node:
    """The document as a tree, for any string."""
    whole = text.encode("utf-8", "replace").decode()
    parser = MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": MAX_NESTING})
    return _tree(parser.parse(whole))


def _tree(tokens: list[Token]) -> Node:
    root = Node("document")
    stack = [root]
    for token in _flat(tokens):
        if token.nesting == -1:
            stack.pop()
            continue
        node = _node(token)
        stack[-1].children.append(node)
        if token.nesting == 1:
            stack.append(node)
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
    address = token.attrGet("href") or token.attrGet("src") or token.attrGet("start") or ""
    if token.type == "image":
        alternative = "".join(_node(child).plain() for child in token.children or [])
        return Node(kind, text=alternative, info=str(address))
    return Node(
        kind,
        text=token.content,
        info=token.info.strip() if token.type == "fence" else str(address),
        level=int(token.tag[1]) if kind == "heading" else 0,
    )

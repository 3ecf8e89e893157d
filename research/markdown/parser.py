"""Model Markdown to a tree of markdown-it's nodes. Nothing in the text is trusted."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from threading import get_ident
from typing import Any

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from research.markdown.fences import part_fences
from research.markdown.html import add_html
from research.markdown.label_lines import add_label_lines
from research.markdown.lines import mend_lines
from research.markdown.parser_bounds import add_bounds
from research.markdown.parser_rules import CITED, SOURCE, add_rules, is_source_list
from research.markdown.parser_tables import add_table_rules
from research.markdown.typed_lists import add_typed_lists

Node = SyntaxTreeNode

MAX_NESTING = 300
"""The presets stop at 20 levels and drop the rest of the document; this many are read whole, and are
still rendered well within Python's recursion limit."""

MAX_LABEL = 300
"""Characters of a text that introduces the next block, if it ends with a colon or is bold."""


def parse(text: str, cited: int = 0, part: str = "") -> Node:
    """Return the document as a tree, for any string; the marks of the sources 1 to `cited` are citations.

    The places of its notes begin with the name of the part, where it is a part of a larger document.
    """
    whole = mend_lines(part_fences(text.encode("utf-8", "replace").decode()))
    definitions: dict[str, Any] = {CITED: cited}
    tokens = _parser(get_ident()).parse(whole, definitions)
    lines = whole.split("\n")
    for token in tokens:
        if token.map and token.type != "inline":
            token.meta["lines"] = lines
    used = {token.attrGet("href") or token.attrGet("src") for token in _flat(tokens)}
    unused = [
        f"{label}: {link['href']} {link['title']}".strip()
        for label, link in definitions.get("references", {}).items()
        if link["href"] not in used
    ]
    root = _tree([*tokens, *_paragraphs(unused)])
    connect_notes(root, part)
    return root


def connect_notes(root: Node, part: str = "") -> None:
    """Give each note and each mark of one its place, `meta["place"]`, and where it leads, `meta["to"]`."""
    marked: set[str] = set()
    for node in walk(root):
        if node.type in ("footnote_ref", "footnote_reference"):
            node.meta["label"] = node.meta["label"].removesuffix("^") or "^"  # Kimi writes [^1^]
            name = f"{part}{node.meta['label']}"
            ends = (f"mark-{name}", f"note-{name}")
            place, to = ends if node.type == "footnote_ref" else reversed(ends)
            node.meta.update(place=place, to=to if to in marked or node.type == "footnote_ref" else "")
            marked.add(place)


def parse_inline(text: str, cited: int = 0) -> list[Node]:
    """Return the nodes of one line of Markdown."""
    line = text.encode("utf-8", "replace").decode()
    tokens = _parser(get_ident()).parseInline(line, {CITED: cited})
    return list(_tree(tokens).children)


def parse_plain(text: str) -> Node:
    """Return the text as a tree without any markup: a paragraph for each line."""
    return _tree([*_paragraphs(text.split("\n"))])


def plain(node: Node) -> str:
    """Return the text of the node and of all below it, without markup."""
    return "".join(map(_own_text, walk(node)))


def _own_text(node: Node) -> str:
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    return "" if node.is_root else node.content


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all below it, in order."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


def inline_node(kind: str, content: str = "", **meta: Any) -> Node:
    """Return a new node of a line, without others in it."""
    return Node([Token(kind, "", 0, content=content, meta=meta)], create_root=False)


def as_written(node: Node) -> str:
    """Return a block's own lines of the source, or its text where they are not known."""
    if node.is_root or not node.map:
        return plain(node)
    return "\n".join(node.meta.get("lines", [])[slice(*node.map)]) or plain(node)


def is_loose(item: Node) -> bool:
    """Return whether the paragraphs of a list item are parted by white space."""
    tokens = (child.nester_tokens for child in item.children if child.type == "paragraph")
    return any(pair and not pair.opening.hidden for pair in tokens)


def is_label(paragraph: Node, before_list: bool = False) -> bool:
    """Return whether a paragraph introduces the next block, as every short one before a list does."""
    text = plain(paragraph).rstrip()
    kinds = [child.type for child in paragraph.children if child.content or child.children]
    return len(text) < MAX_LABEL and (before_list or text.endswith((":", "：")) or kinds == ["strong"])


@cache
def _parser(thread: int) -> MarkdownIt:
    """Return a thread's own parser, because linkify-it keeps what it has found in itself."""
    options = {"html": False, "linkify": True, "maxNesting": MAX_NESTING, "alerts": True, "tasklists": True}
    parser = MarkdownIt("js-default", options)
    parser.linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    add_rules(parser)
    add_table_rules(parser)
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    parser.use(deflist_plugin)
    add_bounds(parser)
    add_html(parser)
    add_typed_lists(parser)
    add_label_lines(parser)
    return parser


def _paragraphs(texts: Iterable[str]) -> Iterator[Token]:
    for text in texts:
        yield Token("paragraph_open", "p", 1)
        yield Token("text", "", 0, content=text)
        yield Token("paragraph_close", "p", -1)


def _tree(tokens: list[Token]) -> Node:
    """Build the tree, the footnotes last; without recursion, as SyntaxTreeNode itself would."""
    notes: list[Node] = []
    stack: list[tuple[Token | None, list[Node]]] = [(None, [])]
    for token in _flat(tokens):
        if token.nesting == 1:
            stack.append((token, []))
            continue
        if token.nesting == -1:
            opening, children = stack.pop()
            node = _node([opening, token], children) if opening else None
        else:
            node = _node([token], [])
        if node and node.type in ("bullet_list", "ordered_list"):
            _mark_items(node)
        if node:
            (notes if node.type == "footnote_reference" else stack[-1][1]).append(node)
    root = Node()
    root.children = stack[0][1]
    if notes:
        ends = [Token("footnote_block_open", "", 1), Token("footnote_block_close", "", -1)]
        root.children.append(_node(ends, notes))
    return root


def _mark_items(node: Node) -> None:
    """Give each item of a list what stands before it, as `meta["mark"]`, and its number as `meta["number"]`.

    Numbers that increase are those that were typed, with their gaps; "1. 1. 1." is counted.
    """
    is_ordered = node.type == "ordered_list"
    start, count = int(node.attrs.get("start", 1)), len(node.children)
    numbers = [int(item.info) for item in node.children if item.info.isdecimal()]
    if len(numbers) < count or any(after <= before for before, after in pairwise(numbers)):
        numbers = list(range(start, start + count))
    for number, item in zip(numbers, node.children, strict=True):
        mark = f"{number}." if is_ordered else "•"
        if "checked" in item.meta:
            mark = "✓" if item.meta["checked"] else "□"
        item.meta.setdefault("mark", mark)
        item.meta.setdefault("number", number if is_ordered else 0)


def _part_sources(tokens: list[Token]) -> None:
    """Break the lines of a list of sources, each of which begins with its number."""
    for before, token in pairwise(tokens):
        if before.type == "softbreak" and SOURCE.match(token.content):
            before.type = "hardbreak"


def _node(tokens: list[Any], children: list[Node]) -> Node:
    node = Node(tokens, create_root=False)
    node.children = children
    return node


def _flat(tokens: list[Token]) -> Iterator[Token]:
    """Yield all tokens in order, those of the inline content in the place of their container."""
    for token in tokens:
        if token.type == "inline":
            if is_source_list(token.content):
                _part_sources(token.children or [])
            yield from _flat(token.children or [])
        elif token.type == "image":
            text = "".join(child.content for child in token.children or [])
            yield token.copy(content=text, children=None)
        else:
            yield token

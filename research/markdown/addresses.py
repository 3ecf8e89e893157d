"""Long addresses in a text, as notes at the end of their section: a line that holds one cannot be read."""

from collections.abc import Container, Iterator, Mapping, Sequence
from urllib.parse import unquote

from markdown_it.token import Token

from research.markdown.own_sources import labelled_blocks
from research.markdown.parser import Node, connect_notes, inline_node, plain, walk
from research.markdown.parser_rules import is_source_list

MAX_ADDRESS_CHARACTERS = 50
"""Of an address that is printed in a line of text."""
_MARKS = ("footnote_ref", "citation", "reference")
_APART = ("heading", "footnote_block")
_LISTS = ("bullet_list", "ordered_list", "table", "dl")


def number_addresses(content: Node) -> None:
    """Give each long address a number, and list them at the end of each section.

    A link of which only the label is printed has `meta["is_numbered"]`, as each one in a heading. Lists of
    sources stay as they are.
    """
    series = "L" if any(node.type in _MARKS for node in walk(content)) else ""
    lists = {id(block) for block, kind in labelled_blocks(content.children) if _is_list(block, kind)}
    made: list[Node] = []
    section: dict[str, str] = {}
    count = 0
    for block in content.children:
        nodes = list(_prose(block, lists))
        if block.type in _APART:
            made += _notes(section)
            count, section = count + len(section), {}
        else:
            _number(nodes, section, series, count)
        made.append(block)
    content.children = [*made, *_notes(section)]
    connect_notes(content)


def _is_list(block: Node, kind: str) -> bool:
    """Return whether a block lists sources."""
    if block.type == "paragraph":
        ends_with_link = bool(block.children) and block.children[-1].type == "link"
        is_list = is_source_list(plain(block)) or (kind == "labelled" and ends_with_link)
    else:
        is_list = kind == "labelled" and block.type in _LISTS
    return is_list or bool(block.meta.get("is_source_list"))


def _prose(block: Node, lists: Container[int]) -> Iterator[Node]:
    """Yield the nodes of a block in reading order, without headings and the lists with these identities."""
    stack = [block]
    while stack:
        node = stack.pop()
        if node.type == "heading":
            for link in walk(node):
                if link.type == "link":
                    link.meta["is_numbered"] = bool(plain(link).strip())
        elif id(node) not in lists:
            yield node
            stack += reversed(node.children)


def _number(nodes: Sequence[Node], section: dict[str, str], series: str, before: int) -> None:
    """Put a mark behind each long address in the nodes, but for one that is all of a paragraph."""
    labels: dict[int, str] = {}
    alone: set[int] = set()
    for node in nodes:
        if node.type == "paragraph" and len(node.children) == 1:
            alone.add(id(node.children[0]))
        address = str(node.attrs.get("href", "")) if node.type == "link" else ""
        is_long = len(unquote(address)) > MAX_ADDRESS_CHARACTERS
        is_bare = is_long and _is_bare(node, address)
        if is_long and address.startswith(("http://", "https://")) and not (is_bare and id(node) in alone):
            labels[id(node)] = section.setdefault(address, f"{series}{before + len(section) + 1}")
            if is_bare:
                node.children = [inline_node("text", f"{address.split('/')[2]}/…")]
            node.meta["is_numbered"] = True
    for node in nodes:
        node.children = [made for child in node.children for made in _with_mark(child, labels)]


def _with_mark(node: Node, labels: Mapping[int, str]) -> Iterator[Node]:
    yield node
    if id(node) in labels:
        yield inline_node("footnote_ref", label=labels[id(node)])


def _is_bare(link: Node, address: str) -> bool:
    return unquote(plain(link)).strip().rstrip("/") in ("", unquote(address).rstrip("/"))


def _notes(section: dict[str, str]) -> Iterator[Node]:
    """Yield the list of a section's addresses, if it has any."""
    if section:
        yield _node("footnote_block", [_note(address, label) for address, label in section.items()])


def _note(address: str, label: str) -> Node:
    link = _node("link", [inline_node("text", address)], href=address)
    note = _node("footnote_reference", [_node("paragraph", [link])])
    note.meta["label"] = label
    return note


def _node(kind: str, children: list[Node], **attributes: str) -> Node:
    ends = [Token(f"{kind}_open", "", 1, attrs=dict(attributes), hidden=True), Token(f"{kind}_close", "", -1)]
    node = Node(ends, create_root=False)
    node.children = children
    return node

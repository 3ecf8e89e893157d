"""Long addresses in a text, as notes at the end of their section: a line that holds one cannot be read."""

from collections.abc import Iterator
from urllib.parse import unquote

from markdown_it.token import Token

from research.markdown.parser import Node, connect_notes, inline_node, plain, walk
from research.markdown.parser_rules import is_source_list

MAX_ADDRESS_CHARACTERS = 50
"""Of an address that is printed in a line of text."""
_MARKS = ("footnote_ref", "citation", "reference")
_APART = ("heading", "footnote_block")


def number_addresses(content: Node) -> None:
    """Give each long address a number, and list them at the end of each section.

    A link of which only the label is printed has `meta["is_numbered"]`. Lists of sources stay as they are.
    """
    series = "L" if any(node.type in _MARKS for node in walk(content)) else ""
    made: list[Node] = []
    section: dict[str, str] = {}
    count = 0
    for block in content.children:
        if block.type in _APART:
            made += _notes(section)
            count, section = count + len(section), {}
        elif not _is_list(block):
            for node in walk(block):
                _number(node, section, series, count)
        made.append(block)
    content.children = [*made, *_notes(section)]
    connect_notes(content)


def _is_list(block: Node) -> bool:
    """Return whether a block lists sources."""
    return bool(block.meta.get("is_source_list")) or (
        block.type == "paragraph" and is_source_list(plain(block))
    )


def _number(node: Node, section: dict[str, str], series: str, before: int) -> None:
    """Put a mark behind each long address in a node, but for one that stands alone."""
    made: list[Node] = []
    is_alone = node.type == "paragraph" and len(node.children) == 1
    for child in node.children:
        made.append(child)
        address = str(child.attrs.get("href", "")) if child.type == "link" else ""
        is_web = address.startswith(("http://", "https://"))
        if (
            is_web
            and len(unquote(address)) > MAX_ADDRESS_CHARACTERS
            and not (is_alone and _is_bare(child, address))
        ):
            label = section.setdefault(address, f"{series}{before + len(section) + 1}")
            if _is_bare(child, address):
                child.children = [inline_node("text", f"{address.split('/')[2]}/…")]
            child.meta["is_numbered"] = True
            made.append(inline_node("footnote_ref", label=label))
    node.children = made


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

"""The marks `[12]` of a text, linked to the entries of the list of sources that its model wrote itself.

Only where both are found: a mark without its entry stays as it is written. No mark is checked here, and
none says more than that the model listed this source under this number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from research.address import normalize_address
from research.markdown.parser import Node, inline_node, plain, walk
from research.markdown.reference_lists import ADDRESS, MAX_LABEL_CHARACTERS, is_reference_label

_NUMBERS = r"\d{1,4}(?:\s?[,，、;–—-]\s?\d{1,4}){0,30}"
_MARK = re.compile(rf"\[\^?{_NUMBERS}\]|[【［]{_NUMBERS}(?:†[^【】［］\n]{{0,80}})?[】］]")
_NUMBER = re.compile(r"\d{1,4}")
_ENTRY = re.compile(r"\s*(?:[\[【［]\^?(\d{1,4})[\]】］]|(\d{1,4})[.)、．])")
_PARTS = re.compile(
    r"\s(?:and|und|et|y|e)\s|[&/与和及（()）]|^[^:：、]{0,20}[:：、]\s?(?=\S)"
    r"|^[\s*#\d.]*(?:主要|引用|key|main|selected|list of)\s?"
)
"""What stands between the parts of a label, or before its last one: a number, "Part 5:", "selected"."""
_BREAKS = ("softbreak", "hardbreak")


@dataclass
class _Entry:
    """An entry of a list of sources: the block at the top level that it is in, its place, its addresses."""

    block: int
    place: str
    addresses: set[str]
    is_marked: bool
    """Whether its number stands in brackets, as in the text."""


def link_sources(content: Node, summary: Node) -> None:
    """Make the marks of a text and of its summary references to the entries of the text's own lists.

    An entry has the name of its place in its `meta["place"]`; a reference leads to it by `meta["to"]`.
    """
    lists = _Lists(content.children)
    if not lists.entries:
        return
    for number, block in enumerate(content.children):
        if number not in lists.blocks:
            _link(block, lists, number)
    _link(summary, lists, -1)


class _Lists:
    """The entries of a text's own lists of sources, by their numbers."""

    def __init__(self, blocks: Sequence[Node]) -> None:
        self.entries: dict[int, list[_Entry]] = {}
        self.blocks: set[int] = set()
        """The blocks that are lists of sources, or parts of one."""
        level = 7
        """Of the heading that is known to stand over sources; 7 outside of its section."""
        for index, block in enumerate(blocks):
            label = _label(block)
            own_level = int(block.tag[1]) if block.type == "heading" else 6
            if label is not None and (_is_known(label) or own_level <= level):
                level = own_level if _is_known(label) else 7
                continue
            if block.type == "ordered_list" and level == 7 and index < len(blocks) - 1:
                continue  # a list in the text
            found = list(_entries(block, is_labelled=level < 7))
            if found:
                self.blocks.add(index)
                block.meta["is_source_list"] = True
            for number, nodes, is_marked in found:
                self._add(index, number, nodes, is_marked)

    def _add(self, block: int, number: int, nodes: Sequence[Node], is_marked: bool) -> None:
        same = self.entries.setdefault(number, [])
        place = f"source-{number}" + f"-{len(same)}" * bool(same)
        nodes[0].meta["place"] = place
        within = (link for node in nodes for link in walk(node) if link.type == "link")
        links = {normalize_address(str(link.attrs.get("href", ""))) for link in within}
        same.append(_Entry(block, place, links, is_marked))

    def find(self, number: int, block: int) -> _Entry | None:
        """Return the entry that a mark in a block means: the only one, or the next one below it."""
        same = self.entries.get(number, [])
        same = [entry for entry in same if entry.is_marked] or same
        if len(same) == 1:
            return same[0]
        return next((entry for entry in same if block >= 0 and entry.block > block), None)


def _label(block: Node) -> str | None:
    """Return the text of a heading, or of a short paragraph that may stand for one."""
    if block.type == "heading":
        return plain(block)
    text = plain(block) if block.type == "paragraph" else ""
    return text if len(text) <= MAX_LABEL_CHARACTERS and _is_known(text) else None


def _is_known(label: str) -> bool:
    """Return whether a label is known to stand over sources, perhaps over more: "Notes and references"."""
    return any(map(is_reference_label, _PARTS.split(label.casefold())))


def _entries(block: Node, is_labelled: bool) -> Iterator[tuple[int, Sequence[Node], bool]]:
    """Yield of each entry of a block its number, its inline nodes, and whether the number is in brackets.

    Below a heading that is no known one an entry has a number in brackets and an address.
    """
    found: list[tuple[int, Sequence[Node], bool]] = []
    has_introduction = False
    for number, nodes in _lines(block):
        words = "".join(map(plain, nodes))
        mark = _ENTRY.match(words)
        has_address = bool(ADDRESS.search(words)) or any(node.type == "link" for node in nodes)
        if mark and (is_labelled or (mark[1] and has_address)):
            found.append((int(mark[1] or mark[2]), nodes, bool(mark[1])))
        elif number and (is_labelled or has_address):
            found.append((number, nodes, False))
        elif block.type == "paragraph":
            has_introduction = True
        elif not is_labelled:
            return
    if has_introduction and len(found) < 2:
        return
    if block.type == "paragraph" and found:
        for before, after in pairwise(block.children):
            if before.type == "softbreak" and _ENTRY.match(plain(after)):
                before.token.type = "hardbreak"  # type: ignore[union-attr]
    yield from found


def _lines(block: Node) -> Iterator[tuple[int, list[Node]]]:
    """Yield the lines of a paragraph, the items of a list or the rows of a table, with their number or 0."""
    if block.type == "paragraph":
        line: list[Node] = []
        for before, child in pairwise([block, *block.children]):
            if before.type in _BREAKS and line and _ENTRY.match(plain(child)):
                yield 0, line
                line = []
            if child.type not in _BREAKS:
                line.append(child)
        if line:
            yield 0, line
    elif block.type in ("bullet_list", "ordered_list"):
        for item in block.children:
            if item.children and item.children[0].type == "paragraph" and item.children[0].children:
                yield item.meta["number"], item.children[0].children
    elif block.type == "table":
        for row in (row for part in block.children for row in part.children):
            cells = [child for cell in row.children for child in cell.children]
            number = plain(row.children[0]).strip() if row.children else ""
            if cells and number.isdecimal() and len(number) < 5:
                yield int(number), cells


def _link(block: Node, lists: _Lists, number: int) -> None:
    """Put references in the place of the marks of a block."""
    for node in walk(block):
        made: list[Node] = []
        for child in node.children if node.type != "link" else ():
            if child.type == "text":
                made += _pieces(child, lists, number)
            else:
                made.append(_numbered_link(child, lists, number) if child.type == "link" else child)
        node.children = made or node.children


def _numbered_link(link: Node, lists: _Lists, block: int) -> Node:
    """Return a reference for a link whose words are a number, where the entry has its address."""
    number = plain(link).strip("[]^ ")
    entry = lists.find(int(number), block) if number.isdecimal() and len(number) < 5 else None
    if entry and normalize_address(str(link.attrs.get("href", ""))) in entry.addresses:
        return inline_node("reference", f"[{number}]", to=entry.place)
    return link


def _pieces(text: Node, lists: _Lists, block: int) -> Iterator[Node]:
    """Yield a text as its words and the references in it."""
    content, at = text.content, 0
    for mark in _MARK.finditer(content):
        found = [
            (number, lists.find(int(number[0]), block)) for number in _NUMBER.finditer(mark[0].split("†")[0])
        ]
        linked = [(number, entry) for number, entry in found if entry]
        for number, entry in linked:
            start, end = number.span() if len(found) > 1 else (0, len(mark[0]))
            yield inline_node("text", content[at : mark.start() + start])
            yield inline_node("reference", mark[0][start:end], to=entry.place)
            at = mark.start() + end
    yield inline_node("text", content[at:]) if at else text

"""The marks `[12]` of a text, linked to the entries of the list of sources that its model wrote itself.

Only where both are found: a mark without its entry stays as it is written. No mark is checked here, and
none says more than that the model listed this source under this number.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from research.address import normalize_address
from research.markdown.parser import Node, inline_node, plain, walk
from research.markdown.reference_lists import ADDRESS, MAX_LABEL_CHARACTERS
from research.markdown.source_labels import heads_sources

_NUMBERS = r"\d{1,4}(?:\s?[,，、;–—-]\s?\d{1,4}){0,30}"
_MARK = re.compile(rf"\[\^?{_NUMBERS}\^?\]|[【［]{_NUMBERS}(?:†[^【】［］\n]{{0,80}})?[】］]")
_NUMBER = re.compile(r"\d{1,4}")
_ENTRY = re.compile(r"\s*(?:[\[【［]\^?(\d{1,4})\^?[\]】］]|(\d{1,4})[.)、．])")
_CELL = re.compile(r"[\[【［]?\^?(\d{1,4})\^?[\]】］]?[.:)]?")
_BREAKS = ("softbreak", "hardbreak")


@dataclass
class _Entry:
    """An entry of a list of sources: the position of its block, its place, its addresses."""

    position: int
    place: str
    addresses: set[str]
    rank: tuple[bool, bool]
    """Whether its number stands in brackets, as in the text, and whether its list has a known label."""


def link_sources(content: Node, summary: Node) -> None:
    """Make the marks of a text and of its summary references to the entries of the text's own lists.

    An entry has the name of its place in its `meta["place"]`; a reference leads to it by `meta["to"]`.
    """
    blocks = list(labelled_blocks(content.children))
    lists = _Lists(blocks)
    if not lists.entries:
        return
    for position, (block, _) in enumerate(blocks):
        if not block.meta.get("is_source_list"):
            _link(block, lists, position)
    _link(summary, lists, -1)


def labelled_blocks(
    blocks: Sequence[Node], level: int = 7, is_quoted: bool = False
) -> Iterator[tuple[Node, str]]:
    """Yield the blocks of a text and of its quotes, and what each is: "label", "labelled", "quoted" or "".

    The level is that of the heading that is known to stand over sources; 7 outside of its section.
    """
    for block in blocks:
        if block.type == "blockquote" and not is_quoted:
            yield from labelled_blocks(block.children, level, is_quoted=True)
            continue
        label = _label(block)
        own_level = int(block.tag[1]) if block.type == "heading" else 6
        if label is not None and heads_sources(label):
            level = min(level, own_level)
        elif label is not None and own_level <= level:
            level = 7
        yield block, "label" if label is not None else "labelled" if level < 7 else "quoted" * is_quoted


class _Lists:
    """The entries of a text's own lists of sources, by their numbers."""

    def __init__(self, blocks: Sequence[tuple[Node, str]]) -> None:
        self.entries: dict[int, list[_Entry]] = {}
        rivals: set[int] = set()
        """The numbers of ordered lists without a known label, which may be the sources as well."""
        for position, (block, kind) in enumerate(blocks):
            is_plain = block.type == "ordered_list" and not kind
            found = list(_entries(block, kind == "labelled")) if kind in ("", "labelled") else []
            numbers = {number for number, _, _ in found}
            if is_plain and position < len(blocks) - 1:
                rivals |= numbers if _is_section(blocks, position) else set()
            elif found and not (is_plain and (numbers & rivals or not numbers.isdisjoint(self.entries))):
                block.meta["is_source_list"] = True
                for number, nodes, is_marked in found:
                    self._add(position, number, nodes, (is_marked, kind == "labelled"))
        for number, same in self.entries.items():
            best = max(entry.rank for entry in same)
            self.entries[number] = [entry for entry in same if entry.rank == best]

    def _add(self, position: int, number: int, nodes: Sequence[Node], rank: tuple[bool, bool]) -> None:
        same = self.entries.setdefault(number, [])
        place = f"source-{number}" + f"-{len(same)}" * bool(same)
        nodes[0].meta["place"] = place
        within = (link for node in nodes for link in walk(node) if link.type == "link")
        links = {normalize_address(str(link.attrs.get("href", ""))) for link in within}
        same.append(_Entry(position, place, links, rank))

    def find(self, number: int, position: int) -> _Entry | None:
        """Return the entry that a mark in a block means: the only one, or the next one below it."""
        same = self.entries.get(number, [])
        if len(same) == 1:
            return same[0]
        below = bisect_right(same, position, key=lambda entry: entry.position)
        return same[below] if position >= 0 and below < len(same) else None


def _is_section(blocks: Sequence[tuple[Node, str]], position: int) -> bool:
    """Return whether a block is all that stands between a heading and the next one."""
    around = [blocks[place][0].type for place in (position - 1, position + 1)]
    return position > 0 and around[0] == "heading" and around[1] in ("heading", "hr")


def _label(block: Node) -> str | None:
    """Return the text of a heading, or of a short paragraph, no sentence, that may stand for one."""
    if block.type == "heading":
        return plain(block)
    text = plain(block) if block.type == "paragraph" else ""
    is_short = len(text) <= MAX_LABEL_CHARACTERS and not text.endswith((".", "!", "?", "。"))
    return text if is_short and heads_sources(text) else None


def _entries(block: Node, is_labelled: bool) -> Iterator[tuple[int, Sequence[Node], bool]]:
    """Yield of each entry of a block its number, its inline nodes, and whether the number is in brackets.

    Below a heading that is no known one an entry has a number in brackets and an address.
    """
    found: list[tuple[int, Sequence[Node], bool]] = []
    has_introduction = False
    for number, nodes in _lines(block):
        words = (" " if block.type == "table" else "").join(map(plain, nodes))
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
            number = _CELL.fullmatch(plain(row.children[0]).strip()) if row.children else None
            if cells and number:
                yield int(number[1]), cells


def _link(block: Node, lists: _Lists, position: int) -> None:
    """Put references in the place of the marks of a block."""
    for node in walk(block):
        made: list[Node] = []
        for child in node.children if node.type != "link" else ():
            if child.type == "text":
                made += _pieces(child, lists, position)
            else:
                made.append(_numbered_link(child, lists, position) if child.type == "link" else child)
        node.children = made or node.children


def _numbered_link(link: Node, lists: _Lists, position: int) -> Node:
    """Return a reference for a link whose words are a number, where the entry has its address."""
    number = plain(link).strip("[]^ ")
    entry = lists.find(int(number), position) if number.isdecimal() and len(number) < 5 else None
    if entry and normalize_address(str(link.attrs.get("href", ""))) in entry.addresses:
        return inline_node("reference", f"[{number}]", to=entry.place)
    return link


def _pieces(text: Node, lists: _Lists, position: int) -> Iterator[Node]:
    """Yield a text as its words and the references in it."""
    content, at = text.content, 0
    for mark in _MARK.finditer(content):
        found = [
            (number, lists.find(int(number[0]), position))
            for number in _NUMBER.finditer(mark[0].split("†")[0])
        ]
        linked = [(number, entry) for number, entry in found if entry]
        for number, entry in linked:
            start, end = number.span() if len(found) > 1 else (0, len(mark[0]))
            yield inline_node("text", content[at : mark.start() + start])
            yield inline_node("reference", mark[0][start:end], to=entry.place)
            at = mark.start() + end
    yield inline_node("text", content[at:]) if at else text

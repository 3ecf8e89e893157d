"""Lists of references that a model wrote although it was asked not to: where they are in its Markdown.

A list is found by what its entries are, so that its heading may be in any language; a heading that is
known to stand over such lists only makes entries without a number enough.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models import Source
from research.address import normalize_address
from research.markdown.block_parser import parse_blocks

MAX_LABEL_CHARACTERS = 60
MIN_TITLE_CHARACTERS = 12
"""Because a shorter title may be an ordinary word of the text."""

_KNOWN_LABELS = frozenset(
    """
    references, reference list, list of references, sources, sources cited, citations, bibliography,
    works cited, literature, literature cited, quellen, quellenverzeichnis, quellenangaben, literatur,
    literaturverzeichnis, einzelnachweise, références, bibliographie, referencias, fuentes, bibliografía,
    referências, fontes,
    bibliografia, riferimenti, fonti, referenties, bronnen, referenser, källor, kilder, lähteet, źródła,
    литература, источники, список литературы, джерела, πηγές, βιβλιογραφία, المراجع, المصادر, מקורות,
    संदर्भ, स्रोत, อ้างอิง, แหล่งอ้างอิง, tài liệu tham khảo, nguồn, kaynaklar, kaynakça,
    参考文献, 参考资料, 參考文獻, 參考資料, 资料来源, 来源, 出典, 参考資料, 참고문헌, 참고 자료, 출처
    """.strip()
    .replace("\n    ", " ")
    .split(", ")
)
_NUMBERS = r"\d{1,4}(?:\s{0,9}[,;–-]\s{0,9}\d{1,4})*"
_ENTRY = re.compile(
    rf"(?:[-*+•]\s+|(?P<ordered>\d{{1,4}}[.)])\s+)?(?P<bracket>\[\^?{_NUMBERS}\]|[【［]{_NUMBERS}[】］])?:?\s*"
)
ADDRESS = re.compile(
    r"(?:https?://|\bwww\.|\bdoi\.org/)(?:[^\s<>\]()]|\([^\s<>\]()]{0,200}\))+|\bdoi:\s?10\.\S+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Block:
    """A block at the top level of a document: its kind, its lines, the text of a heading or paragraph."""

    kind: str
    start: int
    end: int
    text: str


def without_reference_lists(text: str, sources: Sequence[Source]) -> tuple[str, int]:
    """Remove the lists of references, with their headings; return the text and how many there were."""
    lines, blocks = text.split("\n"), _blocks(text)
    labels, ends = [_label(block) for block in blocks], _ends_of_lists(blocks, lines, _Known(sources))
    kept: list[str] = []
    removed = position = line = 0
    while position < len(blocks):
        label = labels[position]
        first = position + (label is not None)
        last = ends[is_reference_label(label or "")][first]
        followed = last == len(blocks) or blocks[last].kind in ("heading", "hr") or labels[last]
        if last > first and followed and (label is not None or last == len(blocks)):
            kept += lines[line : blocks[position].start]
            line, position, removed = blocks[last - 1].end, last, removed + 1
        else:
            position += 1
    return "\n".join([*kept, *lines[line:]]), removed


def _ends_of_lists(
    blocks: Sequence["_Block"], lines: Sequence[str], known: "_Known"
) -> tuple[list[int], list[int]]:
    """Return for each block the first one, from it on, that lists no references.

    The second list is for blocks below a heading that is known to stand over references.
    """
    ends = [len(blocks)] * (len(blocks) + 1), [len(blocks)] * (len(blocks) + 1)
    for number in range(len(blocks) - 1, -1, -1):
        for of_label, lists in enumerate(known.lists(blocks[number], lines)):
            ends[of_label][number] = ends[of_label][number + 1] if lists else number
    return ends


def is_reference_label(text: str) -> bool:
    """Return whether a heading is known to stand over a list of references."""
    return text.casefold().strip(" *_:：0123456789.#") in _KNOWN_LABELS


class _Known:
    """The addresses and titles of the sources that were given."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._addresses = {normalize_address(source.url) for source in sources}
        self._titles = [source.title.casefold() for source in sources]

    def lists(self, block: _Block, lines: Sequence[str]) -> tuple[bool, bool]:
        """Return whether every entry of the block is a reference: by itself, and below a known heading."""
        if block.kind not in ("paragraph", "bullet_list", "ordered_list"):
            return False, False
        own_lines = lines[block.start : block.end]
        by_itself = below_heading = any(map(str.strip, own_lines))
        for entry in _entries(own_lines):
            own, below = self._is_reference(entry)
            by_itself, below_heading = by_itself and own, below_heading and below
            if not below_heading and not by_itself:
                break
        return by_itself, below_heading

    def _is_reference(self, entry: str) -> tuple[bool, bool]:
        """Return whether the entry is a reference: by itself, and below a known heading."""
        start = _ENTRY.match(entry)
        numbered = bool(start and start["bracket"])
        address = ADDRESS.search(entry)
        given = address is not None and normalize_address(address[0].rstrip(".,;:!?")) in self._addresses
        folded = entry.casefold()
        titled = any(len(title) >= MIN_TITLE_CHARACTERS and title in folded for title in self._titles)
        below_heading = bool(address) or titled or numbered
        if numbered:
            return bool(address) or titled, below_heading
        return given and bool(start and (start["ordered"] or entry[:1] in "-*+•")), below_heading


def _blocks(text: str) -> list[_Block]:
    """Return the blocks at the top level, in order."""
    found: list[_Block] = []
    for token in parse_blocks(text):
        if token.level == 0 and token.map and token.nesting >= 0:
            found.append(_Block(token.type.removesuffix("_open"), token.map[0], token.map[1], ""))
        elif token.type == "inline" and token.level == 1 and found:
            found[-1] = _Block(found[-1].kind, found[-1].start, found[-1].end, token.content)
    return found


def _label(block: _Block) -> str | None:
    """Return the text of a heading, or of a line that stands for one; None for any other block."""
    text = block.text.strip()
    if block.kind == "heading":
        return text
    short = len(text) <= MAX_LABEL_CHARACTERS and "\n" not in text
    stands_alone = text.endswith((":", "：")) or re.fullmatch(r"(\*\*|__)[^*_]+\1:?", text)
    if block.kind == "paragraph" and short and text and not ADDRESS.search(text) and stands_alone:
        return text
    return None


def _entries(lines: Sequence[str]) -> Iterator[str]:
    """Join the lines of a block to its entries: a line without a number or bullet goes on with the last."""
    entry: list[str] = []
    for line in filter(None, map(str.strip, lines)):
        start = _ENTRY.match(line)
        bullet = line[:2] in ("- ", "* ", "+ ", "• ")
        begins = bullet or bool(start and (start["bracket"] or start["ordered"]))
        if begins and entry:
            yield " ".join(entry)
            entry = []
        entry.append(line)
    if entry:
        yield " ".join(entry)

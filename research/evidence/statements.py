"""Statements: the sentences of a section that cite sources, each with the numbers that it cites."""

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from research.evidence.marks import TOKEN, begins_entry, cited_numbers, marks_of
from research.evidence.sentences import HARD_BREAK, sentences
from research.markdown.block_parser import parse_blocks
from research.markdown.reference_lists import is_reference_label

_LINE = re.compile(r"\r\n?|\n")
# Of `*` and `_` those are kept that are no emphasis: between spaces, between digits, within a word.
_INLINE = re.compile(
    r"(?P<kept>(?<=\d)\*+(?=\d)|(?<!\S)\*+(?=\s))|\*+|~~|(?<!\w)_+|_+(?!\w)"
    r"|(?P<space><br\s{0,9}/?>)|</?[a-zA-Z][^<>\n]{0,200}>"
)
_ADDRESS = re.compile(r"https?://|\bwww\.|\bdoi\.org/", re.IGNORECASE)
_GONE = "\0"
"""Stands in a plain text for citation marks."""
_IN_BRACKETS = re.compile(
    rf"[ ]?[(（]\s*(?:see|cf\.?|sources?|refs?\.?|siehe|vgl\.|参考|参见|见|来源)?\s*[:：]?\s*{_GONE}\s*[)）]",
    re.IGNORECASE,
)
_LABEL = re.compile(r"!?\[(.*)\]\(", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """A sentence, or a row of a table, that cites sources."""

    text: str
    """Plain text, without the citation marks."""
    start: int
    end: int
    """The characters of the Markdown between which it stands, its citation marks included."""
    numbers: tuple[int, ...]


def cited_statements(markdown: str, numbers: Collection[int]) -> list[Statement]:
    """Return the sentences that cite at least one of the numbers, in order; a row of a table counts as one.

    A mark behind a full stop belongs to the sentence before it. Headings, code, formulas, links and lists of
    references cite nothing.
    """
    wanted, found = frozenset(numbers), list[Statement]()
    for block in _blocks(markdown):
        for text, start, end, marks in block.parts():
            cited = tuple(dict.fromkeys(n for mark in marks for n in mark.numbers if n in wanted))
            text = _without_marks(text)
            if cited and any(map(str.isalnum, text)):
                found.append(Statement(text, block.place(start), block.place(end - 1) + 1, cited))
    return found


def _without_marks(text: str) -> str:
    """Return a plain text without what stands for its marks, and the commas and brackets around them."""
    text = re.sub(rf"{_GONE}(?:[\s,;、，和及&]{{0,9}}{_GONE})+", _GONE, text)
    text = _IN_BRACKETS.sub("", text).replace(_GONE, "")
    return " ".join(html.unescape(text).split())


@dataclass(frozen=True)
class _Mark:
    """The numbers that are cited in one place."""

    at: int
    """The character of the plain text that stands for it."""
    end: int
    """The character of the Markdown behind it."""
    numbers: Sequence[int]


@dataclass
class _Plain:
    """Inline Markdown as plain text."""

    markdown: str
    text: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """The same characters as the search for sentences sees them: without full stops in code and addresses."""
    places: list[int] = field(default_factory=list)
    """From where in the Markdown each character comes."""
    marks: list[_Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        position = 0
        for token in TOKEN.finditer(self.markdown):
            self._add_text(position, token.start())
            position = token.end()
            if marks_of(token):
                self._add_marks(token)
            elif token["code"]:
                ticks = len(token["ticks"])
                self._add(token.start() + ticks, token.end() - ticks, hidden=True)
            elif token["escape"]:
                self._add(token.start() + 1, token.end())
            elif label := _LABEL.match(token[0]) if token["link"] is not None else None:
                self._add_text(token.start() + label.start(1), token.start() + label.end(1))
            else:
                self._add(token.start(), token.end(), hidden=True)
        self._add_text(position, len(self.markdown))

    def _add_marks(self, token: re.Match[str]) -> None:
        numbers, is_entry = cited_numbers(token), begins_entry(token)
        line_end = self.markdown.find("\n", token.end())
        if is_entry and _ADDRESS.search(self.markdown, token.end(), max(line_end, 0) or len(self.markdown)):
            numbers = []  # an entry of a list of references
        if numbers:
            self.marks.append(_Mark(len(self.text), token.end(), numbers))
            self._put(_GONE, " ", token.start())
            if token["colon"]:
                self._add(token.end() - 1, token.end())
        elif not (token["colon"] and is_entry):
            self._add(token.start(), token.end())

    def _put(self, character: str, shown: str, place: int) -> None:
        self.text.append(character)
        self.shown.append(shown)
        self.places.append(place)

    def _add_text(self, start: int, end: int) -> None:
        for found in _INLINE.finditer(self.markdown, start, end):
            self._add(start, found.end() if found["kept"] else found.start())
            start = found.end()
            if found["space"]:
                self._put(" ", HARD_BREAK, found.start())
        self._add(start, end)

    def _add(self, start: int, end: int, hidden: bool = False) -> None:
        part = self.markdown[start:end]
        self.text += part
        self.places += range(start, end)
        if hidden:
            self.shown += "x" * len(part)
            return
        shown = re.sub(r"(?<!  )\n", " ", part)
        is_escaped = part == "\n" and self.markdown[max(start - 1, 0) : start] == "\\"
        self.shown += HARD_BREAK if is_escaped else shown


_Part = tuple[str, int, int, Sequence[_Mark]]
"""A part of a block: its plain text, from where to where it stands in the block, and its marks."""


@dataclass(frozen=True)
class _Block:
    """A paragraph, or a row of a table: its Markdown, and where each line of it stands in the whole."""

    markdown: str
    lines: Sequence[int]
    """The characters at which the lines begin in the block."""
    places: Sequence[int]
    """The characters at which they begin in the whole."""
    cells: Sequence[str] = ()

    def place(self, position: int) -> int:
        """Return where a character of the block stands in the whole."""
        line = bisect_right(self.lines, position) - 1
        return self.places[line] + position - self.lines[line]

    def parts(self) -> Iterator[_Part]:
        """Return the sentences, or the row as one."""
        return self._row() if self.cells else self._sentences()

    def _row(self) -> Iterator[_Part]:
        cells = list(map(_Plain, self.cells))
        text = " | ".join(filter(None, ("".join(cell.text).strip() for cell in cells)))
        yield text, 0, len(self.markdown), [mark for cell in cells for mark in cell.marks]

    def _sentences(self) -> Iterator[_Part]:
        plain = _Plain(self.markdown)
        if not plain.marks:
            return
        found = list(sentences("".join(plain.shown)))
        marks: list[list[_Mark]] = [[] for _ in found]
        starts = [start for start, _ in found]
        for mark in plain.marks if found else ():
            begins_line = mark.at > 0 and plain.shown[mark.at - 1] == HARD_BREAK
            number = bisect_left(starts, mark.at) - (not begins_line)
            marks[min(max(number, 0), len(found) - 1)].append(mark)
        position = 0
        for number, (start, end) in enumerate(found):
            following = plain.places[starts[number + 1]] if number + 1 < len(found) else len(self.markdown)
            stop = max([plain.places[end - 1] + 1, *(mark.end for mark in marks[number])])
            stop = self._with_closing(position, stop, following)
            position += len(self.markdown[position:stop]) - len(self.markdown[position:stop].lstrip())
            yield "".join(plain.text[start:end]), position, stop, marks[number]
            position = stop

    def _with_closing(self, start: int, end: int, following: int) -> int:
        """Return the end of a sentence behind the marks that close what it has opened, such as `**`."""
        gap = self.markdown[end:following]
        closing = re.match(r"\S*", gap)
        between = closing[0] if closing else ""
        if between and between == gap and end < following < len(self.markdown):
            # No space tells whether the marks close one sentence or open the next.
            return following if self.markdown.count(between, start, end) % 2 else end
        return end + len(between)


def _blocks(markdown: str) -> Iterator[_Block]:
    """Yield the paragraphs, those of list items and quotes included, and the rows of tables."""
    ends = [*(found.start() for found in _LINE.finditer(markdown)), len(markdown)]
    starts = [0, *(found.end() for found in _LINE.finditer(markdown))]
    text = markdown.replace("\0", "\ufffd")  # as the parser does
    lines = [(start, text[start:end]) for start, end in zip(starts, ends, strict=True)]
    before, is_reference_list, cells, in_body = "", False, list[str](), False
    for token in parse_blocks(markdown):
        if token.type in ("tbody_open", "tbody_close"):
            in_body = token.type == "tbody_open"
        elif token.type == "tr_open":
            cells, row = [], token.map
        elif token.type == "tr_close" and in_body and row and not is_reference_list:
            yield from _row(lines[row[0]], cells)
        elif token.type == "inline" and before in ("td_open", "th_open"):
            cells.append(token.content)
        elif token.type == "inline" and before in ("heading_open", "paragraph_open"):
            is_label = is_reference_label(token.content)
            is_reference_list = is_label or (is_reference_list and before != "heading_open")
            if before == "paragraph_open" and token.map and not is_reference_list:
                yield from _paragraph(lines[token.map[0] : token.map[1]], token.content)
        elif token.type == "html_block" and token.map and not is_reference_list:
            yield from _paragraph(lines[token.map[0] : token.map[1]], token.content)
        before = token.type


def _paragraph(lines: Iterable[tuple[int, str]], content: str) -> Iterator[_Block]:
    """Yield the block, unless its lines are not found where the parser says that they are."""
    parts, begins, places, length = list[str](), list[int](), list[int](), 0
    rest = iter(lines)
    for part in content.split("\n"):
        bare = part.rstrip()
        # White space at the beginning or end of the content, lines of it too, is not in the token.
        found = next(((start, line.rstrip()) for start, line in rest if line.rstrip().endswith(bare)), None)
        if not found:
            break
        place = found[0] + len(found[1]) - len(bare)
        parts.append(part)
        begins.append(length)
        places.append(place)
        length += len(part) + 1
    if parts:
        yield _Block("\n".join(parts), begins, places)


def _row(line: tuple[int, str], cells: Sequence[str]) -> Iterator[_Block]:
    start, text = line
    cell = next(filter(None, cells), "")
    first = max(text.find(cell), text.find(cell.replace("|", "\\|")), 0)
    last = text.rstrip().removesuffix("|").rstrip()
    if len(last) > first:
        yield _Block(last[first:], [0], [start + first], cells)

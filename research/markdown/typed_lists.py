"""Lists with labels that Markdown has not (a. (1) 一、 – ✅), and tables drawn with characters.

To CommonMark they are lines of a paragraph, which run together.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MAX_ITEM_LINES = 30
_CHINESE_NUMBER = "[一二三四五六七八九十]{1,3}"
LABEL = re.compile(
    rf"[ \t]*([(（]([a-z]{{1,5}}|\d{{1,2}}|{_CHINESE_NUMBER})[)）]|([a-z]|[ivx]{{2,5}})[.)](?=\s)"
    rf"|([\u2460-\u2473])|(\d{{1,2}}|{_CHINESE_NUMBER})、|(\d{{1,2}})[.)．](?=[^\W\d_])"
    r"|((?:(?![0-9])\d){1,2})[.)．](?=\s)|(?P<letter>[א-ת\u0621-\u064aア-ン가나다라마바사아자차카타파하])[.)．]"
    r"|(?P<section>(?:\d{1,2}\.){1,3}\d{1,2})\.?(?=\s)|(?P<dash>[–—](?=\s)|・)|(?P<symbol>\d\ufe0f?\u20e3"
    r"|[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]{1,8})(?=[\s\w*]))"
    r"\s*(?=\S)",
    re.IGNORECASE,
)
"""What begins the line of an item: a number or a letter with its mark, a dash, a check mark or an emoji."""
_ONE_NUMBER = re.compile(r"\D*(\d+)\D*")
_HTML = re.compile(r"</?(?:table|tr|td|th|ul|ol|li)[\s>]", re.IGNORECASE)
_DRAWN = re.compile(r"[+┌╔┏][-=+─═━┬╦┳]{3,}.*(?:\n[ \t]*[+|│║┃├└╠╚┣┗].*){2,}")
_ROMAN = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv"]
_CHINESE = ["", *"一二三四五六七八九十", *(f"十{digit}" for digit in "一二三四五六七八九")]


def add_typed_lists(parser: MarkdownIt) -> None:
    """Add the rule of this module to a parser: an item has its `meta["mark"]` and its `meta["number"]`."""
    parser.core.ruler.after("block", "typed_lists", _read)


def _read(state: StateCore) -> None:
    state.tokens = list(_read_tokens(state.tokens))


def _read_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield lists in the place of lines whose labels are in a row, a, b, c, and code for drawn tables."""
    above: list[_Paragraph] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "paragraph_open":
            opening, inline, _ = whole = tokens[place : place + 3]
            place += 3
            if not _DRAWN.fullmatch(inline.content):
                above.append(_Paragraph([*whole]))
                continue
            text = f"{inline.content}\n"
            yield from _blocks(above)
            yield Token("code_block", "code", 0, content=text, map=opening.map, block=True)
        elif above and (end := _end_of_nested(tokens, place, above[-1])):
            above[-1].below = list(_read_tokens(tokens[place:end]))
            place = end
            continue
        else:
            yield from _blocks(above)
            yield token
            place += 1
        above = []
    yield from _blocks(above)


@dataclass
class _Paragraph:
    """The three tokens of a paragraph, and those of the list that is nested in its last item."""

    tokens: list[Token]
    below: list[Token] = field(default_factory=list)


def _end_of_nested(tokens: Sequence[Token], start: int, above: _Paragraph) -> int:
    """Return where a list ends that stands between two items, without blank lines; 0 if there is none."""
    begun, lines = tokens[start], above.tokens[0].map
    if begun.type not in ("bullet_list_open", "ordered_list_open") or not lines or not begun.map:
        return 0
    if (
        above.below
        or begun.map[0] != lines[1]
        or not LABEL.match(above.tokens[1].content.rpartition("\n")[2])
    ):
        return 0
    end = next(place for place in range(start + 1, len(tokens)) if tokens[place].level == begun.level) + 1
    below = tokens[end : end + 2]
    is_item = len(below) > 1 and below[0].type == "paragraph_open" and LABEL.match(below[1].content)
    return end if is_item and below[0].map and below[0].map[0] == begun.map[1] else 0


class _Line:
    """A line of a paragraph: the paragraph's first token, the text, its label, and what that may count as."""

    def __init__(self, opening: Token, text: str, has_label: bool) -> None:
        self.opening, self.text = opening, text
        self.below: list[Token] = []
        found = LABEL.match(text) if has_label else None
        self.label = found[1] if found else ""
        self.words = text[found.end() :] if found else text
        self.counts = set(_counts(found)) if found else set()


def _counts(found: re.Match[str]) -> Iterator[tuple[str, int]]:
    """Yield the series that a label may belong to, and its number there: "(i)" is a letter, or Roman.

    In a series whose name begins with a star any number follows: ✅ ❌, or 1.1 1.2 2.1, or letters of another
    script than Latin, whose order is not always that of their codes.
    """
    label, bare = found[1], next(filter(None, found.groups()[1:]))
    if found["section"]:
        yield "*section", int(bare.rpartition(".")[2])
    for kind in ("dash", "symbol", "letter"):
        if found[kind]:
            yield f"*{kind}", 1
    shape = re.sub(r"\w+", "A" if bare.isupper() else "a", label)
    if bare.isdecimal():
        yield f"{shape}1", int(bare)
    elif "\u2460" <= bare <= "\u2473":
        yield "circle", ord(bare) - 0x245F
    for series, numerals in (("roman", _ROMAN), ("chinese", _CHINESE)):
        if bare.lower() in numerals:
            yield f"{shape}{series}", numerals.index(bare.lower())
    if bare.isascii() and bare.isalpha() and len(bare) == 1:
        yield f"{shape}letter", ord(bare.lower()) - 96


def _blocks(paragraphs: Sequence[_Paragraph]) -> Iterator[Token]:
    """Yield the tokens of paragraphs that stand below each other, with the lists in them."""
    lines: list[_Line] = []
    for paragraph in paragraphs:
        opening, inline, _ = paragraph.tokens
        has_labels = not _HTML.search(inline.content)
        lines += (_Line(opening, text, has_labels) for text in inline.content.split("\n"))
        lines[-1].below = paragraph.below
    lists = list(_lists(lines))
    if not lists:
        for paragraph in paragraphs:
            yield from (*paragraph.tokens, *paragraph.below)
        return
    position = 0
    for starts, end in lists:
        yield from _paragraphs([(line, line.text) for line in lines[position : starts[0]]], False)
        yield Token("bullet_list_open", "ul", 1)
        for start, stop in pairwise([*starts, end]):
            label = lines[start].label
            number = _ONE_NUMBER.fullmatch(label)
            meta = {"mark": label, "number": int(number[1]) if number else 0}
            yield Token("list_item_open", "li", 1, meta=meta)
            rest = [(line, line.text) for line in lines[start + 1 : stop]]
            yield from _paragraphs([(lines[start], lines[start].words), *rest], True)
            yield Token("list_item_close", "li", -1)
        yield Token("bullet_list_close", "ul", -1)
        position = end
    yield from _paragraphs([(line, line.text) for line in lines[position:]], False)


def _lists(lines: Sequence[_Line]) -> Iterator[tuple[list[int], int]]:
    """Yield the lines at which the items of each list begin, and where it ends."""
    position = 0
    while position < len(lines):
        for series in [series for series, number in lines[position].counts if number == 1]:
            starts, end = _items(lines, position, series)
            if len(starts) > 1:
                yield starts, end
                position = end - 1
                break
        position += 1


def _items(lines: Sequence[_Line], start: int, series: str) -> tuple[list[int], int]:
    """Return where the items begin of a list that begins in a line, and where it ends."""
    starts, end = [start], start + 1
    while end < len(lines) and end - starts[-1] < MAX_ITEM_LINES:
        if any(
            name == series and (name[0] == "*" or number == len(starts) + 1)
            for name, number in lines[end].counts
        ):
            starts.append(end)
        elif lines[end].opening is not lines[end - 1].opening:
            break
        end += 1
    return starts, end


def _paragraphs(lines: Sequence[tuple[_Line, str]], is_hidden: bool) -> Iterator[Token]:
    """Yield the tokens of lines as paragraphs, each line in that in which it stood."""
    for _, group in groupby(lines, key=lambda pair: id(pair[0].opening)):
        own = list(group)
        opening = own[0][0].opening
        hidden = opening.hidden or is_hidden
        yield opening.copy(hidden=hidden)
        yield Token(
            "inline", "", 0, content="\n".join(text for _, text in own).strip(), children=[], map=opening.map
        )
        yield Token("paragraph_close", "p", -1, hidden=hidden)
        yield from own[-1][0].below

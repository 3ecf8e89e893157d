"""Lists numbered with letters or in parentheses, and tables drawn with characters, as models type them.

To CommonMark they are lines of a paragraph, which run together.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MAX_ITEM_LINES = 30
LABEL = re.compile(
    r"[ \t]*([(（]([a-z]{1,5}|\d{1,2}|[一二三四五六七八九十]{1,3})[)）]|([a-z])[.)](?=\s)|([\u2460-\u2473]))"
    r"\s*(?=\S)",
    re.IGNORECASE,
)
_DRAWN = re.compile(r"[+┌╔┏][-=+─═━┬╦┳]{3,}.*(?:\n[ \t]*[+|│║┃├└╠╚┣┗].*){2,}")
_ROMAN = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv"]
_CHINESE = ["", *"一二三四五六七八九十", *(f"十{digit}" for digit in "一二三四五六七八九")]


def add_typed_lists(parser: MarkdownIt) -> None:
    """Add the rule of this module to a parser: an item has its label as `meta["mark"]`."""
    parser.core.ruler.after("block", "typed_lists", _read)


def _read(state: StateCore) -> None:
    """Put lists in the place of lines whose labels are in a row, a, b, c, and code for drawn tables."""
    made: list[Token] = []
    above: list[Token] = []
    for token in state.tokens:
        if token.type == "paragraph_close" and _DRAWN.fullmatch(above[-1].content):
            opening, inline = above[-2:]
            code = Token("code_block", "code", 0, content=f"{inline.content}\n", map=opening.map, block=True)
            made += [*_blocks(above[:-2]), code]
            above = []
            continue
        if token.type in ("paragraph_open", "paragraph_close") or (
            above and above[-1].type == "paragraph_open"
        ):
            above.append(token)
        else:
            made += [*_blocks(above), token]
            above = []
    state.tokens = [*made, *_blocks(above)]


class _Line:
    """A line of a paragraph: the paragraph's first token, the text, its label, and what that may count as."""

    def __init__(self, opening: Token, text: str) -> None:
        self.opening, self.text = opening, text
        found = LABEL.match(text)
        self.label = found[1] if found else ""
        self.words = text[found.end() :] if found else text
        self.counts = set(_counts(self.label, next(filter(None, found.groups()[1:])))) if found else set()


def _counts(label: str, bare: str) -> Iterator[tuple[str, int]]:
    """Yield the series that a label may belong to, and its number there: "(i)" is a letter, or Roman."""
    shape = re.sub(r"\w+", "A" if bare.isupper() else "a", label)
    if bare.isascii() and bare.isdigit():
        yield f"{shape}1", int(bare)
    elif "\u2460" <= bare <= "\u2473":
        yield "circle", ord(bare) - 0x245F
    for series, numerals in (("roman", _ROMAN), ("chinese", _CHINESE)):
        if bare.lower() in numerals:
            yield f"{shape}{series}", numerals.index(bare.lower())
    if bare.isascii() and bare.isalpha() and len(bare) == 1:
        yield f"{shape}letter", ord(bare.lower()) - 96


def _blocks(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens of paragraphs that stand below each other, with the lists in them."""
    lines = [
        _Line(opening, text)
        for opening, inline in zip(tokens[::3], tokens[1::3], strict=True)
        for text in inline.content.split("\n")
    ]
    lists = list(_lists(lines))
    if not lists:
        yield from tokens
        return
    position = 0
    for starts, end in lists:
        yield from _paragraphs([(line, line.text) for line in lines[position : starts[0]]], False)
        yield Token("bullet_list_open", "ul", 1)
        for start, stop in pairwise([*starts, end]):
            yield Token("list_item_open", "li", 1, meta={"mark": lines[start].label})
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
        if (series, len(starts) + 1) in lines[end].counts:
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

"""The words that a reader of a Markdown text sees, and what of them is compared with a page.

A reader of its own, by CommonMark and GitHub's tables and strikethrough, because the one by which pages are
drawn would not find its own faults.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

from research.markdown.fences import part_fences

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CUT = "\uf8fe"
"""A private character around the number of what was put aside; a third one where the page may lack it."""
_TOKEN = re.compile(rf"{_CUT}(?P<aside>\d+){_CUT}(?P<optional>{_CUT}?)|[^\s{_CUT}]+")
_TAGS = re.compile(
    r"</?(?:br|hr|b|i|u|s|p|em|strong|sub|sup|kbd|mark|small|div|span|details|summary)\b[^<>]{0,200}>"
    r"|<!--.{0,2000}?-->",
    re.S | re.I,
)
_CODE = (
    r"(?P<code>^[ >]*(?P<fence>`{3,}|~{3,}).*?^[ >]*(?P=fence)"
    r"|(?<!`)(?P<ticks>`{1,30})(?!`)(?:(?!\n\n).){1,2000}?(?<!`)(?P=ticks)(?!`))"
)
_FORMULA = (
    r"(?<!\\)\$\$(?P<block>.{1,2000}?)\$\$|(?<!\\)\$(?=\S)(?P<inline>[^$\n]{0,500}?[^\s$\\])\$(?!\d)"
    r"|\\\((?P<round>.{1,500}?)\\\)|\\\[(?P<square>.{1,2000}?)\\\]"
)
_NOTE = r"\[\^[^\]\s]{1,40}\]:?"
_CUT_OUT = re.compile(f"{_CODE}|{_FORMULA}|{_NOTE}", re.M | re.S)
_CODE_POINT = re.compile(r"\[U\+([0-9A-F]{4,6})\]")
_POINT = re.compile(r"(?<!\d)(?<!\d\s)[.,]|[.,](?!\s?\d)")
_LAM_ALEF = re.compile("[\u0622\u0623\u0625\u0627\u0644]{2,}")
"""A ligature whose letters readers of PDFs give in either order."""
_MARKS_APART = re.compile(
    "[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\ufe00-\ufe0f\u20d0-\u20f0]"
)
"""Marks on letters that run to the left, which readers of PDFs put elsewhere, and selectors of glyphs."""
_PARTS = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]|[^\W\d_\u2e80-\u9fff\uac00-\ud7af]+|\d+")
_CJK = re.compile(r"([\u2e80-\u9fff\uac00-\ud7af])")


class Word(NamedTuple):
    """A word of the Markdown; a CJK character counts as one."""

    text: str
    compact: str
    is_optional: bool = False
    """Whether the page may have it at this place and nowhere else, such as the number of a note."""


END = Word("", "", is_optional=True)


@dataclass
class Block:
    """Words of the Markdown: a paragraph, a heading, a table, or some of them."""

    words: list[Word] = field(default_factory=list)
    is_loose: bool = False
    """Whether they may stand in another order: in a table, a formula, or a script that runs to the left."""


def comparable(markdown: str) -> str:
    """Return the words that are compared, without marks of notes and addresses, each between spaces."""
    words = [word.compact for block in blocks(markdown) for word in block.words if not word.is_optional]
    return f" {' '.join(' '.join(_CJK.split(word)).strip() for word in words if word)} ".replace("  ", " ")


def compact_text(text: str) -> str:
    """Return the characters of a text that are compared, without spaces."""
    text = unicodedata.normalize("NFKC", _CODE_POINT.sub(lambda code: chr(int(code[1], 16) % 0x110000), text))
    text = _LAM_ALEF.sub(lambda letters: "".join(sorted(letters[0])), _POINT.sub("", text))
    return "".join(filter(_is_compared, text))


@cache
def _is_compared(character: str) -> bool:
    if character in ".,%+<>=\u2212":
        return True
    category = unicodedata.category(character)
    is_mark = category[0] == "M" and not _MARKS_APART.match(character)
    return category[0] in "LN" or category == "Sc" or is_mark


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the text by CommonMark and GitHub's tables and strikethrough."""
    asides: list[str] = []
    """What stands in the text as a private character: formulas, marks of notes, addresses."""

    def put_aside(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        formula = found["block"] or found["inline"] or found["round"] or found["square"]
        asides.append(formula or found[0])
        return f"{_CUT}{len(asides) - 1}{_CUT}{'' if formula else _CUT}"

    source = _CUT_OUT.sub(put_aside, part_fences(markdown).replace(_CUT, ""))
    in_table, table = False, Block(is_loose=True)
    for token in _parser(get_ident()).parse(source):
        if token.type == "table_open":
            in_table, table = True, Block(is_loose=True)
        elif token.type == "table_close":
            in_table = False
            yield table
        elif token.content and token.type in ("inline", "fence", "code_block", "html_block"):
            text = token.content
            if token.type == "inline":
                text = re.sub(r"^\[[ xX]\](?=\s|$)", "", "".join(_inline_text(token.children or [], asides)))
            is_loose = in_table or any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
            words = [*_words(_TAGS.sub(" ", text), asides, is_loose)]
            if in_table:
                table.words += words
            else:
                yield Block([*words, END], is_loose)


def _words(text: str, asides: Sequence[str], is_loose: bool) -> Iterator[Word]:
    for found in _TOKEN.finditer(text):
        if found["aside"]:
            aside = asides[int(found["aside"])]
            yield Word(aside, compact_text(aside), is_optional=bool(found["optional"]))
        else:
            parts = [found[0]] if is_loose else _CJK.split(found[0])
            yield from (Word(part, compact_text(part)) for part in parts if part)


def _inline_text(tokens: "Sequence[Token]", asides: list[str]) -> Iterator[str]:
    addresses: list[str] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "image":
            yield " "
            yield from _inline_text(token.children or [], asides)
            yield _optional(str(token.attrGet("src")), asides)
        elif token.type == "link_open":
            addresses.append(str(token.attrGet("href")))
            yield " "
        elif token.type == "link_close":
            yield _optional(addresses.pop(), asides)
        else:
            yield token.content


def _optional(address: str, asides: list[str]) -> str:
    asides += [address, as_printed(address)]
    return "".join(f"{_CUT}{number}{_CUT}{_CUT}" for number in (len(asides) - 2, len(asides) - 1))


def parts_of(text: str) -> list[str]:
    """Return what of a word may stand apart on the page; nothing where it is whole or not at all."""
    parts: list[str] = _PARTS.findall(text)
    if parts == [text]:  # readers of PDFs put letters of a script that runs to the left into other lines
        parts = list(text) if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text) else []
    return parts if len(text) > 1 else []


def as_printed(address: str) -> str:
    """Return an address as it is printed for people: without most of its codes."""
    from markdown_it.common.normalize_url import normalizeLinkText

    return normalizeLinkText(address)


@cache
def _parser(thread: int) -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 300}).enable(["table", "strikethrough"])

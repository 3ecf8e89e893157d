"""Whether a PDF has the words of its Markdown: a reader of its own, which knows nothing of how pages are drawn.

What is compared are letters, numbers, decimal points and signs of currency and relation; other punctuation, spaces
and hyphens are not, because lines are broken at them. Whatever the page adds is passed over: the contents,
numbers of notes, running heads, addresses.
"""

import heapq
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

MAX_MISSING = 500
"""Words: a page on which so many are missing is another report's."""
WINDOW = 24
"""Characters of the text that are looked for behind what the page adds."""
MAX_NEAR, MAX_NEARER = 400, 16
"""Characters that the page may add before half a window, and before a single word."""
CONTEXT = 4
"""Words that are quoted on each side of one that is missing."""

_CUT = "\uf8fe"
"""A private character around the number of what was put aside; a third one where the page may lack it."""
_TOKEN = re.compile(rf"{_CUT}(?P<aside>\d+){_CUT}(?P<optional>{_CUT}?)|[^\s{_CUT}]+")
_TAGS = re.compile(
    r"</?(?:br|hr|b|i|u|s|p|em|strong|sub|sup|kbd|mark|small|div|span|details|summary)\b[^<>]{0,200}>|<!--.{0,2000}?-->",
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
_PARTS = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]|[^\W\d_\u2e80-\u9fff\uac00-\ud7af]+|\d+")
_CJK = re.compile(r"([\u2e80-\u9fff\uac00-\ud7af])")
_NUMBERS = re.compile(r"\d{1,3}(?:,\d{1,3})*")
_FOOTER = re.compile(r"Page\s*\d+\s*of\s*\d+\s*$")


class _Word(NamedTuple):
    """A word of the Markdown; a CJK character counts as one."""

    text: str
    compact: str
    is_optional: bool = False
    """Whether the page may have it at this place and nowhere else, such as the number of a note."""


_END = _Word("", "", is_optional=True)


@dataclass
class _Block:
    """Words of the Markdown: a paragraph, a heading, a table, or some of them."""

    words: list[_Word] = field(default_factory=list)
    is_loose: bool = False
    """Whether they may stand in another order: in a table, a formula, or a script that runs to the left."""


def missing_words(markdown: str, references: str, pages: Sequence[str]) -> list[str]:
    """Return the passages of the Markdown that the pages lack: the missing words in brackets, with those around.

    Args:
        markdown: the report down to its list of references, whose order on the page is its own.
        references: that list.
        pages: the text of each page of the PDF.
    """
    blocks = [*_blocks(markdown), *[_Block(block.words, is_loose=True) for block in _blocks(references)]]
    comparison = _Comparison(_printed(pages))
    groups = _grouped(blocks)
    slack = 0
    for group in groups:
        if group.is_loose:
            slack = 3 * _length(group)
        elif comparison.count < MAX_MISSING:
            comparison.in_order(group.words, slack)
    comparison.in_any_order([group.words for group in groups if group.is_loose])
    return comparison.found


def _grouped(blocks: Sequence[_Block]) -> list[_Block]:
    """Put blocks of one kind together; a little text between two tables counts as theirs."""
    groups: list[_Block] = []
    for block in blocks:
        if groups and groups[-1].is_loose == block.is_loose:
            groups[-1].words += block.words
        elif groups and not groups[-1].is_loose and _length(groups[-1]) < 2 * WINDOW:
            groups[-1].is_loose = True
            groups[-1].words += block.words
        else:
            groups.append(_Block([*block.words], block.is_loose))
    return groups


def _length(block: _Block) -> int:
    return sum(len(word.compact) for word in block.words)


class _Comparison:
    """The words of the Markdown, looked for on the page from its beginning to its end."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.found: list[str] = []
        self.count = 0
        self._place = 0
        self._others: list[str] = []
        """What stands between the words that were found in order."""

    def in_order(self, words: Sequence[_Word], slack: int) -> None:
        """Find the words one behind the other; `slack` is how many characters may stand before the first."""
        missing = []
        for number, word in enumerate(words):
            if word.text.startswith("[^"):
                missing += [] if self._passes_mark(word, words[number + 1 :]) else [number]
                continue
            if not word.compact or (word.is_optional and not self._stands_here(word)):
                continue
            at = self._place if self._stands_here(word) else self._find(words[number:], slack)
            if at < 0 and "%" in word.text:  # an address is printed for people
                word = word._replace(compact=compact_text(_as_printed(word.text)))
                at = self._find([word], slack)
            if at < 0:
                missing.append(number)
                if self.count + len(missing) > MAX_MISSING:
                    break
                continue
            slack = 0
            self._others.append(self.page[self._place : at])
            self._place = at + len(word.compact)
        self._report(words, missing)

    def _passes_mark(self, mark: _Word, following: Sequence[_Word]) -> bool:
        """Return whether the number of a note stands here, or none; where the text goes on, it is another."""
        others = _NUMBERS.match(self.page, self._place)
        comma = self.page.startswith(",", self._place)
        if self.page.startswith(mark.compact, self._place + comma):
            self._place += comma + len(mark.compact)
            return True
        text = _window([word for word in following if not word.text.startswith("[^")])[: WINDOW // 2]
        return not (
            others
            and text
            and self.page.startswith(text, others.end())
            and not self.page.startswith(text, self._place)
        )

    def _stands_here(self, word: _Word) -> bool:
        return self.page.startswith(word.compact, self._place)

    def _find(self, words: Sequence[_Word], slack: int) -> int:
        """Return where the first word stands, behind what the page adds; -1 where it does not."""
        block = _window(words, ends_with_block=True)
        text = _window(words)
        for window, near in (
            (text, len(self.page)),
            (text[: max(WINDOW // 2, len(words[0].compact))], MAX_NEAR + slack),
            (block, MAX_NEARER + slack),
            (words[0].compact, MAX_NEARER),
        ):
            is_enough = len(window) >= WINDOW or near < len(self.page)
            at = self.page.find(window, self._place, self._place + near + len(window)) if is_enough else -1
            if at >= 0:
                return at
        return -1

    def in_any_order(self, groups: Sequence[Sequence[_Word]]) -> None:
        """Find each word as often as it is there, the longest first, for no word to be found within one."""
        page = "\0".join([*self._others, self.page[self._place :]])
        missing: list[set[int]] = [set() for _ in groups]
        left = [
            (-len(word.compact), group, number, word.text)
            for group, words in enumerate(groups)
            for number, word in enumerate(words)
            if not word.is_optional and any(map(str.isalnum, word.text))
        ]
        heapq.heapify(left)
        while left and self.count + sum(map(len, missing)) <= MAX_MISSING:
            _, group, number, text = heapq.heappop(left)
            compact = compact_text(text)
            if compact in page:
                page = page.replace(compact, "\0", 1) if compact else page
                continue
            parts = _parts(text)
            missing[group] |= set() if parts else {number}
            for part in parts:
                heapq.heappush(left, (-len(compact_text(part)), group, number, part))
        for words, numbers in zip(groups, missing, strict=True):
            self._report(words, sorted(numbers))

    def _report(self, words: Sequence[_Word], missing: Sequence[int]) -> None:
        self.count += len(missing)
        runs: list[list[int]] = []
        for number in missing:
            if runs and number <= runs[-1][-1] + CONTEXT:
                runs[-1].append(number)
            else:
                runs.append([number])
        for run in runs:
            first, last = max(run[0] - CONTEXT, 0), run[-1] + CONTEXT + 1
            shown = [f"[{word.text}]" if first + n in run else word.text for n, word in enumerate(words[first:last])]
            self.found.append(" ".join(shown))


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
    return category[0] in "LN" or category in ("Mc", "Sc")


def _printed(pages: Sequence[str]) -> str:
    """Return the text of the pages without what stands at the head and at the foot of each."""
    kept = []
    heads = {line for page in pages[1:] for line in page.splitlines()[-3:-1]}
    for page in pages:
        lines = page.splitlines()
        if lines and _FOOTER.search(lines[-1]):
            lines.pop()
        if kept and lines and lines[-1] in heads:
            lines.pop()
        kept += lines
    return compact_text("\n".join(kept))


def _blocks(markdown: str) -> Iterator[_Block]:
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
    in_table, table = False, _Block(is_loose=True)
    for token in _parser(get_ident()).parse(source):
        if token.type == "table_open":
            in_table, table = True, _Block(is_loose=True)
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
                yield _Block([*words, _END], is_loose)


def _words(text: str, asides: Sequence[str], is_loose: bool) -> Iterator[_Word]:
    for found in _TOKEN.finditer(text):
        if found["aside"]:
            aside = asides[int(found["aside"])]
            yield _Word(aside, compact_text(aside), is_optional=bool(found["optional"]))
        else:
            parts = [found[0]] if is_loose else _CJK.split(found[0])
            yield from (_Word(part, compact_text(part)) for part in parts if part)


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
    asides += [address, _as_printed(address)]
    return "".join(f"{_CUT}{number}{_CUT}{_CUT}" for number in (len(asides) - 2, len(asides) - 1))


def _parts(text: str) -> list[str]:
    """Return what of a word may stand apart on the page; nothing where it is whole or not at all."""
    parts: list[str] = _PARTS.findall(text)
    if parts == [text]:  # readers of PDFs put letters of a script that runs to the left into other lines
        parts = list(text) if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text) else []
    return parts if len(text) > 1 else []


def _window(words: Sequence[_Word], ends_with_block: bool = False) -> str:
    """Return the beginning of a text, as far as the page adds nothing to it."""
    window = ""
    for word in words:
        if len(window) >= WINDOW or (word.is_optional and (word.compact or ends_with_block)):
            break
        window += word.compact
    return window[: max(WINDOW, len(words[0].compact))] if words else ""


def _as_printed(address: str) -> str:
    from markdown_it.common.normalize_url import normalizeLinkText

    return normalizeLinkText(address)


@cache
def _parser(thread: int) -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 300}).enable(["table", "strikethrough"])

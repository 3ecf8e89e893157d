"""Text in a normal form, in which words are found whatever white space, Markdown marks and case they have.

In the normal form each word is written between two marks, and so are the characters of scripts without spaces
between words; then a part of a word is not found. White space and what is only Markdown are not in it.
"""

import re
import unicodedata
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any

from research.evidence.number_words import SCALES

MAX_NORMALIZED_CHARACTERS = 1_000
"""Of one word, because sorting the combining marks of a longer one takes quadratic time."""
QUOTATION_MARKS = "\"'‘’‚‛“”„‟«»‹›「」『』｢｣〝〞〟＂＇′″´׳״ʼʹ"
DASHES = "-‐‑‒–—―−⸺⸻﹘﹣－"
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ーｰ"
"""Scripts without spaces between words."""
CJK_NUMERALS = "〇零一二三四五六七八九十百千万萬亿億兆两"
CJK_LETTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7a3\U00020000-\U0003ffff]")

_OPEN, _CLOSE, _BROKEN = "\x02", "\x03", "\x01"
"""What stands before and behind a word, and in place of a hyphen at the end of a line."""
_HYPHEN = f"{_CLOSE}-{_OPEN}"
_COMPOUND = re.compile(rf"(?<={_OPEN})([^{_OPEN}{_CLOSE}]++){_HYPHEN}(?=([^{_OPEN}{_CLOSE}]++){_CLOSE})")
_UNSEEN = "*`\u00ad\u034f\u061c\u180e\ufeff" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)))
)
_SIGNS = str.maketrans(
    dict.fromkeys(_UNSEEN) | dict.fromkeys(QUOTATION_MARKS, '"') | dict.fromkeys(DASHES, "-")
)  # fmt: skip


@cache
def tokens() -> Any:
    """Return the pattern of the tokens of a text; it is compiled when it is needed, which takes a while."""
    import regex

    extend = r"\p{M}\p{Cf}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=Prepend}"
    letter = rf"[\p{{L}}--[{UNSPACED}]]"
    # A combining mark belongs to what stands before it, so that no token ends within a visible character.
    word = rf"[[[\p{{L}}\p{{N}}]--[{UNSPACED}]]||[[{extend}]--[\u00ad]]]"
    address = r"\((?:[^()\s]|\([^()\s]{0,200}+\)){0,2000}+(?:\s{1,9}+\"[^\"\n]{0,200}+\")?+\)"
    label = r"(?:[^\[\]\n]|\[[^\[\]\n]{0,100}+\]){1,500}+"
    return regex.compile(
        rf"""
          (?P<skip> (?<![^\n\f]) (?=[ \t>*+•\#|:=_-])  # what begins a line, or is one without words
              (?: [ \t]*+ (?:[-=*_|:][ \t]*+){{3,}}+ (?![^\n\f])
                | [ \t]*+ (?:>[ \t]*+(?!\p{{N}}))*+ (?:[-*+•][ \t]++)?+ (?:\#{{1,6}}[ \t]++)?+ )
            | !?\[ (?={label}\]{address}) | \]{address} | <[bB][rR]\s{{0,9}}/?>
            | \\(?=[!-/:-@\[-`{{-~]) | [^\S\n\f]++ | [\n\f]++ | [{_BROKEN}{_OPEN}{_CLOSE}] )
        | (?P<broken> (?<=[{letter}\p{{M}}]) [-‐‑\u00ad] [ \t]*+ [\n\f] \s*+ (?={letter}) )
        | (?P<word> (?:(?<![^\s(\[{{{QUOTATION_MARKS}])[-−–‐‑－](?=\.?\p{{Nd}}))?+  # the sign of a number
            (?:(?<![\p{{L}}\p{{N}}.])\.(?=\p{{Nd}}))?+
            {word}++
            (?: (?: (?<=\p{{Nd}})[.,:/٫٬·'’](?=\p{{Nd}})
                  | (?<=(?<![\p{{L}}\p{{N}}.,])\p{{Nd}}{{1,3}})\s(?=\p{{Nd}}{{3}}(?!\p{{Nd}}))  # 10 000
                  | (?<={letter})(?:[{QUOTATION_MARKS}]|[*`]{{1,3}}+)(?={letter})
                  | _++ | \u00ad ) {word}++ )*+ )
        | (?P<cjk> (?=[{UNSPACED}])\X )
        | (?P<dash> [{re.escape(DASHES)}]++(?![{extend}]) )
        | (?P<quote> (?:'{{2}}|’{{2}}|[{QUOTATION_MARKS}])(?![{extend}]) )
        | (?P<other> (?<=\s)\*++(?=\s) | (?<=\p{{N}})\*++(?=\p{{N}}) )
        | (?P<marks> [*`_|\u00ad]++ | ~~ )
        | (?P<sign> \X )
        """,
        regex.VERBOSE | regex.VERSION1,
    )


@dataclass
class Normalized:
    """A text in its normal form, and from where each of its tokens comes."""

    string: str = ""
    at: "array[int]" = field(default_factory=lambda: array("L"))
    """The character of `string` at which each token begins."""
    starts: "array[int]" = field(default_factory=lambda: array("L"))
    ends: "array[int]" = field(default_factory=lambda: array("L"))
    """The characters of the text between which each token stands."""

    def find(self, words: "Normalized") -> tuple[int, int] | None:
        """Return the characters of the text between which the words first stand."""
        wanted = words.string.replace(_BROKEN, "").strip("-")
        if not any(map(str.isalnum, wanted)):
            return None
        pieces = self.string.split(_BROKEN)
        compounds = set(_COMPOUND.findall(wanted)) if len(pieces) > 1 else set()
        # A hyphen at the end of a line stays where the quote has one, as in "well-known", and else goes.
        joints = [
            _HYPHEN if (left.rpartition(_OPEN)[2], right.partition(_CLOSE)[0]) in compounds else ""
            for left, right in pairwise(pieces)
        ]
        string = "".join(map("".join, zip(pieces, [*joints, ""], strict=True)))
        first = string.find(wanted)
        if first < 0:
            return None
        own = list(accumulate((len(piece) + 1 for piece in pieces), initial=0))
        joined = list(accumulate(map(len, map("".join, zip(pieces, joints, strict=False))), initial=0))

        def token(place: int) -> int:
            piece = bisect_right(joined, place) - 1
            return bisect_right(self.at, own[piece] + place - joined[piece]) - 1

        return self.starts[token(first)], self.ends[token(first + len(wanted) - 1)]


@lru_cache(maxsize=8)
def normalize(text: str) -> Normalized:
    """Return the text in its normal form; the last ones are kept, because many quotes are of one text."""
    normal, parts, folded = Normalized(), [""], dict[str, str]()
    length, is_broken, number_end = 0, False, -1
    for found in tokens().finditer(text):
        kind, token = found.lastgroup, found[0]
        if kind in ("skip", "marks"):
            continue
        if kind == "broken":
            is_broken = parts[-1].endswith(_CLOSE)
            continue
        if token not in folded:
            folded[token] = _fold(token, kind)
        plain = folded[token]
        if not plain:
            continue
        # The number in "10 万" and "10 million" is not 10.
        is_number = token in CJK_NUMERALS
        is_scale = is_number or plain[1:-1] in SCALES
        goes_on = is_scale and number_end >= 0 and not text[number_end : found.start()].strip()
        if is_broken or goes_on:
            parts[-1] = parts[-1][:-1] + (_BROKEN if is_broken else "")
            length -= not is_broken
            plain = plain.removeprefix(_OPEN)
        number_end = found.end() if is_number or (kind == "word" and token[-1].isdecimal()) else -1
        is_broken = False
        normal.at.append(length)
        normal.starts.append(found.start())
        normal.ends.append(found.end())
        parts.append(plain)
        length += len(plain)
    normal.string = "".join(parts)
    return normal


def _fold(token: str, kind: str) -> str:
    """Return the normal form of a token; empty for one that cannot be seen."""
    if kind in ("dash", "quote"):
        return "-" if kind == "dash" else '"'
    if kind == "word":
        token = " ".join(token.translate(_SIGNS).split())
    if not token.isascii() and len(token) <= MAX_NORMALIZED_CHARACTERS:
        token = _superscripts().sub("^", token)
        token = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", token).casefold())
    token = token.casefold()
    is_word = kind in ("word", "cjk") or (len(token) > 1 and token.strip("."))
    return f"{_OPEN}{token}{_CLOSE}" if token and is_word else token


@cache
def _superscripts() -> Any:
    """Return the pattern of the places between digits that NFKC would join, as those of 10² to 102."""
    import regex

    return regex.compile(r"(?<=\p{N})(?=\p{No})|(?<=\p{No})(?=\p{N})")

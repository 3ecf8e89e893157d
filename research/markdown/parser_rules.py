"""Rules for markdown-it: what models write and CommonMark lacks.

Emphasis beside Chinese, Japanese and Korean punctuation, lists of sources and formulas.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from unicodedata import category, east_asian_width

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from mdit_py_plugins.dollarmath.index import math_block_dollar, math_inline_dollar

from research.markdown.latex import ENVIRONMENTS, chemistry_end
from research.markdown.parser_bounds import InlineState

SOURCE = re.compile(r"\\?\[\d{1,3}\\?\]:?(?=\s|$)")
"""The beginning of a line in a list of sources, as models write it."""
CITED = "cited"
_MADE = "\u2060"
_CITATION = re.compile(rf"{_MADE}\[\^(\d{{1,3}})(?::(\d{{1,4}}))?\]")
"""The key of the parser's environment for the number of sources that a text cites."""
_DESCRIPTIONS = "descriptions"
"""Its key for how many descriptions of images are being read, one in the other, and the text around them."""
MAX_FORMULA_CHARACTERS, MAX_FORMULA_LINES = 1_500, 60

_SOURCE_LINE = re.compile(rf"^{SOURCE.pattern}", re.MULTILINE)
_SOURCE_DEFINITION = re.compile(r"\[\d+\]:")
_LATEX = re.compile(r"\\[A-Za-z]|[\^_]")
_NUMBERS = re.compile(r"\d{1,3}(?:\s*[-–,;]\s*\d{1,3})*")
r"""Of sources: whoever writes `\[3\]` has escaped the brackets of a mark."""
_RELATION = re.compile(r"[=<>+\u2200-\u22ff]")
_WORDS = re.compile(r"[^\W\d_]{4}|[^\W\d_]{3}.*\s|\s.*[^\W\d_]{3}|[-/,.:;–—]$")
_BRACKET = re.compile(r"\\{1,2}[(\[]")
_BLOCK = re.compile(rf"\\{{1,2}}\[|\\begin\{{((?:{'|'.join(ENVIRONMENTS)})\*?)\}}")
_CLOSING = str.maketrans("([", ")]")
_dollars = math_inline_dollar(allow_space=False, allow_digits=False, allow_double=True)
_dollar_lines = math_block_dollar(allow_labels=False, allow_blank_lines=False)


def add_rules(parser: MarkdownIt) -> None:
    """Add the rules of this module to a parser."""
    parser.inline = _ParserInline()
    parser.inline.ruler.before("escape", "dollars", _formula_in_dollars)
    parser.inline.ruler.before("escape", "brackets", _formula_in_brackets)
    parser.inline.ruler.before("link", "citation", _citation)
    parser.block.ruler.at("reference", _reference, {"alt": []})
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("fence", "dollar_block", _dollar_block, interrupts)
    parser.block.ruler.before("fence", "bracket_block", _bracket_block, interrupts)


def is_source_list(text: str) -> bool:
    """Return whether a paragraph is a list of sources, perhaps with a line of introduction."""
    return "://" in text and (bool(SOURCE.match(text)) or len(_SOURCE_LINE.findall(text)) > 1)


# Emphasis, by the CJK-friendly amendments to CommonMark's section 6.2.


def is_cjk(character: str) -> bool:
    """Return whether it is a Chinese, Japanese or Korean letter or mark; emoji are not."""
    if east_asian_width(character) not in "WFH":
        return "\u1160" <= character <= "\u11ff"
    return category(character) != "So" or "\u2e80" <= character <= "\u33ff"


class _StateInline(InlineState):
    """The state of the inline parser, which decides whether a mark opens or closes emphasis."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Return what the mark may do: CommonMark's, but beside CJK characters and in `**Label:**text`."""
        plain = super().scanDelims(start, canSplitWord)
        before = self.src[max(start - 3, 0) : start].rstrip("\ufe00\ufe01\ufe02\U000e0100")[-1:] or " "
        after = self.src[start + plain.length : self.posMax][:1] or " "
        if canSplitWord and plain.length == 2 and category(before)[0] == "P" and after.isalnum():
            return Scanned(plain.can_open, True, plain.length)
        if before.isspace() or after.isspace() or not (is_cjk(before) or is_cjk(after)):
            return plain
        # The mark is left-flanking and right-flanking: punctuation stops it only where neither side is CJK.
        opens = canSplitWord or category(before)[0] in "PS"
        closes = canSplitWord or category(after)[0] in "PS"
        return Scanned(opens, closes, plain.length)


class _ParserInline(ParserInline):
    """The inline parser, with its own kind of state."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        """Append the tokens of the text, or of an image's description, but of no description within one.

        Nobody sees the tokens of that one, and each level of nesting would read it once more.
        """
        level = env.get(_DESCRIPTIONS, 0)
        if level > 1:
            tokens.append(Token("text", "", 0, content=src))
            return tokens
        env[_DESCRIPTIONS] = level + 1
        state = _StateInline(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        env[_DESCRIPTIONS] = level
        return state.tokens


# Formulas.


def looks_like_formula(text: str) -> bool:
    """Return whether the text between marks is a formula, not prices or words between brackets."""
    if "`" in text or not any(map(str.isalnum, text)):
        return False
    if _LATEX.search(text):
        return True
    if any(map(is_cjk, text)):
        return False
    return bool(_RELATION.search(text)) or (len(text) <= 20 and not _WORDS.search(text))


def _formula_in_dollars(state: StateInline, silent: bool) -> bool:
    """Parse `$…$` and `$$…$$` in a line."""
    start = state.pos
    if not _dollars(state, True):
        return False
    found = state.src[start : state.pos].strip("$")
    if not looks_like_formula(found):
        state.pos = start
        return False
    if not silent:
        state.pos = start
        _dollars(state, False)
    return True


def _formula_in_brackets(state: StateInline, silent: bool) -> bool:
    r"""Parse `\(…\)`, `\[…\]`, both also with two backslashes, and `\ce{…}`; else brackets are escaped."""
    start = state.pos
    if state.src.startswith("\\ce", start) and (end := chemistry_end(state.src, start)) > 0:
        opening, kind, found = "", "math_inline", state.src[start:end]
    else:
        bracket = _BRACKET.match(state.src, start)
        if bracket is None:
            return False
        opening, closing = bracket[0][-2:], bracket[0].translate(_CLOSING)
        kind = "math_inline" if opening == "\\(" else "math_inline_double"
        end = state.src.find(closing, bracket.end(), start + MAX_FORMULA_CHARACTERS)
        found = state.src[bracket.end() : end]
        is_mark = opening == "\\[" and _NUMBERS.fullmatch(found.strip())
        if end < 0 or is_mark or not looks_like_formula(found.strip()):
            return False
        end += len(closing)
    if not silent:
        token = state.push(kind, "math", 0)
        token.content, token.markup = found, opening
    state.pos = end
    return True


def _dollar_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse `$$…$$` in lines of its own; each line is read once, so no line searches the whole text."""
    tokens, line = len(state.tokens), state.line
    is_formula = _dollar_lines(state, start, min(end, start + MAX_FORMULA_LINES), silent)
    if silent:  # the plugin makes its token also where it is only asked
        del state.tokens[tokens:]
        state.line = line
    return is_formula


def _bracket_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Parse `\[…\]` or `\begin{equation}…\end{equation}` in lines of its own, whatever they begin with."""
    opened = _BLOCK.match(state.src, state.bMarks[start] + state.tShift[start])
    if opened is None or state.is_code_block(start):
        return False
    closing = rf"\end{{{opened[1]}}}" if opened[1] else opened[0].translate(_CLOSING)
    last = min(end, start + MAX_FORMULA_LINES)
    if state.src.find(closing, state.bMarks[start], state.eMarks[last - 1]) < 0:
        return False
    for line in range(start, last):
        if line > start and (state.isEmpty(line) or state.sCount[line] < state.blkIndent):
            return False
        if state.src.endswith(closing, state.bMarks[line], state.skipSpacesBack(state.eMarks[line], 0)):
            break
    else:
        return False
    found = state.getLines(start, line + 1, state.blkIndent, False).strip()
    if not opened[1]:
        found = found[len(closing) : -len(closing)].strip()
        if closing in found or _NUMBERS.fullmatch(found) or not looks_like_formula(found):
            return False  # two formulas and what stands between them, or the mark of a source
    if not silent:
        state.line = line + 1
        token = state.push("math_block", "math", 0)
        token.block, token.content, token.map = True, found, [start, state.line]
        token.markup = "" if opened[1] else "\\["
    return True


# Sources.


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a link's definition, except `[1]: …`: models list their sources so, and cite them as [1]."""
    if _SOURCE_DEFINITION.match(state.src, state.bMarks[start] + state.tShift[start]):
        return False
    return reference(state, start, end, silent)


def mark_citations(text: str, citations: Sequence[int], targets: Sequence[int] = ()) -> str:
    """Return the text with a mark that `parse` knows before each citation, and before nothing else.

    `citations` are the characters of the text at which they begin; `targets` the passages that they lead to.
    """
    before, *parts = (
        text[start:end].replace(_MADE, "") for start, end in pairwise((0, *citations, len(text)))
    )
    for place, target in enumerate(targets):
        if target:
            parts[place] = parts[place].replace("]", f":{target}]", 1)
    return _MADE.join([before, *parts])


def citation_place(number: int, passage: int = 0) -> str:
    """Return the name of the place that a citation leads to: a passage, or the entry of its source."""
    return f"passage-{passage}" if passage else f"reference-{number}"


def _citation(state: StateInline, silent: bool) -> bool:
    """Parse a citation that the check of citations has made; a mark that a model wrote itself is none."""
    found = _CITATION.match(state.src, max(state.pos - 1, 0))
    if found is None or found.end() <= state.pos or int(found[1]) > state.env.get(CITED, 0):
        return False
    if not silent:
        state.pending = state.pending.removesuffix(found[0][0])
        number, passage = int(found[1]), int(found[2] or 0)
        state.push("citation", "", 0).meta = {"label": number, "to": citation_place(number, passage)}
    state.pos = found.end()
    return True

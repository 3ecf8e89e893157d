"""Lines that are bold, or begin with a bold label, as models type them: each is a line of its own.

To CommonMark such a line runs into the text below it, and into the list item above it.
"""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from research.markdown.typed_lists import LABEL

_BOLD_LINE = re.compile(r"\*\*[^*\n]{1,300}(?:[:：]\*\*|\*\*[ \t]*(?:[:：]|$))")
_BEHIND = re.compile(r"[:：]?\s*(?:\[\d{1,3}\]\s*)*")
_SENTENCE_END = (".", "!", "?", ":", ";", ")", "]", "。", "！", "？", "：", "；", "）", "】")


def add_label_lines(parser: MarkdownIt) -> None:
    """Add the rules of this module to a parser that has all its other rules."""
    parser.block.ruler.before("paragraph", "label_line", _ends_item, {"alt": ["paragraph"]})
    parser.core.ruler.push("label_lines", _break_lines)


def _ends_item(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Return whether a line below a list item, and not indented as the item's, begins something else."""
    if not silent or state.sCount[start] >= state.blkIndent:
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return bool(_BOLD_LINE.match(line) or LABEL.match(line))


def _break_lines(state: StateCore) -> None:
    for token in state.tokens:
        kinds = {child.type for child in token.children or ()}
        if token.type == "inline" and {"strong_open", "softbreak"} <= kinds:
            _break(token.children or [])


def _break(words: Sequence[Token]) -> None:
    """Make line breaks of the ends of lines that are bold, and of those before labels that follow a label."""
    line: list[Token] = []
    above: Token | None = None
    has_ended = has_label = False
    """Whether the line above ends a sentence; whether a line above is bold or begins with a label."""
    for word in [*words, Token("softbreak", "br", 0)]:
        if word.type not in ("softbreak", "hardbreak"):
            line.append(word)
            continue
        is_bold, is_label = _form(line)
        is_bold = is_bold and (has_ended or has_label or above is None or above.type == "hardbreak")
        if above and (is_bold or (is_label and has_label)):
            above.type = "hardbreak"
        if is_bold:
            word.type = "hardbreak"
        has_label = has_label or is_bold or is_label
        has_ended = bool(line) and (line[-1].type == "citation" or _text(line).endswith(_SENTENCE_END))
        line, above = [], word


def _text(words: Sequence[Token]) -> str:
    return "".join(word.content for word in words).rstrip()


def _form(line: Sequence[Token]) -> tuple[bool, bool]:
    """Return whether a line is all bold, but for a colon and citations; whether a bold label begins it."""
    seen = [word for word in line if word.type != "text" or word.content.strip()]
    if not seen or seen[0].type != "strong_open":
        return False, False
    end = next((place for place, word in enumerate(seen) if word.type == "strong_close"), len(seen))
    behind = [word for word in seen[end + 1 :] if word.type != "citation"]
    rest = _text(behind).lstrip()
    is_label = _text(seen[:end]).endswith((":", "：")) or rest.startswith((":", "："))
    return bool(_BEHIND.fullmatch(rest)) and all(word.type == "text" for word in behind), is_label

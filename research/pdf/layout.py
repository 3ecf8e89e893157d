"""What stays together on a page, and how a text is cut."""

from collections.abc import Sequence
from itertools import takewhile

from reportlab.platypus import Flowable, HRFlowable, Spacer

from research.markdown.parser import Node, plain
from research.markdown.parser_rules import is_cjk
from research.pdf.styles import HAIRLINE, HEADINGS
from research.pdf.table import TABLE_ROOM
from research.pdf.unicode import clean


class Gap(Spacer):  # type: ignore[misc]
    """White space between two blocks, of which nothing is left at the head of a page."""

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size, in points."""
        at_top = getattr(getattr(self, "_frame", None), "_atTop", False)
        return (0.0, 0.0) if at_top else (self.width, self.height)


def room_for(nodes: Sequence[Node]) -> float:
    """Return how much room the beginning of the nodes needs, to stand with what it introduces; or 0."""
    if nodes[0].type == "paragraph" and len(nodes) > 1 and nodes[1].type in _INTRODUCED:
        text = plain(nodes[0])
        kinds = [child.type for child in nodes[0].children if child.content or child.children]
        is_label = text.endswith((":", "：")) or kinds == ["strong"]
        return 16 * (len(text) // 80 + 4) if is_label and len(text) < 300 else 0
    headings = list(takewhile(lambda node: node.type == "heading", nodes))
    if not headings:
        return 0
    rest = nodes[len(headings) :]
    least = TABLE_ROOM if rest and rest[0].type == "table" else 48  # three lines
    beginning = (room_for(rest) if rest else 0) or least
    styles = [HEADINGS[int(node.tag[1])] for node in headings]
    return sum(style.size * 1.3 + before + 6 for style, before in styles) + beginning


_INTRODUCED = ("bullet_list", "ordered_list", "table", "fence", "code_block", "math_block", "blockquote")


def short_rule(before: float) -> Flowable:
    """Return what stands between the text and the small print below it."""
    return HRFlowable(
        width="25%", thickness=0.5, color=HAIRLINE, spaceBefore=before, spaceAfter=6, hAlign="LEFT"
    )


def in_one_line(text: str, limit: int) -> str:
    """Return the text in one line, cut where it is wider than so many Latin letters."""
    words = " ".join(clean(text).split())
    used = 0
    for end, character in enumerate(words):
        used += 2 if is_cjk(character) else 1
        if used > limit:
            cut = words[:end]
            at_word = cut.rsplit(" ", 1)[0]
            return f"{at_word if len(at_word) > end * 0.8 else cut} …"
    return words

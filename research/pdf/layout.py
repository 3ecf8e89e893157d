"""What stays together on a page, and how a text is cut."""

from collections.abc import Sequence

from reportlab.platypus import CondPageBreak, Flowable, FrameBG, HRFlowable, PageBreak, Spacer

from research.markdown.parser_rules import is_cjk
from research.pdf.styles import HAIRLINE
from research.pdf.unicode import clean

MIN_INTRODUCED, MAX_TOGETHER = 36.0, 300.0
"""The height of what stands with its heading or label: at least two lines, and at most so much with them."""

UPRIGHT, TURNED = "upright", "turned"
"""The names of the pages' templates."""


class Gap(Spacer):  # type: ignore[misc]
    """White space between two blocks, of which nothing is left at the head of a page."""

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size, in points."""
        at_top = getattr(getattr(self, "_frame", None), "_atTop", False)
        return (0.0, 0.0) if at_top else (self.width, self.height)


def arrange(story: Sequence[Flowable]) -> list[Flowable]:
    """Return the story with page breaks: headings and labels stand on the page of what they introduce.

    A wide table has a turned page, with the heading and the label above it.
    """
    arranged: list[Flowable] = []
    need, before = 0.0, None
    """What the beginning of the following blocks needs, and the break that is before it."""
    for flowable in reversed(story):
        turns = isinstance(before, PageBreak)
        if isinstance(flowable, Spacer):
            if not arranged:
                continue  # what follows nothing opens no page
            need += flowable.height
            if turns and isinstance(flowable, FrameBG):
                arranged.append(before)
                before = None
        elif getattr(flowable, "introduces", False):
            need = _height(flowable, whole=True) + max(need, MIN_INTRODUCED)
            before = before if turns else CondPageBreak(min(need, MAX_TOGETHER))
        elif getattr(flowable, "is_wide", False):
            if not turns and any(not isinstance(other, Spacer) for other in arranged):
                arranged.append(PageBreak(UPRIGHT))
            before = PageBreak(TURNED)
        else:
            if before:
                arranged.append(before)
            need, before = _height(flowable), None
        arranged.append(flowable)
    return arranged[::-1]


def _height(flowable: Flowable, whole: bool = False) -> float:
    """Return the height of a flowable with the space around it, or what it needs of that at a page's foot."""
    height = flowable.height if whole else getattr(flowable, "least_height", flowable.height)
    return float(flowable.getSpaceBefore() + height + flowable.getSpaceAfter())


def short_rule(before: float) -> Flowable:
    """Return what stands between the text and the small print below it."""
    rule = HRFlowable("25%", 0.5, color=HAIRLINE, spaceBefore=before, spaceAfter=6, hAlign="LEFT")
    rule.introduces = True
    return rule


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

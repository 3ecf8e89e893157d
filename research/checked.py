"""A report as it is printed: what every room that prints or proves it knows of its citations."""

import re
from dataclasses import dataclass

from models import Passage, PDFGenerationInput, Source

MAX_PASSAGES = 8
"""That a model is asked for, and that are taken, of one page."""
_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|[-*+][ \t](?!-))")
_FOOTNOTE = re.compile(r"\[\^(\d{1,3})\]")
_RULE = re.compile(r"[-: |·]+")


def in_brackets(text: str) -> str:
    """Return a checked text with the numbers `[1]` of a prompt or a terminal in place of its marks `[^1]`."""
    return _FOOTNOTE.sub(r"[\1]", text)


@dataclass(frozen=True)
class ShownPassage:
    """A passage with its words."""

    passage: Passage
    text: str

    @property
    def rows(self) -> list[list[str]]:
        """The words as a reader of the source sees them: paragraphs, list items, and the cells of rows.

        The frozen text marks headings, lists and tables as Markdown does.
        """
        lines = [_MARKS.sub("", line).strip() for line in self.text.splitlines()]
        rows = [line.strip("|").split(" | ") for line in lines if not _RULE.fullmatch(line)]
        cells = [[" ".join(cell.split()) for cell in row if cell.strip()] for row in rows]
        return [row for row in cells if row]


@dataclass(frozen=True)
class CheckedReport(PDFGenerationInput):
    """A report that cites: in its content every citation is a mark `[^n]`; its sources are those cited."""

    marks: tuple[int, ...] = ()
    """The characters of the content at which these marks begin."""
    targets: tuple[int, ...] = ()
    """For each mark the passage that it leads to, counted from 1 among those shown; 0 for the source."""
    shown: tuple[ShownPassage, ...] = ()
    """The passages that the list of references has, by source."""
    given: tuple[Source, ...] = ()
    """Every source that the report was given; those that it does not cite have the number 0."""
    account: str = ""
    """What was checked, in a few sentences."""
    unsigned: str = ""
    """The content without the signs at statements that are not confirmed."""

"""Markdown blocks to reportlab's flowables: one small method for each kind of node.

The text is a model's and so is hostile. It goes onto the page as characters, never as markup, and a
block that cannot be laid out is written as its source.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise, takewhile
from typing import Any, ClassVar

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable, FrameBG, HRFlowable

from models import Note
from research.markdown.parser import Node, as_written, is_label, is_loose, plain
from research.markdown.parser_rules import SOURCE, is_source_list
from research.pdf.bidi import is_right_to_left
from research.pdf.formula import MAX_FORMULA_HEIGHT, formula_source
from research.pdf.highlight import colored
from research.pdf.inline import InlineRenderer
from research.pdf.layout import Gap, in_one_line, short_rule
from research.pdf.linebreak import measure
from research.pdf.runs import Bookmark, MissingGlyphs, ParagraphStyle, Run, TextStyle
from research.pdf.styles import (
    ACCENT,
    BODY,
    CALLOUTS,
    CELL,
    CODE,
    CODE_PARAGRAPH,
    DISPLAYED,
    HAIRLINE,
    HEAD_CELL,
    HEADINGS,
    MAX_DEPTH,
    PARAGRAPH,
    QUOTED,
    SMALL,
    SOURCE_PARAGRAPH,
    SOURCE_SIZE,
    STEP,
    TIGHT,
    indented,
)
from research.pdf.table import table
from research.pdf.tags import Element, StructureTree
from research.pdf.text import Text

log = logging.getLogger(__name__)

LIST_GAP = 8.0
"""Above a list; in a loose one, as much is between two items, and less inside of an item."""


class BlockRenderer:
    """Makes the flowables of blocks: `_make_X` those of a node of the type X, its depth and text style."""

    def __init__(self, *rooms: float) -> None:
        self.width, self.rooms = rooms[0], rooms
        """The widths of the text, in points: on an upright page, and on one turned for a wide table."""
        self.inline = InlineRenderer()
        self.missing = MissingGlyphs()
        self.warnings: list[Note] = []
        self.headings: list[Bookmark] = []
        self.tree = StructureTree()
        self._heading_levels: list[int] = []
        self._in_panel = False
        self._list_gap = LIST_GAP
        """What the list around the blocks adds between its items, or `LIST_GAP` outside of lists."""
        self._from_the_right: bool | None = None
        """Whether the items of that list begin at the right."""

    def blocks(self, nodes: Iterable[Node], depth: int = 0, style: TextStyle = BODY) -> Iterator[Flowable]:
        """Yield the flowables of the nodes; one that fails is written as its source."""
        for node, below in pairwise(chain(nodes, [Node()])):
            if node.type == "hr" and below.type in ("heading", "root"):
                continue  # the heading, or the end, parts what stands above from what stands below
            try:
                make = getattr(self, f"_make_{node.type}", self._source)
                with self.tree.inside(self._ROLES.get(node.type, "")):
                    made = list(make(node, depth, style))  # no half of what fails may be on the page
                yield from made
            except Exception:
                log.exception("A %s cannot be laid out; it is written as plain text.", node.type)
                about = node.type.replace("_", " ")
                self.warnings.append(Note("A part of the text is printed as plain text: {0}.", (about,)))
                yield from self._source(node, depth, style)

    def summary(self, nodes: Sequence[Node]) -> Iterator[Flowable]:
        """Yield the flowables of the summary, whose panel is there already."""
        self._in_panel, self._heading_levels = True, []
        yield from list(self.blocks(nodes, depth=1))
        self._in_panel = False

    def text(
        self, runs: Sequence[Run], style: ParagraphStyle, element: Element | None = None, **more: Any
    ) -> Text:
        """Return a text, by default a paragraph, broken into lines at once: what fails is known early."""
        if style.from_the_right is None:
            style = replace(style, from_the_right=self._from_the_right)
        text = Text(runs, style, self.missing, element=element or self.tree.element("P"), **more)
        text.wrap(self.width, 0)
        return text

    def runs(self, nodes: Sequence[Node], style: TextStyle, depth: int = 0) -> list[Run]:
        """Return the runs of inline nodes that stand at a depth."""
        return self.inline.runs(nodes, style, self.width - min(depth, MAX_DEPTH) * STEP - 12)

    def _source(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        yield self.text([Run(as_written(node), style)], indented(PARAGRAPH, depth))

    def _make_paragraph(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        if [child.type for child in node.children] == ["math_inline_double"]:
            yield from self._make_math_block(node.children[0], depth, style)
        elif node.meta.get("is_source_list") or is_source_list(plain(node)):
            with self.tree.inside("OL"):
                yield from self._sources(node, depth, style)
        else:
            paragraph = indented(PARAGRAPH if self._list_gap == LIST_GAP else TIGHT, depth)
            yield self.text(self.runs(node.children, style, depth), paragraph, introduces=is_label(node))

    def _sources(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        """Yield the lines that begin with the number of a source, the number left of the column."""
        paragraph = indented(SOURCE_PARAGRAPH, depth)
        style = replace(style, size=min(style.size, SOURCE_SIZE))
        lines = groupby(node.children, key=lambda child: child.type == "hardbreak")
        for line in [list(line) for is_break, line in lines if not is_break]:
            number, *runs = self.runs(line, style, depth + 1)
            item = self.tree.element("LI", "LBody")
            if found := SOURCE.match(number.text):
                rest = number._replace(text=number.text[found.end() :].lstrip())
                yield self.text([rest, *runs], paragraph, item, mark=[number._replace(text=found[0])])
            else:
                outdented = replace(paragraph, left=paragraph.left - SOURCE_PARAGRAPH.left)
                yield self.text([number, *runs], outdented, item, introduces=True)
        yield Gap(1, 6)

    def _make_heading(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        """Yield a heading; in the outline no level is skipped, whatever the model does."""
        level = int(node.tag[1])
        self._heading_levels = [*takewhile(lambda above: above < level, self._heading_levels), level]
        title = in_one_line(plain(node), 200) or "…"
        bookmark = Bookmark(f"h{len(self.headings)}", title, len(self._heading_levels) - 1)
        self.headings.append(bookmark)
        style, before = HEADINGS[level]
        paragraph = ParagraphStyle(style.size * 1.3, before, 6)
        runs, element = self.runs(node.children, style, depth), self.tree.heading(len(self._heading_levels))
        yield self.text(runs, indented(paragraph, depth), element, bookmark=bookmark, introduces=True)

    def _make_bullet_list(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        outer, outside = self._list_gap, self._from_the_right
        self._from_the_right = self._runs_left(node) if outside is None else outside
        self._list_gap = max(outer - 3, 0) if any(map(is_loose, node.children)) else 0
        marks = [Run(item.meta["mark"], replace(style, color=ACCENT)) for item in node.children]
        widths = [measure([mark], self.missing)[1] for mark in {mark.text: mark for mark in marks}.values()]
        room = max([0.0, *(width + 6 - STEP for width in widths)])
        try:
            for mark, item in zip(marks, node.children, strict=True):
                with self.tree.inside("LI", "LBody"):
                    yield from self._item(item.children, depth + 1, style, mark, room=room)
                yield Gap(1, self._list_gap)
            yield Gap(1, 5 - self._list_gap if depth == 0 else 0)
        finally:
            self._list_gap, self._from_the_right = outer, outside

    _make_ordered_list = _make_bullet_list

    def _item(
        self, nodes: list[Node], depth: int, style: TextStyle, mark: Run,
        lead: Sequence[Run] = (), room: float = 0.0,
    ) -> Iterator[Flowable]:  # fmt: skip
        """Yield a list item, its mark before the first paragraph, or alone where it begins otherwise."""
        first = nodes[0] if nodes and nodes[0].type == "paragraph" else None
        runs = [*lead, *(self.runs(first.children, style, depth) if first else [])]
        rest = nodes[1 if first else 0 :]
        introduces = bool(rest) and (first is None or is_label(first, "list" in rest[0].type))
        more = {"mark": [mark], "introduces": introduces}
        indent = replace(TIGHT, left=TIGHT.left + room)
        yield self.text(runs or [Run(" ", style)], indented(indent, depth), self.tree.current, **more)
        yield from self.blocks(rest, depth, style)

    def _runs_left(self, *nodes: Node) -> bool:
        return is_right_to_left(" ".join(map(plain, nodes)), self.missing.to_the_left)

    def _make_dl(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        for child in node.children:
            if child.type == "dt":
                item = self.tree.element("LI")
                term = self.runs(child.children, replace(style, bold=True), depth)
                yield self.text(term, indented(TIGHT, depth), Element("Lbl", item), introduces=True)
            else:
                with self.tree.inside("LBody", parent=item):
                    yield from self.blocks(child.children, depth + 1, style)

    def _make_blockquote(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        inside = self.blocks(node.children, depth + 1, QUOTED)
        yield from self._panel(inside, depth, HAIRLINE, self._runs_left(node))

    def _make_alert(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        """Yield GitHub's NOTE, TIP, IMPORTANT, WARNING and CAUTION: the kind is a word, not only a colour."""
        title, *rest = node.children
        head = CALLOUTS[node.info]
        kind = self.text(self.runs(title.children, head), indented(TIGHT, depth + 1), introduces=bool(rest))
        inside = chain([kind], self.blocks(rest, depth + 1, style))
        yield from self._panel(inside, depth, head.color, self._runs_left(*rest))

    def _panel(
        self, inside: Iterable[Flowable], depth: int, bar: Color, to_the_left: bool
    ) -> Iterator[Flowable]:
        """Yield flowables with a bar where their lines begin; within another panel they are only indented."""
        if depth >= MAX_DEPTH or self._in_panel:
            yield from inside
            return
        self._in_panel = True
        try:
            inside = list(inside)
        finally:
            self._in_panel = False
        left = depth * STEP
        right = self.width - left - 2.5
        yield Gap(1, 4)
        sides = (right, left) if to_the_left else (left, right)
        yield FrameBG(bar, *sides, start=True, strokeWidth=0, strokeColor=bar)
        yield Gap(1, 2)
        yield from inside
        yield FrameBG(start=False)
        yield Gap(1, 8)

    def _make_fence(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        language = node.info.strip()
        if language == "math" and (formula := self._display(node.content, depth)):
            yield formula
            return
        runs = colored(node.content.expandtabs(4).rstrip("\n"), language, CODE) or [Run(" ", CODE)]
        yield self.text(runs, indented(CODE_PARAGRAPH, depth), self.tree.element("P", "Code"))

    _make_code_block = _make_fence

    def _make_math_block(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        yield self._display(node.content, depth) or self.text(
            [Run(formula_source(node), CODE)], indented(CODE_PARAGRAPH, depth)
        )

    def _display(self, latex: str, depth: int) -> Flowable | None:
        """Return a formula in the middle of the column, or None where it cannot be set or is too wide."""
        left = min(depth, MAX_DEPTH) * STEP
        box = self.inline.formula(latex, BODY, self.width - left, MAX_FORMULA_HEIGHT, display=True)
        return self.text([Run(box.text, BODY, box)], replace(DISPLAYED, left=left)) if box else None

    def _make_hr(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        yield HRFlowable(width="100%", thickness=0.5, color=HAIRLINE, spaceBefore=6, spaceAfter=12)

    def _make_table(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        rows = [row.children for part in node.children for row in part.children]
        to_the_left = self._runs_left(node)
        left = min(depth, MAX_DEPTH) * STEP
        rooms = [room - left for room in (self.rooms[:1] if self._in_panel else self.rooms)]
        share = max(rooms[0] / len(rows[0]) - 12, 28)

        def make(scale: float) -> list[list[list[Run]]]:
            head, usual = (replace(style, size=style.size * scale) for style in (HEAD_CELL, CELL))
            styles = [head, *[usual] * (len(rows) - 1)]
            return [[self.inline.runs(cell.children, style, share) for cell in row]
                    for row, style in zip(rows, styles, strict=True)]  # fmt: skip

        aligns = [str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0]]
        element = self.tree.element("Table")
        if made := table(make, aligns, self.missing, element, left, rooms, to_the_left):
            yield from (Gap(1, 4), made, Gap(1, 12))
        else:
            yield from self._records(rows, depth, style)

    def _records(self, rows: list[list[Node]], depth: int, style: TextStyle) -> Iterator[Flowable]:
        """Yield a table too wide for the page: each row as a list of its cells, with their headings."""
        heads = [
            [*self.runs(name.children, replace(style, bold=True), depth), Run(": ", style)]
            for name in rows[0]
        ]
        for row in rows[1:] or rows:
            for head, cell in zip(heads, row, strict=False):
                runs = [*head, *self.runs(cell.children, style, depth)]
                yield self.text(runs, indented(TIGHT, depth), introduces=cell is row[0])
            yield Gap(1, 8)

    def _make_footnote_block(self, node: Node, depth: int, style: TextStyle) -> Iterator[Flowable]:
        yield short_rule(before=10)
        for note in node.children:
            [mark], lead = self.inline.runs([note], SMALL, 0), []
            if len(mark.text) > 3:  # as a mark it would stand out into the margin
                mark, lead = Run("", SMALL), [mark, Run(": ", SMALL)]
            with self.tree.inside(parent=self.tree.note()):
                yield from self._item(note.children, depth + 1, SMALL, mark, lead)

    _ROLES: ClassVar[dict[str, str]] = {
        "bullet_list": "L", "ordered_list": "OL", "dl": "L", "blockquote": "BlockQuote", "alert": "Div",
    }  # fmt: skip
    """The structure types of the blocks that have others in them."""

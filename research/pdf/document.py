"""A report to a PDF: the pages, what stands before the model's text and what stands after it."""

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reportlab.lib.pagesizes import landscape
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBG,
    HRFlowable,
    PageTemplate,
    Spacer,
)

from models import Note, PDFGenerationInput
from research.checked import CheckedReport
from research.config import is_sample
from research.formatting import format_note
from research.markdown.addresses import number_addresses
from research.markdown.outline import is_same_heading
from research.markdown.own_sources import link_sources
from research.markdown.parser import Node, parse, parse_inline, parse_plain, plain
from research.markdown.parser_rules import mark_citations
from research.markdown.title import split_question, split_title
from research.output.report_markdown import byline, colophon, notes
from research.output.words import words_for
from research.pdf import fonts
from research.pdf.blocks import BlockRenderer
from research.pdf.canvas import GlyphCanvas
from research.pdf.layout import TURNED, UPRIGHT, arrange, in_one_line, short_rule
from research.pdf.linebreak import break_lines
from research.pdf.runs import MissingGlyphs, ParagraphStyle, Run, TextStyle, line_width
from research.pdf.source_list import reference_list
from research.pdf.styles import (
    ACCENT,
    BODY,
    BOTTOM,
    HAIRLINE,
    MARGIN,
    PAGE_SIZES,
    PANEL_HEAD,
    SMALL,
    SMALL_BOLD,
    SMALL_PARAGRAPH,
    STEP,
    TINT,
    TITLE,
    TOP,
    TOPIC,
)
from research.pdf.tags import Element
from research.pdf.text import draw_line
from research.pdf.unicode import clean

log = logging.getLogger(__name__)

MIN_CONTENTS_HEADINGS, MAX_CONTENTS_ENTRIES, MIN_CONTENTS_CHARACTERS = 5, 40, 7_000
TITLE_SIZES = ((60, 25), (120, 20), (1_000, 15))
"""The widths of titles, in Latin letters, and their sizes, in points."""
MAX_TITLE, MAX_TOPIC = 200, 600
"""The widths of a topic as title, and of one below a title that is not in small letters."""


@dataclass(frozen=True)
class Rendered:
    """A PDF, its number of pages, and warnings for the person."""

    data: bytes
    pages: int
    warnings: tuple[Note, ...] = ()


def render(input: PDFGenerationInput, page_size: str = "letter", font_files: Sequence[Path] = ()) -> Rendered:
    """Return the report as a PDF, drawn with the given fonts before the system's.

    The same input gives the same bytes. No text makes it fail: what cannot be laid out as Markdown
    is written as plain text.
    """
    fonts.prefer(font_files)
    content, cited = input.content, 0
    if isinstance(input, CheckedReport):
        content, cited = mark_citations(content, input.marks, input.targets), len(input.sources)
    title, content = split_title(content)
    try:
        report = _Report(input, page_size, parse_inline(title, cited))
        text, summary = parse(content, cited), parse(input.summary, part="summary-")
        if not isinstance(input, CheckedReport):
            link_sources(text, summary)
        number_addresses(text)
        return report.build(text, summary)
    except Exception:
        log.exception("The report cannot be laid out as Markdown; it is written as plain text.")
        plain_report = _Report(input, page_size, [])
        rendered = plain_report.build(parse_plain(input.content), parse_plain(input.summary))
        plain = Note("The text could not be laid out as Markdown; it is printed as plain text.")
        return replace(rendered, warnings=(plain, *rendered.warnings))


class _Report:
    """One document in the making."""

    def __init__(self, input: PDFGenerationInput, page_size: str, heading: list[Node]) -> None:
        self.input = input
        self.page = PAGE_SIZES[page_size]
        self.width = self.page[0] - 2 * MARGIN
        self.renderer = BlockRenderer(self.width, self.page[1] - 2 * MARGIN)
        self.words = words_for(input.content, input.topic)
        self.renderer.missing.language = self.words.language
        self.heading = heading
        """The research's own title; without one, its topic is the title."""
        own = in_one_line("".join(map(plain, heading)), 500)
        longest = 2 * len(input.topic) if own else MAX_TITLE
        asked, rest = split_question(clean(input.topic), lambda line: in_one_line(line, longest))
        self.title = own or asked or self.words("title")
        self.question = f"{asked}\n{rest}".strip() if own and asked.casefold() != own.casefold() else rest
        """What of the topic stands below the title."""

    def build(self, content: Node, summary: Node) -> Rendered:
        level = min((int(node.tag[1]) for node in content.children if node.type == "heading"), default=2)
        blocks, content.children = content.children[::-1], []
        # First, for the headings that it has; each block is forgotten at once, for the tree is large.
        story = list(self.renderer.blocks(blocks.pop() for _ in range(len(blocks))))
        story += reference_list(self.renderer, self.input, level, self.words)
        story = arrange([*self.opening(summary), *self.contents(), *story, *self.closing()])
        buffer = io.BytesIO()
        document = BaseDocTemplate(
            buffer, pagesize=self.page, invariant=1, lang=self.words.language,
            title=self.title, author="Research report worker", subject=in_one_line(self.input.topic, 400),
            creator=self.input.model or "Research report worker",
        )  # fmt: skip
        for name, (width, height) in ((UPRIGHT, self.page), (TURNED, landscape(self.page))):
            frame = Frame(
                MARGIN, BOTTOM, width - 2 * MARGIN, height - TOP - BOTTOM,
                leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
            )  # fmt: skip
            document.addPageTemplates(PageTemplate(name, [frame], pagesize=(width, height)))
        tree, date = self.renderer.tree, self.input.date
        canvas = partial(GlyphCanvas, finish_page=self.finish_page, tree=tree, date=date)
        document.build(story, canvasmaker=canvas)
        return Rendered(buffer.getvalue(), document.page, tuple(self.renderer.warnings))

    def finish_page(self, canvas: GlyphCanvas, number: int, pages: int) -> None:
        """Draw the running header and footer, when it is known how many pages there are."""
        width, height = canvas._pagesize
        right, to_the_left = width - MARGIN, self.words.is_right_to_left
        begin, end = (right, MARGIN) if to_the_left else (MARGIN, right)
        if number > 1:
            canvas.mark_pagination("Header")
            self.draw(canvas, begin, height - 46, in_one_line(self.title, 90), to_the_left)
            canvas.hairline(MARGIN, height - 54, right, HAIRLINE)
        canvas.mark_pagination("Footer")
        canvas.hairline(MARGIN, 52, right, HAIRLINE)
        day = self.words.day(self.input.date)
        about = self.words("sample_foot") if is_sample(self.input.model) else day
        self.draw(canvas, begin, 39, about, to_the_left)
        self.draw(canvas, end, 39, self.words("page", number, pages), not to_the_left)

    def draw(self, canvas: GlyphCanvas, x: float, y: float, text: str, from_right: bool = False) -> None:
        [line] = break_lines([Run(text, SMALL)], 1e9, self.renderer.missing)
        draw_line(canvas, x - line_width(line) if from_right else x, y, line)

    def line(self, text: str, style: TextStyle = SMALL) -> Flowable:
        return self.renderer.text([Run(text, style)], SMALL_PARAGRAPH)

    def note(self, text: str) -> Flowable:
        head = Run(self.words("note") + self.words("gap"), SMALL_BOLD)
        return self.renderer.text([head, Run(text, SMALL)], SMALL_PARAGRAPH)

    def opening(self, summary: Node) -> Iterator[Flowable]:
        """Yield the title, where the text is from, and the summary in its panel."""
        yield from self.titles()
        yield self.line(byline(self.input, self.words))
        if is_sample(self.input.model):
            yield self.line(self.words("sample"), SMALL_BOLD)
        yield HRFlowable(width="100%", thickness=1.2, color=ACCENT, spaceBefore=8, spaceAfter=14)
        if summary.children:
            head = ParagraphStyle(15, left=STEP, after=5)
            yield FrameBG(TINT, left=0, right=0, start=True, strokeWidth=0, strokeColor=TINT)
            yield Spacer(1, 10)
            # The research may have a summary of its own, of the same name.
            name = self.words("summary")
            if not any(is_same_heading(own.title, name) for own in self.renderer.headings):
                element = self.renderer.tree.heading(1)
                yield self.renderer.text([Run(name, PANEL_HEAD)], head, element, introduces=True)
            yield from self.renderer.summary(summary.children)
            yield Spacer(1, 5)
            yield FrameBG(start=False)
            yield Spacer(1, 6)
        yield from map(self.note, notes(self.input, self.words))
        yield Spacer(1, 8)

    def titles(self) -> Iterator[Flowable]:
        """Yield the research's own title with the topic below it, or the topic: whole, and once."""
        size = next(size for width, size in TITLE_SIZES if in_one_line(self.title, width) == self.title)
        style = replace(TITLE, size=size)
        runs = self.renderer.runs(self.heading, style) or [Run(self.title, style)]
        yield self.balanced(runs, ParagraphStyle(style.size * 1.24, after=8))
        if self.question:
            is_long = in_one_line(self.question, MAX_TOPIC).endswith(" …")
            style, paragraph = (SMALL, SMALL_PARAGRAPH) if is_long else (TOPIC, ParagraphStyle(15, after=6))
            yield self.renderer.text([Run(self.question, style)], paragraph)

    def balanced(self, runs: list[Run], paragraph: ParagraphStyle) -> Flowable:
        """Return a text whose lines are about equally long: no word of a title is alone in the last one."""
        element = self.renderer.tree.heading(0)
        text = self.renderer.text(runs, paragraph, element)
        for right in range(20, int(self.width / 2), 20):
            narrower = self.renderer.text(runs, replace(paragraph, right=right), element)
            if len(narrower.lines) > len(text.lines):
                break
            text = narrower
        return text

    def contents(self) -> Iterator[Flowable]:
        """Yield a list of the headings with links and pages, where the report is long enough."""
        headings = self.renderer.headings
        counts = {n: sum(heading.level < n for heading in headings) for n in (1, 2, 3)}
        levels = max((n for n in counts if counts[n] <= MAX_CONTENTS_ENTRIES), default=1)
        levels = min(levels, 1 + max((heading.level for heading in headings), default=0))
        entries = [heading for heading in headings if heading.level < levels]
        if len(entries) < MIN_CONTENTS_HEADINGS or len(self.input.content) < MIN_CONTENTS_CHARACTERS:
            return
        tree, head = self.renderer.tree, ParagraphStyle(15, before=4, after=4)
        title = Run(self.words("contents"), PANEL_HEAD)
        yield self.renderer.text([title], head, tree.heading(1), introduces=True)
        toc, from_the_right = tree.element("TOC"), self.words.is_right_to_left or None
        for heading in entries[:MAX_CONTENTS_ENTRIES]:
            style = replace(BODY, link=f"#{heading.name}", bold=heading.level == 0 and levels > 1)
            title = Run(heading.title, style)
            left = heading.level * STEP
            paragraph = ParagraphStyle(14, after=3, left=left, right=40, from_the_right=from_the_right)
            element = Element("Reference", Element("TOCI", toc))
            yield self.renderer.text([title], paragraph, element, page_of=heading.name)
        if len(entries) > MAX_CONTENTS_ENTRIES:
            yield self.line(self.words("more", len(entries) - MAX_CONTENTS_ENTRIES))
        yield Spacer(1, 14)

    def closing(self) -> Iterator[Flowable]:
        """Yield the small print: what the report took, and what is not as the model wrote it."""
        lines = [self.line(colophon(self.input, self.words))] if self.input.bill else []
        warnings = self.renderer.warnings
        if self.renderer.missing:
            warnings.append(_about_missing(self.renderer.missing))
            log.warning("%s", format_note(warnings[-1]))
        lines += [self.note(format_note(warning, self.words.say)) for warning in warnings]
        if lines:
            yield short_rule(before=16)
        yield from lines


def _about_missing(missing: MissingGlyphs) -> Note:
    """Say what no font could draw, and which packages have such fonts."""
    shown = " ".join(f"U+{ord(character):04X}" for character in sorted(missing)[:8])
    more = " …" if len(missing) > 8 else ""
    packages = sorted({fonts.package_for(character) for character in missing})
    debian, homebrew = (" ".join(sorted(set(names))) for names in zip(*packages, strict=True))
    told = (
        "Characters without a font here: {0} ({1}), shown by their codes."
        " Install {2} (Debian) or {3} (Homebrew) on the worker's machine."
    )
    return Note(told, (len(missing), shown + more, debian, homebrew))

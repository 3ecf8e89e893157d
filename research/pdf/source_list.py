"""The list of references at the end of a report: what the text cites, where it is, and what was checked."""

from collections.abc import Iterator
from dataclasses import replace

from markdown_it.common.normalize_url import normalizeLink
from reportlab.platypus import Flowable

from models import PDFGenerationInput, Source
from research.checked import CheckedReport
from research.markdown.parser import parse
from research.markdown.parser_rules import citation_place
from research.output.report_markdown import about_check, details, passage_address, passage_text
from research.output.words import Words
from research.pdf.blocks import BlockRenderer
from research.pdf.layout import Gap, in_one_line
from research.pdf.runs import Bookmark, Run
from research.pdf.styles import ACCENT, BODY, SMALL, SMALL_PARAGRAPH, SOURCE_PARAGRAPH, SOURCE_SIZE

_ENTRY = replace(SOURCE_PARAGRAPH, after=3)
_TITLE = replace(BODY, size=SOURCE_SIZE)
_QUOTED = replace(SMALL, size=9)


def reference_list(
    renderer: BlockRenderer, report: PDFGenerationInput, level: int, words: Words
) -> Iterator[Flowable]:
    """Yield the list of references, with a heading, of a report that was checked; nothing for any other."""
    if not isinstance(report, CheckedReport):
        return
    yield from renderer.blocks(parse(f"{'#' * level} {words('references')}").children)
    with renderer.tree.inside("OL"):
        for source in report.sources:
            yield from _entry(renderer, report, source, words)
    yield Gap(1, 4)
    yield renderer.text([Run(about_check(report, words), SMALL)], SMALL_PARAGRAPH)


def _entry(
    renderer: BlockRenderer, report: CheckedReport, source: Source, words: Words
) -> Iterator[Flowable]:
    """Yield an entry, its address as the search provider gave it, and its passages: one item of the list."""
    about = details(source, report.retrieved, words)
    runs = [Run(f"{source.title}\n", _TITLE), Run(about, SMALL)]
    if source.url:
        link = replace(_TITLE, color=ACCENT, link=normalizeLink(source.url))
        runs[1:] = [Run(source.url, link), Run(f"  {about}", SMALL)]
    mark = [Run(f"{source.number}", replace(_TITLE, color=ACCENT))]
    bookmark = Bookmark(citation_place(source.number), source.title, -1)
    with renderer.tree.inside("LI", "LBody"):
        passages = list(_passages(renderer, report, source, words))
        more = {"mark": mark, "bookmark": bookmark, "introduces": bool(passages)}
        yield renderer.text(runs, _ENTRY, renderer.tree.current, **more)
        yield from passages
        yield Gap(1, 5 if passages else 3)


def _passages(
    renderer: BlockRenderer, report: CheckedReport, source: Source, words: Words
) -> Iterator[Flowable]:
    """Yield the passages of a source in quotation marks, each a place to which citations lead."""
    for number, shown in enumerate(report.shown, start=1):
        if shown.passage.source != source.number:
            continue
        address = passage_address(source, shown)
        style = replace(_QUOTED, link=normalizeLink(address)) if address else _QUOTED
        number_of_page = words("page_of", shown.passage.page)
        page = [Run(f"  {number_of_page}", SMALL)] if shown.passage.page else []
        quote = words("quote", passage_text(shown))
        bookmark = Bookmark(citation_place(source.number, number), in_one_line(quote, 200), -1)
        yield renderer.text([Run(quote, style), *page], _ENTRY, bookmark=bookmark)

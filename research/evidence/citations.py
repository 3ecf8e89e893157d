"""Citations: the numbers that a model put into its text, checked against the sources that it was given.

Pure functions of text and sources, so that every attempt to make a page makes the same one. The model's
numbers are never trusted: a number that was not given is removed, so is a list of references that the
model wrote, and what remains is numbered anew in the order of citing, as Markdown footnotes (`[^1]`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from models import Passage, PDFGenerationInput, Source
from research.address import normalize_address
from research.checked import CheckedReport
from research.evidence.marks import (
    CODE,
    EACH,
    FILE_MARK,
    TOKEN,
    are_citations,
    begins_entry,
    marks_of,
    numbers,
)
from research.markdown.block_parser import parse_blocks
from research.markdown.fences import part_fences
from research.markdown.reference_lists import without_reference_lists
from research.output.words import Words, words_for

MIN_PARAGRAPH_COLUMNS = 80
"""A shorter paragraph is an introduction or a caption, and is not expected to cite anything."""
_CODE_OR_FILE = re.compile(rf"{CODE}|[ \t]{{0,9}}(?P<file>{FILE_MARK})")
_MADE = "\0"
"""Stands before each mark that the check makes, while it is at work: no text that it reads has it."""
_GONE = "\0\0"
"""Stands where a line began with a citation that was removed, because the space behind it goes too: four
spaces at the beginning of a line would make code of it."""


@dataclass(frozen=True)
class CheckedText:
    """A text in which every citation is a footnote mark `[^n]`, and what was found while checking."""

    text: str
    citations: tuple[int, ...] = ()
    """The characters at which these marks begin: the model may have written others, in code or in a link."""
    cited: tuple[Source, ...] = ()
    """The sources in the order of citing, numbered from 1."""
    given: int = 0
    read: int = 0
    """How many of the given sources were read, as against those of which the search shows a little."""
    paragraphs: int = 0
    uncited_paragraphs: int = 0
    numbers: Mapping[int, int] = field(default_factory=dict)
    """The sources' numbers in the order of citing, by those with which they were given."""
    removed_numbers: int = 0
    """Citations of numbers that were not given."""
    removed_lists: int = 0
    """Lists of references that the model wrote."""
    unknown_links: int = 0
    """Links in the text whose address is not that of a source."""

    def account(self, words: Words) -> str:
        """Return in one line what was checked, for the reader of the page."""
        parts = [words("cited", len(self.cited), self.given)]
        parts += [words("read", self.read)] if self.read else []
        uncited = self.uncited_paragraphs
        parts += [words("uncited", uncited, self.paragraphs)] if uncited else []
        parts += [words("made_up", self.removed_numbers)] if self.removed_numbers else []
        parts += [words("lists")] if self.removed_lists else []
        parts += [words("links", self.unknown_links)] if self.unknown_links else []
        return words("join").join(parts) + words("end")


def check_report(report: PDFGenerationInput) -> PDFGenerationInput:
    """Return the report with its citations checked: a `CheckedReport` where it was given sources.

    The summary cites nothing: what it says is said, and cited, in the research.
    """
    if not report.sources:
        content, summary = without_file_citations(report.content), without_file_citations(report.summary)
        return replace(report, content=content, summary=summary)
    checked = check_citations(report.content, report.sources, kept=report.version.kept)
    marked = CheckedReport(
        **{
            **vars(report),
            "content": checked.text,
            "summary": check_citations(report.summary, report.sources, has_marks=False).text,
            "sources": checked.cited,
        },
        marks=checked.citations,
        given=(*checked.cited, *[replace(source, number=0) for source in _uncited(report, checked)]),
        account=checked.account(words_for(checked.text, report.topic)),
        unsigned=checked.text,
    )
    return _renumbered(marked, checked.numbers)


def _renumbered(report: CheckedReport, numbers: Mapping[int, int]) -> CheckedReport:
    """Return the report with its statements and passages, by the new numbers of what it cites."""

    def moved(passages: Iterable[Passage]) -> tuple[Passage, ...]:
        return tuple(replace(p, source=numbers[p.source]) for p in passages if p.source in numbers)

    citations = tuple(
        replace(
            citation,
            sources=tuple(sorted(numbers[number] for number in citation.sources if number in numbers)),
            passages=moved(citation.passages),
        )
        for citation in report.citations
    )
    return replace(report, citations=citations, passages=moved(report.passages))


def _uncited(report: PDFGenerationInput, checked: CheckedText) -> list[Source]:
    cited = {replace(source, number=0) for source in checked.cited}
    return [source for source in report.sources if replace(source, number=0) not in cited]


def check_citations(
    text: str, sources: Sequence[Source], has_marks: bool = True, kept: Iterable[int] = ()
) -> CheckedText:
    """Check and renumber the citations of a text; without sources the text is returned as it is.

    Without `has_marks` the citations are left out. Numbers that are `kept` stay, and new ones follow them.
    """
    if not sources:
        return CheckedText(text)
    # As the Markdown parser does, which counts lines.
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    text, removed_lists = without_reference_lists(part_fences(text), sources)
    checker = _Checker(sources, f"{_MADE}[^{{}}]" if has_marks else "", kept)
    parts = [part if is_code else checker.rewrite(part) for is_code, part in _code_apart(text)]
    parts = "".join(parts).strip("\n").split(_MADE)
    *citations, _ = accumulate(map(len, parts))
    text = "".join(parts)
    paragraphs = [part for part in _paragraphs(text) if _columns(part) >= MIN_PARAGRAPH_COLUMNS]
    return CheckedText(
        text=text,
        citations=tuple(citations),
        cited=tuple(replace(checker.given[old], number=new) for old, new in checker.cited.items()),
        numbers=checker.cited,
        given=len(sources),
        read=sum(bool(source.sha256) for source in sources),
        paragraphs=len(paragraphs),
        uncited_paragraphs=sum("[^" not in part for part in paragraphs),
        removed_numbers=checker.removed_numbers,
        removed_lists=removed_lists,
        unknown_links=checker.unknown_links,
    )


def footnote_marks(markdown: str) -> Iterator[tuple[str, int]]:
    """Yield the marks `[^n]` of a checked text, as a reader of Markdown sees them: none of those in code."""
    for is_code, part in _code_apart(markdown):
        for found in [] if is_code else TOKEN.finditer(part):
            for mark in re.finditer(r"\[\^(\d{1,3})\]", found["marks"] or ""):
                yield mark[0], int(mark[1])


def without_file_citations(text: str) -> str:
    """Return the text without `【4†source】` and the like, which lead nowhere in a report without sources.

    They are the markers of a provider's own search; code stays as it is.
    """
    if "†" not in text:
        return text
    return "".join(
        part if is_code else _CODE_OR_FILE.sub(lambda found: "" if found["file"] else found[0], part)
        for is_code, part in _code_apart(text)
    )


class _Checker:
    """Rewrites the parts of a text one after the other, with one numbering over all of them."""

    def __init__(self, sources: Sequence[Source], mark: str, kept: Iterable[int]) -> None:
        self._mark = mark
        self.given = {source.number: source for source in sources}
        self._numbers = {number: number for number in kept}
        """From the number that a source was given with to that by which it is cited."""
        self._cited: set[int] = set()
        self.removed_numbers = 0
        self.unknown_links = 0
        self._addresses = {normalize_address(source.url) for source in sources}

    @property
    def cited(self) -> dict[int, int]:
        """The numbers of what is cited, by those that were given, in their order."""
        numbers = sorted(self._numbers.items(), key=lambda pair: pair[1])
        return {old: new for old, new in numbers if new in self._cited}

    def rewrite(self, text: str) -> str:
        """Return the text with its citations checked; code, links and formulas in it stay as they are."""
        return re.sub(rf"{_GONE}[ \t]*", "", TOKEN.sub(self._replace, text))

    def _replace(self, found: re.Match[str]) -> str:
        if marks := marks_of(found):
            return self._replace_marks(found, marks)
        _, _, target = (found["numbered"] or "").partition("](")
        address = found["link"] or found["autolink"] or found["address"] or target
        if address.startswith(("http://", "https://")):
            address = address.partition(" ")[0].rstrip(".,;:!?'\")")
            self.unknown_links += normalize_address(address) not in self._addresses
        return found[0].replace("[^", "[") if found["link"] else found[0]  # no link within a link

    def _replace_marks(self, found: re.Match[str], marks: str) -> str:
        colon = found["colon"] or ""
        space = found[0][: len(found[0]) - len(found[0].lstrip())]
        if not are_citations(marks):  # at least one of them is not
            each = EACH.sub(lambda mark: self._cite(mark[0]) if are_citations(mark[0]) else mark[0], marks)
            return space + each + colon
        if not begins_entry(found):
            return self._cite(marks) + colon
        if colon:  # an entry of a list that is none of references: its number means nothing
            return space + _GONE
        return space + (self._cite(marks) or _GONE)

    def _cite(self, marks: str) -> str:
        """Return footnote marks for the numbers that were given, each once."""
        cited: dict[str, None] = {}
        for number in numbers(marks):
            if number in self.given:
                new = self._numbers.setdefault(number, max(self._numbers.values(), default=0) + 1)
                self._cited.add(new)
                cited[self._mark.format(new)] = None
            else:
                self.removed_numbers += 1
        return "".join(cited)


def _code_apart(text: str) -> Iterator[tuple[bool, str]]:
    """Cut the text into blocks of code and what stands between them; together they are the text."""
    lines = re.split(r"(?<=\n)", text)
    code = [False] * len(lines)
    for token in parse_blocks(text):
        if token.type in ("fence", "code_block") and token.map:
            for line in range(token.map[0], min(token.map[1], len(lines))):
                code[line] = True
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or code[end] != code[start]:
            yield code[start], "".join(lines[start:end])
            start = end


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the text of each paragraph, those of list items and quotes included."""
    before = ""
    for token in parse_blocks(text):
        if token.type == "inline" and before == "paragraph_open":
            yield token.content
        before = token.type


def _columns(text: str) -> int:
    """Return the width of a text in columns, because a Chinese character says as much as two letters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)

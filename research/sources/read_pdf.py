"""From a PDF to text, by PDFium: its lines put together to paragraphs again."""

import ctypes
import re
import statistics
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from research.sources.extracted import ENCRYPTED, MAX_TEXT_BYTES, NO_PDF, NO_TEXT, Extracted, Unreadable
from research.sources.tidying import has_words, one_line, tidy

MAX_SECONDS = 14
"""After so many the pages that are read have to do."""
MAX_PRINTED_CHARACTERS = 1_000_000
MAX_LINE_PITCH = 1.6
"""Of the height of a line, for the usual distance of two lines of a paragraph."""

_HYPHEN = "\x02"
"""PDFium's for a hyphen at the end of a line, which it joins with the next."""
_HYPHENS = "-\u2010\u00ad" + _HYPHEN
_HYPHENATED = re.compile(r"(?<!\w)\w{1,40}(?:-\w{1,40}){1,5}")
_SENTENCE_END = re.compile(r"[.!?:;。！？：；…؟۔।][)\]”’»\"'」』]*$")
_ITEM = re.compile(r"[•‣▪◦●■·\uf0b7\uf0a7]\s*\S|[-–—*]\s+\S|[\[(]?\d{1,3}[.)\]]\s|\([a-z]\)\s")
_DATE = re.compile(r"D:((?:19|20)\d\d)(0[1-9]|1[0-2])?(0[1-9]|[12]\d|3[01])?")
_JUNK_TITLE = re.compile(
    r"untitled\b.{0,9}$|microsoft (?:word|powerpoint|excel) - "
    r"|\S+\.(?:docx?|pptx?|indd|dvi|tex|qxd|rtf|odt|pdf)$",
    re.IGNORECASE,
)
_JUNK_AUTHOR = re.compile(r"(?:anonymous|unknown|unspecified|user|admin\w*|owner|\(.*)$", re.IGNORECASE)
# After these a hyphen is left out of the first word only ("Vor- und Nachteile").
_SUSPENDED = frozenset(
    {"and", "or", "to", "und", "oder", "bis", "sowie", "y", "o", "e", "et", "ou", "en", "of", "och"}
)


@dataclass(frozen=True)
class _Line:
    """A line of a page; positions in points from the lower left corner of the page."""

    text: str
    left: float
    right: float
    bottom: float
    height: float


def read_pdf(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the text of a PDF, page by page, and its metadata.

    Raises:
        Unreadable: it is encrypted or no PDF, or its pages are pictures.
    """
    document = _open(content)
    deadline = time.monotonic() + MAX_SECONDS
    pages: list[list[list[str]]] = []
    size = 0
    truncated = False
    for number in range(len(document)):
        if size > MAX_TEXT_BYTES or time.monotonic() > deadline:
            truncated = True
            break
        pages.append([[line.text for line in lines] for lines in _paragraphs(_page_lines(document, number))])
        size += sum(len(text) for lines in pages[-1] for text in lines)
    words = compounds(line for page in pages for lines in page for line in lines)
    texts = [tidy("\n\n".join(join_lines(lines, words) for lines in page)) for page in pages]
    text, starts = _with_starts(texts)
    if not has_words(text):
        raise Unreadable(NO_TEXT)
    metadata = document.get_metadata_dict()
    title, author = one_line(metadata.get("Title")), one_line(metadata.get("Author"))
    return Extracted(
        text,
        title="" if _JUNK_TITLE.match(title) else title,
        author="" if _JUNK_AUTHOR.match(author) else author,
        date=_date(metadata.get("CreationDate") or metadata.get("ModDate") or ""),
        language=_language(document),
        method="pdfium",
        pages=starts,
        truncated=truncated,
    )


def read_printed(content: bytes, content_type: str, name: str) -> Extracted:
    """Return every line of a PDF as it is printed, none joined or left out, and where its pages begin.

    Raises:
        Unreadable: it is encrypted or no PDF.
    """
    document = _open(content)
    deadline = time.monotonic() + MAX_SECONDS
    text, starts = "", []
    for number in range(len(document)):
        if len(text) > MAX_PRINTED_CHARACTERS or time.monotonic() > deadline:
            break
        starts.append(len(text))
        text += "".join(f"{line.text}\n" for line in _page_lines(document, number)).replace(_HYPHEN, "-")
    return Extracted(
        text or "\n", method="pdfium", pages=tuple(starts), truncated=len(starts) < len(document)
    )


def _open(content: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == pdfium.FPDF_ERR_PASSWORD
        raise Unreadable(ENCRYPTED if locked else NO_PDF) from None


def _with_starts(texts: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """Join the texts of the pages, and return at which character each begins."""
    joined: list[str] = []
    starts: list[int] = []
    length = 0
    for text in texts:
        if text and length:
            joined.append("\n\n")
            length += 2
        starts.append(length)
        joined.append(text)
        length += len(text)
    return "".join(joined), tuple(min(start, length) for start in starts)


def _page_lines(document: Any, number: int) -> list[_Line]:
    """Return the lines of a page in the order in which the PDF has them; none where it has a defect."""
    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    try:
        return list(_lines(text_page))
    finally:
        text_page.close()
        page.close()


def _lines(text_page: Any) -> Iterator[_Line]:
    read, start, codes = pdfium.FPDFText_GetUnicode, 0, []
    for position in range(text_page.count_chars()):
        code = read(text_page, position)
        codes.append(code)
        if code in (0x02, 0x0A):
            yield from _line(text_page, codes, start)
            start, codes = position + 1, []
    yield from _line(text_page, codes, start)


def _line(text_page: Any, codes: Sequence[int], start: int) -> Iterator[_Line]:
    """Return the line of these UTF-16 code units, the first of them being a character of the page."""
    seen = [number for number, code in enumerate(codes) if code > 0x20 or code == 0x02]
    if not seen:
        return
    units = b"".join(min(code, 0xFFFF).to_bytes(2, "little") for code in codes if code not in (0, 0x0D, 0x0A))
    text = units.decode("utf-16-le", "replace")
    first, last = (_box(text_page, start + number) for number in (seen[0], seen[-1]))
    yield _Line(
        text, min(first.left, last.left), max(first.right, last.right), first.bottom, first.top - first.bottom
    )


def _box(text_page: Any, position: int) -> Any:
    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, position, ctypes.byref(box))
    return box


def _paragraphs(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return the lines of each paragraph."""
    drops = [
        above.bottom - line.bottom
        for above, line in pairwise(lines)
        if 0.5 * line.height < above.bottom - line.bottom < 3 * line.height
    ]
    usual = statistics.median(drops) if drops else 0.0
    runs: list[list[_Line]] = []
    for line in lines:
        if runs and not _is_apart(runs[-1][-1], line, usual):
            runs[-1].append(line)
        else:
            runs.append([line])
    return [paragraph for run in runs for paragraph in _split(run)]


def _is_apart(above: _Line, line: _Line, usual: float) -> bool:
    """Return whether a line is set apart from the one before it, by its distance or size."""
    drop, height = above.bottom - line.bottom, max(above.height, line.height)
    if abs(above.height - line.height) > 0.12 * height:
        return abs(drop) > 0.5 * height  # what is smaller in the same line is a raised number
    return drop > 1.2 * min(usual or height, MAX_LINE_PITCH * height)


def _split(run: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Split lines of one distance to paragraphs, by indents, items and short last lines."""
    columns = list(_columns(run))
    paragraph = [run[0]]
    for number, line in enumerate(run[1:], start=1):
        above, (left, right) = paragraph[-1], columns[number - 1]
        text, ended = line.text.strip(), bool(_SENTENCE_END.search(above.text.rstrip()))
        beside = abs(above.bottom - line.bottom) < 0.5 * line.height
        # A line is the last one of its paragraph where the next word would have had a place in it.
        word = (line.right - line.left) / len(text) * (len(text.split(maxsplit=1)[0]) + 1)
        is_short = above.right + word < right and not _is_right_to_left(above.text)
        is_indented = line.left - columns[number][0] > above.left - left + 0.6 * line.height
        is_title = above.right < left + 0.6 * (right - left) and (text[0].isupper() or text[0].isdigit())
        hyphenated = above.text.rstrip()[-1:] in _HYPHENS
        begins = (ended and (is_short or is_indented)) or (is_title and is_short and not hyphenated)
        begins = begins or bool(_ITEM.match(text) and not hyphenated and (ended or not text[0].isdigit()))
        if begins and not beside:
            yield paragraph
            paragraph = []
        paragraph.append(line)
    yield paragraph


def _columns(run: Sequence[_Line]) -> Iterator[tuple[float, float]]:
    """Return for each line the left and right edge of its column; a line that is higher begins another."""
    starts = [
        0,
        *(n for n in range(1, len(run)) if run[n].bottom > run[n - 1].bottom + run[n].height),
        len(run),
    ]
    for start, end in pairwise(starts):
        column = run[start:end]
        edges = min(line.left for line in column), max(line.right for line in column)
        yield from [edges] * len(column)


def _is_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text[:40])


def compounds(lines: Iterable[str]) -> frozenset[str]:
    """Return the words that are written with a hyphen within a line."""
    return frozenset(word.casefold() for line in lines for word in _HYPHENATED.findall(line))


def join_lines(lines: Sequence[str], words: frozenset[str]) -> str:
    """Return the lines of a paragraph as one."""
    parts = [" ".join(lines[0].split())]
    for line in lines[1:]:
        above, text = parts[-1], " ".join(line.split())
        if above[-1:] in _HYPHENS and above[-2:-1].isalnum() and text[:1].isalnum():
            parts[-1] = above[:-1]
            parts += [_between(above[:-1], text, words), text]
        elif _is_wide(above[-1:]) and _is_wide(text[:1]):
            parts += ["", text]
        else:
            parts += [" ", text]
    return "".join(parts).replace(_HYPHEN, "-")


def _between(above: str, text: str, words: frozenset[str]) -> str:
    """Return what stands between the halves of a word that a line end has split at a hyphen."""
    head, tail = re.search(r"\w*$", above[-60:]), re.match(r"\w*", text)
    first, second = head[0] if head else "", tail[0] if tail else ""
    if second.casefold() in _SUSPENDED:
        return "- "
    is_word = first.isalpha() and second[:1].islower()
    return "" if is_word and f"{first}-{second}".casefold() not in words else "-"


def _is_wide(character: str) -> bool:
    """Return whether it is of a script that has no spaces between words."""
    return (
        bool(character) and unicodedata.east_asian_width(character) in "WF" and not "가" <= character <= "힣"
    )


def _date(stamp: str) -> str:
    found = _DATE.match(stamp)
    return "-".join(part for part in found.groups() if part) if found else ""


def _language(document: Any) -> str:
    """Return the language that the document declares."""
    size = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    if not 0 < size < 100:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return one_line(buffer.raw.decode("utf-16-le", "replace"))

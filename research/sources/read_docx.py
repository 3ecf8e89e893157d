"""From a Word document to Markdown, by python-docx."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml.ns import qn

from research.sources.extracted import NO_DOCX, TOO_MUCH_MEMORY, Extracted, Unreadable
from research.sources.tidying import one_line, tidy

MAX_UNPACKED_BYTES = 200_000_000
MAX_PARTS = 5_000

_HEADING = re.compile(r"heading ([1-6])$", re.IGNORECASE)
_SKIPPED = (
    qn("w:del"),
    qn("w:moveFrom"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
)
"""What is deleted or moved away, and what is in the document a second time for old programs."""
_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""An OLE file: an encrypted document, or one of before 2007."""


def read_docx(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the document's paragraphs, headings, lists and tables as Markdown, and its metadata.

    Raises:
        Unreadable: it is no Word document, or unpacks to too much.
    """
    if content.startswith(_ENCRYPTED):
        raise Unreadable(f"{NO_DOCX}: it is encrypted, or of before Word 2007")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except Exception:  # zipfile raises what it likes for what is no archive
        raise Unreadable(NO_DOCX) from None
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Unreadable(TOO_MUCH_MEMORY)
    try:
        document = docx.Document(io.BytesIO(content))
        text = "\n\n".join(_blocks(document.element.body, _headings(document)))
        about = document.core_properties
    except MemoryError:
        raise
    except Exception:
        raise Unreadable(NO_DOCX) from None
    date = about.modified or about.created
    return Extracted(
        tidy(text),
        title=one_line(about.title),
        author=one_line(about.author),
        date=date.date().isoformat() if date else "",
        language=one_line(about.language),
        method="python-docx",
    )


def _headings(document: Any) -> dict[str, str]:
    """Return the prefix of Markdown for the ids of the styles of headings, whatever their language."""
    prefixes = {}
    for style in document.styles.element.iterchildren(qn("w:style")):
        name = style.find(qn("w:name"))
        value = name.get(qn("w:val"), "") if name is not None else ""
        level = style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        if found := _HEADING.match(value):
            prefixes[style.get(qn("w:styleId"))] = f"{'#' * int(found[1])} "
        elif value.lower() == "title":
            prefixes[style.get(qn("w:styleId"))] = "# "
        elif level is not None and level.get(qn("w:val"), "9") in "012345":
            prefixes[style.get(qn("w:styleId"))] = f"{'#' * (int(level.get(qn('w:val'))) + 1)} "
    return prefixes


def _blocks(container: Any, headings: dict[str, str]) -> Iterator[str]:
    """Return the paragraphs and tables of the container, those in content controls too."""
    items: list[str] = []
    for element in _children(container):
        if element.tag == qn("w:tbl"):
            if items:
                yield "\n".join(items)
                items = []
            yield from _table(element)
            continue
        text = _text(element)
        if not text.strip():
            continue
        prefix = _paragraph_prefix(element, headings)
        if prefix.lstrip().startswith("- "):
            items.append(f"{prefix}{' '.join(text.split())}")
            continue
        if items:
            yield "\n".join(items)
            items = []
        yield f"{prefix}{text.strip()}"
    if items:
        yield "\n".join(items)


def _children(container: Any) -> Iterator[Any]:
    """Return the paragraphs and tables, in order, that stand in no other one."""
    waiting = [container]
    while waiting:
        element = waiting.pop()
        if element is not container and element.tag in (qn("w:p"), qn("w:tbl")):
            yield element
        elif element.tag not in _SKIPPED:
            waiting.extend(reversed(element))


def _paragraph_prefix(paragraph: Any, headings: dict[str, str]) -> str:
    properties = paragraph.find(qn("w:pPr"))
    if properties is None:
        return ""
    style = properties.find(qn("w:pStyle"))
    name = style.get(qn("w:val"), "") if style is not None else ""
    if name in headings:
        return headings[name]
    numbering = properties.find(qn("w:numPr"))
    if numbering is None and not re.match(r"List(Bullet|Number)?\d?$|Listenabsatz$", name):
        return ""
    level = numbering.find(qn("w:ilvl")) if numbering is not None else None
    depth = level.get(qn("w:val"), "0") if level is not None else "0"
    return f"{'  ' * (min(int(depth), 8) if depth.isdigit() else 0)}- "


def _text(element: Any) -> str:
    """Return the text of a paragraph as it stands with all changes accepted."""
    parts: list[str] = []
    waiting = [element]
    while waiting:
        part = waiting.pop()
        if part.tag in (qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"):
            parts.append(part.text or "")
        elif part.tag == qn("w:tab"):
            parts.append("\t")
        elif part.tag in (qn("w:br"), qn("w:cr")):
            parts.append("\n")
        elif part.tag == qn("w:noBreakHyphen"):
            parts.append("-")
        elif part.tag == qn("w:p") and part is not element:  # in a text box
            parts.append("\n")
            waiting.extend(reversed(part))
        elif part.tag not in (*_SKIPPED, qn("w:pPr"), qn("w:rPr")):
            waiting.extend(reversed(part))
    return "".join(parts)


def _cells(row: Any) -> Iterator[Any]:
    """Return the cells of a row, those in content controls too, without those of tables in them."""
    yield from row.xpath("w:tc | w:sdt/w:sdtContent/w:tc")


def _table(table: Any) -> Iterator[str]:
    rows = [
        [" ".join(_text(cell).split()).replace("|", "\\|") for cell in _cells(row)]
        for row in table.iterchildren(qn("w:tr"))
    ]
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    lines.insert(1, f"|{'---|' * width}")
    yield "\n".join(lines)

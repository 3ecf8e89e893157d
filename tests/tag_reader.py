"""Reads a PDF as one who does not see it: the structure tree and the content that it points to.

By pypdf, without `research.pdf`.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import ArrayObject, ContentStream


@dataclass
class Page:
    """The text of each marked-content sequence of a page, of its artifacts, and what is neither."""

    marked: dict[int, str] = field(default_factory=dict)
    artifacts: str = ""
    untagged: str = ""


@dataclass(eq=False)
class Element:
    """An element of the tree; its content is the numbers of pages and of their marked-content sequences."""

    role: str
    entries: dict[str, Any]
    kids: "list[Element | tuple[int, int]]" = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)

    @property
    def content(self) -> list[tuple[int, int]]:
        return [kid for kid in self.kids if isinstance(kid, tuple)]

    def walk(self) -> "Iterator[Element]":
        yield self
        for kid in self.kids:
            if isinstance(kid, Element):
                yield from kid.walk()

    def all(self, *roles: str) -> "list[Element]":
        return [element for element in self.walk() if element.role in roles]


class Tagged:
    """A PDF and its tree."""

    def __init__(self, data: bytes) -> None:
        self.pdf = PdfReader(io.BytesIO(data), strict=True)
        trailer: Any = self.pdf.trailer
        self.catalog: Any = trailer["/Root"]
        self.root: Any = self.catalog["/StructTreeRoot"]
        self.numbers = {
            page.indirect_reference.idnum: number
            for number, page in enumerate(self.pdf.pages)
            if page.indirect_reference
        }
        self.by_reference: dict[int, Element] = {}
        """The elements by the numbers of their objects."""
        [document] = list(self.root["/K"])
        self.document = self._element(document)

    def _element(self, reference: Any) -> Element:
        entries = reference.get_object()
        element = Element(entries["/S"][1:], entries)
        self.by_reference[reference.idnum] = element
        for kid in entries["/K"]:
            item = kid.get_object()
            if isinstance(item, int):
                element.kids.append((self.numbers[entries.raw_get("/Pg").idnum], item))
            elif item.get("/Type") == "/MCR":
                element.kids.append((self.numbers[item.raw_get("/Pg").idnum], item["/MCID"]))
            elif item.get("/Type") == "/OBJR":
                element.annotations.append(item.raw_get("/Obj"))
            else:
                element.kids.append(self._element(kid))
        return element

    @cached_property
    def owners(self) -> dict[int, Any]:
        """The tree of parents: by its key a page's elements, or the element of an annotation."""
        numbers = self.root["/ParentTree"]["/Nums"]
        return {
            key: [self.by_reference[item.idnum] for item in value]
            if isinstance(value, ArrayObject)
            else self.by_reference[value.idnum]
            for key, value in zip(numbers[::2], numbers[1::2], strict=True)
        }

    @cached_property
    def pages(self) -> list[Page]:
        return [_read(page) for page in self.pdf.pages]

    def text(self, element: Element | None = None) -> str:
        """The text of an element, the document's if none is given, as a screen reader has it."""
        element = element or self.document
        if "/ActualText" in element.entries:
            return str(element.entries["/ActualText"])
        parts = (
            self.text(kid) if isinstance(kid, Element) else self.pages[kid[0]].marked[kid[1]]
            for kid in element.kids
        )
        return f" {''.join(parts)} " if element.role not in ("Link", "Reference", "Code") else "".join(parts)


def _read(page: PageObject) -> Page:
    """The texts of a page, by the fonts' own maps and ActualText."""
    result = Page()
    fonts = {name: _meanings(font) for name, font in page["/Resources"]["/Font"].items()}  # type: ignore[index]
    meaning: dict[bytes, str] = {}
    open_marks: list[tuple[str, Any]] = []

    def add(text: str) -> None:
        if any(tag == "/Span" for tag, _ in open_marks):
            return
        ids = [entries["/MCID"] for _, entries in open_marks if "/MCID" in entries]
        if ids:
            result.marked[ids[-1]] += text
        elif any(tag == "/Artifact" for tag, _ in open_marks):
            result.artifacts += text
        else:
            result.untagged += text

    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator in (b"BMC", b"BDC"):
            open_marks.append((operands[0], operands[1] if operator == b"BDC" else {}))
            if "/MCID" in open_marks[-1][1]:
                result.marked[open_marks[-1][1]["/MCID"]] = ""
        elif operator == b"EMC":
            _, entries = open_marks.pop()
            add(str(entries.get("/ActualText", "")))
        elif operator == b"Tf":
            meaning = fonts[operands[0]]
            add("\n")
        elif operator == b"TJ":
            shown = b"".join(part.original_bytes for part in operands[0] if hasattr(part, "original_bytes"))
            add("".join(meaning[shown[at : at + 2]] for at in range(0, len(shown), 2)))
    assert not open_marks
    return result


def _meanings(font: Any) -> dict[bytes, str]:
    """The text that each glyph of a font stands for."""
    lines = re.findall(r"^<(\w{4})> <(\w+)>$", font["/ToUnicode"].get_data().decode(), re.M)
    return {bytes.fromhex(glyph): bytes.fromhex(text).decode("utf-16-be") for glyph, text in lines}

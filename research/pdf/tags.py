"""The structure of a document, for those who do not see its pages (ISO 32000-1, 14.7 and 14.8).

A block makes its element where it is itself made. An element joins the tree when its content is first
drawn, so the tree has the order of the pages and nothing that is not on them. All that is drawn outside
of an element is an artifact: rules, backgrounds, page numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from research.pdf.bidi import logical_order
from research.pdf.runs import GlyphRun, Line

_ATTRIBUTES = {
    "TH": ("TH", "<</O/Table/Scope/Column>>"),
    "OL": ("L", "<</O/List/ListNumbering/Decimal>>"),
}
"""Roles that have attributes, an ordered list among them: the structure type of each, and its attributes."""


def text_string(text: str) -> str:
    """Return a text as a PDF string, in UTF-16 and hexadecimal."""
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>"


class Element(pdfdoc.PDFObject):  # type: ignore[misc]
    """An element: what a part of the document is, its role is a structure type of ISO 32000-1."""

    def __init__(self, role: str, parent: "Element | None" = None, **entries: str) -> None:
        self.role, attributes = _ATTRIBUTES.get(role, (role, ""))
        self.parent = parent
        self.entries = {"A": attributes, **entries} if attributes else entries
        """Further entries of its dictionary, as they are written."""
        self.kids: list[Element | tuple[int, Any]] = []
        """Elements, and content by its page: the number of a marked-content sequence, or an annotation."""
        self._joined = parent is None
        self._last_run: tuple[Any, Element] = (None, self)

    def join(self) -> "Element":
        """Return the element, which is now in the tree, behind all that has joined its parent before."""
        if not self._joined and self.parent:
            self._joined = True
            self.parent.join().kids.append(self)
        return self

    @property
    def link(self) -> "Element":
        """Return the link that the element is or is part of."""
        return self if self.role == "Link" or self.parent is None else self.parent.link

    def label(self) -> "Element":
        """Return a new element for the mark before this one: a bullet, a number."""
        return Element("Lbl", self.parent if self.role == "LBody" else self)

    def of_run(self, run: GlyphRun) -> "Element":
        """Return the element of the next run of this block: itself, or the link, code or formula within.

        Runs alike that follow each other, over lines and pages, are one.
        """
        alike = (run.style.link, run.style.role, run.box)
        if alike != self._last_run[0]:
            element = self
            if role := "Link" if run.style.link else run.style.role:
                element = Element(role, element)
            if run.box:
                element = Element("Formula", element, Alt=text_string(run.box.text))
            self._last_run = (alike, element)
        return self._last_run[1]

    def of_line(self, line: Line) -> "list[Element]":
        """Return the element of each run of this block's next line, which stand from left to right.

        Where some run to the left, the glyphs are not in the order of the text, and elements give it.
        """
        if not any(run.level for run in line):
            return [self.of_run(run) for run in line]
        elements: dict[int, Element] = {}
        for element, group in groupby(logical_order(line), key=self.of_run):
            runs = list(group)
            if not runs[0].box:
                text = "".join(run.shown_as or run.text for run in runs)
                element = Element("Span", element, ActualText=text_string(f"{text} "))
            elements.update((id(run), element.join()) for run in runs)
        return [elements[id(run)] for run in line]

    def format(self, document: Any) -> bytes:
        """Return the element as a PDF object."""
        page = next((kid[0] for kid in self.kids if isinstance(kid, tuple)), 0)
        kids = []
        for kid in self.kids:
            if isinstance(kid, Element):
                kids.append(_refer(document, kid))
                continue
            where = "" if kid[0] == page else f"/Pg {_refer_page(document, kid[0])}"
            if not isinstance(kid[1], int):
                kids.append(f"<</Type/OBJR{where}/Obj {_refer(document, kid[1])}>>")
            else:
                kids.append(f"<</Type/MCR{where}/MCID {kid[1]}>>" if where else str(kid[1]))
        entries = "".join(f"/{key} {value}" for key, value in self.entries.items())
        if page:
            entries += f"/Pg {_refer_page(document, page)}"
        return f"<</S/{self.role}/P {_refer(document, self.parent)}{entries}/K[{' '.join(kids)}]>>".encode()


class StructureTree(Element):
    """The tree of one document: where its next element belongs, and which element has what content."""

    def __init__(self) -> None:
        super().__init__("StructTreeRoot")
        self.within = Element("Document", self)
        """The element in which blocks are made."""
        self.owners: list[Element | list[Element]] = []
        """By its key, the element of an annotation, or those of a page's marked-content sequences."""

    @contextmanager
    def inside(self, *roles: str, parent: Element | None = None) -> Iterator[Element]:
        """Make the blocks of a `with` statement within a new element, or several, each within the last.

        An empty role makes none.
        """
        outer = self.within
        self.within = parent or outer
        for role in filter(None, roles):
            self.within = Element(role, self.within)
        try:
            yield self.within
        finally:
            self.within = outer

    def element(self, *roles: str, **entries: str) -> Element:
        """Return a new element, within further new ones where there are several roles."""
        with self.inside(*roles[:-1]) as parent:
            return Element(roles[-1], parent, **entries)

    def heading(self, level: int) -> Element:
        """Return a new heading, of level 0 for the title; there are six levels."""
        return self.element(f"H{min(level + 1, 6)}")

    def add_owner(self, owner: "Element | list[Element]") -> int:
        """Return the key of an annotation's element, or of a page's elements."""
        self.owners.append(owner)
        return len(self.owners) - 1

    def all(self) -> Iterator[Element]:
        """Yield all elements, those near the root first."""
        level: list[Element] = [self]
        while level:
            yield from level
            level = [kid for element in level for kid in element.kids if isinstance(kid, Element)]

    def format(self, document: Any) -> bytes:
        """Return the root of the tree as a PDF object."""
        owned: list[str] = []
        for key, owner in enumerate(self.owners):
            if isinstance(owner, Element):
                owned.append(f"{key} {_refer(document, owner)}")
                continue
            owned.append(f"{key}[{' '.join(_refer(document, element) for element in owner)}]")
        notes = []
        for number, note in enumerate(element for element in self.all() if element.role == "Note"):
            note.entries["ID"] = f"(note-{number:06})"
            notes.append(f"{note.entries['ID']} {_refer(document, note)}")
        return (
            f"<</Type/StructTreeRoot/K[{_refer(document, self.kids[0])}]"
            f"/ParentTree<</Nums[{' '.join(owned)}]>>/ParentTreeNextKey {len(self.owners)}"
            f"/IDTree<</Names[{' '.join(notes)}]>>>>"
        ).encode()


class TaggedCanvas(Canvas):  # type: ignore[misc]
    """Reportlab's canvas, on which everything is the content of an element or an artifact."""

    def __init__(self, *args: Any, tree: StructureTree, **kwargs: Any) -> None:
        self._tree = tree
        self._marked: Element | None = None
        self._elements: list[Element] = []
        """The element of each marked-content sequence of the page."""
        self._links: list[tuple[str, Any]] = []
        """The places in the document that links lead to, and their annotations."""
        self.titles: dict[str, str] = {}
        """The title of each place, by its name."""
        super().__init__(*args, **kwargs)

    def mark(self, element: Element | None = None) -> None:
        """Make what is drawn until the next call the content of an element, or an artifact."""
        if element is self._marked:
            return
        begin = "/Artifact BMC"
        if element is not None:
            begin = f"/{element.role}<</MCID {len(self._elements)}>>BDC"
            element.join().kids.append((self.getPageNumber(), len(self._elements)))
            self._elements.append(element)
        self._code.append(f"EMC\n{begin}")
        self._marked = element

    def mark_pagination(self, kind: str) -> None:
        """Make what is drawn until the next call of `mark` the page's Header or Footer."""
        self._code.append(f"EMC\n/Artifact<</Type/Pagination/Subtype/{kind}>>BDC")
        self._marked = None

    def add_link(self, target: str, area: tuple[float, ...], element: Element) -> None:
        """Make an area of a link lead to an address, or to "#name", a place in the document."""
        annotation = pdfdoc.PDFDictionary({
            "Type": "/Annot", "Subtype": "/Link", "F": 4, "Border": "[0 0 0]",
            "Rect": pdfdoc.PDFArray(self._absRect(area, 1)), "Contents": pdfdoc.PDFString(target),
            "StructParent": self._tree.add_owner(element),
        })  # fmt: skip
        if target.startswith("#"):
            annotation["Dest"] = self._bookmarkReference(target[1:])
            self._links.append((target[1:], annotation))
        else:
            annotation["A"] = pdfdoc.PDFDictionary({"S": "/URI", "URI": pdfdoc.PDFString(target)})
        self._addAnnotation(annotation)
        element.kids.append((self.getPageNumber(), annotation))

    def _make_preamble(self) -> None:
        self._preamble = "/Artifact BMC"  # reportlab's own would name Helvetica, unembedded

    def _startPage(self) -> None:
        super()._startPage()
        self._marked, self._elements = None, []

    def showPage(self) -> None:
        """Finish the page."""
        key = self._tree.add_owner(self._elements)
        self._code.append("EMC")
        super().showPage()
        page = self._doc.Pages.pages[-1]
        page.__Defaults__ = {**page.__Defaults__, "StructParents": key, "Tabs": "/S"}

    def save(self) -> None:
        """Write the file, the structure with it."""
        for name, annotation in self._links:
            annotation["Contents"] = pdfdoc.PDFString(self.titles.get(name) or name)
        self._doc.Catalog.StructTreeRoot = self._tree
        super().save()


def _refer(document: Any, item: Any) -> str:
    return str(document.Reference(item).format(document).decode())


def _refer_page(document: Any, number: int) -> str:
    return str(pdfdoc.PDFObjectReference(f"Page{number}").format(document).decode())

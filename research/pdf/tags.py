"""The structure tree of a document, for readers who do not see its pages (ISO 32000-1, 14.7 and 14.8).

An element is made with its block. It joins the tree when its content is first drawn, so the tree has the
order of the pages, and nothing that is not on them. What is drawn outside of an element is an artifact:
rules, backgrounds, page numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from research.pdf.runs import GlyphRun, Line

_ATTRIBUTES = {
    "TH": ("TH", "<</O/Table/Scope/Column>>"),
    "OL": ("L", "<</O/List/ListNumbering/Decimal>>"),
}
"""Roles with attributes: the structure type of each, and the attributes; OL is an ordered list."""


def text_string(text: str) -> str:
    """Return a text as a PDF string, in UTF-16 and hexadecimal."""
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>"


class Element(pdfdoc.PDFObject):  # type: ignore[misc]
    """An element of the tree: its role says what a part of the document is."""

    def __init__(self, role: str, parent: "Element | None" = None, **entries: str) -> None:
        self.role, attributes = _ATTRIBUTES.get(role, (role, ""))
        self.parent = parent
        self.entries = {"A": attributes, **entries} if attributes else entries
        """Further entries of its dictionary, as they are written."""
        self.kids: list[Element | tuple[Any, Any]] = []
        """Elements, and content by its page: the number of a marked-content sequence, or an annotation."""
        self._joined = parent is None
        self._last_run: tuple[Any, Any, Element] | None = None

    def join(self) -> "Element":
        """Put the element into the tree, behind what has joined its parent before; return it."""
        if not self._joined and self.parent:
            self._joined = True
            self.parent.join().kids.append(self)
        return self

    @property
    def link(self) -> "Element":
        """Return the link that the element is, or is within."""
        return self if self.role == "Link" or self.parent is None else self.parent.link

    def label(self) -> "Element":
        """Return a new element for the bullet or number before this one."""
        return Element("Lbl", self.parent if self.role == "LBody" else self)

    def of_run(self, run: GlyphRun) -> "Element":
        """Return the element of the next run of this block: itself, or a link, code or formula within it.

        Runs of one link that follow each other, over lines and pages, have the same element.
        """
        style, box = run.style, run.box
        if self._last_run:
            last, last_box, element = self._last_run
            if box is last_box and (style is last or (style.link, style.role) == (last.link, last.role)):
                return element
        element = self
        for role in filter(None, (style.role, style.link and "Link")):
            element = Element(role, element)
        if box:
            element = Element("Formula", element, Alt=text_string(box.text))
        self._last_run = (style, box, element)
        return element

    def of_line(self, line: Line) -> "list[Element]":
        """Return the element of each glyph run of this block's next line.

        Where text runs to the left, its glyphs are not in its order; then elements have it as ActualText.
        """
        if not any(run.level for run in line):
            return list(map(self.of_run, line))
        elements: list[Element] = []
        for element, group in groupby(line, key=self.of_run):
            runs = list(group)
            if not runs[0].box:
                text = "".join(run.shown_as or run.text for run in runs)
                element = Element("Span", element, ActualText=text_string(f"{text} "))
            elements += [element.join()] * len(runs)
        return elements

    def format(self, document: Any) -> bytes:
        """Return the element as a PDF object, once."""
        page = next((kid[0] for kid in self.kids if isinstance(kid, tuple)), None)
        kids = []
        for kid in self.kids:
            if isinstance(kid, Element):
                kids.append(_refer(document, kid))
                continue
            where = "" if kid[0] is page else f"/Pg {_refer(document, kid[0])}"
            if not isinstance(kid[1], int):
                kids.append(f"<</Type/OBJR{where}/Obj {_refer(document, kid[1])}>>")
            else:
                kids.append(f"<</Type/MCR{where}/MCID {kid[1]}>>" if where else str(kid[1]))
        entries = "".join(f"/{key} {value}" for key, value in self.entries.items())
        if page:
            entries += f"/Pg {_refer(document, page)}"
        data = f"<</S/{self.role}/P {_refer(document, self.parent)}{entries}/K[{' '.join(kids)}]>>"
        self.parent = self._last_run = None  # so that no cycles are left, which only a slow collection frees
        return data.encode()


class StructureTree(Element):
    """The structure tree of one document: its root, and which element has what content."""

    def __init__(self) -> None:
        super().__init__("StructTreeRoot")
        self.current = Element("Document", self)
        """The element in which blocks are made."""
        self._notes: list[Element] = []
        self._owners: list[Element | list[Element]] = []
        """By its key, the element of an annotation, or those of a page's marked-content sequences."""

    @contextmanager
    def inside(self, *roles: str, parent: Element | None = None) -> Iterator[None]:
        """Make the blocks of a `with` statement in a new element, or in several, one within the other.

        An empty role makes none.
        """
        outer = self.current
        self.current = parent or outer
        self.current = self.element(*filter(None, roles))
        try:
            yield
        finally:
            self.current = outer

    def element(self, *roles: str, **entries: str) -> Element:
        """Return a new element, or the innermost of several, one within the other."""
        element = self.current
        for role in roles:
            element = Element(role, element)
        element.entries.update(entries)
        return element

    def heading(self, level: int) -> Element:
        """Return a new heading; the title has level 0, and there are six levels."""
        return self.element(f"H{min(level + 1, 6)}")

    def note(self) -> Element:
        """Return a new footnote."""
        self._notes.append(self.element("Note", ID=f"(note-{len(self._notes):06})"))
        return self._notes[-1]

    def add_owner(self, owner: "Element | list[Element]") -> int:
        """Return a new key for the element of an annotation, or for the elements of a page."""
        self._owners.append(owner)
        return len(self._owners) - 1

    def format(self, document: Any) -> bytes:
        """Return the root as a PDF object."""
        owners = (
            _refer(document, owner) if isinstance(owner, Element) else f"[{_refer(document, *owner)}]"
            for owner in self._owners
        )
        parents = " ".join(f"{key} {owner}" for key, owner in enumerate(owners))
        notes = " ".join(
            f"{note.entries['ID']} {_refer(document, note)}" for note in self._notes if note.kids
        )
        return (
            f"<</Type/StructTreeRoot/K[{_refer(document, *self.kids)}]/ParentTree<</Nums[{parents}]>>"
            f"/ParentTreeNextKey {len(self._owners)}/IDTree<</Names[{notes}]>>>>"
        ).encode()


class TaggedCanvas(Canvas):  # type: ignore[misc]
    """Reportlab's canvas, where everything is the content of an element or an artifact."""

    def __init__(self, *args: Any, tree: StructureTree, **kwargs: Any) -> None:
        self._tree = tree
        self._links: list[tuple[str, Any]] = []
        """The places in the document that links lead to, and their annotations."""
        self.titles: dict[str, str] = {}
        """The title of each place, by its name."""
        super().__init__(*args, **kwargs)
        self._begin_page()

    def _begin_page(self) -> None:
        self.page = pdfdoc.PDFObjectReference(f"Page{self.getPageNumber()}")
        """The page that is being drawn, for what refers to it."""
        self._marked: Element | None = None
        self._elements: list[Element] = []
        """The element of each marked-content sequence of the page."""

    def mark(self, element: Element | None = None) -> None:
        """Make what is drawn until the next call the content of an element; without one, an artifact."""
        if element is self._marked:
            return
        begin = "/Artifact BMC"
        if element is not None:
            begin = f"/{element.role}<</MCID {len(self._elements)}>>BDC"
            element.join().kids.append((self.page, len(self._elements)))
            self._elements.append(element)
        self._code.append(f"EMC\n{begin}")
        self._marked = element

    def mark_pagination(self, kind: str) -> None:
        """Make what is drawn until the next call of `mark` an artifact: the page's Header or Footer."""
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
        element.kids.append((self.page, annotation))

    def _make_preamble(self) -> None:
        self._preamble = "/Artifact BMC"  # reportlab's own would name Helvetica, unembedded

    def _startPage(self) -> None:
        super()._startPage()
        self._begin_page()

    def showPage(self) -> None:
        """Finish the page."""
        key = self._tree.add_owner(self._elements)
        self._code.append("EMC")
        super().showPage()
        page = self._doc.Pages.pages[-1]
        page.__Defaults__ = {**page.__Defaults__, "StructParents": key, "Tabs": "/S"}

    def save(self) -> None:
        """Write the file, with its structure."""
        for name, annotation in self._links:
            annotation["Contents"] = pdfdoc.PDFString(self.titles.get(name) or name)
            if name not in self.titles:  # what it leads to could not be laid out
                del annotation.dict["Dest"]
        self._doc.Catalog.StructTreeRoot = self._tree
        super().save()


def _refer(document: Any, *items: Any) -> str:
    names = (document.Reference(item).name for item in items)
    return " ".join([f"{document.idToObjectNumberAndVersion[name][0]} 0 R" for name in names])

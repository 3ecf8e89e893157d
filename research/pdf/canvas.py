"""The canvas: glyphs onto pages, and into the file the fonts that they need.

Reportlab's own fonts map characters to glyphs one by one. Here a glyph is drawn by its number in
a Type 0 font with the Identity-H encoding (ISO 32000-1, 9.7), so that whatever HarfBuzz has shaped
can be drawn, and the ToUnicode map and ActualText say what is copied out of the page.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain, groupby
from typing import Any

from reportlab import rl_config
from reportlab.lib.colors import Color
from reportlab.pdfbase import pdfdoc

from research.pdf import archive
from research.pdf.face import Face, Glyph
from research.pdf.runs import Bookmark, GlyphRun, Line, line_width
from research.pdf.tags import TaggedCanvas, text_string

SLANT = 0.21
"""The tangent of an italic's angle, 12 degrees."""
BOLD_STROKE = 0.035
"""The line around the letters of a bold that a font has not, in ems."""
_PRIVATE_USE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
"""Characters that need ActualText, because they mean nothing by themselves (ISO 19005-2, 6.2.11.7.3)."""
_RESERVED = "% a page number\n"
"""Where in the content of a page the number of another page is written, when it is known."""
rl_config.useA85 = 0  # or what is compressed would be spelt out in ASCII again
SEEN_ROOM = 95.0
"""Behind a letter, in thousandths of the font size, what readers of the text take for a space."""


class GlyphCanvas(TaggedCanvas):
    """A canvas with shaped text; every page is finished when the number of pages is known."""

    def __init__(self, *args: Any, finish_page: Callable[..., None], date: str, **kwargs: Any) -> None:
        """Begin the document of a day, YYYY-MM-DD, which is in its metadata."""
        self._faces: dict[Face, _Embedded] = {}
        self._pages: list[dict[str, Any]] = []
        self._finish_page = finish_page
        self.bookmark_pages: dict[str, int] = {}
        """The page of each bookmark, by its name."""
        self._reserved: list[tuple[str, Callable[[str], None]]] = []
        """The bookmarks whose pages' numbers are written into the page, and what draws each number."""
        super().__init__(*args, **kwargs)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            self._doc._timeStamp.YMDhms = (*map(int, date.split("-")), 0, 0, 0)

    def add_bookmark(self, bookmark: Bookmark, height: float) -> None:
        """Add the target of links and contents, and from level 0 on an entry of the outline."""
        self.bookmark_pages[bookmark.name] = self.getPageNumber()
        self.titles[bookmark.name] = bookmark.title
        _, top = self.absolutePosition(0, height)
        place = self.bookmarkPage(bookmark.name, fit="XYZ", left=0, top=top + 10, zoom=0)
        # Reportlab takes the page that is finished next, which is the first until all are drawn.
        place.setPage(self.page)
        if bookmark.level >= 0:
            self.addOutlineEntry(bookmark.title, bookmark.name, bookmark.level)

    def reserve_page_number(self, name: str, draw: Callable[[str], None]) -> None:
        """Reserve the place of a bookmark's page number; it is drawn when all pages are known."""
        self.mark()
        self._code.append(_RESERVED)
        self._reserved.append((name, draw))

    def hairline(self, x: float, y: float, to: float, color: Color, width: float = 0.5) -> None:
        """Draw a thin line to the right."""
        self.setStrokeColor(color)
        self.setLineWidth(width)
        self.line(x, y, to, y)

    def draw_runs(self, x: float, y: float, line: Line) -> None:
        """Draw the glyph runs of a line from the left end x, on the baseline y."""
        for (style, face, box), group in groupby(line, key=lambda run: (run.style, run.face, run.box)):
            runs, size = list(group), style.drawn_size
            if box:
                box.draw(self, x, y)
                x += line_width(runs)
                continue
            if face not in self._faces:
                self._faces[face] = _Embedded(face, f"G{len(self._faces)}")
            font = self._faces[face]
            self.setFillColor(style.color)
            # Where the font has no bold or italic face, its outlines are drawn thicker, or slanted.
            bold, slant = style.bold and not face.is_bold, SLANT if style.italic and not face.is_italic else 0
            if bold:
                self.saveState()
                self.setStrokeColor(style.color)
                self._code.append(f"2 Tr {size * BOLD_STROKE:.3g} w 1 j")
            self._code.append(
                f"BT /{font.resource} {size:g} Tf 1 0 {slant:g} 1 {x:.3f} {y + style.shift:.3f} Tm"
            )
            self._code.append("".join(font.show(run, size) for run in runs))
            self._code.append("ET")
            if bold:
                self.restoreState()
            x += line_width(runs)

    def showPage(self) -> None:
        """Keep the page until the number of pages is known."""
        self._code: list[str] = ["\n".join(self._code)]
        self._pages.append(dict(self.__dict__))
        self._reserved = []
        self._startPage()

    def save(self) -> None:
        """Finish the pages, embed the fonts, write the file."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self._write_page_numbers()
            self._finish_page(self, number, len(self._pages))
            super().showPage()
        fonts = self._doc.idToObject["BasicFonts"].dict
        for font in self._faces.values():
            fonts[font.resource] = font.embed(self._doc)
        archive.prepare(self._doc)
        self._doc.format = partial(archive.file_of, self._doc)
        super().save()

    def _write_page_numbers(self) -> None:
        before, *parts = self._code[0].split(_RESERVED)
        self._code = [before]
        for (name, draw), after in zip(self._reserved, parts, strict=True):
            draw(str(self.bookmark_pages.get(name, "")))
            self.mark()
            self._code.append(after)


class _Embedded:
    """A face in one document: the glyphs that were drawn, and the text that each of them stands for."""

    def __init__(self, face: Face, resource: str) -> None:
        self.face, self.resource = face, resource
        self.stands_for: dict[int, str] = {}
        self.width = cache(face.width)
        self._shown: dict[tuple[str, str, int, float, float], str] = {}

    def show(self, run: GlyphRun, size: float) -> str:
        """Return the operators that show a glyph run; cached, because the words of a text repeat."""
        key = (run.text, run.shown_as, run.level % 2, size, run.width)
        if key not in self._shown:
            self._shown[key] = "".join(self._show(run, size))
        return self._shown[key]

    def _show(self, run: GlyphRun, size: float) -> Iterator[str]:
        """Yield the operators, with ActualText where the glyphs alone do not give the text."""
        if not run.glyphs:  # a word of invisible characters alone, such as soft hyphens
            return
        # Where marks are placed on letters, readers of the text see gaps that are none.
        marks = run.level % 2 == 0 and any(glyph.x or glyph.y or not glyph.advance for glyph in run.glyphs)
        private = not run.text.isascii() and _PRIVATE_USE.search(run.text)
        if run.shown_as or marks or private:
            yield from _actual_text(run.shown_as or run.text, self._glyphs(run.glyphs, size))
            return
        starts = sorted({glyph.cluster for glyph in run.glyphs})
        ends = dict(zip(starts, [*starts[1:], len(run.text)], strict=True))
        plain: list[Glyph] = []
        for cluster, group in groupby(run.glyphs, key=lambda glyph: glyph.cluster):
            glyphs, text = list(group), run.text[cluster : ends[cluster]]
            if run.level % 2 and len(text) > 1 and not any(map(unicodedata.combining, text)):
                text = text[::-1]  # lam with alef, because readers turn the letters of the whole line around
            room = glyphs[-1].advance - self.width(glyphs[-1].id)
            is_alone = len(glyphs) == 1 and self.stands_for.setdefault(glyphs[0].id, text) == text
            if is_alone and room < SEEN_ROOM:
                plain += glyphs
                continue
            yield from self._glyphs(plain, size)
            shown = self._glyphs(glyphs, size)
            if room >= SEEN_ROOM:  # as a part of the character, so that nobody takes it for a space
                closed = [*glyphs[:-1], glyphs[-1]._replace(advance=glyphs[-1].advance - room)]
                shown = chain([f"{room * size / 1000:.3f} Tc "], self._glyphs(closed, size), ["0 Tc\n"])
            yield from _actual_text(text, shown)
            plain = []
        yield from self._glyphs(plain, size)

    def _glyphs(self, glyphs: list[Glyph] | tuple[Glyph, ...], size: float) -> Iterator[str]:
        """Yield a `TJ` for the glyphs of each height, with the moves that their offsets and advances need."""
        for height, group in groupby(glyphs, key=lambda glyph: glyph.y):
            shown, move = "", 0.0
            for glyph in group:
                self.stands_for.setdefault(glyph.id, self.face.characters.get(glyph.id, ""))
                move -= glyph.x
                shown += f">{move:.0f}<" if round(move) else ""
                shown += f"{glyph.id:04x}"
                move = self.width(glyph.id) + glyph.x - glyph.advance
            rise = f"{height * size / 1000:.2f} Ts" if height else ""
            yield f"{rise}[<{shown}>{round(move)}]TJ{' 0 Ts' if rise else ''}\n"

    def embed(self, document: Any) -> Any:
        """Embed the font with the glyphs that were drawn into the document; return a reference to it."""
        face, used = self.face, sorted(self.stands_for)
        name = "/REPORT+" + "".join(c for c in face.name if c.isascii() and c.isalnum())

        def put(**entries: Any) -> Any:
            return document.Reference(pdfdoc.PDFDictionary(entries))

        data = face.subset(used)
        kind = {"Subtype": "/CIDFontType0C"} if face.is_cff else {"Length1": len(data)}
        file = document.Reference(archive.compressed(data, **kind))
        descriptor = put(
            Type="/FontDescriptor", FontName=name, Flags=4, FontBBox="[-500 -500 1500 1200]", ItalicAngle=0,
            StemV=80, Ascent=round(face.ascent), Descent=round(face.descent), CapHeight=700,
            **{"FontFile3" if face.is_cff else "FontFile2": file},
        )  # fmt: skip
        descendant = put(
            Type="/Font", Subtype="/CIDFontType0" if face.is_cff else "/CIDFontType2", BaseFont=name, DW=0,
            CIDSystemInfo="<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>", FontDescriptor=descriptor,
            W=f"[{' '.join(f'{glyph}[{self.width(glyph):.5g}]' for glyph in used)}]",
            **({} if face.is_cff else {"CIDToGIDMap": "/Identity"}),
        )  # fmt: skip
        return put(
            Type="/Font", Subtype="/Type0", BaseFont=name, Encoding="/Identity-H",
            DescendantFonts=pdfdoc.PDFArray([descendant]),
            ToUnicode=document.Reference(archive.compressed(_to_unicode(self.stands_for).encode())),
        )  # fmt: skip


def _actual_text(text: str, shown: Iterator[str]) -> Iterator[str]:
    yield f"/Span<</ActualText{text_string(text)}>>BDC\n"
    yield from shown
    yield "EMC\n"


def _to_unicode(stands_for: dict[int, str]) -> str:
    """Return the CMap from glyphs to the text that they stand for (ISO 32000-1, 9.10.3)."""
    # A glyph that is no character's own picture is nothing to a reader that knows no ActualText; a
    # byte order mark must not be in the map (ISO 19005-2, 6.2.11.7.2).
    known = [
        (glyph, unicodedata.normalize("NFC", text).replace("\ufeff", "") or "\u200b")
        for glyph, text in sorted(stands_for.items())
    ]
    blocks = [known[start : start + 100] for start in range(0, len(known), 100)]
    maps = "".join(
        f"{len(block)} beginbfchar\n"
        + "".join(f"<{glyph:04x}> <{text.encode('utf-16-be').hex()}>\n" for glyph, text in block)
        + "endbfchar\n"
        for block in blocks
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{maps}endcmap CMapName currentdict /CMap defineresource pop end end\n"
    )

"""What makes a file one for archives and for all readers: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).

Metadata, the colour space, and the file itself: objects that are no streams are compressed many at a
time (ISO 32000-1, 7.5.7 and 7.5.8), or the structure would take more room than the pages.
"""

import re
import struct
import zlib
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from PIL import ImageCms
from reportlab.pdfbase import pdfdoc

MAX_PACKED = 400
"""Objects in one stream."""
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>
<xmp:CreatorTool>{creator}</xmp:CreatorTool><pdf:Producer>{producer}</pdf:Producer>
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance><pdfuaid:part>1</pdfuaid:part>
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>The part of ISO 14289</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>
"""


def prepare(document: Any) -> None:
    """Add to the catalog of reportlab's document its metadata, its colour space and what viewers show."""
    catalog, info = document.Catalog, document.info
    year, month, day, *_ = document._timeStamp.YMDhms
    facts = {name: getattr(info, name) for name in ("title", "author", "subject", "creator", "producer")}
    facts |= {"language": catalog.Lang.s, "date": f"{year:04}-{month:02}-{day:02}T00:00:00Z"}
    facts = {name: escape(_NOT_IN_XML.sub(" ", text)) for name, text in facts.items()}
    kind = pdfdoc.PDFDictionary({"Type": "/Metadata", "Subtype": "/XML"})
    catalog.Metadata = pdfdoc.PDFStream(kind, _METADATA.format(**facts).encode())
    profile = document.Reference(compressed(_srgb(), N=3))
    intent = {"Type": "/OutputIntent", "S": "/GTS_PDFA1", "OutputConditionIdentifier": "(sRGB)"}
    intents = pdfdoc.PDFArray([pdfdoc.PDFDictionary({**intent, "DestOutputProfile": profile})])
    catalog.__Defaults__ = {**catalog.__Defaults__, "OutputIntents": intents}
    if document.outline.levelstack:
        catalog.showOutline()
    catalog.MarkInfo = "<</Marked true>>"
    catalog.ViewerPreferences = "<</DisplayDocTitle true>>"
    catalog.PageLabels = "<</Nums[0<</S/D>>]>>"


@cache
def _srgb() -> bytes:
    """Return the profile that Little CMS makes, which is free to use, without the time of its making."""
    profile = bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return profile[:24] + bytes(12) + profile[36:]


def compressed(content: bytes, **entries: Any) -> Any:
    """Return a stream of reportlab's with these entries in its dictionary."""
    entries["Filter"] = "/FlateDecode"
    return pdfdoc.PDFStream(pdfdoc.PDFDictionary(entries), zlib.compress(content))


def file_of(document: Any) -> bytes:
    """Return reportlab's document as a file; objects are written as those before them refer to them."""
    file = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {0: (0, 0, 65535)}
    packed: list[tuple[int, bytes]] = []

    def put(number: int, stream: Any) -> None:
        places[number] = (1, len(file), 0)
        head, _, _ = stream.format(document).rpartition(b"endstream")
        file.extend(b"%d 0 obj\n%b\nendstream\nendobj\n" % (number, head))

    while (number := len(places)) in document.numberToId:
        item = document.idToObject[document.numberToId[number]]
        if isinstance(item, pdfdoc.PDFStream):
            put(number, item)
        else:
            places[number] = (2, 0, 0)
            packed.append((number, item.format(document)))
    for start in range(0, len(packed), MAX_PACKED):
        part = packed[start : start + MAX_PACKED]
        places.update((item, (2, len(places), index)) for index, (item, _) in enumerate(part))
        put(len(places), _object_stream(part))
    places[len(places)] = (1, len(file), 0)
    start = len(file)
    put(len(places) - 1, _cross_references(places, document))
    return bytes(file) + b"startxref\n%d\n%%%%EOF\n" % start


def _object_stream(objects: list[tuple[int, bytes]]) -> Any:
    head, body = "", b""
    for number, content in objects:
        head += f"{number} {len(body)} "
        body += content + b"\n"
    return compressed(head.encode() + body, Type="/ObjStm", N=len(objects), First=len(head))


def _cross_references(places: dict[int, tuple[int, int, int]], document: Any) -> Any:
    """Return the stream that says where each object is, as differences to the line before (PNG's Up)."""
    rows = [struct.pack(">BIH", *place) for _, place in sorted(places.items())]
    lines = [b"\2" + bytes((new - old) % 256 for new, old in zip(row, above, strict=True))
             for row, above in zip(rows, [bytes(7), *rows], strict=False)]  # fmt: skip
    digest = document.signature.hexdigest()
    return compressed(
        b"".join(lines), Type="/XRef", Size=len(places), W="[1 4 2]",
        DecodeParms="<</Predictor 12/Columns 7>>", ID=f"[<{digest}><{digest}>]",
        Root=document.Reference(document.Catalog), Info=document.Reference(document.info),
    )  # fmt: skip

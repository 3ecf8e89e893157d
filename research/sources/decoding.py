"""From bytes to characters, as browsers do it: https://encoding.spec.whatwg.org and the HTML standard."""

import codecs
import re

PRESCAN_BYTES = 1_024
SAMPLE_BYTES = 20_000
"""What an encoding is guessed from."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CODECS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8",
    "utf-16-le": "utf-16 utf-16le unicode ucs-2 iso-10646-ucs-2 unicodefeff csunicode",
    "utf-16-be": "utf-16be unicodefffe",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso_8859-1 iso88591 latin1 latin-1 l1 ascii"
    " us-ascii ansi_x3.4-1968 cp819 ibm819 x-user-defined",
    "iso8859_2": "iso-8859-2 iso8859-2 iso_8859-2 latin2 l2", "iso8859_3": "iso-8859-3 iso8859-3 latin3",
    "iso8859_4": "iso-8859-4 iso8859-4 latin4", "iso8859_5": "iso-8859-5 iso8859-5 cyrillic",
    "iso8859_6": "iso-8859-6 iso8859-6 arabic", "iso8859_7": "iso-8859-7 iso8859-7 greek",
    "iso8859_8": "iso-8859-8 iso8859-8 iso-8859-8-i hebrew logical visual",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 latin5 l5",
    "iso8859_10": "iso-8859-10 latin6",
    "iso8859_13": "iso-8859-13",
    "iso8859_14": "iso-8859-14", "iso8859_15": "iso-8859-15 iso8859-15 latin9 l9",
    "iso8859_16": "iso-8859-16", "cp866": "ibm866 cp866 866", "koi8_r": "koi8-r koi8 koi8_r koi",
    "koi8_u": "koi8-u koi8-ru", "mac_roman": "macintosh mac x-mac-roman", "mac_cyrillic": "x-mac-cyrillic",
    "cp874": "windows-874 iso-8859-11 iso8859-11 tis-620 dos-874", "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251", "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1255": "windows-1255 cp1255 x-cp1255", "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257", "cp1258": "windows-1258 cp1258 x-cp1258",
    "gb18030": "gb18030 gbk x-gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 iso-ir-58",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5 csbig5", "euc_jp": "euc-jp x-euc-jp",
    "cp932": "shift_jis shift-jis sjis x-sjis windows-31j ms932 ms_kanji csshiftjis",
    "iso2022_jp": "iso-2022-jp",
    "cp949": "euc-kr cp949 windows-949 ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean csksc56011987",
}  # fmt: skip
_LABELS = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
"""Python's codec for each label. No other is used, because not all of Python's are encodings of pages."""
_GUESSED = [
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949",
    "iso2022_jp", "cp1252",
]  # fmt: skip
"""No other Latin encodings: too alike to be told apart, and windows-1252 is what browsers take then."""
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{1,40})""", re.IGNORECASE)
_META = re.compile(
    r"""<meta[\s/][^>]*?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_TAG = re.compile(rb"<[^<>]{0,500}>")


def decode(content: bytes, content_type: str = "", is_html: bool = False) -> str:
    """Return the text of the content, by its BOM, the HTTP header, its meta element, or as UTF-8 or a guess.

    What is no character in that encoding becomes U+FFFD.
    """
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return content[len(bom) :].decode(codec, "replace")
    declared = _declared(content, content_type, is_html)
    if declared:
        return content.decode(declared, "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        if _is_mostly_utf8(content):  # some bytes that are not are a defect, and no other encoding
            return content.decode(errors="replace")
    return content.decode(_guess(content), "replace")


def _declared(content: bytes, content_type: str, is_html: bool) -> str | None:
    """Return the codec that the header or the page names; None where neither names one that is known."""
    header = _CHARSET.search(content_type)
    codec = _LABELS.get(header[1].lower()) if header else None
    if codec or not is_html:
        return codec
    head = _COMMENT.sub("", content[:PRESCAN_BYTES].decode("latin-1"))
    for found in _META.finditer(head):
        codec = _LABELS.get((found[1] or found[2]).lower())
        if codec:  # a page whose ASCII can be read is in no UTF-16, whatever it says
            return "utf-8" if codec.startswith("utf-16") else codec
    return None


def _is_mostly_utf8(content: bytes) -> bool:
    sample = content[: SAMPLE_BYTES * 10]
    text = sample.decode(errors="replace")
    bad = text.count("\ufffd")
    return bad * 4 < sum(character > "\x7f" for character in text)


def _guess(content: bytes) -> str:
    """Return the codec of a text that declares none: windows-1252 unless it is of another script."""
    import charset_normalizer

    first = next((position for position, byte in enumerate(content) if byte > 0x7F), 0)
    sample = _TAG.sub(b" ", content[max(0, first - 100) : first + SAMPLE_BYTES])
    # Up to the last ASCII character that is no part of another, because a half character fits no encoding.
    end = max(sample.rfind(b"\n"), sample.rfind(b" "))
    best = charset_normalizer.from_bytes(sample[: end if end > 500 else None], cp_isolation=_GUESSED).best()
    codec = best.encoding if best else "cp1252"
    return {"big5": "big5hkscs", "shift_jis": "cp932"}.get(codec, codec)

"""From HTML to text: the main text by trafilatura, or everything that a browser shows."""

import html as html_entities
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from lxml import etree, html

from research.sources.cleaning import clean_date, clean_text
from research.sources.decoding import decode
from research.sources.extracted import NO_TEXT, Extracted, Unreadable
from research.sources.tidying import has_words, one_line, tidy

MIN_MAIN_CHARACTERS = 250
"""A shorter main text is doubted where a browser shows twice as much."""
MIN_MAIN_SHARE = 0.15
"""Of the visible text; with less, trafilatura has taken a list or a forum for the frame of an article."""
MAIN_SECONDS = 10.0
"""How long trafilatura may take before the visible text is taken."""
MAX_MAIN_CHARACTERS = 5_000_000
"""Of markup; a larger page is not given to trafilatura, because it takes minutes in single calls of lxml."""

_HIDDEN = frozenset(
    {
        "script", "style", "template", "noscript", "head", "title", "svg", "canvas", "iframe", "object",
        "embed", "audio", "video", "map", "select", "option", "datalist", "button", "input", "textarea",
        "nav", "footer", "dialog", "menu",
    }
)  # fmt: skip
_WITHIN_LINES = frozenset(
    {
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
        "font", "i", "ins", "kbd", "label", "mark", "meter", "output", "q", "rp", "rt", "ruby", "s",
        "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
    }
)  # fmt: skip
_EMPHASIS = ("b", "strong", "i", "em", "u", "mark", "sub", "sup", "s", "small", "big", "font", "wbr")
"""Without their tags, because quotations must be word for word and trafilatura marks them with asterisks."""
_NOT_DISPLAYED = re.compile(r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden", re.IGNORECASE)
_ENCODING = re.compile(r"\s{0,99}<\?xml[^>]{0,300}\?>")
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What no tree may have."""
_ESCAPED = re.compile(r"`[^`]*`|\\([!-/:-@\[-`{}~])")
"""Code in a line, or a character that trafilatura has put a backslash before."""
_JOINER = re.compile(r"[\u200c\u200d\U000e0020-\U000e007f]|&(?:zwn?j|#0{0,9}820[45]|#x0{0,9}200[cd]);", re.I)
_STAND_INS = {
    code: 0x18B00 + number for number, code in enumerate([0x200C, 0x200D, *range(0xE0020, 0xE0080)])
}
"""Letters of a dead script for the joiners and tags, which trafilatura drops: Persian and emoji need them."""
_JOINERS = {stand_in: code for code, stand_in in _STAND_INS.items()}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}", re.IGNORECASE)
_LANGUAGE_FIELDS = ("content-language", "dc.language", "og:locale")


class _TooSlow(BaseException):
    """Not an Exception, because trafilatura catches those."""


def read_html(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the main text of a page as Markdown, and what its metadata say.

    Raises:
        Unreadable: the page shows no text.
    """
    markup = decode(content, content_type, is_html=True)
    markup = _ENCODING.sub("", _INVALID.sub(" ", markup), count=1)
    with_stand_ins = _JOINER.sub(_stand_in, markup)
    found = _read(with_stand_ins, name)
    if with_stand_ins == markup:
        return found
    text, title, author = (field.translate(_JOINERS) for field in (found.text, found.title, found.author))
    return replace(found, text=text, title=title, author=author)


def _read(markup: str, name: str) -> Extracted:
    tree = _parse(markup)
    visible = visible_text(markup, tree)
    if tree is None:
        return Extracted(_some(visible), method="plain text")
    _collapse_lines(tree)
    main, metadata = _main_text(tree, name, len(markup) > MAX_MAIN_CHARACTERS)
    title = _title(tree, one_line(metadata.get("title")))
    if is_too_short(main, visible):
        main, method = visible, "plain text"
    else:
        method = "trafilatura"
    return Extracted(
        _some(main),
        title=title,
        author=one_line(metadata.get("author")),
        date=clean_date(metadata.get("date") or ""),
        language=_language(tree),
        method=method,
    )


def is_too_short(main: str, visible: str) -> bool:
    """Return whether the main text cannot be all that the page has to say."""
    if not has_words(main):
        return True
    if not has_words(visible):  # what trafilatura found is a note for browsers without scripts
        return len(main) < MIN_MAIN_CHARACTERS
    short = len(main) < MIN_MAIN_CHARACTERS and len(main) * 2 < len(visible)
    return short or len(main) < len(visible) * MIN_MAIN_SHARE


def _stand_in(found: re.Match[str]) -> str:
    return html_entities.unescape(found[0]).translate(_STAND_INS)


def visible_text(markup: str, tree: Any = None) -> str:
    """Return all that a browser shows of a page but for its navigation, as simple Markdown.

    Without a tree, because the page is nested deeper than the parser goes, it is one line.
    """
    if tree is None:
        tree = _parse(markup)
    return tidy(clean_text(markup, len(markup)) if tree is None else "\n\n".join(_visible_blocks(tree)))


def _some(text: str) -> str:
    if not has_words(text):
        raise Unreadable(NO_TEXT)
    return text


def _parse(markup: str) -> Any:
    """Return the tree of the page; None where the parser gives up and would drop the rest of the page."""
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, collect_ids=False
    )
    try:
        tree = html.document_fromstring(markup.encode(errors="replace") or b" ", parser=parser)
    except etree.ParserError:
        raise Unreadable(NO_TEXT) from None
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        return None
    return tree


def _collapse_lines(tree: Any) -> None:
    """Make one line of every text but preformatted ones, as browsers do."""
    walker = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            element.tail = _collapsed(element.tail)
        elif element.tag in ("pre", "textarea", "script"):
            walker.skip_subtree()
        else:
            element.text = _collapsed(element.text)


def _collapsed(text: str | None) -> str | None:
    if not text or "\n" not in text:
        return text
    text = _INVALID.sub(" ", text)  # which may have come as &#1;
    words = " ".join(text.split())
    return f"{' ' * text[0].isspace()}{words}{' ' * (text[-1].isspace() and bool(words))}"


def _main_text(tree: Any, name: str, is_large: bool) -> tuple[str, dict[str, str]]:
    """Return trafilatura's text and metadata; empty where it finds none, fails or takes too long.

    Of a large page it finds the metadata only.
    """
    import trafilatura

    metadata: dict[str, str] = {}
    with suppress(Exception, _TooSlow), _seconds(MAIN_SECONDS):
        address = name if name.startswith(("http://", "https://")) else None
        dates = {"extensive_search": False, "original_date": True}
        with suppress(Exception):
            found = trafilatura.extract_metadata(tree, default_url=address, date_config=dates)
            metadata = {key: value for key, value in found.as_dict().items() if isinstance(value, str)}
        if is_large:
            return "", metadata
        etree.strip_tags(tree, *_EMPHASIS)
        text = trafilatura.extract(
            tree, output_format="markdown", include_comments=False, include_tables=True, include_links=False
        )
        return tidy(without_backslashes(text or "")), metadata
    return "", metadata


def without_backslashes(markdown: str) -> str:
    """Return the Markdown with its punctuation as the page has it, because it is to be quoted."""
    lines, in_code = markdown.split("\n"), False
    for number, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            lines[number] = _ESCAPED.sub(lambda found: found[1] or found[0], line)
    return "\n".join(lines)


@contextmanager
def _seconds(seconds: float) -> Iterator[None]:
    """Raise _TooSlow in the block after so many seconds, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _title(tree: Any, found: str) -> str:
    """Return the title that trafilatura has found if the page declares it, because it may be any heading."""
    title = one_line(tree.findtext(".//title"))
    fields = (meta.get("content") or "" for meta in tree.iterfind(".//meta") if "title" in _name(meta))
    is_declared = any(found.casefold() in one_line(declared).casefold() for declared in (title, *fields))
    return found if found and (is_declared or not title) else title


def _name(meta: Any) -> str:
    return (meta.get("http-equiv") or meta.get("name") or meta.get("property") or "").lower()


def _language(tree: Any) -> str:
    """Return the language that the page declares."""
    declared = [tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""]
    for meta in tree.iterfind(".//meta"):
        if _name(meta) in _LANGUAGE_FIELDS:
            declared.append(meta.get("content") or "")
    for language in declared:
        if found := _LANGUAGE.fullmatch(language.strip()):
            primary, *rest = found[0].replace("_", "-").split("-")
            return "-".join([primary.lower(), *rest])
    return ""


def _visible_blocks(tree: Any) -> Iterator[str]:
    """Return the paragraphs, headings, items and rows of the page as a browser shows them, in order."""
    body = tree.find("body")
    walker = etree.iterwalk(tree if body is None else body, events=("start", "end"))
    parts: list[str] = []
    prefix, preformatted = "", 0

    def block() -> Iterator[str]:
        text = "".join(parts)
        text = text.strip("\n") if preformatted else " ".join(text.split())
        parts.clear()
        if text:
            yield f"{prefix}{text}"

    for event, element in walker:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in _HIDDEN or _is_hidden(element):
                walker.skip_subtree()
                continue
            if tag in ("td", "th"):
                parts += [] if element.getprevious() is None else [" | "]
            elif tag not in _WITHIN_LINES:
                yield from block()
                prefix = _prefix(tag)
                preformatted += tag == "pre"
            parts.append(element.text or "")
            continue
        if (
            tag not in _WITHIN_LINES
            and tag not in ("td", "th")
            and not (tag in _HIDDEN or _is_hidden(element))
        ):
            yield from block()
            prefix = ""
            preformatted -= tag == "pre"
        if element is not body:
            parts.append(element.tail or "")
    yield from block()


def _is_hidden(element: Any) -> bool:
    style = element.get("style")
    return element.get("hidden") is not None or bool(style and _NOT_DISPLAYED.search(style[:500]))


def _prefix(tag: str) -> str:
    if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
        return f"{'#' * int(tag[1])} "
    return "- " if tag == "li" else ""

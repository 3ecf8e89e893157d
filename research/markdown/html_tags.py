"""Tags of HTML in a line of Markdown: what they mean for its words.

A known tag is read by what it means. What only looks like one (`List<int>`, `a < b`) stays text, and so does
code. Of scripts, styles and drawings nothing is shown.
"""

import re
from collections.abc import Iterator
from html import unescape

from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from research.markdown.html_table import line_break

STYLES = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("i", "em", "u", "ins", "cite", "dfn", "var"), "em"),
    **dict.fromkeys(("s", "del", "strike"), "s"),
    **{tag: tag for tag in ("sub", "sup", "mark", "small")},
    "a": "link",
}
"""The kind of token for each tag of emphasis; underlined text is emphasized, as typographers do."""
LISTS = ("ul", "ol", "li", "blockquote")
LABELS = ("summary", "dt", "caption", "figcaption", "legend")
"""Tags whose text names what follows, and is bold."""
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = {
    *LISTS, *LABELS, *HEADINGS, "p", "div", "center", "section", "article", "header", "footer", "main",
    "aside", "nav", "address", "figure", "details", "dl", "dd", "form", "hr",
    "table", "thead", "tbody", "tfoot", "tr", "td", "th", "option",
}  # fmt: skip
_WITHOUT_MEANING = (
    "span", "font", "abbr", "time", "nobr", "wbr", "big", "q", "bdi", "bdo", "picture", "source",
    "code", "kbd", "samp", "tt", "colgroup", "col",
)  # fmt: skip
_WORDS = {
    "iframe", "video", "audio", "track", "canvas", "object", "param", "embed", "template", "noscript",
    "script", "style", "svg", "math", "input", "label", "button", "select", "optgroup", "option", "textarea",
    "output", "ruby", "rb", "rt", "rp", "data", "map", "area", "meter", "progress", "html", "head", "body",
    "meta", "link",
}  # fmt: skip
"""Tags whose names are placeholders, too (`<input>`): they have an attribute, or a tag that closes them."""
_KNOWN = {*_BLOCKS, *STYLES, *_WITHOUT_MEANING, *_WORDS, "br", "img"}
MAX_OPEN = 12
"""Tags within each other; deeper ones have no meaning."""

MAX_CONTENT = 8_000
"""Characters between a tag that may be a word, or whose content is not shown, and the tag that closes it."""
_VALUE = r"""(?:"[^"]{0,2000}"|'[^']{0,2000}'|[^\s"'=<>`]+)"""
_FLAGS = (
    "open|hidden|reversed|controls|autoplay|loop|muted|playsinline|checked|disabled|selected|required|readonly"
    "|multiple|async|defer|allowfullscreen|nowrap|download|itemscope|novalidate"
)
_TAG = re.compile(
    rf"<(/?)([a-z][a-z0-9]*)((?:\s{{1,99}}(?:[a-z@:][-\w:.]*\s{{0,9}}=\s{{0,9}}{_VALUE}|{_FLAGS})){{0,40}})"
    r"\s{0,9}/?>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(rf"([a-z][-\w:.]*)\s*=\s*({_VALUE})", re.IGNORECASE)
_CODE = re.compile(r"<(code|kbd|samp|tt)(?:\s[^<>]{0,200})?>([^<\n]{1,1000})</\1>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style|svg|math)(?:\s[^<>]{0,500})?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]{0,500}>")
_LINE_END = re.compile(r"[ \t]{0,99}\n?[ \t]{0,99}")


def is_tag(text: str, position: int) -> bool:
    """Return whether a known tag, or a comment, begins at the position."""
    return text.startswith("<!--", position) or _match_tag(text, position) is not None


def _match_tag(text: str, position: int) -> re.Match[str] | None:
    """Return the known tag at the position, or None."""
    found = _TAG.match(text, position)
    if not found or found[2].lower() not in _KNOWN:
        return None
    if found[2].lower() in _WORDS and not found[1] and not found[3]:
        return found if _closing(text, found[2], found.end()) >= 0 else None
    return found


def _closing(text: str, name: str, start: int) -> int:
    """Return where the tag begins that closes what begins at the start; or -1."""
    return text.find(f"</{name}>", start, start + MAX_CONTENT)


def parse_tag(state: StateInline, silent: bool) -> bool:
    """Parse one known tag, a comment, or code in HTML."""
    start = state.pos
    if state.src.startswith("<!--", start):
        end = state.src.find("-->", start + 4)
        if end >= 0:
            state.pos = end + 3
            state.pos += state.src[state.pos : state.pos + 1] == " " and state.src[start - 1 : start] == " "
        return end >= 0
    if code := _CODE.match(state.src, start):
        state.pos = code.end()
        if not silent:
            state.push("code_inline", "code", 0).content = unescape(code[2])
        return True
    if (unseen := _UNSEEN.match(state.src, start)) and (
        end := _closing(state.src, unseen[1], unseen.end())
    ) >= 0:
        state.pos = end + len(f"</{unseen[1]}>")
        if not silent and unseen[1].lower() == "math":
            state.push("text", "", 0).content = unescape(_ANY_TAG.sub("", state.src[unseen.end() : end]))
        return True
    found = _match_tag(state.src, start)
    if not found:
        return False
    state.pos = found.end()
    if found[2].lower() == "br":
        state.pos = _LINE_END.match(state.src, state.pos).end()  # type: ignore[union-attr]
    if not silent:
        token = state.push("html", found[2].lower(), 0)
        token.markup = found[0]
        token.attrs = {
            name.lower(): _value(state, name.lower(), value) for name, value in _ATTRIBUTE.findall(found[3])
        }
        # `List<i>` is prose: a tag that begins emphasis stands before a word, not behind one.
        token.meta = {"closes": bool(found[1]), "behind_word": state.src[start - 1 : start].isalnum()}
        if token.tag == "a":
            state.linkLevel += -1 if found[1] else 1
    return True


def _value(state: StateInline, name: str, value: str) -> str:
    """Return the value of an attribute, an address as Markdown has it."""
    bare = unescape(value.strip("\"'"))
    return state.md.normalizeLink(bare) if name in ("href", "src") else bare


def resolve_tags(children: list[Token]) -> Iterator[Token]:
    """Yield the tokens of a text, of whose tags only those of blocks are left."""
    _pair(children)
    for token in children:
        if token.type != "html" or token.tag in _BLOCKS:
            yield token
        elif token.tag == "br":
            yield line_break()
        elif token.tag == "img":
            alt, address = (str(token.attrs.get(name, "")) for name in ("alt", "src"))
            words = [Token("text", "", 0, content=alt)]
            yield Token("image", "img", 0, content=alt, attrs={"src": address}, children=words)
        elif token.tag in STYLES and token.meta["behind_word"] and not token.meta["closes"]:
            yield Token("text", "", 0, content=token.markup)


def _pair(children: list[Token]) -> None:
    """Make Markdown's tokens of the tags that open and close emphasis or a link at the same level."""
    opened: list[tuple[Token, int]] = []
    level = 0
    for token in children:
        if token.type != "html":
            level += token.nesting
            while opened and opened[-1][1] > level:
                opened.pop()
        elif token.tag in STYLES and not token.meta["closes"]:
            if len(opened) < MAX_OPEN and (token.tag != "a" or "href" in token.attrs):
                opened.append((token, level))
        elif token.tag in STYLES:
            tags = [begin.tag if at == level else "" for begin, at in opened]
            if token.tag not in tags:
                continue
            place = len(tags) - 1 - tags[::-1].index(token.tag)
            begin, _ = opened[place]
            del opened[place:]
            begin.type, begin.nesting = f"{STYLES[token.tag]}_open", 1
            token.type, token.nesting = f"{STYLES[token.tag]}_close", -1

"""Clean the text of an answer: what models add to it that is no part of the report.

Removes reasoning (`<think>…</think>`), the fence around a whole answer and the providers' own
citation markers. Code blocks and inline code stay as they are. Pure functions.
"""

import re
from collections.abc import Iterator

from research.markdown.fences import Fence, closes, code_lines, leaves, opening

_NAMES = r"(?:think|thinking|thoughts?|reasoning|seed:think)"
_OPEN = rf"<{_NAMES}(?:\s[^<>\n]{{0,200}})?>|\[THINK\]|◁think▷"
_CLOSE = rf"</{_NAMES}\s*>|\[/THINK\]|◁/think▷"
_TAG = re.compile(rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})", re.IGNORECASE)
_MENTION_WORDS = 3
"""Words between two tags on one line of prose that is about the tags, as in "<think> and </think>"."""

_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_TAG_OR_CODE = re.compile(rf"{_TAG.pattern}|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)", re.IGNORECASE)
_CLOSING_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_LINE_START = re.compile(rf"\n[ \t]*(?:(?:{_OPEN}|{_CLOSE})[ \t]*)?\Z", re.IGNORECASE)
_LINE_END = re.compile(r"[ \t]*(?:\n|\Z)")
_CITATION = re.compile(
    r"(?<![ \t])[ \t]*(?:"  # or a run of white space would be searched from each of its characters
    r"\ue200[^\ue200\ue201\n]{0,2000}(?:\ue201|\Z)"  # OpenAI's web search
    r"|\bcite(?:turn\d{1,9}[a-z]{1,30}\d{1,9})+"  # the same without its private-use characters
    # OpenAI's file search in a thread; without the colon it may be a citation, which only the check can know.
    r"|【\s{0,9}\d{1,9}:\d{1,9}\s{0,9}†[^】\n]{0,300}】"
    r"|:contentReference\[oaicite:\d{1,9}\](?:\{index=\d{1,9}\})?|\[oaicite:\d{1,9}\]"
    r"|\[cite(?:_start|:[\d,\s]{1,100})\]"  # Gemini
    r")"
)


def clean(text: str, finished: bool = True) -> str:
    """Return the answer without reasoning, outer fence and citation markers.

    `finished` says whether the model came to the end of the answer: only then can reasoning that
    is never closed be a text that forgot to close it.
    """
    return strip_citation_markers(unwrap_fence(strip_reasoning(text, finished)))


def strip_reasoning(text: str, finished: bool = True) -> str:
    """Return the text without the reasoning that tags such as `<think>` enclose.

    Reasoning begins at an opening tag at the start of a line, or within a line where more than a
    few words follow up to the closing tag. Without an opening tag, as some chat templates have
    it, reasoning begins with the text. Reasoning that is never closed goes on to the end.
    """
    if not _TAG.search(text):
        return text
    kept: list[str] = []
    position, opened, is_first = 0, -1, True
    for tag in _tags(text):
        if tag["open"]:
            kept.append(text[position : tag.start()])
            opened = tag.end()
        elif opened < 0 and not _stands_alone(text, tag) and not (is_first and _is_at_edge(text, tag)):
            continue  # because prose may speak of such tags
        elif opened < 0 and (not is_first or (finished and not text[tag.end() :].strip())):
            kept.append(text[position : tag.start()])  # a stray tag: the text before it is kept
        position, opened, is_first = tag.end(), opened if tag["open"] else -1, False
    if opened < 0:
        kept.append(text[position:])
    answer = "".join(kept).strip()
    if not answer and opened >= 0 and finished:
        return text[opened:].strip()  # a whole answer after a tag that was never closed
    return text if is_first else answer


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags that open and close reasoning, and closing tags that stand in prose.

    A tag in a code block or in inline code is text about such tags. Reasoning is read without
    regard to its own code: what it opens does not reach into the answer.
    """
    closing_fences = {found[1]: found.start() for found in _CLOSING_FENCE.finditer(text)}
    offset, in_reasoning = 0, False
    fence: Fence | None = None
    for line in text.splitlines(keepends=True):
        position, offset = offset, offset + len(line)
        if fence and not leaves(line, fence):
            fence = None if closes(line, fence) else fence
            continue
        fence = None if in_reasoning else opening(line)
        if fence and any(run.startswith(fence.marks) and at >= offset for run, at in closing_fences.items()):
            continue
        fence = None
        while tag := (_TAG if in_reasoning else _TAG_OR_CODE).search(text, position, offset):
            position = tag.end()
            if tag["close"] or (tag["open"] and not in_reasoning and _opens(text, tag)):
                in_reasoning = bool(tag["open"])
                yield tag


def _opens(text: str, tag: re.Match[str]) -> bool:
    """Return whether the tag opens reasoning, as against a sentence about such tags."""
    if _starts_line(text, tag):
        return True
    close = _TAG.search(text, tag.end())
    if close is None or not close["close"]:
        return False
    inside = text[tag.end() : close.start()]
    return "\n" in inside or len(inside.split()) > _MENTION_WORDS


def _starts_line(text: str, tag: re.Match[str]) -> bool:
    before = text[tag.start() - 300 : tag.start()] if tag.start() > 300 else f"\n{text[: tag.start()]}"
    return _LINE_START.search(before) is not None


def _is_at_edge(text: str, tag: re.Match[str]) -> bool:
    return _starts_line(text, tag) or _LINE_END.match(text, tag.end()) is not None


def _stands_alone(text: str, tag: re.Match[str]) -> bool:
    return _starts_line(text, tag) and _LINE_END.match(text, tag.end()) is not None


def unwrap_fence(text: str) -> str:
    """Return the content of a fence marked markdown, md or nothing that encloses the whole text.

    A text that merely begins and ends with code blocks stays as it is.
    """
    lines = text.strip().split("\n")
    outer = opening(lines[0])
    if not outer or outer.prefix or outer.info.lower() not in ("markdown", "md", ""):
        return text
    bare = _bare_fences(lines[1:], outer)
    body = lines[1:-1] if bare and bare[-1] == len(lines) - 2 else None
    if body is not None and (len(bare) == 1 or (len(bare) % 2 and outer.info and _begins_with_heading(body))):
        return "\n".join(body).strip("\n")
    if not bare and outer.info:  # cut before its end
        return "\n".join(lines[1:]).strip("\n")
    return text


def _bare_fences(lines: list[str], outer: Fence) -> list[int]:
    """Return the lines that could close the outer fence: fences without a language, not in a block."""
    found = []
    inner: Fence | None = None
    for number, line in enumerate(lines):
        if inner and not leaves(line, inner):
            inner = None if closes(line, inner) else inner
        elif closes(line, outer):
            inner = None
            found.append(number)
        else:
            inner = opening(line)
    return found


def _begins_with_heading(lines: list[str]) -> bool:
    first = next((line for line in lines if line.strip()), "")
    return re.match(r"#{1,6} ", first) is not None


def strip_citation_markers(text: str) -> str:
    """Return the text without the citation markers of the providers' own search tools.

    `【4†source】` stays: where the prompt has numbered sources it is a citation, and else the check of the
    citations removes it.
    """
    if not _CITATION.search(text):
        return text
    return "".join(part if is_code else _CITATION.sub("", part) for is_code, part in _parts(text))


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the text in order as (is it code, part)."""
    lines = text.splitlines(keepends=True)
    for line, is_code in zip(lines, code_lines(lines), strict=True):
        if is_code:
            yield True, line
        else:
            position = 0
            for code in _INLINE_CODE.finditer(line):
                yield False, line[position : code.start()]
                yield True, code.group()
                position = code.end()
            yield False, line[position:]

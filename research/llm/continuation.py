"""Where a text that was broken off goes on: no word twice, no broken Markdown, never pasted twice."""

import re
from difflib import SequenceMatcher

CONTINUE_PROMPT = (
    "Your answer above was cut off. Go on exactly where it stops, with the very next word."
    " Repeat nothing, do not begin again, and add no remark of your own."
)
SHORTEST = 40
"""Characters of a draft that are worth going on from."""

_HEAD = 160
"""Characters of a continuation that are always enough to judge it."""
_WORDS = 12
"""Words that tell whether it is the answer from its beginning."""
_SMALLEST_OVERLAP = 10
_REMARK = r"\s*(sure|certainly|of course|okay|here|continuing|continued)\b"
_PREAMBLE = re.compile(rf"{_REMARK}[^\n]{{0,80}}:\s*\n+", re.I)


def trim_partial_word(text: str) -> str:
    """The text up to its last word that is surely whole, with the white space after that.

    The last word may be half a word, and white space at the very end half of it; a script that
    has no spaces is left as it is. Empty where too little is left to go on from.
    """
    match = re.search(r"\S+\s*\Z", text)
    if match and len(match.group()) <= 100:
        text = text[: match.start()]
    return text if len(text) >= SHORTEST else ""


def first_half(text: str) -> str:
    """At most half of the text, ending before a heading, or else at a paragraph's end."""
    half = text[: len(text) // 2]
    for pattern in (r"\n(?=#{1,6} )", r"\n\s*\n"):
        ends = [match.start() for match in re.finditer(pattern, half)]
        if ends and ends[-1] > len(half) // 2:
            return half[: ends[-1]]
    return half


class ContinuationJoiner:
    """Joins what comes to what is there; its first characters wait until they can be judged."""

    def __init__(self, before: str) -> None:
        self.text = before
        self.is_empty = True
        """Nothing but white space has come."""
        self.started_over = False
        self._head: str | None = "" if before else None

    def add(self, piece: str) -> str:
        """The whole text so far, with this piece or without it while that is being judged."""
        self.is_empty &= not piece.strip()
        if self._head is None:
            self.text += piece
        else:
            self._head += piece
            if len(self._head) >= _HEAD or self._is_clear(self._head):
                self._judge(self._head)
        return self.text

    def end(self) -> str:
        """The whole text, when nothing more comes."""
        if self._head is not None:
            self._judge(self._head)
        return self.text

    def _is_clear(self, head: str) -> bool:
        """Whether more of the head would change nothing: what waits to be judged can be lost."""
        remark = re.match(_REMARK, head, re.IGNORECASE)
        return len(re.findall(r"\w+", head)) > _WORDS and not remark and head.strip() not in self.text

    def _judge(self, head: str) -> None:
        self._head = None
        self.started_over = _starts_over(self.text, head)
        self.text = head if self.started_over else self.text + _join(self.text, head)


def _starts_over(before: str, head: str) -> bool:
    """Whether a continuation is the answer from its beginning."""
    old, new = (re.findall(r"\w+", text.lower())[:_WORDS] for text in (before, head))
    length = min(len(old), len(new))
    if length >= 4 and SequenceMatcher(None, old[:length], new[:length]).ratio() > 0.6:
        return True
    return before.startswith("# ") and head.lstrip().startswith("# ")


def _join(before: str, head: str) -> str:
    head = _PREAMBLE.sub("", head, count=1) if _PREAMBLE.match(head) else head
    if _in_code(before):  # a fence that is open is not opened again
        head = re.sub(r"\A\s*(```|~~~)\w+[^\n]*\n", "", head)
    if before[-1:].isspace():
        head = head.lstrip()
    solid = before.rstrip()
    for length in range(min(len(head), len(solid)), _SMALLEST_OVERLAP - 1, -1):
        if solid.endswith(head[:length].rstrip()) and len(head[:length].rstrip()) >= _SMALLEST_OVERLAP:
            rest = head[length:]
            return rest.lstrip() if before[-1:].isspace() else rest
    return head


def _in_code(text: str) -> bool:
    return len(re.findall(r"^ {0,3}(?:```|~~~)", text, re.MULTILINE)) % 2 == 1

"""Prove that a continuation repeats the text it continues, begins it again, or stands behind a remark."""

from typing import NamedTuple

import regex

MAX_WAIT = 600
"""Characters of a continuation that may be held back until it is judged."""
MIN_RESTART = 100
"""Characters that have to equal the draft's beginning to prove that the answer began again."""
MAX_RESTART = 300
"""Characters that prove it where the draft's first line is longer than that."""
MIN_OVERLAP = 24
"""Characters that have to equal the draft's end; one of a script without spaces counts twice."""
MAX_OVERLAP = 400
MIN_OVERLAP_WORDS = 4
"""Different words in an overlap; two characters of a script without spaces count as one."""

_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_WORD = regex.compile(rf"{_SPACELESS}|(?:(?!{_SPACELESS})\w)+")
_IS_SPACELESS = regex.compile(_SPACELESS)
_TOKEN = regex.compile(rf"(?<!\S)\S|{_WORD.pattern}")
_LINE_START = regex.compile(r"(?:\A|\n)[ \t]*(?=\S)")
_FENCE = regex.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\n`]*?)[ \t\r]*$", regex.MULTILINE)
_RESUMED = (
    r"(?:\b(?:rest|remain(?:der|ing)|continu\w+|left off|stopped|cut off|full|complete|entire|whole"
    r"|Fortsetzung|suite|continuación|resto|продолжени\w+)\b|续|接着|続き)"
)
# With a capital letter or a comma that stands inside no sentence: "and here is the rest:" is text.
_REMARK = regex.compile(
    r"(?:(?:Sure|Certainly|Of course|Absolutely|Okay|OK|Understood|Natürlich|Gerne|Bien sûr|Claro"
    r"|Por supuesto|Конечно|好的|没问题|もちろんです|承知しました)[,!.，！。、][^\n:：]{0,100}?"
    r"|(?:Here(?: is|'s|’s) the|Hier ist (?:die|der)|Voici la|Aquí está (?:la|el)|Вот) [^\n:：]{0,20}?"
    r"|(?:Continuing|Picking up|Resuming) (?:from|exactly|right|where)[^\n:：]{0,40}?)"
    rf"{_RESUMED}[^\n:：]{{0,60}}[:：][ \t]*\r?\n\s*"
)


class Evidence(NamedTuple):
    """What in a continuation of one draft would prove a repetition.

    Nothing is proven unless the draft ends inside a line after a word: only there no exact
    continuation begins with a block of the text, a remark or a fence. At a line's beginning a
    templated text often repeats itself.
    """

    solid: str = ""
    """The draft without white space at its end; empty if nothing can be proven."""
    restart: str = ""
    """The draft's beginning, as long as it takes to prove a restart; empty if nothing proves it."""
    openings: tuple["regex.Pattern[str]", ...] = ()
    """What stands in front of a continuation: a remark, the code fence opened again."""
    starts: tuple[int, ...] = ()
    """The places in the draft at which an overlap can begin."""

    @classmethod
    def of_prefill(cls, draft: str) -> "Evidence":
        """Return the evidence against a model that continues its own message: the whole draft again."""
        whole = draft.strip()
        is_proof = not draft.endswith("\n") and not _is_periodic(whole)
        return cls(restart=whole if is_proof else "")

    @classmethod
    def of_turn(cls, draft: str) -> "Evidence":
        """Return the evidence against a model that was asked in a further turn to continue."""
        solid = draft.rstrip()
        line = solid.rpartition("\n")[2]
        if draft[len(solid) :] not in ("", " ") or not regex.search(r"\w\Z", solid) or not _has_letter(line):
            return cls()
        openings = [_REMARK] if not _REMARK.search(draft) else []
        if (fence := open_fence(draft)) and fence[1]:
            openings.append(regex.compile(regex.escape("".join(fence)) + r"[ \t]*\r?\n"))
        return cls(solid, _restart_proof(solid), tuple(openings), tuple(_overlap_starts(solid)))

    def overlap(self, rest: str, is_last: bool) -> int | None:
        """Return how many characters of the continuation repeat the draft's end; None: still open."""
        found = []
        for start in self.starts:
            block = self.solid[start:]
            if not is_last and len(rest) <= len(block) and block.startswith(rest):
                return None
            if rest.startswith(block) and _ends_a_word(rest, len(block)) and _is_distinctive(block):
                found.append(len(block))
        return found[0] if len(found) == 1 else 0


def _overlap_starts(solid: str) -> list[int]:
    """Return the words of the last line, and the lines before it, at which an overlap can begin.

    Left out is what a text that repeats itself would have there: before the first copy the same
    word as at the end of it. An overlap does not begin inside an earlier line, because lines that
    differ often end alike.
    """
    tail = max(0, len(solid) - MAX_OVERLAP)
    last_line = max(tail, solid.rfind("\n") + 1)
    last_word = _WORD.findall(solid[tail:])[-1]
    places = {match.start() for match in _TOKEN.finditer(solid, last_line)}
    places |= {match.end() for match in _LINE_START.finditer(solid, tail)}
    size = len(last_word) + 100  # and the white space after it
    return [p for p in sorted(places) if not solid[max(0, p - size) : p].rstrip().endswith(last_word)]


def _restart_proof(solid: str) -> str:
    """Return as much of the draft's beginning as the draft itself does not repeat."""
    start = solid.lstrip()
    tail = max(1, len(solid) - MAX_WAIT)
    if any(start.startswith(solid[match.start() :]) for match in _TOKEN.finditer(solid, tail)):
        return ""  # the draft itself is about to repeat its beginning
    for length in (start.find("\n") + 1, MIN_RESTART, MAX_RESTART, MAX_WAIT):
        proof = start[:length]
        is_long = length >= MIN_RESTART and ("\n" in proof or length >= MAX_RESTART)
        if (is_long or proof == start) and start.find(proof, 1) < 0 and not _is_periodic(proof):
            return proof if len(proof) >= MIN_OVERLAP else ""
    return ""


def _is_distinctive(block: str) -> bool:
    """Return whether nobody would write the block twice in succession inside a line."""
    words = {word for word in _WORD.findall(block) if _has_letter(word)}
    spaceless = len(_IS_SPACELESS.findall(block))
    weight = sum(1 if _IS_SPACELESS.match(word) else 2 for word in words)
    is_long = len(block) + spaceless >= MIN_OVERLAP and weight >= 2 * MIN_OVERLAP_WORDS
    return is_long and not _is_periodic(block)


def _is_periodic(block: str) -> bool:
    """Return whether the block repeats its beginning, so that it is about to do so again."""
    half = block[: len(block) - len(block) // 2]
    period = block.find(half, 1)
    while period > 0 and not block.startswith(block[period:]):
        period = block.find(half, period + 1)
    return period > 0


def _ends_a_word(text: str, end: int) -> bool:
    return bool(_IS_SPACELESS.match(text, end - 1)) or not regex.match(r"\w", text[end : end + 1])


def _has_letter(text: str) -> bool:
    return any(character.isalpha() for character in text)


def is_spaceless(text: str) -> bool:
    """Return whether the text begins with a letter of a script that is written without spaces."""
    return bool(_IS_SPACELESS.match(text))


def open_fence(text: str) -> tuple[str, str] | None:
    """Return marker and info string of the code fence that is open at the text's end."""
    fence: tuple[str, str] | None = None
    for match in _FENCE.finditer(text[: text.rfind("\n") + 1]):
        marker, info = match.groups()
        if fence is None:
            fence = (marker, info)
        elif marker.startswith(fence[0]) and not info:
            fence = None
    return fence

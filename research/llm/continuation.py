"""Join the continuation of a truncated text to it, so that nothing is lost or changed.

A continuation is appended unless it is proven to be a repetition. In doubt it is appended:
a reader sees a paragraph that stands there twice, but not one that is missing.
"""

from typing import NamedTuple

import regex

CONTINUE_PROMPT = (
    "Your answer above was cut off. Go on exactly where it stops, with the very next word."
    " Repeat nothing, do not begin again, and add no remark of your own."
)
MIN_DRAFT = 40
"""Characters of a draft below which the answer is requested again from its beginning."""
MAX_TRIM = 120
"""Characters at a draft's end in which the best place to continue is searched."""
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


def trim_partial_word(text: str) -> str:
    """Return the text up to a place at which a continuation can be joined exactly.

    The last word may be half a word, and the white space at the end may be half of it. So the result
    is always followed, in the model's own text, by a character that is no white space, and ends
    with all the white space before that. Preferred are places between two words of one line,
    or two characters of a script without spaces: a model resumes there with the least doubt. A grapheme
    cluster is never split. Empty if less than MIN_DRAFT characters would be left.
    """
    solid = text.rstrip()
    clusters: list[str] = regex.findall(r"\X", solid[-2 * MAX_TRIM :])
    end = len(solid)
    ranked: dict[int, int] = {}
    for i in range(len(clusters) - 1, 0, -1):
        end -= len(clusters[i])
        if len(solid) - end > MAX_TRIM:
            break
        rank = _rank_place(clusters, i, solid[:end].rpartition("\n")[2])
        ranked.setdefault(rank, end)
        if rank == 0:
            break
    trimmed = solid[: ranked[min(ranked)]] if ranked else ""
    return trimmed if len(trimmed) >= MIN_DRAFT else ""


def _rank_place(clusters: list[str], i: int, line: str) -> int:
    """Return how well the text can be continued before cluster i, from 0 (best) to 4 (not at all)."""
    left, right = clusters[i - 1], clusters[i]
    if right.isspace():
        return 4
    if not left.isspace():
        return 0 if _IS_SPACELESS.match(left) and _IS_SPACELESS.match(right) else 3
    if left == " " and i > 1 and _is_word(clusters[i - 2]) and _is_word(right):
        return 0
    return 1 if line.strip() else 2


def _is_word(cluster: str) -> bool:
    return cluster[0].isalnum()


def first_half(text: str) -> str:
    """Return at most half of the text, ending before a heading, or else at a paragraph's end."""
    half = text[: len(text) // 2]
    for pattern in (r"\n(?=#{1,6} )", r"\n\s*\n"):
        ends = [match.start() for match in regex.finditer(pattern, half)]
        if ends and ends[-1] > len(half) // 2:
            return half[: ends[-1]]
    return half


class ContinuationJoiner:
    """Join the pieces of a continuation to a draft.

    The first pieces are held back while more of them could still prove a repetition: at most
    MAX_WAIT characters, and in most cases one or two words.

    An answer that is proven to begin again replaces the draft when it has become longer than the
    draft; until then `text` is the draft, which so survives another interruption.

    Args:
        draft: What was sent to the model, as `trim_partial_word` returned it.
        prefill: Whether the model continues its own message. Then only an answer that repeats the
            draft from its beginning is judged (some providers return the prefill with the answer).
    """

    def __init__(self, draft: str, prefill: bool = False) -> None:
        self.text = draft
        """The whole text so far."""
        self.is_empty = True
        """Whether nothing but white space has come."""
        self.restarted = False
        """Whether the model began its answer again, so that the draft was paid again."""
        self.replaced = False
        """Whether the new answer took the draft's place and differs from it."""
        self.doubled = False
        """Whether the new answer was appended to the draft, because it ended before it was as long."""
        self._draft = draft
        self._prefill = prefill
        self._evidence = _Evidence.of_prefill(draft) if prefill else _Evidence.of_turn(draft)
        self._max_wait = len(draft) if prefill else MAX_WAIT
        self._head: str | None = "" if draft else None
        self._again: str | None = None

    def add(self, piece: str) -> str:
        """Return the whole text so far, without what is held back."""
        self.is_empty &= not piece.strip()
        if self._head is not None:
            self._judge(self._head + piece, is_last=len(self._head) > self._max_wait)
        elif self._again is not None:
            self._grow_restart(self._again + piece)
        else:
            self.text += piece
        return self.text

    def end(self, is_whole: bool = True) -> str:
        """Return the whole text when nothing more comes.

        A new answer that ended before it was as long as the draft is appended to it, so that
        neither is lost; not if the stream broke (`is_whole` False), because then it is requested again.
        """
        if self._head is not None:
            self._judge(self._head, is_last=True)
        again, self._again = self._again, None
        if again is not None and is_whole and not self._draft.startswith(again.rstrip()):
            self.doubled = True
            fence = _open_fence(self._draft)
            self.text = self._draft.rstrip() + (f"\n{fence[0]}" if fence else "") + "\n\n" + again
        return self.text

    def _judge(self, head: str, is_last: bool) -> None:
        """Append the head, or what of it is no repetition; hold it back if more may prove more."""
        self._head = head
        rest = head.lstrip()
        if not (rest or is_last):
            return
        white_space = head[: len(head) - len(rest)]
        for pattern in self._evidence.openings:
            if match := pattern.match(rest):
                rest, white_space = rest[match.end() :].lstrip(), ""
            elif not is_last and pattern.fullmatch(rest, partial=True):
                return
        overlap = self._evidence.overlap(rest, is_last)
        restart = self._evidence.restart
        if overlap is None or (not is_last and restart.startswith(rest) and len(rest) < len(restart)):
            return
        self._head = None
        if overlap:
            white_space = rest[overlap : len(rest) - len(rest[overlap:].lstrip())]
            self.text = _concatenate(self._draft, white_space, rest[overlap:].lstrip())
        elif restart and rest.startswith(restart):
            self.restarted = not self._prefill
            self._grow_restart(rest)
        else:
            self.text = _concatenate(self._draft, white_space, rest)

    def _grow_restart(self, answer: str) -> None:
        """Hold back the answer that began again until it is longer than the draft."""
        self._again = answer
        if len(answer) > len(self._draft):
            self.replaced = not answer.startswith(self._draft.strip())
            self.text, self._again = answer, None


class _Evidence(NamedTuple):
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
    def of_prefill(cls, draft: str) -> "_Evidence":
        """Return the evidence against a model that continues its own message: the whole draft again."""
        whole = draft.strip()
        is_proof = not draft.endswith("\n") and not _is_periodic(whole)
        return cls(restart=whole if is_proof else "")

    @classmethod
    def of_turn(cls, draft: str) -> "_Evidence":
        """Return the evidence against a model that was asked in a further turn to continue."""
        solid = draft.rstrip()
        line = solid.rpartition("\n")[2]
        if draft[len(solid) :] not in ("", " ") or not regex.search(r"\w\Z", solid) or not _has_letter(line):
            return cls()
        openings = [_REMARK] if not _REMARK.search(draft) else []
        if fence := _open_fence(draft):
            openings += (
                [regex.compile(regex.escape(fence[0] + fence[1]) + r"[ \t]*\r?\n")] if fence[1] else []
            )
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
    size = len(last_word) + MAX_TRIM
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
            return proof if len(proof) >= MIN_DRAFT else ""
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


def _concatenate(draft: str, white_space: str, rest: str) -> str:
    """Join draft and continuation with white space once.

    Some providers send the white space that the draft ends with, others strip it: the draft's is kept
    unless the model wrote more line breaks.
    """
    solid = draft.rstrip()
    own = draft[len(solid) :]
    return solid + (white_space if not own or white_space.count("\n") > own.count("\n") else own) + rest


def _open_fence(text: str) -> tuple[str, str] | None:
    """Return marker and info string of the code fence that is open at the text's end."""
    fence: tuple[str, str] | None = None
    for match in _FENCE.finditer(text[: text.rfind("\n") + 1]):
        marker, info = match.groups()
        if fence is None:
            fence = (marker, info)
        elif marker.startswith(fence[0]) and not info:
            fence = None
    return fence

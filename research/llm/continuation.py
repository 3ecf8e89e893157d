"""Join the continuation of a truncated text to it, so that nothing is lost or changed.

A continuation is appended unless it is proven to be a repetition. In doubt it is appended:
a reader sees a paragraph that stands there twice, but not one that is missing.
"""

import regex

from research.llm.repetition import MAX_WAIT, Evidence, is_spaceless, open_fence

CONTINUE_PROMPT = (
    "Your answer above was cut off. Go on exactly where it stops, with the very next word."
    " Repeat nothing, do not begin again, and add no remark of your own."
)
MIN_DRAFT = 40
"""Characters of a draft below which the answer is requested again from its beginning."""
MAX_TRIM = 120
"""Characters at a draft's end in which the best place to continue is searched."""


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
        return 0 if is_spaceless(left) and is_spaceless(right) else 3
    if left == " " and i > 1 and _is_word(clusters[i - 2]) and _is_word(right):
        return 0
    return 1 if line.strip() else 2


def _is_word(cluster: str) -> bool:
    return cluster[0].isalnum()


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
        self._evidence = Evidence.of_prefill(draft) if prefill else Evidence.of_turn(draft)
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
            fence = open_fence(self._draft)
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


def _concatenate(draft: str, white_space: str, rest: str) -> str:
    """Join draft and continuation with white space once.

    Some providers send the white space that the draft ends with, others strip it: the draft's is kept
    unless the model wrote more line breaks.
    """
    solid = draft.rstrip()
    own = draft[len(solid) :]
    return solid + (white_space if not own or white_space.count("\n") > own.count("\n") else own) + rest

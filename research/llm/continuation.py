"""Join the rest of an interrupted text to it, so that nothing is lost or changed.

What a model wrote is appended unless it is proven to be a repetition. In doubt it is appended:
a reader sees a paragraph that stands there twice, but not one that is missing.
"""

from abc import ABC, abstractmethod

import regex

from research.llm.blocks import MIN_DRAFT, joint
from research.llm.repetition import MAX_WAIT, Evidence, is_periodic, is_spaceless

MAX_TRIM = 120
"""Characters at a draft's end in which the best place to continue is searched."""


def trim_partial_word(text: str) -> str:
    """Return the text up to a place at which a model that continues its own message does so exactly.

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


class Joiner:
    """Join the pieces of an answer to a draft: this one appends them as they come."""

    def __init__(self, draft: str) -> None:
        self.text = draft
        """The whole text so far."""
        self.is_empty = True
        """Whether nothing new has come but white space."""
        self.replaced = False
        """Whether the model began again, and its new answer took the draft's place."""

    @property
    def is_holding(self) -> bool:
        """Whether something has come that is not in `text` yet."""
        return False

    def add(self, piece: str) -> str:
        """Return the whole text so far, without what is held back."""
        self.is_empty &= not piece.strip()
        self.text += piece
        return self.text

    def end(self, is_whole: bool = True) -> str:
        """Return the whole text when nothing more comes; `is_whole` says whether the model had finished."""
        return self.text


class _JudgingJoiner(Joiner, ABC):
    """Holds the beginning of an answer back until it is judged."""

    def __init__(self, draft: str, max_wait: int) -> None:
        super().__init__(draft)
        self._draft = draft
        self._max_wait = max_wait
        self._head: str | None = "" if draft else None

    @property
    def is_holding(self) -> bool:
        return bool(self._head)

    def add(self, piece: str) -> str:
        if self._head is None:
            return super().add(piece)
        self._head += piece
        self._decide(is_last=len(self._head) > self._max_wait)
        return self.text

    def end(self, is_whole: bool = True) -> str:
        if self._head is not None:
            self._decide(is_last=True)
        return self.text

    def _decide(self, is_last: bool) -> None:
        head = self._head or ""
        if head.strip() and (is_last or not self._is_open(head)):
            self._head = None
            self._begin(head)

    @abstractmethod
    def _is_open(self, head: str) -> bool:
        """Return whether more of the answer could still prove a repetition."""

    @abstractmethod
    def _begin(self, head: str) -> None:
        """Join the beginning of the answer."""


class PrefillJoiner(_JudgingJoiner):
    """For a model that continues its own message, with the very next word.

    Some providers return the prefill with the answer: then it is left out. Where nobody knows whether
    this one does, a draft that is about to repeat itself proves nothing.
    """

    def __init__(self, draft: str, echoes: bool | None = None) -> None:
        super().__init__(draft, max_wait=len(draft) + MAX_WAIT)
        self._echo = "" if echoes is False else draft.strip()
        if echoes is None and (draft.endswith("\n") or is_periodic(self._echo)):
            self._echo = ""

    def _is_open(self, head: str) -> bool:
        rest = head.lstrip()
        if self._echo and rest.startswith(self._echo):
            return not rest[len(self._echo) :].strip()  # because the white space behind it is to be joined
        return self._echo.startswith(rest)

    def _begin(self, head: str) -> None:
        if self._echo and head.lstrip().startswith(self._echo):
            head = head.lstrip()[len(self._echo) :]
        rest = head.lstrip()
        self.is_empty &= not rest
        self.text = _concatenate(self._draft, head[: len(head) - len(rest)], rest) if rest else self._draft


class BlockJoiner(_JudgingJoiner):
    """For a model that was asked for the rest, from the block behind the draft on.

    An answer that is proven to begin again replaces the draft when it has become longer than the
    draft, or has ended as a whole one; until then `text` is the draft, which so survives another
    interruption.
    """

    def __init__(self, draft: str) -> None:
        super().__init__(draft, max_wait=MAX_WAIT)
        self._evidence = Evidence.of(draft)
        self._again: str | None = None

    @property
    def is_holding(self) -> bool:
        """Whether something has come that is not in `text` yet."""
        return self._again is not None or super().is_holding

    def end(self, is_whole: bool = True) -> str:
        """Return the whole text when nothing more comes."""
        super().end(is_whole)
        if self._again is not None and is_whole:
            self._replace(self._again)
        return self.text

    def add(self, piece: str) -> str:
        """Return the whole text so far, without what is held back."""
        if self._again is None:
            return super().add(piece)
        self._again += piece
        if len(self._again) > len(self._draft):
            self._replace(self._again)
        return self.text

    def _is_open(self, head: str) -> bool:
        return self._evidence.is_open(head.lstrip())

    def _begin(self, head: str) -> None:
        rest = self._evidence.without_repetition(head.lstrip())
        if self._evidence.restart and rest.startswith(self._evidence.restart):
            self._again = ""
            self.add(rest)
        elif not rest.strip():  # nothing but what is left out: what comes next is the beginning
            self._head, self._evidence = "", Evidence()
        else:
            indent = head[: len(head) - len(head.lstrip())].rpartition("\n")[2]
            self.add(joint(self._draft, rest) + (indent if head.lstrip() == rest else "") + rest)

    def _replace(self, answer: str) -> None:
        self.text, self._again = answer, None
        self.replaced, self.is_empty = True, False


def _concatenate(draft: str, white_space: str, rest: str) -> str:
    """Join draft and continuation with white space once.

    Some providers send the white space that the draft ends with, others strip it: the draft's is kept
    unless the model wrote more line breaks.
    """
    solid = draft.rstrip()
    own = draft[len(solid) :]
    return solid + (white_space if not own or white_space.count("\n") > own.count("\n") else own) + rest

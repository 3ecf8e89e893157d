"""Whether a PDF has the words of its Markdown, in their order.

What is compared are letters, numbers, decimal points and signs of currency and relation. Other punctuation,
spaces and hyphens are not, because lines are broken at them. Whatever the page adds is passed over: the
contents, running heads, addresses.
"""

import heapq
import re
from collections import Counter
from collections.abc import Sequence

from research.evidence.words import Block, Word, as_printed, blocks, compact_text, parts_of

MAX_MISSING = 500
"""Words: a page on which so many are missing is another report's."""
WINDOW = 24
"""Characters of the text that are looked for behind what the page adds."""
MAX_NEAR, MAX_NEARER = 400, 16
"""Characters that the page may add before half a window, and before a single word."""
CONTEXT = 4
"""Words that are quoted on each side of one that is missing."""
MIN_PHRASE = 6
"""Characters that say which passage it is."""

_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_NUMBER = re.compile(r"\d+")
_NUMBERS = re.compile(r"\d{1,3}(?:,\d{1,3})*")


def missing_words(markdown: str, references: str, pages: Sequence[str]) -> list[str]:
    """Return what of the Markdown the pages lack: the missing words in brackets, with those around them.

    Args:
        markdown: the report down to its list of references, whose order on the page is its own.
        references: that list.
        pages: the text of each page of the PDF.
    """
    as_written = _AUTOLINK.sub(r" \1 ", references)  # because the list has addresses as they were given
    listed = [Block(block.words, is_loose=True) for block in blocks(as_written)]
    groups = _grouped([*blocks(markdown), *listed])
    comparison = _Comparison(_printed(pages))
    slack = 0
    for group in groups:
        if group.is_loose:
            slack = 3 * _length(group)
        else:
            comparison.in_order(group.words, slack)
    comparison.in_any_order([group.words for group in groups if group.is_loose])
    if comparison.count > MAX_MISSING:
        return [f"more than {MAX_MISSING} words of the Markdown are not on the page: it is another report's"]
    return comparison.quotes()


def _grouped(parts: Sequence[Block]) -> list[Block]:
    """Put blocks of one kind together; a little text between two tables counts as theirs."""
    groups: list[Block] = []
    for block in parts:
        if groups and groups[-1].is_loose == block.is_loose:
            groups[-1].words += block.words
        elif groups and not groups[-1].is_loose and _length(groups[-1]) < 2 * WINDOW:
            groups[-1].is_loose = True
            groups[-1].words += block.words
        else:
            groups.append(Block([*block.words], block.is_loose))
    return groups


def _length(block: Block) -> int:
    return sum(len(word.compact) for word in block.words)


class _Comparison:
    """The words of the Markdown, looked for on the page from its beginning to its end."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.count = 0
        self._found: list[tuple[Sequence[Word], list[int], bool]] = []
        self._place = 0
        self._others: list[str] = []
        """What stands between the words that were found in order."""

    def in_order(self, words: Sequence[Word], slack: int) -> None:
        """Find the words one behind the other; `slack` is how many characters may stand before the first."""
        missing: list[int] = []
        for number, word in enumerate(words):
            if self.count + len(missing) > MAX_MISSING:
                break
            if word.text.startswith("[^"):
                missing += [] if self._passes_mark(word, words[number + 1 :]) else [number]
                continue
            if not word.compact or (word.is_optional and not self._stands_here(word)):
                continue
            at = self._place if self._stands_here(word) else self._find(words[number:], slack)
            if at < 0 and "%" in word.text:  # an address is printed for people
                word = word._replace(compact=compact_text(as_printed(word.text)))
                at = self._find([word], slack)
            if at < 0:
                missing.append(number)
                continue
            slack = 0
            self._others.append(self.page[self._place : at])
            self._place = at + len(word.compact)
        self._note(words, missing, is_in_order=True)

    def _passes_mark(self, mark: Word, following: Sequence[Word]) -> bool:
        """Return whether the number of a note stands here, or none; where the text goes on, it is another."""
        others = _NUMBERS.match(self.page, self._place)
        comma = self.page.startswith(",", self._place)
        if self.page.startswith(mark.compact, self._place + comma):
            self._place += comma + len(mark.compact)
            return True
        text = _window([word for word in following if not word.text.startswith("[^")])[: WINDOW // 2]
        return not (
            others
            and text
            and self.page.startswith(text, others.end())
            and not self.page.startswith(text, self._place)
        )

    def _stands_here(self, word: Word) -> bool:
        return self.page.startswith(word.compact, self._place)

    def _find(self, words: Sequence[Word], slack: int) -> int:
        """Return where the first word stands, behind what the page adds; -1 where it does not."""
        block = _window(words, ends_with_block=True)
        text = _window(words)
        for window, near in (
            (text, len(self.page)),
            (text[: max(WINDOW // 2, len(words[0].compact))], MAX_NEAR + slack),
            (block, MAX_NEARER + slack),
            (words[0].compact, MAX_NEARER),
        ):
            is_enough = len(window) >= WINDOW or near < len(self.page)
            at = self.page.find(window, self._place, self._place + near + len(window)) if is_enough else -1
            if at >= 0:
                return at
        return -1

    def in_any_order(self, groups: Sequence[Sequence[Word]]) -> None:
        """Find each word as often as it is there, the longest first, for no word to be found within one."""
        page = "\0".join([*self._others, self.page[self._place :]])
        missing: list[set[int]] = [set() for _ in groups]
        left = [
            (-len(word.compact), group, number, word.text)
            for group, words in enumerate(groups)
            for number, word in enumerate(words)
            if not word.is_optional and any(map(str.isalnum, word.text))
        ]
        heapq.heapify(left)
        while left and self.count + sum(map(len, missing)) <= MAX_MISSING:
            _, group, number, text = heapq.heappop(left)
            compact = compact_text(text)
            if compact in page:
                page = page.replace(compact, "\0", 1) if compact else page
                continue
            parts = parts_of(text)
            missing[group] |= set() if parts else {number}
            for part in parts:
                heapq.heappush(left, (-len(compact_text(part)), group, number, part))
        for words, numbers in zip(groups, missing, strict=True):
            self._note(words, sorted(numbers))

    def _note(self, words: Sequence[Word], missing: Sequence[int], is_in_order: bool = False) -> None:
        self.count += len(missing)
        runs: list[list[int]] = []
        for number in missing:
            if runs and number <= runs[-1][-1] + CONTEXT:
                runs[-1].append(number)
            else:
                runs.append([number])
        self._found += [(words, run, is_in_order) for run in runs]

    def quotes(self) -> list[str]:
        """Return each run of missing words with the words around it.

        Some words in their order that stand elsewhere on the page, such as a heading that was taken for its
        entry in the contents, are not missing.
        """
        others = "\0".join([*self._others, self.page[self._place :]])
        shown = []
        for words, run, is_in_order in self._found:
            phrase = "".join(word.compact for word in words[run[0] : run[-1] + 1] if not word.is_optional)
            if is_in_order and len(phrase) >= MIN_PHRASE and phrase in others:
                continue
            near = range(max(run[0] - CONTEXT, 0), min(run[-1] + CONTEXT + 1, len(words)))
            seen = [n for n in near if n in run or not words[n].is_optional]
            shown.append(" ".join(f"[{words[n].text}]" if n in run else words[n].text for n in seen))
        return shown


def _printed(pages: Sequence[str]) -> str:
    """Return the text of the pages without what stands at the head and at the foot of each."""
    kept: list[str] = []
    heads = {line for page in pages[1:] for line in page.splitlines()[-3:-1]}
    feet = Counter(_NUMBER.sub("", page.splitlines()[-1]) for page in pages if page.strip())
    for page in pages:
        lines = page.splitlines()
        shared = feet[_NUMBER.sub("", lines[-1])] if lines else 0
        if shared > 1 or len(pages) == 1:  # the same on every page but for its number
            lines = lines[:-1]
        if kept and lines and lines[-1] in heads:
            lines.pop()
        kept += lines
    return compact_text("\n".join(kept))


def _window(words: Sequence[Word], ends_with_block: bool = False) -> str:
    """Return the beginning of a text, as far as the page adds nothing to it."""
    window = ""
    for word in words:
        if len(window) >= WINDOW or (word.is_optional and (word.compact or ends_with_block)):
            break
        window += word.compact
    return window[: max(WINDOW, len(words[0].compact))] if words else ""

"""Prove that what a model wrote after a text repeats it: the whole text, its last block, or a remark."""

from typing import NamedTuple

import regex

MAX_WAIT = 600
"""Characters of an answer that may be held back until it is judged."""
MIN_RESTART = 100
"""Characters of a draft below which nothing proves that the answer began again."""
MAX_RESTART = 300
"""Characters that have to equal the draft's beginning to prove it; a shorter draft has to be there whole."""
MIN_REPEATED = 80
"""Characters of a last block that nobody writes twice in succession; one of a script without spaces counts
twice."""
MIN_REPEATED_WORDS = 8
"""Different words in it; two characters of a script without spaces count as one."""
MIN_BLOCKS = 3
"""Blocks of a draft below which it may be about to repeat its last one."""

_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_WORD = regex.compile(rf"{_SPACELESS}|(?:(?!{_SPACELESS})\w)+")
_IS_SPACELESS = regex.compile(_SPACELESS)
_LINE = regex.compile(r"[^\n]*\S[^\n]*")
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
    """What at the beginning of an answer would prove a repetition of one draft that ends with a block."""

    remarks: tuple["regex.Pattern[str]", ...] = ()
    """What stands in front of the next block; empty where the draft has such a line itself."""
    restart: str = ""
    """The draft's beginning, as long as it takes to prove a restart; empty if nothing proves it."""
    repeated: str = ""
    """The draft's last block; empty if the draft might be about to repeat it."""

    @classmethod
    def of(cls, draft: str) -> "Evidence":
        """Return the evidence against an answer that is to begin with the block behind the draft."""
        return cls(() if _REMARK.search(draft) else (_REMARK,), _restart_proof(draft), _last_block(draft))

    def is_open(self, rest: str) -> bool:
        """Return whether more of the answer could still prove something that its beginning does not."""
        if any(remark.fullmatch(rest, partial=True) for remark in self.remarks):
            return True
        rest = self._without_remark(rest)
        begins_again = self.restart.startswith(rest) and len(rest) < len(self.restart)
        return begins_again or (self.repeated.startswith(rest) and len(rest) <= len(self.repeated))

    def without_repetition(self, rest: str) -> str:
        """Return the answer without a remark and without the draft's last block in front of it."""
        rest = self._without_remark(rest)
        if self.repeated and rest.startswith(self.repeated):
            after = rest[len(self.repeated) :]
            if not after or after[0] == "\n":
                return after.lstrip("\n")
        return rest

    def _without_remark(self, rest: str) -> str:
        found = next(filter(None, (remark.match(rest) for remark in self.remarks)), None)
        return rest[found.end() :].lstrip() if found else rest


def is_periodic(block: str) -> bool:
    """Return whether the block repeats its beginning, so that it is about to do so again.

    Linear, by the prefix function of Knuth, Morris and Pratt: the longest beginning that is also its end.
    """
    borders = [0] * len(block)
    length = 0
    for place in range(1, len(block)):
        while length and block[place] != block[length]:
            length = borders[length - 1]
        length += block[place] == block[length]
        borders[place] = length
    return bool(block) and 2 * length >= len(block)


def is_spaceless(text: str) -> bool:
    """Return whether the text begins with a letter of a script that is written without spaces."""
    return bool(_IS_SPACELESS.match(text))


def _restart_proof(draft: str) -> str:
    """Return as much of the draft's beginning as proves a restart; empty where it repeats that itself."""
    start = draft.strip()
    proof = start[:MAX_RESTART]
    is_proof = len(proof) >= MIN_RESTART and start.find(proof, 1) < 0 and not is_periodic(proof)
    return proof if is_proof else ""


def _last_block(draft: str) -> str:
    """Return the draft's last line, where it is a block that nobody would write twice in succession."""
    lines = [line.strip() for line in _LINE.findall(draft)]
    if len(lines) < MIN_BLOCKS or lines[-1] in lines[:-1] or len(lines[-1]) > MAX_WAIT:
        return ""
    block = lines[-1]
    words = {word for word in _WORD.findall(block) if any(map(str.isalpha, word))}
    spaceless = len(_IS_SPACELESS.findall(block))
    weight = sum(1 if is_spaceless(word) else 2 for word in words)
    is_long = len(block) + spaceless >= MIN_REPEATED and weight >= 2 * MIN_REPEATED_WORDS
    return block if is_long and not is_periodic(block) else ""

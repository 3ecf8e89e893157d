"""Markdown of any size as a model would write it, with words in it that occur once."""

import random
from collections.abc import Callable, Iterator
from itertools import cycle

WORDS = {
    "Latin": "the a of and in for with market research shows growing demand while early adopters report "
    "lower costs better retention measurable results across several regions although evidence remains "
    "limited most studies rely on small samples and self reported data over two years",
    "Greek": "η έρευνα δείχνει ότι οι αγορές αλλάζουν γρήγορα και το κόστος μειώνεται",
    "Cyrillic": "исследование показывает что рынок растёт быстро а расходы постепенно снижаются",
    "Arabic": "تظهر الدراسة نمو السوق بسرعة في عدة مناطق مع انخفاض تكلفة",
}
LETTERS = {"Greek": "βγδζθκμνξπρστφχψ", "Cyrillic": "бвгджзклмнпрстфх", "Arabic": "بتثجحخسشصضطظعغفق"}


class Writer:
    """Writes the same text every time and keeps the words in it that occur once."""

    def __init__(self) -> None:
        self.random = random.Random(20)
        self.tokens: list[str] = []

    def write(self, size: int) -> tuple[str, list[str]]:
        """Return at least so many bytes of Markdown, and the words that occur in it once."""
        blocks: list[str] = []
        written = 0
        for kind in cycle(self._kinds()):
            if written >= size:
                break
            blocks.append(kind())
            written += len(blocks[-1].encode()) + 2
        return "\n\n".join(blocks) + "\n", self.tokens

    def _kinds(self) -> Iterator[Callable[[], str]]:
        yield lambda: f"## {self._token()} {self._words(5)}"
        yield self._paragraph
        yield self._paragraph
        yield self._list
        yield lambda: f"### {self._words(3)} **{self._token()}**"
        yield self._paragraph
        yield self._table
        yield self._code
        yield lambda: f"> {self._words(14)} {self._token()} {self._words(9)}.\n>\n> — *{self._token()}*"
        yield lambda: self._foreign("Greek")
        yield lambda: self._foreign("Cyrillic")
        yield lambda: self._foreign("Arabic")
        yield self._paragraph
        yield self._steps

    def _words(self, count: int) -> str:
        return " ".join(self.random.choices(WORDS["Latin"].split(), k=count)).capitalize()

    def _token(self, script: str = "") -> str:
        """Return a word that occurs nowhere else in the text: K7Q2M9, or six letters of the script."""
        number = len(self.tokens) * 7_654_321 % 16**6  # odd, so that no two are the same
        digits = f"{number:06x}"
        if script:
            token = "".join(LETTERS[script][int(digit, 16)] for digit in digits)
        else:
            token = "".join("BCDGHKMNPQRSTVWX"[int(d, 16)] + str(n) for n, d in enumerate(digits, start=2))
        self.tokens.append(token)
        return token

    def _paragraph(self) -> str:
        return (
            f"{self._words(18)} **{self._words(2)} {self._token()}**, {self._words(12).lower()} "
            f"*{self._token()}* {self._words(10).lower()} `{self._token()}()`. {self._words(11)} "
            f"[{self._words(2).lower()} {self._token()}](https://example.com/{self._words(1).lower()}), "
            f"{self._words(16).lower()} {self._token()}."
        )

    def _list(self) -> str:
        lines = []
        for _ in range(3):
            lines.append(f"- **{self._words(2)} {self._token()}:** {self._words(12).lower()}.")
            lines.append(f"  - {self._words(9)} {self._token()}.")
            lines.append(f"    - {self._words(4)} `{self._token()}`")
        return "\n".join(lines)

    def _steps(self) -> str:
        return "\n".join(
            f"{number}. {self._words(10)} {self._token()}.\n   - {self._words(6)} *{self._token()}*"
            for number in range(1, 4)
        )

    def _table(self) -> str:
        rows = [["Segment", "Share", "Finding", "Source"], ["---", "---:", "---", "---"]]
        for _ in range(5):
            share = f"{self.random.randint(1, 99)} %"
            rows.append([self._token(), share, f"{self._words(8)} **{self._token()}**", self._token()])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _code(self) -> str:
        lines = ["```python", f"def {self._token()}(samples: list[float]) -> float:"]
        lines += [f'    """{self._words(7)} {self._token()}."""', "    total = 0.0"]
        lines += ["    for index, sample in enumerate(samples):"]
        lines += [f"        total += sample * {self.random.random():.6f}  # {self._words(8)} {self._token()}"]
        return "\n".join([*lines, f'    return round(total, 2) or {self._token()}["default"]', "```"])

    def _foreign(self, script: str) -> str:
        words = WORDS[script].split()
        first, second = (" ".join(self.random.choices(words, k=9)) for _ in range(2))
        quoted = f"{self._words(6)} “{words[1]} {self._token(script)}” {self._words(7).lower()}."
        return f"{first} {self._token(script)} {second} **{self._token(script)}**.\n\n{quoted}"

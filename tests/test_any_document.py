"""Documents that nobody thought of: every word of them is there once, and on the page."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.page_reader import boxes, missing, render, shown

bounded = settings(
    derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck), database=None
)  # fmt: skip

SCRIPTS = {
    "latin": ("q", "abcdefghij", "z"),
    "greek": ("ψ", "αβγδεζηθικ", "ω"),
    "cyrillic": ("э", "абвгдежзик", "я"),
    "hebrew": ("ק", "אבגדהוזחטי", "ת"),
    "arabic": ("ك", "بتثجحخدذرز", "ي"),
    "devanagari": ("य", "कखगघचछजझटठ", "ह"),
    "thai": ("ย", "กขคงจฉชซญด", "ห"),
    "chinese": ("甲", "一二三四五六七八九十", "乙"),
}
"""For each its first letter, ten for the digits of a number, and its last: no word is in another."""

INLINE = {
    "plain": "{0}",
    "strong": "**{0} {1}**",
    "em": "*{0}*",
    "both": "***{0}** {1}*",
    "code": "`{0} {1}`",
    "struck": "~~{0}~~",
    "link": "[{0} *{1}*](https://example.com/a?b=c)",
    "address": "<https://example.com/{0}>",
    "image": "![{0}](https://example.com/x.png)",
    "entity": "{0}&amp;{1}",
    "broken": "{0}  \n{1}",
    "soft": "{0}\n{1}",
    "long": "{0}-" + "m" * 90 + "-{1}",
}

TO_THE_LEFT = ["arabic", "hebrew"]
to_the_right = st.tuples(
    st.sampled_from(sorted(INLINE)), st.sampled_from(sorted(SCRIPTS.keys() - TO_THE_LEFT))
)
either_way = st.tuples(
    st.sampled_from(["plain", "strong", "em", "struck", "code"]), st.sampled_from(["latin", *TO_THE_LEFT])
)
# A long word breaks between lines; where two directions meet, its parts are far from each other.
inlines = st.one_of(
    st.lists(to_the_right, min_size=1, max_size=8), st.lists(either_way, min_size=1, max_size=8)
)
leaves = st.one_of(
    st.tuples(st.just("paragraph"), inlines),
    st.tuples(st.just("heading"), inlines, st.integers(1, 6)),
    st.tuples(st.just("fence"), st.integers(1, 5), st.sampled_from(sorted(SCRIPTS))),
    st.tuples(st.just("table"), st.integers(1, 9), st.integers(0, 4), inlines),
    st.tuples(st.just("note"), inlines),
    st.tuples(st.just("rule")),
)
blocks: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.tuples(
        st.sampled_from(["bullets", "numbers", "tasks", "quote"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@dataclass
class DocumentWriter:
    """Writes a drawn document down, every word of it another one."""

    words: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def word(self, script: str) -> str:
        first, digits, last = SCRIPTS[script]
        number = f"{len(self.words) + len(self.headings):03}"
        self.words.append(first + "".join(digits[int(digit)] for digit in number) + last)
        return self.words[-1]

    def line(self, drawn: list[tuple[str, str]]) -> str:
        return " ".join(
            INLINE[kind].format(*(self.word(script) for _ in range(INLINE[kind].count("{"))))
            for kind, script in drawn
        )

    def write(self, block: Any) -> list[str]:
        kind, *rest = block
        if kind == "rule":
            return ["***"]
        if kind == "paragraph":
            return self.line(rest[0]).split("\n")
        if kind == "heading":
            return ["#" * rest[1] + " " + self.line(rest[0]).replace("  \n", " ").replace("\n", " ")]
        if kind == "fence":
            return [
                "```python",
                *(f"    {self.word(rest[1])}  # {self.word('latin')}" for _ in range(rest[0])),
                "```",
            ]
        if kind == "note":
            self.notes.append(self.line(rest[0]).replace("  \n", " ").replace("\n", " "))
            return [f"{self.word('latin')}[^{len(self.notes)}]"]
        if kind == "table":
            return self.write_table(*rest)
        marks = {"bullets": "- ", "numbers": "1. ", "tasks": "- [x] ", "quote": "> "}
        mark = marks[kind]
        follow = mark if kind == "quote" else " " * len(mark.replace("[x] ", ""))
        lines: list[str] = []
        for child in rest[0]:
            written = self.write(child)
            if kind == "tasks" and child[0] != "paragraph":
                written = [self.word("latin"), "", *written]
            lines += [mark + written[0], *(follow + line for line in written[1:]), follow.rstrip()]
        return lines

    def write_table(self, columns: int, rows: int, drawn: list[tuple[str, str]]) -> list[str]:
        head = [self.word("latin") for _ in range(columns)]
        self.headings += head
        self.words = self.words[: -len(head)]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * columns]
        for _ in range(rows):
            cells = [
                self.line(drawn[column : column + 1] or [("plain", "latin")])
                .replace("  \n", " ")
                .replace("\n", " ")
                for column in range(columns)
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return lines

    def document(self, drawn: list[Any]) -> str:
        body = "\n\n".join("\n".join(self.write(block)) for block in drawn)
        return (
            body
            + "".join(f"\n\n[^{number}]: {note}" for number, note in enumerate(self.notes, start=1))
            + "\n"
        )


@bounded
@given(st.lists(blocks, min_size=1, max_size=6))
def test_every_word_of_any_document_is_there_once_and_on_the_page(drawn: list[Any]) -> None:
    scribe = DocumentWriter()
    markdown = scribe.document(drawn)
    rendered = render(markdown)
    text = shown(rendered.data)
    assert {word: text.count(word) for word in scribe.words if text.count(word) != 1} == {}, markdown
    assert [word for word in scribe.headings if word not in text] == [], markdown
    assert [box for box in boxes(rendered.data) if box.left < 36 or box.right > 612 - 36] == [], markdown


@bounded
@given(st.text(alphabet="`*_[]()!<>|#-+=~\\\n\n  \t1.ab&;:/", max_size=120))
def test_no_heap_of_marks_loses_a_letter(markdown: str) -> None:
    assert missing(markdown, render(markdown).data) == []

"""One outline: the texts of sections that were written side by side, under the titles of their plan."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import LLMCallOutput, PDFGenerationInput, PlannedSection, Source
from research.formatting import format_note, json_bytes, truncate_json
from research.llm.prompts import section_prompt
from research.markdown.block_parser import parse_blocks
from research.markdown.outline import below_title
from research.report.plan import MAX_COVERS_CHARACTERS, MAX_SECTIONS, MAX_TITLE_CHARACTERS
from research.report.sections import (
    MAX_SECTION_BYTES,
    Answer,
    WrittenSection,
    join_sections,
    section_notes,
    text_below,
    written_section,
)
from research.temporal.converter import data_converter
from testing.texts import LANGUAGES, templated

MAX_PAYLOAD_BYTES = 2 * 2**20


def section(text: str, title: str = "Biology", **call: object) -> WrittenSection:
    return written_section(title, Answer(LLMCallOutput(text_below(title, text), **call)))  # type: ignore[arg-type]


def outline(markdown: str) -> list[tuple[int, str]]:
    """The level and the text of each heading that stands on its own, as CommonMark reads them."""
    tokens = parse_blocks(markdown)
    return [
        (int(token.tag[1]), tokens[number + 1].content)
        for number, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0
    ]


TEXTS = {
    "no headings": ("Moss.\n\nMore moss.", "Moss.\n\nMore moss."),
    "first level": ("# Moss\n\nText.\n\n# Space\n\nText.", "### Moss\n\nText.\n\n### Space\n\nText."),
    "its title again": ("# 3. Biology\n\n## Moss\n\nText.", "### Moss\n\nText."),
    "its title in bold": ("**Section 3: Biology:**\n\nText.", "Text."),
    "its title, underlined": ("Biology\n=======\n\nMoss\n----\n\nText.", "### Moss\n\nText."),
    "levels that are skipped": ("## Moss\n\n#### Leaves\n\nText.", "### Moss\n\n#### Leaves\n\nText."),
    "deep levels": ("# a\n## b\n### c\n#### d\n##### e", "### a\n#### b\n##### c\n###### d\n###### e"),
    "levels that are right": ("### Moss\n\nText.\n\n#### Leaves", "### Moss\n\nText.\n\n#### Leaves"),
    "numbers of one section": (
        "## 3.1 Moss\n\n### 3.1.1 Leaves\n\n## 3.2. Space",
        "### Moss\n\n#### Leaves\n\n### Space",
    ),
    "numbers that say something": ("## 1. Soak it\n\n## 2. Press it\n", "### 1. Soak it\n\n### 2. Press it"),
    "a quantity": ("## 1.5 degrees more\n\nText.", "### 1.5 degrees more\n\nText."),
    "code": (
        "# Moss\n\n```sh\n# a comment\n```\n\n    # code\n",
        "### Moss\n\n```sh\n# a comment\n```\n\n    # code",
    ),
    "code in a list": (
        "1. One\n   ```\n   # a\n   ```\n\n# Moss",
        "1. One\n   ```\n   # a\n   ```\n\n### Moss",
    ),
    "code that is cut": ("# Moss\n\n```python\n# a comment", "### Moss\n\n```python\n# a comment\n```"),
    "code in a list that is cut": (
        "- One\n\n  ~~~\n  # a\n\nText.\n\n# Moss",
        "- One\n\n  ~~~\n  # a\n\nText.\n\n### Moss",
    ),
    "a quoted heading": ("> # Moss\n> Text.", "> ### Moss\n> Text."),
    "rules and tables": (
        "Text.\n\n---\n\n- a\n---\n\n| a |\n| --- |\n| b |",
        "Text.\n\n---\n\n- a\n---\n\n| a |\n| --- |\n| b |",
    ),
    "hashtags": ("#moss and #space\n\n\\# no heading", "#moss and #space\n\n\\# no heading"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_section_is_brought_below_its_title(name: str) -> None:
    text, expected = TEXTS[name]
    assert below_title(text, "Biology") == expected
    assert below_title(text.replace("\n", "\r\n"), "Biology") == expected


def test_sections_in_the_order_of_the_plan() -> None:
    """One that failed leaves its heading with the reason, which is text whatever it looks like."""
    written = [
        section("# Moss\n\nText.", "Biology"),
        written_section("Space", Answer(None, "the provider's content policy refuses this *request*: <no>")),
        section("Text.\n\n```\ncut", "Heat", finish_reason="length"),
        section("Text.", "Cold", resumed_at=1_204, finish_reason="length"),
        section("Text.", "Drought", resumed_at=7, finish_reason="stop"),
    ]
    text = join_sections(written)
    assert [heading for heading in outline(text) if heading[0] == 2] == [
        (2, title) for title in ("Biology", "Space", "Heat", "Cold", "Drought")
    ]
    reason = r"the provider's content policy refuses this \*request\*: \<no\>"
    assert f"## Space\n\n*This section could not be written: {reason}.*\n\n## Heat" in text
    assert [format_note(note) for note in section_notes(written)] == [
        "1 of 5 sections could not be written.",
        "Sections 3, 4: The text ends where the longest possible answer ended; it is not complete.",
        "Sections 4, 5: The text was interrupted and resumed.",
    ]


LINES = st.sampled_from(
    [
        "", "", "Text.", "# Moss", "## Moss", "#### 1.1 Moss", "===", "---", "- item", "  1. one", "> quote",
        "> ## said", "> ```", "```", "```python", "~~~", "````", "  ```", "- ```", "    # four", "  # two",
        "\t# tab", "| a | b |", "|---|---|", "Biology", "**Biology**", "[1]: http://x", "$$", "水熊虫",
        "   text",
    ]
)  # fmt: skip


@given(st.lists(st.lists(LINES, max_size=12), min_size=2, max_size=4))
def test_no_section_holds_another(texts: list[list[str]]) -> None:
    """Whatever the texts are, all titles are headings of the second level, in their order."""
    titles = [f"Part {number}" for number in range(len(texts))]
    written = [section("\n".join(lines), title) for lines, title in zip(texts, titles, strict=True)]
    found = outline(join_sections(written))
    assert [text for level, text in found if level <= 2 and text in titles] == titles
    assert 1 not in [level for level, text in found if text.endswith("Moss")]


@given(st.lists(LINES, max_size=12))
def test_no_words_are_lost(lines: list[str]) -> None:
    text = below_title("\n".join(lines), "Another title")
    for word in ("Text.", "Moss", "item", "quote", "Biology", "水熊虫", "four", "a comment"):
        assert text.count(word) == "\n".join(lines).count(word)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_texts_that_repeat_their_parts(language: str) -> None:
    for kind in ("days", "chapters", "code", "notes"):
        text = templated(seed=5, kind=kind, language=language)
        levels = {level for level, _ in outline(below_title(text, "Biology"))}
        assert len(outline(below_title(text, "Biology"))) == len(outline(text))
        assert levels <= {3, 4, 5, 6}


@pytest.mark.parametrize("line", ["# \n", "`", "> ", "- ", "a\n---\n", "```\n", "**", "1.1 ", "# 1.1 a\n"])
def test_every_text_takes_little_time(line: str) -> None:
    """In proportion to its length: a worker has other steps to serve."""
    text = line * (MAX_SECTION_BYTES // len(line))
    begun = time.process_time()
    below_title(text, "Biology")
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize("character", ["a", "水", "\x01", "𠀀", "# \n"])
def test_twenty_sections_at_their_limit_fit_into_one_payload(character: str) -> None:
    """As JSON, in which a character can have twelve bytes; with all that may come with them."""
    text = truncate_json(character * MAX_SECTION_BYTES, MAX_SECTION_BYTES)
    content = join_sections([section(text, character.strip() * MAX_TITLE_CHARACTERS)] * MAX_SECTIONS)
    source = Source(100, "https://example.org/" + "x" * 980, "𠀀" * 200, "2026-11-25")
    report = PDFGenerationInput(
        content, "report.pdf", text, "𠀀" * 10_000, notes=(character * 200,) * 24, sources=(source,) * 100
    )
    [payload] = data_converter(()).payload_converter.to_payloads([report])
    assert len(payload.data) < MAX_PAYLOAD_BYTES * 0.95
    assert json_bytes(content) < 20 * (MAX_SECTION_BYTES + 6_000)
    assert json.loads(payload.data)["content"] == content


@pytest.mark.parametrize("character", ["a", "水", "𠀀"])
def test_the_prompts_of_twenty_sections_fit_into_one_message(character: str) -> None:
    """The service takes 4 MB at once, and all sections are scheduled at once."""
    section = PlannedSection(character * MAX_TITLE_CHARACTERS, character * MAX_COVERS_CHARACTERS)
    plan = [section] * MAX_SECTIONS
    address = "https://example.org/" + "x" * 900
    source = Source(100, address, character * 200, "2026-11-25", character * 1_500)
    prompt = section_prompt(character * 20_000, plan, 20, [source] * 10).text
    assert json_bytes(prompt) * MAX_SECTIONS < 3_200_000
    assert prompt.count(address) == 10
    assert f"\n\n20. {character}" in prompt

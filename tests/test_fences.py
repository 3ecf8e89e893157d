"""Which lines are fenced code: as the parser of the page reads them."""

import pytest

from research.config import ROOT
from research.llm.blocks import cut_to_block
from research.markdown.block_parser import parse_blocks
from research.markdown.fences import code_lines

TEXTS = (
    "a\n```python\nb\n```\nc",
    "````\n```\na\n````\nb",
    "~~~ a`b\n```\n~~~~\na",
    "```a`b``` is inline\nc",
    "```\na\n``` b\nc",
    "> ```\n> a\n> ```\n> b\n\nc",
    "> ```\n> a\n\nb\n```\nc",
    "```\n> ```\n```\na",
    "1. a\n\n   ```\n   b\n   ```\n\n   c",
    "- ```\n  a\n  ```\n- b",
)


@pytest.mark.parametrize(
    "text", [*TEXTS, *(path.read_text("utf-8") for path in (ROOT / "tests" / "corpus").iterdir())]
)
def test_the_page_s_parser_finds_the_same_code(text: str) -> None:
    lines = text.split("\n")
    blocks = [token.map for token in parse_blocks(text) if token.type == "fence" and token.map]
    in_code = {number for start, end in blocks for number in range(start, end)}
    found = {number for number, is_code in enumerate(code_lines(lines)) if is_code}
    assert {number for number in found if lines[number].strip()} == {
        number for number in in_code if lines[number].strip()
    }


def test_a_draft_is_cut_behind_a_quote_of_code() -> None:
    text = "The tide rises twice a day along this coast.\n\n> ```\n> tide()\n> ```\n\n"
    assert cut_to_block(f"{text}The har") == text

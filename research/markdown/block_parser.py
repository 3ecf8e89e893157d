"""The blocks of a Markdown text, as CommonMark reads them."""

from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@cache
def block_parser(thread: int) -> "MarkdownIt":
    """Return a thread's own parser of blocks alone: no inline content, no link definitions."""
    from markdown_it import MarkdownIt  # here, because a worker imports this file before it serves

    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable("reference")
    parser.core.ruler.disable("inline")
    return parser


def parse_blocks(text: str) -> "list[Token]":
    """Parse the blocks of a Markdown text; the content of an inline token stays as it was written."""
    return block_parser(get_ident()).parse(text)

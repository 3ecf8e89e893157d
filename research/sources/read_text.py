"""From plain text, Markdown and JSON to text."""

import json
from contextlib import suppress

from research.sources.decoding import decode
from research.sources.extracted import MAX_TEXT_BYTES, Extracted
from research.sources.tidying import one_line, tidy


def read_text(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the text as it is."""
    return Extracted(tidy(decode(content, content_type)), method="plain text")


def read_markdown(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the Markdown as it is, with its first heading of the first level as title."""
    text = tidy(decode(content, content_type))
    heading = next((line for line in text[:20_000].split("\n") if line.startswith("# ")), "")
    return Extracted(text, title=one_line(heading.strip("# *_")), method="markdown")


def read_json(content: bytes, content_type: str, name: str) -> Extracted:
    """Return the JSON with a line for each value and its characters unescaped; as it is if it is broken."""
    text = decode(content, content_type)
    truncated = len(content) > 2 * MAX_TEXT_BYTES
    if not truncated:  # or the objects would take much memory for nothing
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    return Extracted(tidy(text), method="json")

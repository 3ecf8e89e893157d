"""What a reader makes of a page or document, and why it can make nothing of one."""

from dataclasses import dataclass

MAX_CONTENT_BYTES = 50_000_000
MAX_TEXT_BYTES = 2_000_000
"""Of the text in UTF-8; what is longer is truncated."""

NO_TEXT = "there is no text in it"
CRASHED = "its reader crashed"
TOO_LONG = "it took too long to read"
TOO_MUCH_MEMORY = "it takes too much memory to read"
TOO_LARGE = f"it is larger than {MAX_CONTENT_BYTES // 1_000_000} MB"
ENCRYPTED = "it is encrypted"
NO_PDF = "it is no PDF that can be read"
NO_DOCX = "it is no Word document that can be read"


@dataclass(frozen=True)
class Extracted:
    """The text of a page or document, and what it says about itself; empty where it does not say."""

    text: str
    """In NFC; paragraphs are separated by blank lines, and HTML and Word give headings, lists and tables
    as Markdown."""
    title: str = ""
    author: str = ""
    date: str = ""
    """YYYY-MM-DD."""
    language: str = ""
    """Its code as the document declares it, such as "de" or "zh-TW"."""
    method: str = ""
    """What read it: "trafilatura", "plain text", "pdfium", "python-docx", "markdown" or "json"."""
    pages: tuple[int, ...] = ()
    """For a PDF, the character of the text at which each page begins."""
    truncated: bool = False
    """Whether text is missing at the end, because it is long or its reading took long."""


class Unreadable(Exception):
    """There is no text to be had; `reason` is a clause for people, such as "it is encrypted"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

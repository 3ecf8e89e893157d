"""Whether a report has the provider's text: to the character, or up to blank lines between its blocks."""

import re
from collections import Counter
from pathlib import Path

from pypdf import PdfReader

from research.output.words import Words, words_for
from tests.chaos.pages import Site
from tests.chaos.proof import printed
from tests.chaos.texts import CITED, pages_of, result_of, title_of_page, topic_of

_CODE = re.compile(r"(?sm)(^ {0,3}```.*?^ {0,3}```$)")


def without_blank_lines(text: str) -> str:
    """Return the text without its blank lines, except for those in code.

    Two texts for which this is the same have the same lines. Where a text is resumed by block, the
    program cannot know how many line breaks the model would have written there.
    """
    parts = _CODE.split(text)
    return "".join(re.sub(r"\n\s*\n", "\n", part) if i % 2 == 0 else part for i, part in enumerate(parts))


def difference(text: str | None, number: int, kind: str) -> str:
    """Return in words how a recorded text differs from the provider's."""
    expected = result_of(number, kind)
    if text is None:
        return "there is none"
    same = next((i for i, (a, b) in enumerate(zip(text, expected, strict=False)) if a != b), None)
    place = min(len(text), len(expected)) if same is None else same
    return f"{len(text)} characters, not {len(expected)}; from {place}: {text[place : place + 40]!r}"


def references(number: int, site: Site) -> list[str]:
    """Return the entries of the pages that a report cites, up to what is said of them."""
    addresses = site.addresses(number)
    return [
        f"[^{place}]: {title_of_page(number, page)}. <{addresses[page - 1]}> ("
        for place, page in enumerate(CITED if addresses else (), start=1)
    ]


def wrong_markdown(number: int, file: Path, summary: str, is_by_block: bool, site: Site) -> str:
    """Return what of summary, research and references is not in the file to the character.

    Notes are expected. With `is_by_block`, blank lines do not count.
    """
    written, content = file.read_text(encoding="utf-8"), printed(number)
    heading, _, body = content.partition("\n")
    if not written.startswith(f"{heading}\n") or not heading.startswith("# "):
        body = content
    behind, words = written.rpartition("\n\n---\n\n")[2], words_for(content, topic_of(number))
    if not re.fullmatch(_behind_research(number, site, words), behind):
        return "the Markdown file has something else behind the research"
    parts = {"research": f"\n\n---\n\n{body.strip(chr(10))}\n\n---\n\n{behind}"}
    if summary:
        parts["summary"] = f"\n\n## {words('summary')}\n\n{summary}\n\n"
    if is_by_block:
        written = without_blank_lines(written)
        parts = {name: without_blank_lines(part) for name, part in parts.items()}
    wrong = [name for name, part in parts.items() if written.count(part) != 1]
    return f"the Markdown file has not exactly the provider's {' and '.join(wrong)}" if wrong else ""


def _behind_research(number: int, site: Site, words: Words) -> str:
    """Return a pattern of the usage, and of the references where there are any."""
    entries = "".join(
        rf"\n{re.escape(entry)}[^\n]*127\.0\.0\.1[^\n]+\)\n(\n    > \[[^\n]+\n)+"
        for entry in references(number, site)
    )
    count = len(pages_of(number))
    cited = f"{len(CITED)} of {count} sources cited; {count} were read whole"
    checked = rf"{cited}(; [^\n;]+ without a citation)?\."
    about = rf"Checked by the program: {checked} \d+ of \d+ statements that cite are supported [^\n]+\."
    about = about if words.language == "en" else r"[^\n]+"
    title = re.escape(words("references"))
    return rf"[^\n]+\n\n## {title}\n\n{about}\n{entries}" if count else r"[^\n]+\n"


def wrong_pdf(number: int, file: Path, site: Site) -> str:
    """Return which numbers of the text's parts and of the references are not on the page."""
    found = Counter(re.findall(r"\d{3,}", "\n".join(page.extract_text() for page in PdfReader(file).pages)))
    expected = "\n".join([printed(number), *references(number, site)])
    lost = Counter(re.findall(r"\d{3,}", expected)) - found
    return f"the PDF lacks {', '.join(sorted(lost)[:3])}" if lost else ""

"""The texts of a chaos run: each report's own, with parts and words that repeat."""

import re
from functools import cache

from research.llm.blocks import MIN_DRAFT, introduces
from research.markdown.outline import below_title
from testing.texts import templated

RESEARCH_SECONDS, SECTION_SECONDS, OTHER_SECONDS = 8.0, 5.0, 1.0
SECTIONS = 3
"""In every fourth report, the others are one text."""
CITED = (3, 1)
"""The pages that such a report cites, in the order of citing."""
SHARED = 999
"""The name of each report's last page, whose text is the same for all of them."""


@cache
def text_of(number: int, kind: str) -> str:
    """Return the text of a report's research ("r"), summary ("s"), plan ("p") or section ("1" and so on).

    Parts and words of it repeat. Each text is its own, so that a mix-up shows; it begins with a line that
    it does not repeat, or a model that writes the next part could not be told from one that begins again.
    """
    if kind == "p":
        return "\n".join(
            f"## {title_of(part)}\nWhat part {part} is about.\n" for part in kinds_of(number)[1:-1]
        )
    if kind.isdigit():
        seed = 1_000 + 10 * number + int(kind)
        text = templated(seed, length=400 + 200 * int(kind))
        return f"This is section {kind} of report {number}.\n\n{text}{_citing(number, kind)}"
    if kind == "s":
        part = f"Report {number} checks the list, checks the time, and checks the list again."
        return f"{part} {part} That was report {number}."
    text = templated(seed=number + 1, length=500 + 300 * (number // 3 % 6)) + _citing(number, kind)
    return text if text.startswith("# ") else f"This is the text of report {number}.\n\n{text}"


def sections_of(number: int) -> int:
    """Return how many sections a report is asked for."""
    return SECTIONS if number % 4 == 3 else 0


def pages_of(number: int) -> range:
    """Return the pages that a report is written from: three to five in every fourth report, else none."""
    return range(1, 4 + number % 3) if number % 8 in (2, 3) else range(0)


def topic_of(number: int) -> str:
    """Return what a report is asked for."""
    return f"Write report {number}"


def name_of(number: int, page: int) -> int:
    """Return the number by which title and text of a page are known."""
    return SHARED if page == len(pages_of(number)) else 1_000 * number + page


def title_of_page(number: int, page: int) -> str:
    return f"Page {name_of(number, page)} of the list"


def sentence_of(number: int, page: int) -> str:
    """Return the one sentence that no other page has."""
    return f"On page {name_of(number, page)} the pump was checked, and it stood still."


def _citing(number: int, part: str) -> str:
    """Return what a text ends with that is written from pages: four statements, the third of them false."""
    if not pages_of(number):
        return ""
    third, first = (name_of(number, page) for page in CITED)
    buyer = buyer_of(part)
    return (
        f"\nPage {first} says so to buyer {buyer}, and another one too [3][1]. On page {third} the pump was"
        f" checked, and it stood still [3]. {false_statement(first, buyer)} [1]. It was sold long ago [3].\n"
    )


def buyer_of(part: str) -> str:
    """Return the letter by which the statements of a text are known."""
    return " ABC"[int(part)] if part.isdigit() else "D"


def false_statement(page: int, buyer: str) -> str:
    return f"On page {page}, 4711 pumps of buyer {buyer} stood still"


def true_statement(page: int, buyer: str) -> str:
    """Return what the model writes in place of the false one when it is asked to."""
    return f"On page {page} the pump of buyer {buyer} stood still"


def kinds_of(number: int) -> tuple[str, ...]:
    """Return the kinds of a report's model calls."""
    sections = sections_of(number)
    return ("p", *map(str, range(1, sections + 1)), "s") if sections else ("r", "s")


def title_of(kind: str) -> str:
    return f"The part of the list that is checked as number {kind}"


def content_of(number: int) -> str:
    """Return the text of the whole research, as it is to stand on the page."""
    if not sections_of(number):
        return text_of(number, "r")
    return "\n\n".join(f"## {title_of(kind)}\n\n{result_of(number, kind)}" for kind in kinds_of(number)[1:-1])


def proven_content_of(number: int) -> str:
    """Return the same after its false statements were rewritten."""
    return _FALSE.sub(lambda found: true_statement(int(found[1]), found[2]), content_of(number))


def result_of(number: int, kind: str) -> str:
    """Return what the Activity is to return for a text: a section's headings stand below its title."""
    text = text_of(number, kind)
    return below_title(text, title_of(kind)) if kind.isdigit() else text


def seconds_of(kind: str) -> float:
    """Return how long the endpoint takes for a text."""
    return RESEARCH_SECONDS if kind == "r" else SECTION_SECONDS if kind.isdigit() else OTHER_SECONDS


@cache
def longest_block(text: str) -> int:
    """Return the characters of the text's longest block, with the headings and labels above it.

    A block ends at a blank line outside of code, unless a list continues behind it. The program may
    find smaller ones.
    """
    blocks: list[str] = []
    for piece in text.split("\n\n"):
        if blocks and _continues(blocks[-1], piece, is_first=len(blocks) == 1):
            blocks[-1] += f"\n\n{piece}"
        else:
            blocks.append(piece)
    return max(map(len, blocks)) + len("\n\n")


def _continues(block: str, piece: str, is_first: bool) -> bool:
    """Return whether a block has not ended before this piece."""
    *_, last = block.strip("\n").split("\n")
    is_list = bool(_ITEM.match(last) and _ITEM.match(piece))
    is_short = is_first and len(block.strip()) < MIN_DRAFT
    return block.count("```") % 2 == 1 or introduces(last) or is_list or is_short


_FALSE = re.compile(false_statement(0, "X").replace("0", r"(\d+)", 1).replace("X", "([A-D])"))
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.) ")

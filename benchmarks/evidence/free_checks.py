"""What the program decides without a model: passages that are in no page, statements with strange numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.evidence.forgeries import forgeries, letters, true_passages
from benchmarks.evidence.testset import KINDS, Stated, groups, pages, paragraphs, section
from models import Citation, Verdict
from research.evidence import judging, taking
from research.evidence.passages import quotes

MAX_BYTES = 1_000_000
QUOTED_TOGETHER = 7
"""Passages of one answer besides the true one, because a page has at most eight."""


@dataclass(frozen=True)
class Decided:
    """A statement, and what the program does about it."""

    stated: Stated
    citation: Citation
    """As it is when the judge says of every statement that it is supported."""
    is_refused: bool
    """Whether no model is asked, because a number, a date or quoted words are in no passage."""
    has_its_words: bool
    """Whether the words of the cited pages by which it is right are among its passages."""


def decide() -> list[Decided]:
    """Return what is decided of each statement, with a judge that says of every one that it is supported."""
    words, found = paragraphs(), list[Decided]()
    for group in groups():
        docket = judging.docket(section(group), pages(), words, (), MAX_BYTES)
        answer = "\n".join(f"{number}: supported" for number in range(1, len(group) + 1))
        citations = docket.decided(answer, "always", "2026-01-01")
        for place, (stated, citation) in enumerate(zip(group, citations, strict=True)):
            shown = [words[passage] for passage in citation.passages]
            has = all(any(each in text for text in shown) for each in stated.rests_on)
            found.append(Decided(stated, citation, place not in docket.open, has or bool(stated.elsewhere)))
    return found


def wrongly_refused(decided: Iterable[Decided]) -> list[Stated]:
    """Return the supported statements that no model is asked about."""
    return [d.stated for d in decided if d.is_refused and d.stated.expected == Verdict.SUPPORTED]


def wrongly_admitted(decided: Iterable[Decided]) -> list[Stated]:
    """Return the statements that pass although a number of theirs is in no cited page."""
    return [d.stated for d in decided if d.stated.strange and not d.is_refused]


def statements_table(decided: Sequence[Decided]) -> str:
    """Return a table of what is decided of the statements of each kind."""
    rows = [
        "| | statements | a number or quotation is in no cited page | of these refused "
        "| of the others refused | the judge is shown what decides |",
        "|---|---|---|---|---|---|",
    ]
    for kind in (*KINDS, ""):
        own = [d for d in decided if kind in ("", d.stated.kind)]
        strange = [d for d in own if d.stated.strange]
        others = [d for d in own if not d.stated.strange]
        decisive = [d for d in others if d.stated.rests_on and not d.stated.elsewhere]
        shown = f"{sum(d.has_its_words for d in decisive)} of {len(decisive)}" if decisive else "-"
        refused = [sum(d.is_refused for d in each) for each in (strange, others)]
        cells = [kind or "all", len(own), len(strange), *refused, shown]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


@dataclass
class Taken:
    """Of the passages of one kind how many were given, and how many were taken."""

    given: int = 0
    taken: int = 0
    in_page: int = 0
    """Forgeries that were not given, because their words stand in the page as they are."""


def take_forged() -> dict[str, Taken]:
    """Give forgeries as a model's answer; return what was taken by how they are made."""
    found: dict[str, Taken] = {}
    for number, page in pages().items():
        own, true = letters(page), true_passages(page)[-1]
        for kind, forged in forgeries(number).items():
            count = found.setdefault(kind, Taken())
            long = [each for each in dict.fromkeys(forged) if quotes(f"> {each}")]
            false = [each for each in long if letters(each) not in own]
            count.in_page += len(long) - len(false)
            count.given += len(false)
            for group in _parts(false):
                count.taken += _taken(group, true, number, page)
    return found


def _taken(forged: Sequence[str], true: str, number: int, page: str) -> int:
    """Return how many of these forgeries are taken beside a true passage."""
    answer = _quoted([true, *forged])
    passages, dropped = taking.take(answer, number, page, ())
    return max(sum(p.is_copied for p in passages), len(quotes(answer)) - dropped) - 1


def take_true() -> dict[str, Taken]:
    """Give the passages of the pages as a model's answer; return how many were taken."""
    found = {"as they are": Taken(), "with other marks and line breaks": Taken()}
    for number, page in pages().items():
        for passage in true_passages(page):
            for kind, text in zip(found, (passage, _disguised(passage)), strict=True):
                passages, dropped = taking.take(f"> {text}", number, page, ())
                words = [page[p.start : p.end] for p in passages if p.is_copied]
                is_same = [letters(each) for each in words] == [letters(passage)] and not dropped
                found[kind].given += 1
                found[kind].taken += is_same
    return found


def _parts(passages: Sequence[str]) -> list[Sequence[str]]:
    return [passages[start : start + QUOTED_TOGETHER] for start in range(0, len(passages), QUOTED_TOGETHER)]


def _quoted(passages: Iterable[str]) -> str:
    return "\n\n".join(f"> {passage}" for passage in passages)


def _disguised(passage: str) -> str:
    """Return a passage in bold, with other quotation marks, dashes and spaces, over several lines."""
    words = passage.translate(str.maketrans("„“”‘’–", '"""\'\'-')).split(" ")
    lines = [" ".join(words[start : start + 6]) for start in range(0, len(words), 6)]
    return "\n> ".join(["**" + lines[0], *lines[1:]]) + "**"


def passages_table(true: dict[str, Taken], forged: dict[str, Taken]) -> str:
    """Return a table of the passages that were taken."""
    rows = ["| passages | given | taken | not given: the page has these words |", "|---|---|---|---|"]
    rows += [f"| true, {kind} | {count.given} | {count.taken} | - |" for kind, count in true.items()]
    rows += [
        f"| forged: {kind} | {count.given} | {count.taken} | {count.in_page} |"
        for kind, count in forged.items()
    ]
    return "\n".join(rows)

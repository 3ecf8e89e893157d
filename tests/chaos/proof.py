"""The proof of the reports that read: what the model answers, honest or lying, and what has to come of it.

Kinds of calls beside those of the texts: "q1" and so on takes the passages of a page; "j" judges the one
text, "j1" and so on a section; "w" rewrites what is false in it; "k" judges that again.
"""

import re

from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION, REWRITE_INSTRUCTION
from testing.provider import Call
from tests.chaos.texts import (
    CITED,
    buyer_of,
    name_of,
    pages_of,
    proven_content_of,
    sections_of,
    sentence_of,
    title_of_page,
    true_statement,
)

COMMON = "Check the list, check the time, and check the list again."
"""A passage of every page, many times."""
JUDGES = ("honest", "says yes to everything", "gives no verdict")
SIGNS = {"supported": "", "unchecked": "†", "absent": "‡"}


def proof_kinds_of(number: int) -> tuple[str, ...]:
    """Return the kinds of a report's calls for its proof."""
    parts = parts_of(number)
    pages = [f"q{page}" for page in pages_of(number)]
    return (*pages, *(f"{kind}{part}" for kind in "jwk" for part in parts)) if pages else ()


def parts_of(number: int) -> tuple[str, ...]:
    """Return the numbers of a report's sections; "" for its one text."""
    return tuple(map(str, range(1, sections_of(number) + 1))) or ("",)


def judge_of(number: int) -> str:
    return JUDGES[number // 8 % 3]


def proof_text(number: int, kind: str) -> str:
    """Return what the model answers to a call for the proof of a report."""
    what, part = kind[0], kind[1:]
    if what == "q":
        fact = sentence_of(number, int(part))
        return f"> {COMMON}\n\n> {forged(fact)}\n\n> {fact}"
    if what == "w":
        return f"1: {true_statement(name_of(number, 1), buyer_of(part or 'r'))} [1][9]."
    if judge_of(number) == JUDGES[2]:
        return "They are supported by what I know, and I would not say more about any of them today."
    if judge_of(number) == JUDGES[1]:
        return "\n".join(f"{line}: supported" for line in range(1, 10))
    return "1: supported" if what == "k" else "1: supported\n2: supported\n3: absent"


def forged(fact: str) -> str:
    return fact.replace("stood still", "ran on")


def kind_of(call: Call) -> tuple[int, str] | None:
    """Return the report and the kind of a call for a proof; None for any other call."""
    prompt = call.prompt
    if prompt.startswith(PASSAGES_INSTRUCTION):
        number = int(re.findall(r"report (\d+)", prompt)[0])
        [page] = [page for page in pages_of(number) if title_of_page(number, page) in prompt]
        return number, f"q{page}"
    if not prompt.startswith((JUDGE_INSTRUCTION, REWRITE_INSTRUCTION)):
        return None
    page, buyer = re.findall(
        r"[Pp]age (\d+)(?: says so to|, 4711 pumps of| the pump of) buyer ([A-D])", prompt
    )[0]
    is_first = f"Page {page} says so" in prompt
    kind = "w" if prompt.startswith(REWRITE_INSTRUCTION) else "j" if is_first else "k"
    return int(page) // 1_000, f"{kind}{'' if buyer == 'D' else 'ABC'.index(buyer) + 1}"


def verdicts_of(number: int) -> list[tuple[str, str]]:
    """Return the statements of a report in their order, each with the verdict that it has to have."""
    found = []
    for part in parts_of(number):
        page, buyer = name_of(number, 1), buyer_of(part or "r")
        found += [
            f"Page {page} says so to buyer {buyer}, and another one too.",
            sentence_of(number, CITED[0]),
            f"{true_statement(page, buyer)}.",
            "It was sold long ago.",
        ]
    by_judge = {
        JUDGES[0]: ["supported", "supported", "supported", "absent"],
        JUDGES[1]: ["supported"] * 4,
        JUDGES[2]: ["unchecked"] * 4,
    }
    return list(zip(found, by_judge[judge_of(number)] * len(parts_of(number)), strict=True))


def printed(number: int) -> str:
    """Return the text of the whole research as it has to be printed: with notes, and with signs."""
    verdicts = iter([verdict for _, verdict in verdicts_of(number)] if pages_of(number) else [])

    def mark(found: re.Match[str]) -> str:
        notes = "".join(f"[^{CITED.index(int(page)) + 1}]" for page in re.findall(r"\d", found[0]))
        return f"{notes}{SIGNS[next(verdicts)]}."

    return re.sub(r" (?:\[[13]\])+\.", mark, proven_content_of(number))

"""Reports whose citations are proven: passages taken, statements judged, rewritten once, shown."""

import re
from collections.abc import Iterator

import pytest

from testing.inside import Inside
from testing.pages import Pages, html_page
from testing.provider import Call, Reply
from testing.search import SearchProvider, SearchReply

QUESTION = "How long do tardigrades survive in space?"
FILLER = "The samples were kept in the chamber for the whole of that time, as were those of the others. "
FACTS = {
    "/1": "In 2007, 68 percent of the animals lived on after ten days in the vacuum of space.",
    "/2": "Dried animals were kept for nine years in a box of moss and came back to life in water.",
}


@pytest.fixture
def provider() -> Iterator[SearchProvider]:
    with SearchProvider() as provider:
        yield provider


@pytest.fixture
def site() -> Iterator[Pages]:
    with Pages(
        {
            path: html_page(f"On {path}", FILLER * 3, f"{fact} {FILLER}", FILLER * 5)
            for path, fact in FACTS.items()
        }
    ) as site:
        yield site


TEXT = (
    "## In space\n\nIn 2007, 68 percent of them survived ten days in space [1]. Ninety years in a box of moss did "
    "them no harm, or 90 [2]. They never came back to life in water [2]. Nothing is known of Mars.\n"
)


def reply(call: Call) -> Reply:
    if call.is_plan:
        return Reply("## Queries\n- tardigrades space")
    if call.prompt.startswith("Copy passages"):
        page = call.prompt.partition("\nThe page:\n")[2]
        fact = next(fact for fact in FACTS.values() if fact in page)
        return Reply(f"> {fact}\n\n> The animals were taken to Mars and to the sun in 1969.")
    if call.prompt.startswith("Judge each statement"):
        verdicts = {
            "survived ten days": "supported",
            "never came back": "contradicted",
            "came back": "supported",
        }
        lines = re.findall(r"^(\d+)\. (.*)$", call.prompt, re.M)
        return Reply(
            "\n".join(f"{n}: {next((v for w, v in verdicts.items() if w in s), 'partly')}" for n, s in lines)
        )
    if call.prompt.startswith("Rewrite each statement"):
        lines = re.findall(r"^(\d+)\. (.*)$", call.prompt, re.M)
        return Reply(
            "\n".join(
                f"{n}: leave out" if "90" in s else f"{n}: They came back to life in water [2]."
                for n, s in lines
            )
        )
    if call.is_summary:
        return Reply("In short.")
    return Reply(TEXT)


async def test_passages_verdicts_and_rewriting(inside: Inside, provider: SearchProvider, site: Pages) -> None:
    provider.reply = reply
    found = [{"title": f"On {path}", "url": site.address(path), "content": "Samples."} for path in FACTS]
    provider.find = lambda query: SearchReply(found)
    async with inside.worker(**{**provider.search_environ, **site.environ, "READ_MAX_PAGES": "5"}):
        output = await inside.report(QUESTION, sources=True)
    for call in provider.calls:
        print("-----", call.prompt[-700:])
    print(inside.markdown())
    [file] = inside.folder.glob("*.evidence.json")
    print(file.read_text())
    print(output.notes)

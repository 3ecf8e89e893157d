"""A report of sections with sources: each section cites its own, and the references are one list."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.inside import Inside
from testing.provider import Call, Reply, default_reply
from testing.search import SearchProvider, default_results
from testing.texts import section_title
from tests.conftest import pdf_text

COUNT = 5


@pytest.fixture
def provider() -> Iterator[SearchProvider]:
    with SearchProvider() as provider:
        yield provider


def cites(call: Call) -> Reply:
    """Every section cites its first source twice, its last one, and one that it was not given."""
    if not call.section:
        return default_reply(call)
    first, *_, last = call.source_numbers
    return Reply(f"Part {call.section} is recorded [{first}]. So it is [{last}][{first}].\n\nMade up [99].")


async def test_sections_cite_their_own_sources(inside: Inside, provider: SearchProvider) -> None:
    provider.reply = cites
    async with inside.worker(**provider.search_environ):
        output = await inside.report("How is it recorded?", sources=True, sections=COUNT)
    assert (provider.plan_calls, provider.research_calls, provider.summary_calls) == (1, COUNT, 1)

    queries = [f"how steps are recorded, {number}" for number in range(1, COUNT + 1)]
    assert sorted(search.query for search in provider.searches) == queries, "more than four, one for each"
    for number, query in enumerate(queries, start=1):
        [call] = [call for call in provider.calls if call.section == number]
        quoted = re.findall(r"^(https?://\S+)$", call.prompt, re.MULTILINE)
        assert {*quoted} == {source["url"] for source in default_results(query).results}
    numbers = [set(call.source_numbers) for call in provider.calls if call.section]
    shared = set.intersection(*numbers)
    assert len(shared) == 1, "the page that every search has found has one number"

    # Cited are the first source of each section, and the page that all of them have found.
    assert [source.number for source in output.sources] == list(range(1, COUNT + 2))
    text = inside.markdown()
    assert text.count("## References") == 1
    for number in range(1, COUNT + 1):
        title = f"## {section_title(number)}\n\n"
        own = re.search(rf"{title}Part {number} is recorded\[\^(\d)\]. So it is(.*)\.\n\nMade up\.", text)
        assert own, text
        assert f"[^{own[1]}]" in own[2]
    assert "5 numbers that the model made up were removed" in text
    assert pdf_text(Path(output.path)).count("References") == 1

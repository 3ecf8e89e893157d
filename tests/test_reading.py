"""Reports that read: pages and a person's own documents, frozen, quoted, listed; kills between them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from models import Document
from research.evidence import store
from testing.app import App, wait_until
from testing.inside import Inside
from testing.pages import ROBOTS, Names, PageReply, Pages, Request, html_page
from testing.provider import Reply, default_reply
from testing.search import SearchProvider, SearchReply
from testing.terminal import Terminal

QUESTION = "How long do tardigrades survive in space?"
FILLER = "The samples were kept in the chamber for the whole of that time, as were those of the others. "
NOTHING = PageReply(status=404)
FACT = "In the {0} chamber, {1} of the 97 animals lived on after ten days in the vacuum of space."


@pytest.fixture
def site() -> Iterator[Pages]:
    with Pages() as site:
        yield site


@pytest.fixture
def provider() -> Iterator[SearchProvider]:
    with SearchProvider() as provider:
        yield provider


def page(number: int) -> PageReply:
    """A page with its fact in the middle, which is in no snippet; its paragraphs repeat."""
    fact = FACT.format(f"{number}th", number + 20)
    return html_page(f"Series {number}", FILLER * 3, FILLER * 9, f"{fact} {FILLER}", FILLER * 9, FILLER * 3)


def finds(site: Pages, *paths: str, host: str = "127.0.0.1") -> SearchReply:
    """What a search finds: these pages, and of each the same snippet."""
    snippet = "Samples were kept in the chamber for the whole of that time."
    return SearchReply(
        [{"title": f"On {path}", "url": site.address(path, host), "content": snippet} for path in paths]
    )


def serve(provider: SearchProvider, site: Pages, count: int) -> None:
    """Let each query find the same pages, and the plan be one query."""
    paths = [f"/{number}" for number in range(1, count + 1)]
    site.pages |= {path: page(int(path[1:])) for path in paths}
    provider.find = lambda query: finds(site, *paths)
    provider.reply = lambda call: (
        Reply("## Queries\n- tardigrades vacuum of space") if call.is_plan else default_reply(call)
    )


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that lead to 127.0.0.1, for workers in this process."""
    names = [f"host{number}.example" for number in range(20)]
    monkeypatch.setattr(aiohttp, "ThreadedResolver", lambda: Names({name: [["127.0.0.1"]] for name in names}))
    return names


def found(site: Pages, host: str, content: str = "All.") -> dict[str, str]:
    return {"title": f"On {host}", "url": site.address("/", host), "content": content}


def reading(
    provider: SearchProvider, site: Pages, hosts: Sequence[str] = ("127.0.0.1",), most: int = 20
) -> dict[str, str]:
    """The settings of a worker that searches and reads there."""
    allow = ",".join(f"{host}:{site.port}" for host in hosts)
    return {**provider.search_environ, "READ_ALLOW": allow, "READ_MAX_PAGES": str(most)}


def evidence(folder: Path) -> list[dict[str, Any]]:
    """The sources of the one report in the folder, each checked against the evidence store."""
    [file] = folder.glob("*.evidence.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["version"] == 1
    assert (folder / content["report"]).exists()
    for source in content["sources"]:
        if source["sha256"]:
            frozen = (folder / "evidence" / f"{source['sha256']}.txt").read_bytes()
            assert hashlib.sha256(frozen).hexdigest() == source["sha256"]
            assert len(frozen.decode("utf-8")) == source["characters"]
    return list(content["sources"])


async def test_a_report_from_whole_pages(inside: Inside, provider: SearchProvider, site: Pages) -> None:
    """The fact that is only in a page is in the prompt, and what was read is frozen and listed."""
    serve(provider, site, 6)
    site.pages["/4"] = PageReply(status=403)
    site.pages["/5"] = PageReply(b"\x89PNG\r\n\x1a\n" * 99, "image/png")
    site.pages[ROBOTS] = PageReply("User-agent: *\nDisallow: /6\n", "text/plain")
    async with inside.worker(**reading(provider, site)):
        output = await inside.report(QUESTION, sources=True)
    [research] = [call for call in provider.calls if call.source_numbers]
    assert research.source_numbers == [1, 2, 3, 4, 5, 6]
    for number in (1, 2, 3):
        assert f"> {FACT.format(f'{number}th', number + 20)} {FILLER}".rstrip() in research.prompt
    assert "in the vacuum of space" not in research.prompt.partition("[4] ")[2]
    assert research.prompt.count("> Samples were kept") == 3, "of those that were not read, the snippets"
    sources = evidence(inside.folder)
    assert [(source["url"], source["read"], source["reason"]) for source in sources] == [
        *[(site.address(f"/{number}"), "page", "") for number in (1, 2, 3)],
        (site.address("/4"), "snippet", "the server answered 403"),
        (site.address("/5"), "snippet", "neither a web page nor text or PDF (image/png)"),
        (site.address("/6"), "snippet", "blocked by robots.txt"),
    ]
    assert output.notes == (
        "Of 6 sources, 3 were read and 3 could not be: the server answered 403; neither a web page nor text"
        " or PDF (image/png); blocked by robots.txt. Of the others, what the search shows was used.",
    )
    assert sorted(site.paths()) == ["/1", "/2", "/3", "/4", "/5"]
    assert [source.url for source in output.sources] == [site.address(f"/{number}") for number in (1, 2, 3)]


async def test_at_most_so_many_pages_and_the_best_of_each_query(
    inside: Inside, provider: SearchProvider, site: Pages, hosts: list[str]
) -> None:
    """Side by side: eight pages of a second each, on hosts of their own, take about as long as one."""
    site.find = lambda request: PageReply(
        page(1).content, before_seconds=0.0 if request.path == ROBOTS else 1.0
    )
    serve(provider, site, 0)
    provider.find = lambda query: SearchReply([found(site, host) for host in hosts[:10]])
    async with inside.worker(**reading(provider, site, hosts, most=8)):
        await inside.report(QUESTION, sources=True)
    sources = evidence(inside.folder)
    assert [source["read"] for source in sources] == ["page"] * 8 + ["snippet"] * 2
    assert len(site.paths()) == 8
    assert site.most_at_once >= 6


async def test_without_read_allow_nothing_private_is_connected_to(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    serve(provider, site, 0)
    hosts = ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1")
    provider.find = lambda query: SearchReply(
        [r for host in hosts for r in finds(site, "/1", host=host).results]
    )
    environ = {name: value for name, value in reading(provider, site).items() if name != "READ_ALLOW"}
    async with inside.worker(**environ):
        output = await inside.report(QUESTION, sources=True)
    assert site.accepted == 0
    assert all(source["read"] == "snippet" for source in evidence(inside.folder))
    assert "could not be" in output.notes[0]


async def test_pages_that_come_with_the_search_are_not_fetched(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    """Tavily is asked for them; what it sends only for some is fetched for the others."""
    serve(provider, site, 2)
    others = "## References\n\n1. Smith, J. (2001). Other.\n"
    answer = finds(site, "/1", "/2")
    answer.results[0]["raw_content"] = f"# One\n\n{FILLER * 4}\n\n{FACT.format('1st', 21)}\n\n{others}"
    answer.results[1]["raw_content"] = None
    provider.find = lambda query: answer
    environ = reading(provider, site)
    environ |= {
        "SEARCH_PROVIDER": "tavily",
        "TAVILY_API_KEY": "tvly-none",
        "TAVILY_API_BASE": f"http://127.0.0.1:{provider.port}/tavily",
    }
    async with inside.worker(**environ):
        await inside.report(QUESTION, sources=True)
    assert provider.searches[0].asked["include_raw_content"] == "markdown"
    assert site.paths() == ["/2"]
    first, second = evidence(inside.folder)
    assert (first["read"], second["read"]) == ("result", "page")
    frozen = store.thaw(inside.folder, first["sha256"])
    assert FACT.format("1st", 21) in frozen
    assert "Smith" not in frozen, "a page's own references are not taken for what it says"
    [research] = [call for call in provider.calls if call.source_numbers]
    assert FACT.format("1st", 21) in research.prompt


def test_a_worker_killed_while_it_reads(app: App, provider: SearchProvider, site: Pages) -> None:
    """No page that was read is fetched again; the view says how many are, and how many are refused."""
    serve(provider, site, 9)
    del site.pages["/4"]

    def find(request: Request) -> PageReply:
        """The last two pages, whichever these are, are slow when they are asked for the first time."""
        asked = [path for path in site.paths() if path in site.pages]
        seconds = 25.0 if request.path in asked and len(asked) in (7, 8) else 0.0
        return replace(site.pages.get(request.path, NOTHING), before_seconds=seconds)

    site.find = find
    app.environ.update(reading(provider, site))
    worker = app.worker()
    starter = Terminal("starter.py", "--sources", QUESTION, root=app.root, environ=app.environ)
    wait_until(lambda: len(site.paths()) == 9)
    starter.see("Read", " of 9, 1 refused")
    slow = [path for path in site.paths() if path in site.pages][6:]
    worker.kill()
    app.worker()
    assert starter.exit_status() == 0, starter.screen
    assert sorted(site.paths()[:9]) == sorted([*site.pages, "/4"])
    assert sorted(site.paths()[9:]) == sorted(slow)
    seen = starter.see("PDF: ")
    steps = [line.split()[1] for line in seen.splitlines() if line.startswith("✓")]
    assert steps == ["Plan", "Search", "Read", "Research", "Summary", "PDF"]
    assert "8 of 9, 1 refused" in seen
    assert [s["read"] for s in evidence(app.root / "reports")] == ["page"] * 3 + ["snippet"] + ["page"] * 5


async def test_twenty_pages_keep_the_history_small(
    inside: Inside, provider: SearchProvider, site: Pages, hosts: list[str]
) -> None:
    """Of eight sections and twenty long pages, none of whose texts is in it."""
    long_page = html_page("A long one", *[f"{FILLER * 9} Paragraph {n}." for n in range(200)])
    site.find = lambda request: PageReply(status=404) if request.path == ROBOTS else long_page
    plan = "".join(f"## Part {part}\nWhat is known.\n- {part} in space\n" for part in "ABCDEFGH")
    provider.reply = lambda call: Reply(plan if call.is_plan else f"{FILLER * 9}[1][2]")
    snippet = f"{FILLER * 3} (snippet)"
    provider.find = lambda query: SearchReply(
        [found(site, host, snippet) for host in (hosts[:10] if query < "E" else hosts[10:])]
    )
    async with inside.worker(**reading(provider, site, hosts)):
        handle = await inside.start(QUESTION, sources=True, sections=8)
        await handle.result()
    assert [source["read"] for source in evidence(inside.folder)] == ["page"] * 20
    events = [event.SerializeToString() for event in (await handle.fetch_history()).events]
    assert sum(b'"read_page"' in event or b"read_page" in event for event in events) == 20
    assert b"Paragraph 100" not in b"".join(events)
    assert sum(map(len, events)) < 200_000


async def test_documents_alone_make_a_report(inside: Inside, provider: SearchProvider) -> None:
    """Nothing is searched for; what is quoted of a document is about the topic, with the page it is on."""
    inside.folder.mkdir()
    text = f"# Notes\n\n{FILLER * 20}\n\n{FACT.format('last', 11)}\n\n{FILLER * 20}".encode()
    documents = (Document("notes.md", store.store_document(inside.folder, text)),)
    async with inside.worker():
        output = await inside.report(QUESTION, documents=documents)
    [research, _] = provider.calls
    assert FACT.format("last", 11) in research.prompt
    assert "[1] notes.md\n> " in research.prompt
    [source] = evidence(inside.folder)
    assert (source["title"], source["url"], source["read"]) == ("notes.md", "", "document")
    assert [cited.title for cited in output.sources] == ["notes.md"]
    markdown = inside.markdown()
    assert "[^1]: notes.md" in markdown

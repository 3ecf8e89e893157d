"""A report with sources: planned, searched, cited, and checked on the page."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from temporalio.client import Client

from testing.app import App, wait_until
from testing.inside import Inside
from testing.processes import workflow_id
from testing.provider import Call, Reply, default_reply
from testing.search import SearchProvider, SearchReply, default_results
from testing.terminal import Terminal
from tests.conftest import pdf_text

QUESTION = "How does durable execution work?"
LOGGERS = ("research", "temporalio.activity", "temporalio.workflow")
QUERIES = ["durable execution", "workflow engines", "crash recovery", "event sourcing"]


@pytest.fixture
def provider() -> Iterator[SearchProvider]:
    with SearchProvider() as provider:
        yield provider


@pytest.fixture
def searching(app: App, provider: SearchProvider) -> App:
    app.environ.update(provider.search_environ)
    return app


def links(path: Any) -> list[str]:
    """The web addresses that a PDF's links lead to."""
    found = [a.get_object() for page in PdfReader(path).pages for a in page.get("/Annots", [])]
    return [str(link["/A"]["/URI"]) for link in found if "/URI" in link.get("/A", {})]


def inner_links(path: Any) -> list[float]:
    """The heights, on their page, of the places in the PDF that its links lead to."""
    found = [a.get_object() for page in PdfReader(path).pages for a in page.get("/Annots", [])]
    return [float(link["/Dest"][3]) for link in found if "/Dest" in link]


async def test_a_report_with_sources(
    inside: Inside, provider: SearchProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """A plan, its queries, a research that has the sources, and a page whose references are all retrieved."""
    provider.reply = lambda call: (
        default_reply(call)
        if call.is_plan or call.is_summary
        else Reply(
            "## Recovery\n\nA worker may die [2][5]. Another one goes on [13, 2].\n\n"
            "- Nothing is lost [99].\n\n```python\nx[1]\n```\n\n## References\n\n[1] https://invented.example/paper\n"
        )
    )
    caplog.set_level("INFO")
    async with inside.worker(**provider.search_environ):
        handle = await inside.start(QUESTION, sources=True)
        output = await handle.result()
    assert (provider.plan_calls, provider.research_calls, provider.summary_calls) == (1, 1, 1)
    assert sorted(search.query for search in provider.searches) == sorted(QUERIES)
    research = provider.calls[1]
    assert f"\n\n> {QUESTION}\n\nWrite the report from the numbered sources below." in research.prompt
    assert research.source_numbers == list(range(1, 14))  # three of each query, and one of all
    assert "[1] On durable execution, part 1\n2021-01-15\n" in research.prompt
    assert "> Part 1 of what is known of durable execution: measured in the laboratory." in research.prompt

    cited = [(source.number, source.title, source.date) for source in output.sources]
    assert cited == [
        (1, "On workflow engines, part 1", "2021-01-15"),
        (2, "On durable execution, part 2", "2021-02-15"),
        (3, "An overview of the field", ""),
    ]
    assert (output.bill.searches, output.bill.search_cost) == (4, 0.0)
    addresses = [source.url for source in output.sources]
    assert set(addresses) <= {found["url"] for query in QUERIES for found in default_results(query).results}

    text = " ".join(pdf_text(Path(output.path)).split())
    assert "A worker may die1, 2. Another one goes on3, 1." in text
    assert "Nothing is lost." in text
    assert "x[1]" in text
    assert "invented.example" not in text
    assert text.count("References") == 1
    assert links(output.path) == addresses
    first, second, third, again = inner_links(output.path)
    assert first == again > second > third
    today = f"{datetime.now(UTC):%B} {datetime.now(UTC).day}, {datetime.now(UTC).year}"
    assert f"journal.example.org, January 15, 2021, retrieved {today}" in text
    assert (
        "Checked by the program: 3 of 13 sources cited; 1 number that the model made up was removed;"
        " a list of references that the model wrote was removed." in text
    )
    assert "searches 4 ($0.0000)" in text
    written = inside.markdown()
    assert "A worker may die[^1][^2]. Another one goes on[^3][^1]." in written
    assert re.findall(r"^\[\^(\d)\]: .*<(.*)>", written, re.M) == [
        (str(number), address) for number, address in enumerate(addresses, 1)
    ]

    logged = [record.message for record in caplog.records if record.name.startswith(LOGGERS)]
    assert sorted(line for line in logged if line.startswith("Search")) == sorted(
        f"Search finished: 4 results for {query!r}" for query in QUERIES
    )
    assert logged[0] == "Plan begins"
    assert logged[1].startswith("Plan finished: ")
    assert len(logged) == 13  # two lines for each of three calls, four searches, two for the story, one PDF

    events = (await handle.fetch_history()).events
    summaries = [json.loads(e.user_metadata.summary.data) for e in events if e.user_metadata.summary.data]
    assert summaries == [
        "Plan the report", *[f"Search: {query}" for query in QUERIES],
        "Research the topic", "Summarise the research", "Write the PDF",
    ]  # fmt: skip


async def test_no_sources_where_a_provider_is_configured(
    searching: App, provider: SearchProvider, client: Client
) -> None:
    """`--no-sources` makes the report that it always was; without it, sources are the default."""
    starters = [searching.starter("--detach", *options, QUESTION) for options in ([], ["--no-sources"])]
    given = []
    for starter in starters:
        assert starter.exit_status() == 0, starter.text
        history = await client.get_workflow_handle(workflow_id(starter)).fetch_history()
        started = history.events[0].workflow_execution_started_event_attributes
        given.append(json.loads(started.input.payloads[0].data)["sources"])
    assert given == [True, False]


@pytest.mark.proof
def test_a_worker_killed_in_every_phase(searching: App, provider: SearchProvider) -> None:
    """In the plan, between two searches, in the research: what was recorded is not made again."""
    endless = 60.0

    def reply(call: Call) -> Reply:
        """The first plan and the first research never come."""
        is_first = (
            call.is_plan * provider.plan_calls + bool(call.source_numbers) * provider.research_calls == 1
        )
        return Reply(default_reply(call).text, before_seconds=endless if is_first else 0)

    def find(query: str) -> SearchReply:
        made = [search.query for search in provider.searches]
        is_first = query == QUERIES[2] and made.count(query) == 1
        return SearchReply(default_results(query).results, before_seconds=endless if is_first else 0)

    provider.reply, provider.find = reply, find
    worker = searching.worker()
    starter = Terminal("starter.py", QUESTION, root=searching.root, environ=searching.environ)
    wait_until(lambda: provider.plan_calls == 1)
    worker.kill()
    worker = searching.worker()
    starter.see("Search", "3 of 4", "10 sources found")
    worker.kill()
    worker = searching.worker()
    wait_until(lambda: provider.research_calls == 1)
    worker.kill()
    searching.worker()
    assert starter.exit_status() == 0, starter.screen
    assert (provider.plan_calls, provider.research_calls, provider.summary_calls) == (2, 2, 1)
    assert sorted(search.query for search in provider.searches) == sorted([*QUERIES, QUERIES[2]])
    first, second = (call.prompt for call in provider.calls if call.source_numbers)
    assert first == second  # the research begins again with the same sources

    seen = starter.see("PDF: ")
    steps = [line.split()[1:5] for line in seen.splitlines() if line.startswith("✓")]
    assert [step[0] for step in steps] == ["Plan", "Search", "Research", "Summary", "PDF"]
    assert steps[1] == ["Search", "4", "of", "4"]
    assert "13 sources found" in seen


@pytest.mark.long
@pytest.mark.proof
async def test_a_report_waits_for_what_a_person_has_to_set(
    app: App, provider: SearchProvider, client: Client
) -> None:
    """Started by JSON on a worker without a search provider: it waits, says what to set, and goes on."""
    provider.reply = lambda call: Reply("- tardigrades in space")
    worker = app.worker()
    handle = await client.start_workflow(
        "GenerateReportWorkflow", {"prompt": "How do tardigrades survive?", "sources": True},
        id="from-json", task_queue="research",
    )  # fmt: skip
    worker.wait_for("Search, attempt 1: Sources need a search provider: set SEARCH_PROVIDER")
    starter = app.starter("--attach", "from-json")
    starter.wait_for("Search waits: Sources need a search provider: set SEARCH_PROVIDER")
    worker.stop()
    app.worker(SEARCH_PROVIDER="sample", LLM_MODEL="sample/report")
    output = await handle.result()
    assert output["sources"][0]["url"] == "https://doi.org/10.1016/j.cub.2008.06.048"
    assert len(output["sources"]) == 6
    assert links(output["path"])[0] == "https://doi.org/10.1016/j.cub.2008.06.048"
    assert starter.exit_status() == 0, starter.text


@pytest.mark.proof
async def test_an_outage_leaves_what_the_other_queries_found(
    inside: Inside, provider: SearchProvider
) -> None:
    """It continues after MAX_OUTAGES attempts and says so, as it says that not all sources fit into the
    model's context. Without a plan the topic is the query; without sources there are no references."""
    too_long = {"message": "too many tokens", "code": "context_length_exceeded"}
    provider.reply = lambda call: (
        Reply(status=400, error=too_long) if len(call.source_numbers) > 6 else default_reply(call)
    )
    down = {"retry-after-ms": "20"}
    provider.find = lambda query: (
        SearchReply(status=503, headers=down) if query == QUERIES[1] else default_results(query)
    )
    async with inside.worker(**provider.search_environ):
        output = await inside.report(QUESTION, sources=True)
    assert output.notes == (
        '1 of 4 searches of the web failed: searxng gives no answer: {"error": "no search now"}.',
        "The text was written from some of its sources: all are too long for the model.",
    )
    assert output.bill.searches == 3
    assert [search.query for search in provider.searches].count(QUERIES[1]) == 8
    assert "1 of 4 searches of the web failed" in pdf_text(Path(output.path))

    refused = Reply(status=422, error={"message": "no plans here"})
    provider.reply = lambda call: refused if call.is_plan else default_reply(call)
    provider.find = lambda query: SearchReply([])
    provider.searches.clear()
    async with inside.worker(**provider.search_environ):
        output = await inside.report(QUESTION, sources=True)
    assert [search.query for search in provider.searches] == [QUESTION]
    assert output.notes == ("The searches of the web found nothing, so this report cites no sources.",)
    assert output.sources == ()
    text = pdf_text(Path(output.path))
    assert "cites no sources" in text
    assert "References" not in text
    assert provider.calls[-2].prompt == QUESTION

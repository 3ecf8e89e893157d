"""A report with sources: planned, searched, cited, and checked on the page."""

import json
from collections.abc import Iterator

import pytest

from testing.processes import workflow_id
from testing.search import SearchProvider
from tests.conftest import App

QUESTION = "How does durable execution work?"


@pytest.fixture
def provider() -> Iterator[SearchProvider]:
    with SearchProvider() as provider:
        yield provider


@pytest.fixture
def searching(app: App, provider: SearchProvider) -> App:
    app.environ.update(provider.search_environ)
    return app


async def test_a_report_with_sources_takes_its_steps(searching: App, provider: SearchProvider) -> None:
    """A plan, its queries, a research that has the sources, the rest as ever; with a summary each."""
    searching.worker()
    starter = searching.starter(QUESTION)
    assert starter.exit_status() == 0, starter.text
    assert (provider.plan_calls, provider.research_calls, provider.summary_calls) == (1, 1, 1)
    queries = ["durable execution", "workflow engines", "crash recovery", "event sourcing"]
    assert sorted(search.query for search in provider.searches) == sorted(queries)
    research = provider.calls[1].prompt
    assert research.startswith(f"{QUESTION}\n\nWrite the report from the numbered sources below.")
    assert provider.calls[1].source_numbers == list(range(1, 14))  # three of each query, and one of all
    assert "[1] On durable execution, part 1\n2021-01-15\n" in research
    assert "> Part 1 of what is known of durable execution: measured in the laboratory." in research

    client = await searching.client()
    events = (await client.get_workflow_handle(workflow_id(starter)).fetch_history()).events
    summaries = [json.loads(e.user_metadata.summary.data) for e in events if e.user_metadata.summary.data]
    assert summaries == [
        QUESTION,
        "Plan the report",
        *[f"Search: {query}" for query in queries],
        "Research the topic",
        "Summarise the research",
        "Write the PDF",
    ]

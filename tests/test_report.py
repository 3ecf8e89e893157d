"""A report from the topic to the PDF, as a user starts it."""

import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from testing.app import App
from testing.inside import Inside
from testing.processes import workflow_id
from testing.provider import Provider, Reply, default_reply
from testing.terminal import Terminal
from tests.conftest import KEY, pdf_text

QUESTION = "How do tardigrades survive in space?"


async def test_a_report_from_topic_to_pdf(app: App, provider: Provider, tmp_path: Path) -> None:
    """Worker and starter say what they do, the model is asked twice, the PDF holds the text.

    The Web UI can tell the story: every step has a summary, and the pause is named as one. The program that
    opens the PDF gets no key.
    """
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/opened\nenv >>{tmp_path}/opened\n')
    browser.chmod(0o755)
    worker = app.worker()
    starter = app.starter(
        "--pause", "0.1", "--open", QUESTION, BROWSER=str(browser), TAVILY_API_KEY=f"{KEY}1"
    )
    assert starter.exit_status() == 0, starter.text
    address, *environ = (tmp_path / "opened").read_text().splitlines()
    assert address == app.reports()[0].as_uri()
    assert KEY not in "".join(environ) and any(line.startswith("PATH=") for line in environ)

    assert starter.lines[0] == "Welcome to the Research Report Generator!"
    assert starter.lines[1].startswith("Started workflow. Workflow ID: generate-research-report-workflow-")
    assert "http://localhost:" in starter.lines[2]
    [report] = app.reports()
    assert f"Result: Successfully created research report PDF with summary: {report.name}" in starter.lines
    assert f"PDF: {report}" in starter.lines
    assert report.name.startswith("how-do-tardigrades-survive-in-space-")

    assert (provider.research_calls, provider.summary_calls) == (1, 1)
    assert provider.calls[0].messages == [{"role": "user", "content": QUESTION}]
    research = default_reply(provider.calls[0]).text
    assert provider.calls[1].prompt == (
        f"Provide a 2-3 sentence executive summary of this research: {research}\n\n"
        "Write the summary in the language of the research above."
    )

    text = pdf_text(report)
    assert text.index(QUESTION) < text.index("Executive Summary")
    assert text.index("every finished step.") < text.index("Every finished step is recorded")
    assert "sample" not in text.lower()

    [bill] = [line.removeprefix("Bill: ") for line in starter.lines if line.startswith("Bill: ")]
    assert all(part in bill for part in ("tokens in", "cost $0.00", "requests 2"))
    assert bill in " ".join(text.split())

    worker.wait_for("Summary generated!")
    assert any("Research complete!" in line for line in worker.lines)
    assert worker.stop() == 0

    client = await app.client()
    handle = client.get_workflow_handle(workflow_id(starter))
    assert await (await handle.describe()).static_summary() == QUESTION
    events = (await handle.fetch_history()).events
    summaries = [json.loads(e.user_metadata.summary.data) for e in events if e.user_metadata.summary.data]
    assert summaries == [
        QUESTION,
        "Research the topic",
        "Durable pause: kill the worker, nothing is lost",
        "Summarise the research",
        "Write the PDF",
    ]


async def test_the_key_is_nowhere(app: App, provider: Provider) -> None:
    """Not in the history, not on the screen, not in the PDF, even when the model writes it."""
    provider.reply = lambda call: Reply(f"The key is {KEY}, says the model.")
    worker = app.worker("--verbose")
    starter = app.starter()
    assert starter.exit_status() == 0, starter.text
    assert provider.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    client = await app.client()
    history = await client.get_workflow_handle(workflow_id(starter)).fetch_history()
    worker.stop()
    [report] = app.reports()
    for place in (history.to_json(), worker.text, starter.text, pdf_text(report)):
        assert KEY not in place
    assert "The key is [key removed], says the model." in pdf_text(report)


async def test_a_start_from_json_as_another_sdk_would(inside: Inside) -> None:
    """`{"prompt": "…"}` is enough, and the result's JSON has `result`."""
    async with inside.worker():
        output = await inside.client.execute_workflow(
            "GenerateReportWorkflow", {"prompt": QUESTION}, id=inside.queue, task_queue=inside.queue
        )
    [report] = inside.folder.glob("*.pdf")
    assert output["result"] == f"Successfully created research report PDF with summary: {report.name}"


@pytest.mark.proof
def test_the_sample_model_needs_no_key_and_says_so(app: App) -> None:
    """With nothing configured, Enter at the prompt gives a report that is marked as sample text."""
    app.environ.update(LLM_MODEL="", LLM_API_KEY="", LLM_API_BASE="")
    worker = app.worker()
    assert any("sample/report" in line and "sample text" in line for line in worker.lines)
    terminal = Terminal("starter.py", root=app.root, environ=app.environ)
    terminal.see("Enter your research topic or question:")
    terminal.type("\n")
    assert terminal.exit_status() == 0, terminal.screen
    seen = terminal.see("This is sample text.", "PDF: ")
    assert "Using the default topic: Give me 5 fun and fascinating facts" in seen
    [report] = app.reports()
    text = pdf_text(report)
    assert "Sample text from the built-in offline model. It is not research." in text
    assert "They can dry out and come back." in text
    pages = PdfReader(report).pages
    assert all("Sample text, not research" in page.extract_text() for page in pages)

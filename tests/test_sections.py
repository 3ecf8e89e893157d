"""A report of sections: planned, written side by side, each of them durable, joined on the page."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from pypdf import PdfReader
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from research.formatting import json_bytes, truncate_json
from research.markdown.outline import below_title
from research.report.sections import MAX_SECTION_BYTES
from testing.app import App, wait_until
from testing.inside import Inside
from testing.provider import Call, Provider, Reply, default_reply
from testing.texts import section_plan, section_text, section_title
from tests.conftest import is_about_fonts, notes_of

QUESTION = "How is every step recorded?"
POLICY = {"message": "violates our content policy", "code": "content_policy_violation"}
SECONDS = 2.0
PIECES = 40


def slowly(*numbers: int) -> Callable[[Call], Reply]:
    """These sections stop after half of their two seconds; all others, plan and summary are there at once."""

    def reply(call: Call) -> Reply:
        answer = default_reply(call)
        if call.section in numbers:
            answer.chunk_seconds, answer.held_after = SECONDS / PIECES, PIECES // 2
            answer.chunk_characters = len(section_text(call.section)) // PIECES
        return answer

    return reply


def calls_for(provider: Provider, number: int) -> list[Call]:
    return [call for call in provider.calls if call.section == number]


def are_under_way(provider: Provider, *numbers: int) -> bool:
    """Whether most of what is sent of these sections was sent."""
    return all(
        sum(len(call.sent) for call in calls_for(provider, number)) > len(section_text(number)) * 0.4
        for number in numbers
    )


async def start(client: Client, prompt: str, sections: object, **more: object) -> WorkflowHandle[Any, Any]:
    """Start a report from JSON, as another SDK would."""
    report = {"prompt": prompt, "sections": sections, **more}
    identity = re.sub(r"\W+", "-", prompt)[:50]
    return await client.start_workflow("GenerateReportWorkflow", report, id=identity, task_queue="research")


async def recorded(handle: WorkflowHandle[Any, Any]) -> dict[str, dict[str, Any]]:
    """What each `llm_call` gave back, by its summary in the history."""
    names: dict[int, str] = {}
    results = {}
    for event in (await handle.fetch_history()).events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == "llm_call":
            names[event.event_id] = json.loads(event.user_metadata.summary.data)
        completed = event.activity_task_completed_event_attributes
        if completed.scheduled_event_id in names:
            name = names[completed.scheduled_event_id]
            results[name] = json.loads(completed.result.payloads[0].data)
    return results


def named(number: int, count: int) -> str:
    return f"Section {number} of {count}: {section_title(number)}"


def body(app: App) -> str:
    """The sections in the one report's Markdown file."""
    [file] = (app.root / "reports").glob("*.md")
    return file.read_text(encoding="utf-8").split("\n\n---\n\n", 1)[1].rpartition("\n\n---\n\n")[0]


def joined(count: int) -> str:
    parts = [f"## {section_title(number)}\n\n{below(number)}" for number in range(1, count + 1)]
    return "\n\n".join(parts)


def below(number: int) -> str:
    """A section's text with its headings below its title."""
    return below_title(section_text(number), section_title(number))


async def test_a_report_of_sections(
    inside: Inside, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """One plan, one call for each section with nothing of the others' texts, one summary of them all."""
    caplog.set_level("INFO")
    async with inside.worker():
        handle = await inside.start(QUESTION, sections=8)
        output = await handle.result()
    assert (provider.plan_calls, provider.research_calls, provider.summary_calls) == (1, 8, 1)
    assert sorted(call.section for call in provider.calls[1:9]) == list(range(1, 9))
    for call in provider.calls[1:9]:
        own = f"{call.section}. {section_title(call.section)}: What is recorded in step {call.section}"
        assert call.prompt.startswith(f"Write section {call.section} of 8 of a research report.")
        assert f"\n\nYour section:\n\n{own}" in call.prompt
        assert all(f"{number}. {section_title(number)}: " in call.prompt for number in range(1, 9))
        assert QUESTION in call.prompt
        assert section_text(call.section)[:40] not in call.prompt
    written = inside.markdown().split("\n\n---\n\n", 1)[1].rpartition("\n\n---\n\n")[0]
    assert written == joined(8)
    assert written in provider.calls[9].prompt

    assert output.bill.requests == 10
    assert [note for note in output.notes if not is_about_fonts(note)] == []
    outline = [entry for entry in PdfReader(output.path).outline if not isinstance(entry, list)]
    assert [entry.title for entry in outline] == [section_title(number) for number in range(1, 9)]

    events = (await handle.fetch_history()).events
    summaries = [json.loads(e.user_metadata.summary.data) for e in events if e.user_metadata.summary.data]
    sections = [named(number, 8) for number in range(1, 9)]
    assert summaries == ["Plan the report", *sections, "Summarise the research", "Write the PDF"]
    assert "Section 3 of 8 finished: " in caplog.text


async def test_a_kill_while_sections_are_written(app: App, client: Client, provider: Provider) -> None:
    """Finished sections are kept, running ones resume in their text, and no word of any text is lost."""
    slow, count = (3, 4, 5, 6), 6
    provider.reply = slowly(*slow)
    worker = app.worker()
    handle = await start(client, QUESTION, count)
    await asyncio.to_thread(wait_until, lambda: are_under_way(provider, *slow))
    while len(await recorded(handle)) < 3:  # the plan and two sections
        await asyncio.sleep(0.05)
    worker.kill()
    provider.release()
    app.worker()
    result = await handle.result()
    assert [len(calls_for(provider, number)) for number in range(1, count + 1)] == [1, 1, 2, 2, 2, 2]
    assert body(app) == joined(count)
    texts = await recorded(handle)
    for number in range(1, count + 1):
        assert texts[named(number, count)]["text"] == below(number)
    for number in slow:
        first, second = calls_for(provider, number)
        assert len(second.draft) > len(first.sent) / 2
        resumed_at = texts[named(number, count)]["resumed_at"]
        assert section_text(number)[:resumed_at].rstrip() == second.draft
    assert notes_of(result) == ["Sections 3, 4, 5, 6: The text was interrupted and resumed."]

    whole = [texts["Plan the report"], *[texts[named(number, count)] for number in (1, 2)]]
    kept = sum(texts[named(number, count)]["kept_tokens"] for number in slow)
    saved = sum(call["input_tokens"] + call["output_tokens"] for call in whole) + kept
    assert result["bill"]["saved_tokens"] == saved
    assert result["bill"]["requests"] == len(provider.calls) + len(provider.probes)
    assert len(provider.probes) == 1, "asked once, for all sections of this worker"


@pytest.mark.proof
async def test_one_of_two_workers_stops(app: App, client: Client, provider: Provider) -> None:
    """The other one takes over its sections at the very character, at once and not after a timeout."""
    numbers = range(1, 7)
    provider.reply = slowly(*numbers)
    stopped = app.worker(LLM_MAX_CALLS="3", LLM_API_KEY="sk-one-of-two-workers")
    app.worker(LLM_MAX_CALLS="9", LLM_API_KEY="sk-two-of-two-workers")
    handle = await start(client, QUESTION, 6)
    await asyncio.to_thread(wait_until, lambda: are_under_way(provider, *numbers))
    assert await asyncio.to_thread(stopped.stop) == 0
    assert "Traceback" not in stopped.text
    provider.release()
    assert (await handle.result())["bill"]["saved_tokens"] > 0
    assert body(app) == joined(6)
    moved = [number for number in numbers if len(calls_for(provider, number)) == 2]
    assert moved, "the stopped worker had sections"
    events = (await handle.fetch_history()).events
    started = [event.activity_task_started_event_attributes for event in events]
    given_up = [each.last_failure.application_failure_info.type for each in started if each.attempt == 2]
    assert given_up == ["WorkerShutdown"] * len(moved)
    for number in moved:
        first, second = calls_for(provider, number)
        assert first.headers["Authorization"] == "Bearer sk-one-of-two-workers"
        assert second.headers["Authorization"] == "Bearer sk-two-of-two-workers"
    assert sum(len(calls_for(provider, number)) for number in numbers) == 6 + len(moved)


PLANS = {
    "numbered": "Here is the plan:\n\n1. Moss: Where they live.\n2) Space: What came back.\n3. Heat",
    "in bold": "**Section 1: Moss**\n- **Covers:** Where they live.\n\n**Section 2: Space**\n\n**Heat**",
    "deep": "# Plan\n\n### 1. Moss\n#### Covers\nWhere they live.\n### 2. Space\n### 3. Heat\n### References",
}


def odd_models(call: Call) -> Reply:
    """Plans and sections as some models write them, by the topic."""
    found = re.search(r"Case: ([\w ]+)\.", call.prompt)
    if call.is_summary or not found:
        return Reply("In short.")
    case = found[1]
    if call.is_plan and case in PLANS:
        return Reply(PLANS[case])
    if call.is_plan and case == "no plan":
        return Reply("I cannot plan that.")
    if call.is_plan and case == "no end":
        return Reply("- And what then?\n" * 20_000, chunk_characters=9_000, chunk_seconds=0.05)
    if call.is_plan:
        return Reply(section_plan(25 if case == "too many" else 3))
    if case == "all refused" or (case == "one refused" and call.section == 2):
        return Reply(status=400, error=POLICY)
    if case == "first levels":
        return Reply(f"# {section_title(call.section)}\n\n# Moss\n\nText.\n\n## Leaves\n\nText.\n")
    return Reply(f"Text of section {call.section}.")


async def test_what_models_write_and_refuse(inside: Inside, provider: Provider) -> None:
    """Plans in three shapes, none, one without end, too many sections; refusals; first-level headings."""
    provider.reply = odd_models
    asked = dict.fromkeys((*PLANS, "no plan", "no end", "one refused", "all refused", "first levels"), 3)
    asked |= {"too many": 50, "only one": 1, "less than none": -3}
    async with inside.worker():
        reports = [inside.report(f"Case: {name}.", sections=count) for name, count in asked.items()]
        ends = await asyncio.gather(*reports, return_exceptions=True)
    results: dict[str, Any] = dict(zip(asked, ends, strict=True))

    def page(name: str) -> str:
        assert not isinstance(results[name], BaseException), results[name]
        [file] = inside.folder.glob(f"case-{name.replace(' ', '-')}-*.md")
        text = file.read_text(encoding="utf-8")
        return text.split("\n\n---\n\n", 1)[1].rpartition("\n\n---\n\n")[0]

    for name in PLANS:
        parts = enumerate(("Moss", "Space", "Heat"), start=1)
        assert page(name) == "\n\n".join(f"## {title}\n\nText of section {n}." for n, title in parts)
    prompts = [call.prompt for call in provider.calls if call.section == 1]
    assert sum("1. Moss: Where they live.\n2. Space" in prompt for prompt in prompts) == 3

    assert page("no plan") == "Text of section 0."
    assert sum(call.is_plan and "no plan" in call.prompt for call in provider.calls) == 2
    assert page("no end") == "Text of section 0."
    endless = [call for call in provider.calls if call.is_plan and "no end" in call.prompt]
    assert len(endless) == 2
    assert all(len(call.sent) < 150_000 for call in endless), "a plan without end is not paid for"
    unread = "The model wrote no plan of sections that could be read, so the report is one text."
    assert results["no plan"].notes == results["no end"].notes == (unread,)

    refused = f"## {section_title(2)}\n\n*This section could not be written: the provider's content policy"
    assert refused in page("one refused")
    assert f"## {section_title(3)}\n\nText of section 3." in page("one refused")
    assert results["one refused"].notes == ("1 of 3 sections could not be written.",)
    failure = results["all refused"]
    assert isinstance(failure, WorkflowFailureError)
    assert str(failure.cause).startswith("no section could be written: the provider's content policy")

    for number in (1, 2, 3):
        section = f"## {section_title(number)}\n\n### Moss\n\nText.\n\n#### Leaves\n\nText."
        assert section in page("first levels")

    assert page("too many").count("\n\nText of section ") == 20
    assert results["too many"].notes == ("A report has at most 20 sections; 50 were asked for.",)
    assert page("only one") == page("less than none") == "Text of section 0."


@pytest.mark.long
@pytest.mark.proof
@pytest.mark.filterwarnings("ignore:Sending a large body directly")  # from aiohttp, in litellm's request
async def test_twenty_sections_of_the_greatest_length(inside: Inside, provider: Provider) -> None:
    """Each is cut at its limit with a note; the service takes every payload, another worker replays them."""

    long = ("Words." + " " * 3_000) * 30  # 90 kB, and a line at most

    def reply(call: Call) -> Reply:
        answer = Reply(long, chunk_characters=9_000) if call.section else default_reply(call)
        answer.before_seconds = 60.0 * (provider.summary_calls == 1 and call.is_summary)
        return answer

    provider.reply = reply
    async with inside.worker():
        handle = await inside.start("水熊虫如何生存？" * 2_500, sections=20)
        await asyncio.to_thread(wait_until, lambda: provider.summary_calls == 1)
    async with inside.worker():
        result = await handle.result()
    texts = await recorded(handle)
    assert len(texts) == 21
    longest = truncate_json(long, MAX_SECTION_BYTES)
    assert json_bytes(longest) > MAX_SECTION_BYTES - 9
    for n in range(1, 21):
        assert texts[named(n, 20)]["text"] == below_title(longest, section_title(n))
    [note] = [note for note in result.notes if not is_about_fonts(note)]
    assert re.fullmatch(r"Sections 1, 2, .* 19, 20: The text ends where the longest .*", note)
    events = (await handle.fetch_history()).events
    failed = [event.workflow_task_failed_event_attributes.failure.message for event in events]
    assert [message for message in failed if message] == []
    assert len(provider.calls[-1].prompt) > 20 * 28_000, "the summary is of all sections"
    size = (await handle.describe()).raw_description.workflow_execution_info.history_size_bytes
    assert 4_000_000 < size < 10_000_000, "the service warns of a history of 10 MB"

"""A finished report is revised, and asked: only what a wish concerns is paid for, all else stays as it was.

The real Activities, with a stand-in provider whose sections share words, sentences and sources.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models import Document
from research.cli import diff, verify
from research.evidence import answers, store
from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION
from research.llm.reader_prompts import ANSWER_INSTRUCTION, CHANGES_INSTRUCTION, QUERY_WORDS
from research.markdown.outline import Cut, cut_sections
from research.messages import QuestionInput
from research.report.changes import read_changes
from testing.inside import Inside, settings_of
from testing.pages import Pages, html_page
from testing.provider import Call, Reply
from testing.search import SearchProvider, SearchReply
from tests.test_reading import QUESTION, provider, reading

__all__ = ["provider"]  # a fixture

TITLES = ("Moss", "Space", "Heat", "Cold", "Moss again", "Eggs", "Salt", "Time")
FACT = "In series {0}, {1} of the 97 animals lived on after ten days without water."
FILLER = "The samples were kept in the chamber for the whole of that time, as were those of the others. "
BUILT = "Building the chamber took {0} euros, which no passage of the report says."
NEW_FACT = "In the series of 2025, 88 of the 97 animals lived on, at a cost of 640 euros each."
WISH = "more on costs, with figures of 2025"


@pytest.fixture
def site() -> Iterator[Pages]:
    pages = {
        f"/{n}": html_page(
            f"Series {n}", FILLER * 12, FACT.format(n, 20 + n), FILLER * 9, BUILT.format(30 + n)
        )
        for n in range(1, 9)
    }
    with Pages({**pages, "/new": html_page("The costs", FILLER * 12, NEW_FACT, FILLER)}) as site:
        yield site


def section_text(call: Call) -> str:
    """A section that cites its page and the first one; written once more, it also cites what is new."""
    numbers = dict(
        zip(re.findall(r"^\[\d+\] (.+)$", call.prompt, re.MULTILINE), call.source_numbers, strict=True)
    )
    own, first = numbers.get(f"On /{call.section}"), numbers.get("On /1")
    lines = ["This is well known.", FACT.format(call.section, 20 + call.section) + f" [{own}]" if own else ""]
    lines += [f"As in the first series, {FACT.format(1, 21)} [{first}]"] if first else []
    if "There is a text of your section already" in call.prompt:
        lines += [f"{NEW_FACT[:-1]} [{numbers['On /new']}]." if "On /new" in numbers else "Anew."]
        cost = f"took {30 + call.section} euros"
        lines += [f"The chamber {cost} [{own}]."] if cost in call.prompt else []
    return "\n\n".join(filter(None, lines))


def serve(provider: SearchProvider, site: Pages) -> None:
    """Let each section have a query and a page of its own, and the first page be found by all."""
    plan = "\n".join(
        f"## {title}\nWhat it covers.\n- series {n}\n" for n, title in enumerate(TITLES, start=1)
    )

    def reply(call: Call) -> Reply:
        if call.is_plan:
            return Reply(plan)
        if call.is_summary:
            return Reply("In short, many lived on.")
        if call.prompt.startswith(PASSAGES_INSTRUCTION):
            page = " ".join(call.prompt.partition("\nThe page:\n")[2].split())
            return Reply("\n\n".join(f"> {fact}" for fact in re.findall(r"In (?:the )?series [^.]+\.", page)))
        if call.prompt.startswith(JUDGE_INSTRUCTION):
            return Reply("\n".join(f"{number}: supported" for number in range(1, 99)))
        if call.prompt.startswith(CHANGES_INSTRUCTION):
            return Reply("Two of them:\n\n3: costs of heat 2025\n**Section 6**: costs of eggs\n99: nothing")
        if call.prompt.startswith(ANSWER_INSTRUCTION):
            return Reply(answer(call))
        return Reply(section_text(call))

    def find(query: str) -> SearchReply:
        number = query.removeprefix("series ")
        paths = [f"/{number}", "/1"] if number.isdigit() else ["/new", "/1"]
        found = [{"title": f"On {path}", "url": site.address(path), "content": "Samples."} for path in paths]
        return SearchReply(found)

    provider.reply, provider.find = reply, find


def answer(call: Call) -> str:
    question = call.prompt.partition("The question:\n\n> ")[2].split("\n")[0]
    if "costs" in question:
        return "Nothing is said of that."
    if "Mars" in question:
        return "On Mars, 12,345 of them lived on [1]."
    [number] = [
        n for n, line in re.findall(r"^\[(\d+)\] (.+)$", call.prompt, re.MULTILINE) if line == "On /3"
    ]
    return f"# Result\n\nIn series 3, 23 of the 97 animals lived on [{number}]."


def kinds(calls: list[Call]) -> dict[str, int]:
    """How often the provider was asked for what."""
    counts: dict[str, int] = {}
    for call in calls:
        name = f"section {call.section}" if call.section else " ".join(call.prompt.split()[:2])
        counts[name] = counts.get(name, 0) + 1
    return counts


def evidence(folder: Path, filename: str) -> dict[str, Any]:
    file = folder / f"{filename.removesuffix('.pdf')}.evidence.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def sections(folder: Path, filename: str) -> list[Cut]:
    """The sections of a report's Markdown, without what the program adds behind the last."""
    text = (
        (folder / filename.replace(".pdf", ".md"))
        .read_text(encoding="utf-8")
        .partition("\n\n---\n\nMade with")[0]
    )
    return cut_sections(text.partition("\n\n---\n\n")[2])[1]


async def holds(inside: Inside, filename: str, capsys: pytest.CaptureFixture[str]) -> bool:
    capsys.readouterr()
    status = await verify.run(str(inside.folder / filename), False)
    assert status == 0, capsys.readouterr().out
    return True


async def test_one_section_of_eight(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paid for are its search's page, its text, its judgement and the summary; all else is as it was."""
    serve(provider, site)
    async with inside.worker(**reading(provider, site)):
        first = await inside.report(QUESTION, sources=True, sections=8)
        provider.calls.clear()
        provider.searches.clear()
        site.requests.clear()
        second = await inside.revise(first.filename, WISH, 3)
        assert await holds(inside, first.filename, capsys) and await holds(inside, second.filename, capsys)
    assert kinds(provider.calls) == {
        "Copy passages": 1, "section 3": 1, "Judge each": 1, "Provide a": 1,
    }  # fmt: skip
    assert second.bill.requests == 4
    assert [search.query for search in provider.searches] == [WISH]
    assert [request.path for request in site.requests if request.path != "/robots.txt"] == ["/new"]
    assert second.filename == first.filename.replace(".pdf", "-v2.pdf")
    before, after = sections(inside.folder, first.filename), sections(inside.folder, second.filename)
    assert [cut.title for cut in before] == list(TITLES) == [cut.title for cut in after]
    assert [n for n, pair in enumerate(zip(before, after, strict=True), start=1) if pair[0] != pair[1]] == [3]
    old, new = evidence(inside.folder, first.filename), evidence(inside.folder, second.filename)
    numbers = {source["url"]: source["number"] for source in old["sources"]}
    assert {s["url"]: s["number"] for s in new["sources"] if s["url"] in numbers} == numbers
    [added] = [source for source in new["sources"] if source["url"] not in numbers]
    assert (added["title"], added["number"]) == ("On /new", max(filter(None, numbers.values())) + 1)
    assert f"640 euros each[^{added['number']}]." in after[2].text
    [call] = [call for call in provider.calls if call.section]
    assert f"> As in the first series, {FACT.format(1, 21)}[1]" in call.prompt, "the text that there is"
    costs = [each for each in new["citations"] if "33 euros" in each["statement"]]
    assert [each["verdict"] for each in costs] == ["supported"], (
        "it is judged by what was quoted for the wish"
    )
    assert len(new["citations"]) == len(old["citations"]) + 2
    kept = [each for each in new["citations"] if not re.search("2025|euros", each["statement"])]
    assert sorted(map(str, map(_judged, kept))) == sorted(map(str, map(_judged, old["citations"])))
    revision = {"number": 2, "before": first.filename, "wish": WISH, "changed": [3]}
    assert new["revision"] == {**revision, "notes": [], "remarks": []} and old["revision"]["number"] == 1
    page = (inside.folder / second.filename.replace(".pdf", ".md")).read_text(encoding="utf-8")
    assert f"Written anew: 3 (Heat), Executive Summary. The wish: “{WISH}”. All else is as it was." in page


def _judged(entry: dict[str, Any]) -> tuple[str, list[int], str]:
    return entry["statement"], entry["sources"], entry["verdict"]


@pytest.mark.proof
async def test_the_model_chooses_what_changes(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a third version begins with what the second has changed, whatever of its sources is not cited."""
    serve(provider, site)
    async with inside.worker(**reading(provider, site)):
        first = await inside.report(QUESTION, sources=True, sections=8)
        provider.calls.clear()
        second = await inside.revise(first.filename, WISH)
        asked = kinds(provider.calls)
        reply = provider.reply
        provider.reply = lambda call: Reply("Nothing is cited here.") if call.section == 2 else reply(call)
        third = await inside.revise(second.filename.removesuffix(".pdf"), "shorter", 2)
        fourth = await inside.revise(third.filename, "even shorter", 1)
        for output in (second, third, fourth):
            assert await holds(inside, output.filename, capsys)
    assert sorted(name for name in asked if name.startswith("section")) == ["section 3", "section 6"]
    assert asked["Which sections"] == 1
    contents = [evidence(inside.folder, output.filename) for output in (first, second, third, fourth)]
    assert [content["revision"]["changed"] for content in contents] == [[], [3, 6], [2], [1]]
    assert [fourth.filename[-7:], third.filename[-7:]] == ["-v4.pdf", "-v3.pdf"]
    before, after = sections(inside.folder, second.filename), sections(inside.folder, third.filename)
    assert [cut for cut in before if cut.title != "Space"] == [cut for cut in after if cut.title != "Space"]
    gone = [s["number"] for s in contents[1]["sources"] if s["title"] == "On /2"]
    assert gone[0] not in [s["number"] for s in contents[2]["sources"]], (
        "it is no longer cited, and leaves a gap"
    )


async def test_a_report_of_one_text(inside: Inside, provider: SearchProvider) -> None:
    """Its headings are its sections; without any it is one, and without sources nothing is searched."""
    text = "# Moss\n\nIntro.\n\n## Life\n\nIt lives.\n\n## Death\n\nIt lives.\n\n```\n## none\n```\n"
    provider.reply = lambda call: Reply("# Death\n\nIt does not live." if call.section else text)
    async with inside.worker(**provider.search_environ):
        first = await inside.report("Moss")
        second = await inside.revise(first.filename, "the truth", 2)
        provider.reply = lambda call: Reply("Once more." if call.section else "Just this.")
        other = await inside.report("Other")
        again = await inside.revise(other.filename, "again")
    assert (
        evidence(inside.folder, second.filename)["text"]
        == text.partition("It lives.\n\n```")[0] + "It does not live.\n"
    )
    assert evidence(inside.folder, again.filename)["text"] == "Once more."
    assert provider.searches == []


async def test_what_cannot_be_revised(inside: Inside, provider: SearchProvider) -> None:
    """Each is refused before anything is paid for, in one line."""
    provider.reply = lambda call: Reply(
        "I cannot tell." if call.prompt.startswith(CHANGES_INSTRUCTION) else "Text."
    )
    async with inside.worker():
        first = await inside.report("Moss", sections=2)
        calls = len(provider.calls)
        for name, wish, numbers, reason in (
            ("nobody", "x", (), f"There is no report 'nobody' in {inside.folder}."),
            ("../../etc/passwd", "x", (), f"There is no report '../../etc/passwd' in {inside.folder}."),
            (first.filename, "x", (1, 7), "There is no section 7 in it, only 1."),
        ):
            assert await refused(inside, name, wish, *numbers) == ("Refused", reason)
        assert len(provider.calls) == calls
        old = inside.folder / first.filename.replace(".pdf", ".evidence.json")
        content = json.loads(old.read_text())
        del content["text"]
        old.write_text(json.dumps(content))
        told = f"{first.filename} was made by a version before 0.9, which recorded no sections."
        assert await refused(inside, first.filename, "x") == ("Refused", told)
        old.write_text("{")
        told = f"{old.name} cannot be read: it is no JSON."
        assert await refused(inside, first.filename, "x") == ("Refused", told)


async def refused(inside: Inside, name: str, wish: str, *numbers: int) -> tuple[str | None, str]:
    with pytest.raises(WorkflowFailureError) as failed:
        await inside.revise(name, wish, *numbers)
    error: Any = failed.value.cause
    error = error.__cause__ or error
    return error.type, error.message


async def test_sections_that_cannot_be_chosen(inside: Inside, provider: SearchProvider) -> None:
    """The model is asked twice, and then the person."""
    plan = "## A\nx\n\n## B\ny\n"
    provider.reply = lambda call: Reply(plan if call.is_plan else "Which sections? All are fine.")
    async with inside.worker():
        first = await inside.report("Moss", sections=2)
        provider.calls.clear()
        kind, reason = await refused(inside, first.filename, "better")
    assert (len(provider.calls), kind) == (2, None)
    assert 'name one: "Section 3: …"' in reason


async def test_a_question_is_answered_from_the_frozen_texts(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    """With the report's numbers; what no passage says is no answer; without a text nothing is paid for."""
    serve(provider, site)
    async with inside.worker(**reading(provider, site)):
        first = await inside.report(QUESTION, sources=True, sections=8)
        provider.calls.clear()
        good = await inside.ask(first.filename, "How many of *series 3*\nlived on?")
        assert kinds(provider.calls) == {"Answer the": 1, "Judge each": 1}
        none = await inside.ask(first.filename, "What of the costs?")
        false = await inside.ask(first.filename, "And on Mars?")
        plain = await inside.report("Without sources")
        provider.calls.clear()
        nothing = await inside.ask(plain.filename, "Why?")
        assert provider.calls == []
    content = evidence(inside.folder, first.filename)
    [third] = [source for source in content["sources"] if source["title"] == "On /3"]
    assert good.answer.startswith("## How many of \\*series 3\\* lived on?\n\n### Result\n\n")
    assert f"In series 3, 23 of the 97 animals lived on[{third['number']}]." in good.answer
    assert f"[{third['number']}] On /3. <{third['url']}>" in good.answer
    assert FACT.format(3, 23) in good.answer
    assert "1 of 1 statement that cite are supported" in good.answer
    for output in (none, false, nothing):
        assert "\n\nThe sources of this report do not say.\n" in output.answer
    assert "12,345" not in false.answer
    name = first.filename.replace(".pdf", "-questions.md")
    text = (inside.folder / name).read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "How many of \\*series 3\\* lived on?", "What of the costs?", "And on Mars?",
    ]  # fmt: skip
    assert good.path == str(inside.folder / name)
    assert good.bill.requests == 2


async def test_questions_at_the_same_time(inside: Inside, provider: SearchProvider, tmp_path: Path) -> None:
    """Each stands in the file once, whole."""
    with settings_of(inside.environ) as settings:
        sha256 = await asyncio.to_thread(
            store.store_document, settings.reports_dir, (FACT.format(1, 2) * 9).encode()
        )
    provider.reply = lambda call: Reply("Yes [1]." * (not call.is_summary) or "Short.")
    async with inside.worker():
        first = await inside.report("Moss", documents=(Document("moss.txt", sha256),))
        await asyncio.gather(*(inside.ask(first.filename, f"Question {n}?") for n in range(8)))
    text = (inside.folder / first.filename.replace(".pdf", "-questions.md")).read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (.+)$", text, re.MULTILINE)) == [f"Question {n}?" for n in range(8)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3: costs of heat", {3: "costs of heat"}),
        ("1. 2. Deserts and drying: dew", {2: "dew"}),  # a real model counts its lines
        ("2. Deserts and drying: dew\n3. In 2025: prices", {2: "dew", 3: "prices"}),
        ("- **Section 1**: cells", {1: "cells"}),
        ("1. 2025 figures: prices", {1: "prices"}),
        ("9: none\n0: none\nThe others are right: keep them.", {}),
    ],
)
def test_which_sections_a_model_names(text: str, found: dict[int, str]) -> None:
    assert {section.number: section.queries[0] for section in read_changes(text, 3)} == found
    [copied] = read_changes(f"2. Deserts and drying: {QUERY_WORDS}", 3)
    assert (copied.number, copied.queries) == (2, ()), "then the wish is searched for"


def test_what_a_version_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    before = "# T\n\n## A\n\nOne.\n\nTwo.\n\n## B\n\nOne.\n"
    lines = list(diff.lines_of(before, before.replace("Two.", "Three.\n\nFour.")))
    assert lines == ["\nSection 1. A", "- Two.", "+ Three.", "+ Four.", "\nUnchanged: 2"]


def test_an_answer_is_stored_once_and_whole(tmp_path: Path) -> None:
    """The attempt after a kill finds it there; what another one has begun to write is no part of the file."""
    with settings_of({"REPORTS_DIR": str(tmp_path), "LLM_MODEL": "sample/report"}) as settings:
        asked = QuestionInput(
            "moss.pdf", "Why?\n## x", "", model="a model", date="2026-11-27", bill="9 tokens"
        )
        first = answers.store_answer(asked, settings, "run-1")
        text = (tmp_path / "moss-questions.md").read_text()
        (tmp_path / ".0123456789abcdef-00ff.part").write_text("half")
        assert answers.store_answer(asked, settings, "run-1") == first
        assert (tmp_path / "moss-questions.md").read_text() == text
        answers.store_answer(asked, settings, "run-2")
    twice = (tmp_path / "moss-questions.md").read_text()
    assert twice == text + text.replace("run-1", "run-2")
    assert text.startswith(
        "## Why? \\#\\# x\n\nThe sources of this report do not say.\n\n2026-11-27, a model: 9 tokens."
    )

"""Reports that are proven: passages found in the pages, statements judged, rewritten once, shown with signs.

The provider forges passages, cites what does not exist and judges as badly as it can.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from pypdf import PdfReader

from models import Document
from research.cli import verify
from research.evidence import store
from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION, REWRITE_INSTRUCTION
from testing.app import App, wait_until
from testing.inside import Inside
from testing.pages import Pages, html_page
from testing.provider import Call, Reply
from testing.search import SearchProvider, SearchReply
from tests.test_reading import QUESTION, pdf_of, provider, reading

__all__ = ["provider"]  # a fixture

FILLER = "The samples were kept in the chamber for the whole of that time, as were those of the others. "
PAGES = {
    "/1": "In 2007, 68 percent of the 2500 animals lived on after ten days in the vacuum of space.",
    "/2": "In 2011, 38 percent of the 1,500,000 eggs lived on after ten days in a box of moss.",
    "/3": "Nach zehn Tagen im Vakuum lebten 68 Prozent der 2500 Tiere, und 2011 lebten 38 Prozent der Eier.",
}
FORGED = "In 2007, 69 percent of the 2500 animals lived on after ten days in the vacuum of space."
TEXT = """## In space

In 2007, 68 percent of the animals lived on after ten days in space [1]. In 2007, 96 percent of the animals \
lived on [1]. Of 1.5 million eggs, 38 percent lived on after ten days [2][77]. The eggs died in the moss [2].

- The eggs were taken to Mars [2].
- The eggs were taken to the sea [2].

The eggs died in the moss [2]. Of the 2500 animals, 38 percent were eggs [3]. Nothing is known of Mars.
"""
MENDED = "Ten days in a box of moss were survived by 38 percent of the eggs"
VERDICTS = {"96 percent": "supported", "died in": "contradicted", "taken to": "absent", "were eggs": "partly"}


def statements(prompt: str) -> list[tuple[int, str]]:
    """The numbered statements of a prompt."""
    return [(int(number), text) for number, text in re.findall(r"^(\d+)\. (.*)$", prompt, re.MULTILINE)]


def passages_of(call: Call) -> str:
    """The fact of the page, and one that is forged: every second one."""
    page = " ".join(call.prompt.partition("\nThe page:\n")[2].split())
    [fact] = [fact for fact in PAGES.values() if fact in page]
    return f"> {fact}\n\n> {FORGED}"


def judge(call: Call) -> str:
    found = statements(call.prompt)
    return "\n".join(
        f"{number}: {next((verdict for words, verdict in VERDICTS.items() if words in text), 'supported')}"
        for number, text in found
    )


def rewrite(call: Call) -> str:
    """Leave out what is about the sea, make the first one that died true, and keep the others."""
    lines, mended = [], False
    for number, text in statements(call.prompt):
        if "sea" in text:
            lines.append(f"{number}: leave out")
        elif "died" in text and not mended:
            lines.append(f"{number}: {MENDED} [2][9].")
            mended = True
    return "\n".join(lines) or "I would change none of them."


Answers = dict[str, Callable[[Call], str | Reply]]
KINDS: Answers = {PASSAGES_INSTRUCTION: passages_of, JUDGE_INSTRUCTION: judge, REWRITE_INSTRUCTION: rewrite}


@pytest.fixture
def site() -> Iterator[Pages]:
    filled = {path: html_page(f"On {path}", FILLER * 12, fact, FILLER * 12) for path, fact in PAGES.items()}
    with Pages(filled) as site:
        yield site


def serve(
    provider: SearchProvider, site: Pages, text: str = TEXT, count: int = 3, **others: Callable[[Call], Any]
) -> None:
    """Let the model write this text from so many pages; `others` answer in place of some of KINDS."""
    kinds = {beginning: others.get(beginning.split()[0].lower(), own) for beginning, own in KINDS.items()}

    def reply(call: Call) -> Reply:
        if call.is_plan:
            return Reply("## Queries\n- tardigrades space")
        if call.is_summary:
            return Reply("In short, many animals lived on.")
        for beginning, answer in kinds.items():
            if call.prompt.startswith(beginning):
                answered = answer(call)
                return answered if isinstance(answered, Reply) else Reply(answered)
        return Reply(text)

    provider.reply = reply
    found = [
        {"title": f"On {path}", "url": site.address(path), "content": "Samples."} for path in [*PAGES][:count]
    ]
    provider.find = lambda query: SearchReply(found)


def asked(provider: SearchProvider, beginning: str) -> list[Call]:
    return [call for call in provider.calls if call.prompt.startswith(beginning)]


def evidence(inside: Inside) -> dict[str, Any]:
    [file] = inside.folder.glob("*.evidence.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def verdicts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["statement"], each["verdict"]) for each in content["citations"]]


async def holds(inside: Inside, capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether the report is as its evidence says."""
    [pdf] = inside.folder.glob("*.pdf")
    capsys.readouterr()
    status = await verify.run(str(pdf), False)
    told = capsys.readouterr().out
    assert status == 0, told
    return True


async def test_what_is_proven_and_what_is_not(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forged passages and numbers are nowhere; what a page does not say is rewritten once, or has a sign."""
    serve(provider, site)
    async with inside.worker(**reading(provider, site), LLM_READER_MODEL="openai/reader"):
        output = await inside.report(QUESTION, sources=True)
        assert await holds(inside, capsys)
    content, markdown = evidence(inside), inside.markdown()
    assert FORGED not in markdown + json.dumps(content)
    assert not re.search(r"\[\^?(?:77|9)\]", markdown)
    assert "“" + PAGES["/1"] + "”" in markdown
    died = "The eggs died in the moss."
    assert verdicts(content) == [
        ("In 2007, 68 percent of the animals lived on after ten days in space.", "supported"),
        ("In 2007, 96 percent of the animals lived on.", "absent"),
        ("Of 1.5 million eggs, 38 percent lived on after ten days.", "supported"),
        (f"{MENDED}.", "supported"),
        ("The eggs were taken to Mars.", "absent"),
        (died, "contradicted"),
        ("Of the 2500 animals, 38 percent were eggs.", "partly"),
    ]
    assert [each["judge"] for each in content["citations"]][:3] == ["openai/reader", "", "openai/reader"]
    for passage in content["passages"]:
        [source] = [each for each in content["sources"] if each["number"] == passage["source"]]
        text = store.thaw(inside.folder, source["sha256"])
        assert text[passage["start"] : passage["end"]] == passage["text"]
        assert passage["text"] in PAGES.values() and passage["copied"]
    assert "- The eggs were taken to Mars[^2]‡.\n\n" in markdown, "the item that is left out leaves no bullet"
    assert f"{died[:-1]}[^2]‡. Of the 2500 animals, 38 percent were eggs[^3]†. Nothing" in markdown
    account = "3 of 7 statements that cite are supported by the passages shown, 1 partly, 3 not"
    dropped = "3 passages that the model gave were not found and not used."
    assert f"{account}; judged by openai/reader. {dropped}" in markdown
    assert len(asked(provider, JUDGE_INSTRUCTION)) == 2, "what was rewritten is judged again"
    assert statements(asked(provider, JUDGE_INSTRUCTION)[1].prompt) == [(1, f"{MENDED}.")], "and nothing else"
    assert len(asked(provider, REWRITE_INSTRUCTION)) == 1
    for call in provider.calls:
        reads = call.prompt.startswith((PASSAGES_INSTRUCTION, JUDGE_INSTRUCTION))
        assert call.body["model"] == ("reader" if reads else "gpt-4o")
    assert output.bill.requests == len(provider.calls)


async def test_each_number_leads_to_its_passage(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    """To the line of the list where it stands, which is a link to the words in their page."""
    serve(provider, site, "38 percent of the eggs lived on [2]. 68 percent of the animals did [1].", count=2)
    async with inside.worker(**reading(provider, site)):
        await inside.report(QUESTION, sources=True)
    [path] = inside.folder.glob("*.pdf")
    [page] = PdfReader(path).pages
    links = [annotation.get_object() for annotation in page["/Annots"]]  # type: ignore[attr-defined]
    numbers = [float(link["/Dest"][3]) for link in links if "/Dest" in link]
    words = {
        unquote(str(link["/A"]["/URI"]).partition("#:~:text=")[2]): float(link["/Rect"][3])
        for link in links
        if "/A" in link
    }
    years = ("In 2011", "In 2007")
    heights = [next(top for text, top in words.items() if text.startswith(year)) for year in years]
    assert len(numbers) == 2
    for number, height in zip(numbers, heights, strict=True):
        assert height - 2 < number < height + 15, "the passage, and not the entry above it"


async def test_a_judge_that_always_says_supported(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    """It confirms no number, date or quoted words that are not in the passages, in whatever notation."""
    false = (
        "Of 1.6 million eggs, 38 percent lived on [2].", "68 % of 2,501 animals lived on [1].",
        "In 2012, the eggs lived on [2].", "在2500只动物中，86%存活 [3]。",
        "Es lebten 69 Prozent der Tiere [3].",
        'The animals "enjoyed the vacuum of space" [1].', "Half of them, 34 percent, lived on [1][2].",
    )  # fmt: skip
    true = (
        "Of 1.5 million eggs, 38 percent lived on [2].", "68 % of 2,500 animals lived on [1].",
        "In 2011, the eggs lived on [2].", "在2500只动物中，68%存活 [3]。",
        "Es lebten 68 Prozent der Tiere [3].",
        'The animals lived on in "the vacuum of space" [1].', "68 and 38 percent lived on [1][2].",
        "Of 150万 eggs, 38 percent lived on [2].",
    )  # fmt: skip
    always = lambda call: "\n".join(f"{number}: supported" for number in range(1, 99))  # noqa: E731
    serve(provider, site, "\n\n".join(false + true), judge=always, rewrite=lambda call: "I would not.")
    async with inside.worker(**reading(provider, site)):
        await inside.report(QUESTION, sources=True)
    found = [verdict for _, verdict in verdicts(evidence(inside))]
    assert found == ["absent"] * len(false) + ["supported"] * len(true)
    assert inside.markdown().partition("## References")[0].count("‡") == len(false)


NO_LINES = "I think that most of these statements are supported by the passages."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda call: NO_LINES, ""),
        (lambda call: "1: supported\n1: absent\n2: yes\n77: absent", ""),
        (lambda call: Reply(status=400, error={"message": "I do not judge."}), "I do not judge."),
    ],
    ids=["prose", "two verdicts", "refused"],
)
async def test_without_a_verdict_a_statement_is_unchecked_and_never_refuted(
    inside: Inside,
    provider: SearchProvider,
    site: Pages,
    capsys: pytest.CaptureFixture[str],
    answer: Callable[[Call], Any],
    reason: str,
) -> None:
    serve(provider, site, judge=answer)
    async with inside.worker(**reading(provider, site)):
        output = await inside.report(QUESTION, sources=True)
        assert await holds(inside, capsys)
    counts = [verdict for _, verdict in verdicts(evidence(inside))]
    assert counts.count("absent") == 1, "the number that is not in the passages"
    assert counts.count("unchecked") == len(counts) - 1
    assert f", 1 not, {len(counts) - 1} unchecked" in inside.markdown()
    told = "Not every page could be read and not every statement judged by a model: "
    assert [note for note in output.notes if reason and reason in note and note.startswith(told)] == list(
        output.notes
    )


async def test_a_reader_that_gives_no_passage_leaves_the_choice_to_the_program(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's best paragraphs are judged by, and the evidence says that nobody has copied them."""
    serve(provider, site, copy=lambda call: f"> {FORGED}")
    async with inside.worker(**reading(provider, site)):
        await inside.report(QUESTION, sources=True)
        assert await holds(inside, capsys)
    content = evidence(inside)
    assert {passage["copied"] for passage in content["passages"]} == {False}
    assert any(PAGES["/1"] in passage["text"] for passage in content["passages"])
    assert content["dropped_passages"] == 3
    assert verdicts(content)[0][1] == "supported"


async def test_what_cannot_be_paid_is_unchecked(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is whole: the ceiling holds for evidence first."""
    serve(provider, site)
    environ = {**reading(provider, site), "LLM_MODEL": "openai/gpt-4o", "LLM_MAX_COST": "0.012"}
    async with inside.worker(**environ):
        output = await inside.report(QUESTION, sources=True)
        assert await holds(inside, capsys)
    assert "In 2007, 68 percent" in inside.markdown()
    assert (output.bill.cost or 0) <= 0.012
    [note] = [note for note in output.notes if note.startswith("Not every page")]
    assert "LLM_MAX_COST is $0.012" in note
    assert {"unchecked"} <= {verdict for _, verdict in verdicts(evidence(inside))}


async def test_without_evidence_nothing_is_judged(
    inside: Inside, provider: SearchProvider, site: Pages
) -> None:
    serve(provider, site)
    async with inside.worker(**reading(provider, site)):
        await inside.report(QUESTION, sources=True, evidence=False)
    assert len(provider.calls) == 3
    content = evidence(inside)
    assert (content["passages"], content["citations"]) == ([], [])
    assert "Not checked: whether a source supports its sentence." in inside.markdown()


async def test_the_passage_of_a_document_has_its_page(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file has no address: its passages are no links, and say on which page they stand."""
    inside.folder.mkdir()
    data = pdf_of([FILLER * 9, f"{FILLER * 9} {PAGES['/1']} {FILLER}", FILLER * 9])
    serve(provider, site, "68 percent lived on [1].", count=0)
    documents = (Document("notes.pdf", store.store_document(inside.folder, data)),)
    async with inside.worker():
        await inside.report(QUESTION, documents=documents)
        assert await holds(inside, capsys)
    [passage] = evidence(inside)["passages"]
    assert passage["page"] == 2
    assert f"\n    > “{PAGES['/1']}” (p. 2)\n" in inside.markdown()


async def test_each_section_is_judged_alone(
    inside: Inside, provider: SearchProvider, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same sentence in both; only the section with a fault is rewritten."""
    serve(provider, site)
    others = provider.reply
    plan = "".join(f"## {title}\nWhat.\n- {title} query\n" for title in ("Moss", "Space"))

    def reply(call: Call) -> Reply:
        if call.is_plan:
            return Reply(plan)
        if call.section:
            same = "68 percent of the animals lived on [1]."
            return Reply(f"{same} The eggs were taken to the sea [2]." if call.section == 2 else same)
        return others(call)

    provider.reply = reply
    async with inside.worker(**reading(provider, site)):
        await inside.report(QUESTION, sources=True, sections=2)
        assert await holds(inside, capsys)
    markdown = inside.markdown()
    assert "the sea" not in markdown.partition("## References")[0]
    assert len(asked(provider, JUDGE_INSTRUCTION)) == 2, "nothing is left to be judged again"
    assert len(asked(provider, REWRITE_INSTRUCTION)) == 1
    assert verdicts(evidence(inside)) == [("68 percent of the animals lived on.", "supported")] * 2


@pytest.mark.proof
@pytest.mark.parametrize("beginning", list(KINDS))
def test_a_worker_killed_in_each_step_repeats_no_call(
    app: App, provider: SearchProvider, site: Pages, beginning: str
) -> None:
    serve(provider, site, count=1)
    others, held = provider.reply, list[Call]()

    def reply(call: Call) -> Reply:
        answer = others(call)
        if call.prompt.startswith(beginning) and not held:
            held.append(call)
            answer.before_seconds = 60.0
        return answer

    provider.reply = reply
    app.environ.update(reading(provider, site))
    worker = app.worker()
    starter = app.starter("--sources", QUESTION)
    wait_until(lambda: bool(held))
    worker.kill()
    app.worker()
    assert starter.exit_status() == 0, starter.text
    prompts = [json.dumps(call.messages) for call in provider.calls if call is not held[0]]
    assert len(prompts) == len(set(prompts)), "no call was made twice but the one that was interrupted"
    assert json.dumps(held[0].messages) in prompts

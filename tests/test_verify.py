"""Verify: a report holds as it was made, and one changed character of any of its files is found and named."""

import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from models import PDFGenerationInput, Source
from research.cli import verify as command
from research.errors import UserError
from research.evidence import citations, verify
from research.evidence.manifest import evidence_file
from research.evidence.printed import missing_words
from research.evidence.record import BadEvidence, read_evidence
from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION
from research.output.report_markdown import report_markdown
from research.pdf import document
from research.sources.extract import close, extract
from testing.inside import Inside, settings_of
from testing.pages import PageReply, Pages
from testing.processes import run_program
from testing.provider import Call, Reply, default_reply
from testing.search import SearchProvider
from tests.page_reader import CORPUS
from tests.test_reading import QUESTION, page, provider, reading, serve, site

__all__ = ["provider", "site"]  # fixtures

TEXT = (
    "## What is known\n\nIn the first chamber, 21 animals lived on [1]. The second chamber had 3.5 % more of"
    " them, which nobody had expected before [2].\n\n| Chamber | Animals |\n|---|---|\n"
    "| first | 21 of 97 |\n\n"
    "Both series agree [1][2]. Nothing else is known of them, and so the report ends here.\n"
)


@dataclass
class Report:
    """A report in a folder of its own, and what verifying it says."""

    folder: Path
    name: str

    def file(self, suffix: str) -> Path:
        return self.folder / f"{self.name}{suffix}"

    @property
    def evidence(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file(".evidence.json").read_text(encoding="utf-8"))
        return content

    def write(self, content: object) -> None:
        self.file(".evidence.json").write_text(json.dumps(content), encoding="utf-8")

    def frozen(self, number: int) -> Path:
        return self.folder / "evidence" / f"{self.evidence['sources'][number - 1]['sha256']}.txt"

    def copy(self, folder: Path) -> "Report":
        shutil.rmtree(folder, ignore_errors=True)
        return Report(Path(shutil.copytree(self.folder, folder)), self.name)

    async def verify(self, capsys: pytest.CaptureFixture[str], is_online: bool = False) -> tuple[int, str]:
        status = await command.run(str(self.file(".pdf")), is_online)
        return status, capsys.readouterr().out


@pytest.fixture(scope="module", autouse=True)
def no_reader_is_left() -> Iterator[None]:
    yield
    close()


@pytest.fixture
async def report(
    inside: Inside, provider: SearchProvider, site: Pages, tmp_path: Path
) -> AsyncIterator[Report]:
    """A report from two pages, with two passages, one statement that is supported, and one that is not."""
    serve(provider, site, 2)

    def reply(call: Call) -> Reply:
        if call.is_plan:
            return Reply("## Queries\n- tardigrades")
        if call.prompt.startswith(PASSAGES_INSTRUCTION):
            [fact] = re.findall(r"In the .*? chamber, .*? space[.]", call.prompt)
            return Reply(f"> {fact}\n\n> {fact.replace('animals', 'mites')}")
        if call.prompt.startswith(JUDGE_INSTRUCTION):
            return Reply("1: supported\n2: partly")
        return Reply(TEXT) if call.source_numbers else default_reply(call)

    provider.reply = reply
    async with inside.worker(**reading(provider, site)):
        output = await inside.report(QUESTION, sources=True)
    report = Report(inside.folder, output.filename.removesuffix(".pdf"))
    with settings_of({"REPORTS_DIR": str(inside.folder), "READ_ALLOW": "127.0.0.1"}):
        yield report


def edit(report: Report, change: Callable[[dict[str, Any]], None]) -> None:
    content = report.evidence
    change(content)
    report.write(content)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, old
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def of_evidence(*path: str | int, to: Callable[[Any], Any]) -> Callable[[Report], None]:
    def change(report: Report) -> None:
        content = report.evidence
        place: Any = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to(place[path[-1]])
        report.write(content)

    return change


def of_markdown(old: str, new: str) -> Callable[[Report], None]:
    return lambda report: replace(report.file(".md"), old, new)


def another_pdf(report: Report) -> None:
    other = document.render(PDFGenerationInput("# Moss\n\nMoss is a plant without roots.", topic="Moss"))
    report.file(".pdf").write_bytes(other.data)


def other_hash(sha256: str) -> str:
    return ("0" if sha256[0] != "0" else "1") + sha256[1:]


CHANGES: dict[str, tuple[Callable[[Report], object], str]] = {
    "a frozen text": (lambda r: replace(r.frozen(1), "21", "22"), r"source 1: evidence/\w+.txt was changed"),
    "a frozen text that is gone": (lambda r: r.frozen(2).unlink(), r"source 2: evidence/\w+.txt cannot be"),
    "a hash": (of_evidence("sources", 0, "sha256", to=other_hash), r"source 1: evidence/\w+.txt cannot be"),
    "a length": (
        of_evidence("sources", 1, "characters", to=lambda n: n + 1),
        "source 2: .* characters, not",
    ),
    "a passage": (
        of_evidence("passages", 1, "text", to=lambda text: text.replace("22", "23")),
        r"passages\[1\] of source 2 \(.*\): the frozen text has other characters",
    ),
    "an offset": (
        of_evidence("passages", 0, "start", to=lambda n: n + 1),
        r"passages\[0\] of source 1 .* other characters",
    ),
    "a page": (of_evidence("passages", 0, "page", to=lambda _: 7), r"passages\[0\].* on page 1, not 7"),
    "a passage's source": (of_evidence("passages", 0, "source", to=lambda _: 9), "there is no such source"),
    "a statement": (
        of_evidence("citations", 0, "statement", to=lambda text: text.replace("21", "24")),
        r'citations\[0\] \("In the first chamber, 24 .*no such statement',
    ),
    "a verdict": (
        of_evidence("citations", 2, "verdict", to=lambda _: "supportet"),
        r"citations\[2\] .*'supportet' is no verdict",
    ),
    "a better verdict": (
        of_evidence("citations", 2, "verdict", to=lambda _: "supported"),
        '"Both series agree." is supported, and has the sign †',
    ),
    "a verdict against the figures": (
        of_evidence("citations", 1, "verdict", to=lambda _: "supported"),
        r"citations\[1\] .* it is supported, and no passage of it has 3.5",
    ),
    "an entry": (
        of_evidence("citations", to=lambda entries: entries[:2]),
        '"Both series agree." cites, and has no entry',
    ),
    "the passages dropped": (of_evidence("dropped_passages", to=lambda n: n + 1), "the account below"),
    "a sign": (of_markdown("[^2]†", "[^2]"), r'"Both series agree." is partly, and has the sign \(none\)'),
    "a passage of the reference": (
        of_markdown("> [“In the 1th chamber, 21 of", "> [“In the 1th chamber, 22 of"),
        r"the reference \[\^1\] does not have passages\[0\]",
    ),
    "the account": (of_markdown("1 of 3 statements", "3 of 3 statements"), "the account below the refer"),
    "a citation's source": (
        of_evidence("citations", 0, "sources", to=lambda _: [3]),
        r"citations\[0\].*no source 3",
    ),
    "a citation's passage": (
        of_evidence("citations", 0, "passages", to=lambda _: [1]),
        r"passages\[1\] is of source 2, which it does not cite",
    ),
    "a passage that is none": (
        of_evidence("citations", 0, "passages", to=lambda _: [2]),
        r"there is no passages\[2\]",
    ),
    "a word": (of_markdown("nobody had expected", "nobody has expected"), r"not on the page: .*\[has\]"),
    "a number": (of_markdown("3.5 %", "35 %"), r"not on the page: .*\[35\]"),
    "a cell": (of_markdown("21 of 97", "21 of 96"), r"not on the page: .*\[96\]"),
    "a word of the summary": (of_markdown("paid for twice", "paid for thrice"), r"\[thrice\.\]"),
    "a number of a note": (of_markdown("lived on[^1]", "lived on[^2]"), r"not on the page: .*\[\[\^2\]\]"),
    "a note without source": (of_markdown("lived on[^1]", "lived on[^7]"), r"\[\^7\] is cited, and the evi"),
    "a reference's number": (of_markdown("\n[^2]: ", "\n[^3]: "), r"\[\^2\] is cited, and has no reference"),
    "a reference's address": (of_markdown("/2> (", "/3> ("), r"\[\^2\] has another address than source 2"),
    "an address": (
        of_evidence("sources", 1, "url", to=lambda url: url[:-1] + "3"),
        r"\[\^2\] has another address than source 2",
    ),
    "a title": (of_evidence("sources", 0, "title", to=lambda title: title + "s"), "another title than"),
    "a number of a source": (
        of_evidence("sources", 0, "number", to=lambda _: None),
        r"\[\^1\] is cited, and the evidence has no source 1",
    ),
    "the name": (of_evidence("report", to=lambda name: f"x{name}"), '"report" is \'x'),
    "the PDF": (another_pdf, "not on the page"),
    "a PDF that is none": (lambda r: r.file(".pdf").write_bytes(b"%PDF-1.4"), "it is no PDF"),
    "a PDF that is gone": (lambda r: r.file(".pdf").unlink(), r"\.pdf: it cannot be read: there is no"),
    "Markdown that is gone": (lambda r: r.file(".md").unlink(), r"\.md: it cannot be read: there is no"),
}  # fmt: skip


async def test_a_report_holds_and_no_change_of_it_does(
    report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = await report.verify(capsys)
    assert status == 0, told
    lines = [line.split(maxsplit=2) for line in told.splitlines()]
    assert [line[:2] for line in lines[:-1]] == [
        ["ok", name] for name in ("Format", "Texts", "Passages", "Citations", "Markdown", "Statements", "PDF")
    ]
    assert (lines[1][2], lines[2][2]) == ("2 frozen texts", "2 passages")
    for what, (change, finding) in CHANGES.items():
        changed = report.copy(tmp_path / "changed")
        change(changed)
        status, told = await changed.verify(capsys)
        assert status == 1, f"{what}: {told}"
        found = [line for line in told.splitlines() if line.startswith("        ")]
        assert any(re.search(finding, line) for line in found), f"{what}: {told}"
        assert re.search(r"\d checks? failed\.$", told)


async def test_reports_without_passages_hold(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    edit(report, lambda content: content.update(passages=[], citations=[]))
    status, told = await report.verify(capsys)
    assert status == 0
    assert "no passages" in told
    assert "no citations" in told


async def test_online_says_which_passages_are_still_there(
    report: Report, site: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that has changed, or is gone, changes nothing about the report."""
    status, told = await report.verify(capsys, is_online=True)
    assert (status, told.count("1 of 1 passage still there")) == (0, 2), told
    site.pages["/1"] = page(7)
    site.pages["/2"] = PageReply(status=404)
    status, told = await report.verify(capsys, is_online=True)
    assert status == 0
    assert "0 of 1 passage still there" in told
    assert "cannot be read now: the server answered 404" in told


async def test_a_report_is_named_in_several_ways(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    name = report.name
    for named in (name, f"{name}.pdf", *[str(report.file(end)) for end in (".md", ".evidence.json")]):
        assert await command.run(named, False) == 0
        assert capsys.readouterr().out.endswith(f"{name}.pdf holds.\n")
    for named, said in (
        ("", "Give a report's path or name."),
        ("..", ""),
        ("s3://other/name.pdf", "s3://other/name.pdf is not in REPORTS_DIR"),
    ):
        with pytest.raises(UserError, match=f"^{said}"):
            await command.run(named, False)


async def test_evidence_that_cannot_be_read(report: Report) -> None:
    """100 MB are nothing on the disk, and are not read."""
    with report.file(".evidence.json").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(UserError, match=r"json cannot be read: it is larger than 20 MB\. Nothing can be ver"):
        await command.run(report.name, False)
    report.file(".evidence.json").unlink()
    with pytest.raises(UserError, match=rf"^{report.name}\.pdf has no evidence file: a version before 0\.9"):
        await command.run(report.name, False)


async def test_what_a_person_sees(report: Report) -> None:
    """By the starter, without a service, a model and a network."""
    environ = {"REPORTS_DIR": str(report.folder), "DEV_SERVER_PORT": "1", "LLM_MODEL": "none/none"}

    def starter(*arguments: str) -> tuple[int, str, str]:
        done = run_program("starter.py", *arguments, environ=environ)
        return done.returncode, done.stdout, done.stderr

    name = report.name
    status, told, error = starter("--verify", str(report.file(".pdf")))
    assert (status, error) == (0, ""), told
    assert told.endswith(f"{name}.pdf holds.\n")
    replace(report.file(".md"), "agree", "agreed")
    status, told, error = starter("--verify", name)
    assert (status, error) == (1, "")
    assert f"        {name}.pdf: not on the page: Both series [agreed] †. Nothing" in told
    assert starter("--verify", "none") == (2, "", f"There is no report none in {report.folder}.\n")
    assert starter("--online")[2] == "starter.py: --online belongs to --verify REPORT\n"
    assert starter("--verify", name, "a", "topic")[0] == 2
    report.file(".evidence.json").write_text("{")
    status, told, error = starter("--verify", name)
    assert (status, told) == (2, "")
    assert error == f"{name}.evidence.json cannot be read: it is no JSON. Nothing can be verified.\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "its version is '2', and this program reads version 1"),
        ({"version": True}, "its version is 'True'"),
        ({"report": 1}, "report is no text"),
        ({"sources": {}}, "sources is no list"),
        ({"sources": [[]]}, r"sources\[0\]: it is no JSON object"),
        ({"sources": [{"sha256": "../../../etc/passwd"}]}, r"sources\[0\]: sha256 is no SHA-256 hash"),
        ({"sources": [{"sha256": "A" * 64}]}, "sha256 is no SHA-256 hash"),
        ({"sources": [{"sha256": "", "number": -1}]}, "number is no number"),
        ({"sources": [{"sha256": "", "number": 1.5}]}, "number is no number"),
        ({"passages": [{"start": 10**30}]}, r"passages\[0\]: start is no number"),
        ({"citations": [{"sources": [1, "2"]}]}, r"citations\[0\]: sources is no list of numbers"),
        ({"citations": [{"sources": None}]}, "sources is no list of numbers"),
    ],
)
def test_hostile_evidence_is_refused_in_one_line(change: dict[str, Any], reason: str) -> None:
    content = {
        "version": 1,
        "report": "a.pdf",
        "sources": [],
        "passages": [],
        "citations": [],
        "dropped_passages": 0,
        **change,
    }
    with pytest.raises(BadEvidence, match=reason) as refused:
        read_evidence(json.dumps(content).encode())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"version": NaN}'])
def test_what_is_no_evidence(data: bytes) -> None:
    with pytest.raises(BadEvidence):
        read_evidence(data)


def test_a_page_is_counted_by_its_form_feeds() -> None:
    text = "First page.\fSecond page.\fThird."
    frozen = text.encode()
    sha256 = hashlib.sha256(frozen).hexdigest()
    source = {"number": 1, "url": "", "title": "a.pdf", "sha256": sha256, "read": "document"}

    def told(page: int | None) -> tuple[str, ...]:
        start = text.index("Second")
        passage = {"source": 1, "start": start, "end": start + 12, "text": "Second page.", "page": page}
        content = {"version": 1, "report": "a.pdf", "citations": [], "passages": [passage]}
        content["dropped_passages"] = 0
        content["sources"] = [{**source, "characters": len(text)}]
        record = read_evidence(json.dumps(content).encode())
        files = verify.ReportFiles("a", record, OSError("none"), OSError("none"), {sha256: frozen})
        [check] = [check for check in verify.verify(files) if check.name == "Passages"]
        return check.findings

    assert told(2) == ()
    for wrong in (None, 0, 1, 3):
        [finding] = told(wrong)
        assert finding.endswith(f"it stands on page 2, not {wrong}")


async def printed(data: bytes) -> list[str]:
    found = await extract(data, "printed")
    return [found.text[start:end] for start, end in pairwise([*found.pages, len(found.text)])]


@pytest.mark.proof
async def test_no_report_of_the_corpus_is_said_to_lack_a_word_and_each_changed_word_is_found() -> None:
    """In thirteen languages, with tables, formulas and code."""
    sources = tuple(Source(n, f"https://example.org/{n}", f"On *{n}* & more") for n in range(1, 41))
    for name, content in CORPUS.items():
        given = PDFGenerationInput(content, "a.pdf", "Its **summary**.", name, sources=sources)
        report = citations.check_report(given)
        pages = await printed(document.render(report).data)
        record = read_evidence(evidence_file(report)["a.evidence.json"])
        markdown = report_markdown(report)
        files = verify.ReportFiles("a", record, markdown, pages, {})
        assert [check for check in verify.verify(files) if check.findings] == [], name
        lines = [line for line in markdown.split("\n## References\n")[0].splitlines() if line]
        line = max(lines, key=lambda line: len(line) if line[0].isalpha() and "http" not in line else 0)
        changed = markdown.replace(line, line[:-30] + "Zqx" + line[-30:])
        found = missing_words(changed.partition("\n## References\n")[0], "", pages)
        assert any("Zqx" in words for words in found), name


async def test_a_pdf_of_another_maker_is_read_too() -> None:
    """As every line that stands there, its own list of references with it."""
    import io

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for page_lines in (["References", "[1] Smith, J. (2001). https://example.org"], ["", ""], ["The end."]):
        for number, line in enumerate(page_lines):
            canvas.drawString(72, 700 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    assert await printed(buffer.getvalue()) == [
        "References\n[1] Smith, J. (2001). https://example.org\n",
        "",
        "The end.\n",
    ]

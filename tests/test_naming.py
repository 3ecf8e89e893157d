"""What a report is called, and its Markdown: names for every file system, one title, the text as it was."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from models import PDFGenerationInput
from research.errors import StepError
from research.markdown.title import split_title
from research.output.naming import MAX_READ_CHARACTERS, report_filename
from research.output.report_markdown import report_markdown
from research.output.storage import store

RUN = "01a20425-255b-7eae-b487-6333967bf5a4"


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("How do tardigrades survive in space?", "how-do-tardigrades-survive-in-space-6333967bf5a4.pdf"),
        ("../../etc/passwd", "etc-passwd-6333967bf5a4.pdf"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया-6333967bf5a4.pdf"),
        ("为什么天空是蓝色的?", "为什么天空是蓝色的-6333967bf5a4.pdf"),
        ("Straße & Café", "strasse-café-6333967bf5a4.pdf"),
        ("CON", "con-6333967bf5a4.pdf"),
        ("🦠?!\x00\n", "report-6333967bf5a4.pdf"),
        ("", "report-6333967bf5a4.pdf"),
    ],
)
def test_a_name_from_topic_and_run(topic: str, name: str) -> None:
    assert report_filename(topic, RUN) == name


@pytest.mark.parametrize("topic", ["x" * 10_000, "語" * 10_000, "word " * 5_000, "é́" * 500, "\ud800" * 90])
def test_a_name_is_short_for_any_topic(topic: str, tmp_path: Path) -> None:
    name = report_filename(topic, RUN)
    assert len(name.encode()) <= 98
    assert Path(store(tmp_path, {name: b"x"})).read_bytes() == b"x"


@pytest.mark.parametrize("letter", ["x", "語", "é́", " ", "-"])
def test_only_the_beginning_of_a_topic_is_read(letter: str) -> None:
    """The Workflow makes the name, in the two seconds that it has for all it does."""
    beginning = letter * MAX_READ_CHARACTERS
    assert report_filename(f"{beginning} late", RUN) == report_filename(beginning, RUN)


def test_runs_of_one_topic_have_names_of_their_own() -> None:
    assert report_filename("A", RUN) != report_filename("A", RUN[:-1] + "5")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", " ", "../x.pdf", "..\\x.pdf", "/etc/passwd", "C:\\x.pdf", "C:x.pdf", "a/b.pdf"),
        *("a\0b", "a\nb", "a\x7fb", "\ud800.pdf", "x.pdf:stream", "x" * 300, "語" * 86, "x.pdf ", "x.pdf."),
        *("nul", "COM1.pdf", "lpt¹.pdf", "Con .pdf", "aux.tar.gz", "CONIN$", "s3://bucket/x.pdf", "~/x.pdf"),
    ],
)
@pytest.mark.parametrize("remote", [False, True])
def test_no_name_leads_out_of_the_folder(name: str, remote: bool, tmp_path: Path) -> None:
    folder = "memory://hostile" if remote else tmp_path / "folder"
    with pytest.raises(StepError, match="give a plain file name"):
        store(folder, {"report.md": b"x", name: b"x"})
    assert list(tmp_path.iterdir()) == []
    assert not MemoryFileSystem().exists("/hostile")


@pytest.mark.parametrize(
    "name", [".x.pdf", "~", "-rf", "$(id).pdf", "%2e%2e%2fx.pdf", "console.pdf", "x" * 255]
)
def test_a_strange_name_is_still_a_name(name: str, tmp_path: Path) -> None:
    path = Path(store(tmp_path, {name: b"x"}))
    assert list(tmp_path.iterdir()) == [path]
    assert path.name == name


# The Markdown beside the PDF

REPORT = PDFGenerationInput(
    content="\n## Findings\n\n1. *One*\n\n   two  \n",
    summary="In short.",
    topic="Why is\nthe sky blue?",
    model="openai/gpt-4o",
    date="2026-01-02",
    notes=("It is cut.", "It was resumed."),
    bill="cost $0.01",
)


def test_the_markdown_is_the_report_with_the_research_as_it_was_written() -> None:
    assert report_markdown(REPORT) == (
        "# Why is the sky blue?\n\nJanuary 2, 2026  ·  written by openai/gpt-4o\n\n"
        "## Executive Summary\n\nIn short.\n\n**Note.** It is cut.\n\n**Note.** It was resumed.\n\n"
        "---\n\n## Findings\n\n1. *One*\n\n   two  \n\n"
        "---\n\nMade with openai/gpt-4o: cost $0.01.\n"
    )


def test_a_report_of_nothing_but_text_is_markdown_too() -> None:
    assert report_markdown(PDFGenerationInput("text")) == "# Research Report\n\n---\n\ntext\n"
    assert "**Sample text" in report_markdown(PDFGenerationInput("text", model="sample/report"))


TITLES = {
    "# Water bears\n\nThey live.\n": ("Water bears", "\nThey live.\n"),
    "\n \n  # Water *bears* ##\nThey live.": ("Water *bears*", "They live."),
    "# C#\ncode": ("C#", "code"),
    "#\tTab\r\nnext": ("Tab", "next"),
    "# Only a title": ("Only a title", ""),
    "Water bears\n===\n\nThey live.": ("Water bears", "\nThey live."),
    "---\n# After a rule": ("After a rule", ""),
    "\ufeff# Tides\n": ("Tides", ""),
    "#Tides of the north\nThey rise.": ("Tides of the north", "They rise."),
    "<!-- made\nby -->\n<p align='center'>\n<img src='a.png'>\n</p>\n\n# Tides\nThey rise.": (
        "Tides",
        "<!-- made\nby -->\n<p align='center'>\n<img src='a.png'>\n</p>\n\nThey rise.",
    ),
    "[![b](https://a.test/b.svg)](https://a.test) ![c](c.png)\n# Tides": (
        "Tides",
        "[![b](https://a.test/b.svg)](https://a.test) ![c](c.png)\n\n",
    ),
    "<h1 align='center'>The *tides*</h1>\nThey rise.": ("The *tides*", "They rise."),
    "# Tides\n\n# **Tides**\n## 1. Tides\nThey rise.": ("Tides", "They rise."),
    r"# Tides\n\n## The \"North\"\n\n$\\nabla$": ("Tides", '\n## The "North"\n\n$\\nabla$'),
    '---\ntitle: "The tides"\ntags: [a]\n---\nThey rise.': ("The tides", "tags: \\[a\\]\n\nThey rise."),
    "---\ntitle: Tides\n---\n# Tides\nThey rise.": ("Tides", "They rise."),
    "---\ntitle: Ebb\n---\n# Tides\nThey rise.": ("Tides", "title: Ebb\n\nThey rise."),
    "# 水クマ\n\n# 結論\n終わり": ("水クマ", "\n# 結論\n終わり"),
}
UNTITLED = [
    *("", "#", "#\ntext", "#hashtag\ntext", "#1 of all", "#AI #ML", "#AI", f"# {'word ' * 200}"),
    *("## Second level\n\n# First", "text\n\n# Later", "\n\n\n", "---\nText: it is\n\nMore"),
    r"One line with $\nu$ and \nabla",
    *(
        "    # code",
        "```\n# a comment\n```",
        "> # quoted",
        "- # listed",
        "# 1. Set-up\n\n# 2. Run",
        "# 1、起動",
    ),
    *("- item\n===", "> quote\n===", "a | b\n=x=", "===", "\n===\ntext"),
]


@pytest.mark.parametrize("content", [*TITLES, *UNTITLED])
def test_a_heading_of_the_first_level_that_begins_the_research_is_its_title(content: str) -> None:
    assert split_title(content) == TITLES.get(content, ("", content))


@pytest.mark.parametrize("piece", ["\n", " ", "\t", "#", "# ", "=", "a\n=", " #", "\r\n"])
def test_a_title_is_sought_in_no_time(piece: str) -> None:
    content = piece * 300_000
    begun = time.process_time()
    title, rest = split_title(content)
    assert title + rest in content + content
    assert time.process_time() - begun < 1


def test_the_title_is_there_once_and_the_topic_below_it() -> None:
    report = replace(REPORT, content="# Blue *skies*\n\nThe sky is blue.\n\n# Why\n")
    written = report_markdown(report)
    assert written.startswith("# Blue *skies*\n\n**Topic.** Why is the sky blue?\n\nJanuary 2, 2026")
    assert written.count("Blue *skies*") == 1
    assert "\n---\n\nThe sky is blue.\n\n# Why\n\n---\n" in written
    same = report_markdown(replace(report, topic="blue *Skies*"))
    assert "**Topic.**" not in same

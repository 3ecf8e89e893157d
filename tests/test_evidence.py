"""The evidence store, and what of frozen texts a writer gets."""

import fcntl
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Passage, PDFGenerationInput, Read, Source
from research.checked import ShownPassage
from research.evidence import excerpts, store
from research.evidence.manifest import evidence_file
from research.output.report_markdown import passage_address, passage_text

TEXTS = ["", "Moss.", "水熊虫 생물\n\nעברית\r\n", "a" * 300_000, "\ud800 lone", "𠀀 \x00 \u2028"]


@pytest.mark.parametrize("text", TEXTS[:4] + TEXTS[5:])
def test_a_frozen_text_comes_back_to_the_character(tmp_path: Path, text: str) -> None:
    digest = store.freeze(tmp_path, text)
    file = tmp_path / "evidence" / f"{digest}.txt"
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert store.thaw(tmp_path, digest) == text


def test_a_text_is_written_once(tmp_path: Path) -> None:
    """The same page of two reports is one file, which nobody writes again."""
    digest = store.freeze(tmp_path, "Moss.")
    [file] = (tmp_path / "evidence").iterdir()
    before = file.stat()
    assert store.freeze(tmp_path, "Moss.") == digest
    assert file.stat().st_ino == before.st_ino


def test_a_changed_text_is_found_and_mended_by_the_next_reading(tmp_path: Path) -> None:
    digest = store.freeze(tmp_path, "Moss.")
    file = tmp_path / "evidence" / f"{digest}.txt"
    file.write_text("Mess.")
    with pytest.raises(store.ChangedFile, match="it has another hash"):
        store.thaw(tmp_path, digest)
    assert store.freeze(tmp_path, "Moss.") == digest
    assert store.thaw(tmp_path, digest) == "Moss."


@pytest.mark.parametrize("writers", [8, 2])
def test_texts_are_frozen_at_the_same_moment(tmp_path: Path, writers: int) -> None:
    """Mirrors of a page: no writer takes the file that another one is writing for what was left over."""
    together = Barrier(writers)

    def freeze(number: int) -> str:
        together.wait(10)
        return store.freeze(tmp_path, f"Moss {number}.")

    with ThreadPoolExecutor(writers) as threads:
        for number in range(40):
            assert len(set(threads.map(freeze, [number] * writers))) == 1
    assert len(list((tmp_path / "evidence").iterdir())) == 40


def test_what_a_killed_worker_left_of_a_frozen_text_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another one has stored the text meanwhile; but not what is being written now."""
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", lambda path, target: None)
        store.freeze(tmp_path, "Moss.")
    [old] = (tmp_path / "evidence").iterdir()
    new = old.with_name(old.name.replace(".part", "0.part"))
    with new.open("xb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        store.freeze(tmp_path, "Moss.")
        assert (old.exists(), new.exists()) == (False, True)
        old.touch()
        store.freeze(tmp_path, "Moss.")
        assert (old.exists(), new.exists()) == (False, True)


def test_a_store_elsewhere() -> None:
    digest = store.freeze("memory://reports", "Moss 水.")
    assert store.thaw("memory://reports", digest) == "Moss 水."
    with pytest.raises(FileNotFoundError):
        store.thaw("memory://reports", "0" * 64)


LONG = "The pump is checked by one of them, and then it is checked again by the other. " * 40
PAGES = {
    1: f"# On tardigrades\n\n{LONG}\n\nIn 2007 they were exposed to the vacuum of space for ten days."
    f"\n\n{LONG}",
    2: "# Moss\n\nThey live wherever moss is wet for some days of the year, and dry out between them.",
    3: "水熊虫生活在苔藓中。它们可以在干燥时存活很多年。\n\n"
    "它们在太空的真空中存活了十天，这是二〇〇七年的一次实验，很多人都知道。",
}


@pytest.mark.parametrize(
    ("query", "number", "words"),
    [
        ("vacuum of space", 1, "ten days"),
        ("太空的真空", 3, "存活了十天"),
        ("wet moss", 2, "wet for some days"),
    ],
)
def test_what_is_wanted_is_chosen(query: str, number: int, words: str) -> None:
    """Also where it stands in the middle of a long page, and in scripts without spaces."""
    chosen = excerpts.choose(PAGES, [query], 2_000)
    assert any(excerpt.source == number and words in excerpt.text for excerpt in chosen)
    assert {excerpt.source for excerpt in chosen} == {1, 2, 3}, "every source has its best paragraph"


def test_without_a_word_in_common_the_beginnings_are_chosen() -> None:
    chosen = excerpts.choose(PAGES, ["photosynthesis"], 3_000)
    assert next(excerpt.start for excerpt in chosen if excerpt.source == 1) == 0
    assert {excerpt.source for excerpt in chosen if excerpt.start == 0} == {1, 2, 3}


@given(st.text(alphabet="ab.。水 \n\t#\f", max_size=4_000), st.integers(0, 3_000))
def test_excerpts_are_the_text_s_own_characters(text: str, most: int) -> None:
    """In its order, none twice, no longer than they may be; with room for all, nothing is left out."""
    chosen = excerpts.choose({7: text}, ["a水"], most)
    assert all(excerpt.text == text[excerpt.start : excerpt.end] for excerpt in chosen)
    assert all(one.end <= other.start for one, other in pairwise(chosen))
    assert sum(len(excerpt.text.encode()) for excerpt in chosen) <= most
    pages = [text.count("\f", 0, excerpt.start) + 1 if "\f" in text else 0 for excerpt in chosen]
    assert [excerpt.page for excerpt in chosen] == pages
    everything = excerpts.choose({7: text}, [], 10**6)
    assert "".join("".join(excerpt.text for excerpt in everything).split()) == "".join(text.split())


def test_the_evidence_file_says_what_was_read() -> None:
    read = Source(1, "https://a.example/", "A", sha256="ab" * 32, characters=10, read=Read.PAGE)
    failed = Source(0, "https://b.example/", "B", reason="blocked by robots.txt")
    files = evidence_file(PDFGenerationInput("", "report.pdf", sources=(read, failed)))
    assert list(files) == ["report.evidence.json"]
    file = json.loads(files["report.evidence.json"])
    assert (file["version"], file["report"]) == (1, "report.pdf")
    assert [(each["number"], each["read"], each["sha256"], each["reason"]) for each in file["sources"]] == [
        (1, "page", "ab" * 32, ""),
        (None, "snippet", "", "blocked by robots.txt"),
    ]
    alone = json.loads(evidence_file(PDFGenerationInput("Text.", "report.pdf"))["report.evidence.json"])
    assert (alone["text"], alone["sources"]) == ("Text.", []), "a report without sources has one too"


@pytest.mark.parametrize(
    ("text", "page", "words", "fragment"),
    [
        ("# Ten days — “in space”", 0, "Ten days — “in space”", ":~:text=Ten days — “in space”"),
        ("well-known", 0, "well-known", ":~:text=well%2Dknown"),
        (
            "one two three four five six, seven eight nine ten eleven twelve thirteen.",
            0,
            "one two three four five six, seven eight nine ten eleven twelve thirteen.",
            ":~:text=one two three four five six%2C,eight nine ten eleven twelve thirteen.",
        ),
        (
            "在2007年，百分之六十八的动物在太空真空中存活了十天，研究人员这样说。",
            0,
            "在2007年，百分之六十八的动物在太空真空中存活了十天，研究人员这样说。",
            ":~:text=在2007年，,研究人员这样说。",
        ),
        (
            "| Pump | Days |\n|---|---|\n| red | 12 |",
            0,
            "Pump · Days red · 12",
            ":~:text=Pump,12",
        ),
        ("- It ran.\n- It stood.", 0, "It ran. It stood.", ":~:text=It ran.,It stood."),
        ("On a page of\na PDF.", 7, "On a page of a PDF.", "page=7"),
    ],
)
def test_a_passage_is_printed_and_linked_as_a_reader_sees_it(
    text: str, page: int, words: str, fragment: str
) -> None:
    """These fragments were tried in Chromium, which scrolls to each of them; a file has no address."""
    shown = ShownPassage(Passage(1, 0, len(text), page), text)
    assert passage_text(shown) == words
    address = passage_address(Source(1, "https://example.org/a?b=c#d"), shown)
    address = unquote(address.replace("%2C", "%252C").replace("%2D", "%252D"))
    assert address == f"https://example.org/a?b=c#{fragment}"
    assert passage_address(Source(1), shown) == ""

"""Report files: names that every file system takes, and writing that is whole or nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from research.files import UnsafeName, report_filename, write_atomically
from research.settings import ROOT

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
    assert write_atomically(tmp_path, name, b"x").read_bytes() == b"x"


def test_runs_of_one_topic_have_names_of_their_own() -> None:
    assert report_filename("A", RUN) != report_filename("A", RUN[:-1] + "5")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x.pdf", "/etc/passwd", "a/b.pdf", "a\\b.pdf", "a\0b", "x" * 300, "nul", "COM1.pdf"],
)
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsafeName):
        write_atomically(tmp_path, name, b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_symlink_in_the_way_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "report.pdf").symlink_to(tmp_path / "precious")
    write_atomically(tmp_path, "report.pdf", b"new")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "report.pdf").is_symlink()


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder: move it away"):
        write_atomically(tmp_path, "report.pdf", b"x")


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "report.pdf").write_bytes(b"old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path, "report.pdf", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("report.pdf", b"old")]


def test_what_a_killed_worker_left_is_cleared(tmp_path: Path) -> None:
    """A dead worker's half-written file goes when its report is written, and no other's."""
    script = (
        "import os, sys; from pathlib import Path; from research import files\n"
        "files.os.fsync = lambda handle: os.kill(os.getpid(), 9)\n"
        "files.write_atomically(Path(sys.argv[1]), 'report.pdf', b'x' * 10)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    assert len(list(tmp_path.iterdir())) == 1
    write_atomically(tmp_path, "another.pdf", b"whole")
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(tmp_path, "report.pdf", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another.pdf", "report.pdf"]

"""Report files: names that every file system takes, and storing that is whole or nothing."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from models import PDFGenerationInput
from research import config
from research.config import ROOT
from research.errors import UserError
from research.reports import storage
from research.reports.storage import UnsafeName, report_filename, report_markdown, store

RUN = "01a20425-255b-7eae-b487-6333967bf5a4"
OLD = {"report.md": b"old text", "report.pdf": b"old page"}
NEW = {"report.md": b"new text", "report.pdf": b"new page"}


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


def test_runs_of_one_topic_have_names_of_their_own() -> None:
    assert report_filename("A", RUN) != report_filename("A", RUN[:-1] + "5")


def held(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_are_there_and_anyone_may_read_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = store(tmp_path / "new" / "folder", NEW)
    finally:
        os.umask(before)
    assert path == str(tmp_path / "new" / "folder" / "report.pdf")
    assert held(tmp_path / "new" / "folder") == NEW
    if os.name != "nt":
        assert {p.stat().st_mode & 0o777 for p in Path(path).parent.iterdir()} == {0o644}


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
    with pytest.raises(UnsafeName, match="give a plain file name"):
        store(folder, {"report.md": b"x", name: b"x"})
    assert list(tmp_path.iterdir()) == []
    assert not MemoryFileSystem().exists("/hostile")


@pytest.mark.parametrize(
    "name", [".x.pdf", "~", "-rf", "$(id).pdf", "%2e%2e%2fx.pdf", "console.pdf", "x" * 255]
)
def test_a_strange_name_is_still_a_name(name: str, tmp_path: Path) -> None:
    assert Path(store(tmp_path, {name: b"x"})).parent == tmp_path
    assert held(tmp_path) == {name: b"x"}


# What stands in the way


def a_link(target: Path) -> None:
    (target.parent / "precious").write_text("precious")
    target.symlink_to("precious")


def a_broken_link(target: Path) -> None:
    target.symlink_to("nowhere")


def a_pipe(target: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(target)


@pytest.mark.parametrize("name", ["report.md", "report.pdf"])
@pytest.mark.parametrize(
    ("put", "kind"),
    [
        (Path.mkdir, "folder"),
        (a_link, "symbolic link"),
        (a_broken_link, "symbolic link"),
        (a_pipe, "special file"),
    ],
)
def test_what_is_in_the_way_is_named_and_left_alone(
    tmp_path: Path, put: Callable[[Path], None], kind: str, name: str
) -> None:
    """A person put it there: it is neither followed nor replaced, and the report waits."""
    put(tmp_path / name)
    before = sorted((path.name, path.lstat().st_mode) for path in tmp_path.iterdir())
    with pytest.raises(OSError, match=f"{name} is a {kind}: move it away"):
        store(tmp_path, NEW)
    assert sorted((path.name, path.lstat().st_mode) for path in tmp_path.iterdir()) == before
    if (tmp_path / "precious").exists():
        assert (tmp_path / "precious").read_text() == "precious"
    (tmp_path / name).rmdir() if kind == "folder" else (tmp_path / name).unlink()
    store(tmp_path, NEW)
    assert NEW.items() <= held(tmp_path).items()


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(NotADirectoryError, match="reports is not a folder: move it away"):
        store(tmp_path / "reports", NEW)
    with pytest.raises(OSError, match="Not a directory"):
        store(tmp_path / "reports" / "below", NEW)
    assert (tmp_path / "reports").read_text() == "a file"


# What fails while writing


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize(
    ("home", "call"),
    [(os, "fsync"), (os, "open"), (os, "close")]
    + [(Path, name) for name in ("mkdir", "glob", "open", "chmod", "replace", "is_symlink")],
)
def test_each_call_may_fail_and_each_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Any, call: str, reason: int
) -> None:
    """The first, second, … of each call fails: old or new, nothing between, nothing beside; then it works."""
    real, failures = getattr(home, call), 0
    while True:
        folder = tmp_path / str(failures)
        store(folder, OLD)
        left = failures

        def fail(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == -1:
                raise OSError(reason, os.strerror(reason))
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(home, call, fail)
            try:
                store(folder, NEW)
                break
            except OSError as error:
                assert error.errno == reason
        now = held(folder)
        assert now.keys() == NEW.keys()
        assert all(now[name] in (OLD[name], NEW[name]) for name in NEW)
        assert now["report.pdf"] == OLD["report.pdf"] or now == NEW  # no new PDF beside an old text
        store(folder, NEW)
        assert held(folder) == NEW
        failures += 1
    assert failures


def test_a_network_folder_that_cannot_be_synced_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    store(tmp_path, NEW)
    assert held(tmp_path) == NEW


CHILD = """
import sys
from pathlib import Path
from research.reports.storage import store

def attempt(size):
    try:
        store(Path(sys.argv[1]), {"report.md": b"new", "report.pdf": b"n" * size})
        return "stored"
    except OSError as error:
        return error.strerror

def held():
    return sorted((path.name, path.stat().st_size) for path in Path(sys.argv[1]).iterdir())

"""


def run_child(script: str, folder: Path, *wrapper: str) -> subprocess.CompletedProcess[str]:
    command = [*wrapper, sys.executable, "-c", CHILD + script, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_file_that_does_not_fit_leaves_the_old_ones(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    store(tmp_path, OLD)
    child = run_child(
        "import resource, sys; sys.dont_write_bytecode = True\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "print(attempt(100_000), held())\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(attempt(100_000), held())\n",
        tmp_path,
    )
    assert child.stdout.splitlines() == [
        "File too large [('report.md', 8), ('report.pdf', 8)]",
        "stored [('report.md', 3), ('report.pdf', 100000)]",
    ], child.stderr


def test_a_full_disk_and_a_read_only_one_wait_to_be_mended(tmp_path: Path) -> None:
    """A real disk of 64 KiB, in a mount namespace of its own that ends with the child."""
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=64k tmpfs "$0"'
    if not shutil.which("unshare") or subprocess.run([*own, mount, tmp_path], capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    child = run_child(
        "import os\n"
        "def mount(how): assert os.system(f'mount -o remount,{how} {sys.argv[1]}') == 0\n"
        "print(attempt(10_000), held())\n"
        "print(attempt(60_000), held())\n"
        "print(attempt(20_000), held())\n"
        "mount('ro')\n"
        "print(attempt(5), held())\n"
        "mount('rw')\n"
        "print(attempt(5), held())\n",
        tmp_path,
        *own,
        f'{mount} && exec "$@" "$0"',
        str(tmp_path),
    )
    assert child.stdout.splitlines() == [
        "stored [('report.md', 3), ('report.pdf', 10000)]",
        "No space left on device [('report.md', 3), ('report.pdf', 10000)]",
        "stored [('report.md', 3), ('report.pdf', 20000)]",
        "Read-only file system [('report.md', 3), ('report.pdf', 20000)]",
        "stored [('report.md', 3), ('report.pdf', 5)]",
    ], child.stderr


def test_what_a_killed_worker_left_is_cleared(tmp_path: Path) -> None:
    """A dead worker's half-written file goes when its report is written, and no other's."""
    script = (
        "import os; from research.reports import storage\n"
        "storage.os.fsync = lambda handle: os.kill(os.getpid(), 9)\n"
        "attempt(10)\n"
    )
    run_child(script, tmp_path)
    assert len(held(tmp_path)) == 1
    store(tmp_path, {"another.pdf": b"whole"})
    assert len(held(tmp_path)) == 2
    store(tmp_path, NEW)
    assert held(tmp_path) == {**NEW, "another.pdf": b"whole"}


# The PDF comes last


def test_the_pdf_is_the_last_to_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def replace(part: Path, target: Path) -> Path:
        if target.name == "report.pdf":
            assert (tmp_path / "report.md").read_bytes() == NEW["report.md"]
            assert not target.exists()
        return real(part, target)

    monkeypatch.setattr(Path, "replace", replace)
    store(tmp_path, NEW)
    assert held(tmp_path) == NEW


# An address instead of a folder


def test_an_address_holds_the_files_and_is_named() -> None:
    assert store("memory://team/reports", OLD) == "memory://team/reports/report.pdf"
    assert store("memory://team/reports", NEW) == "memory://team/reports/report.pdf"
    memory = MemoryFileSystem()
    assert {name: memory.cat(f"/team/reports/{name}") for name in NEW} == NEW
    assert len(memory.ls("/team/reports")) == 2


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "Access Denied"), RuntimeError("Access\nDenied"), TimeoutError("Access Denied")],
)
def test_a_store_that_fails_is_to_be_mended_and_leaves_no_pdf(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever a store raises is an OSError here, so that the report waits and goes on."""
    real = MemoryFileSystem.pipe_file
    address = f"memory://failing-{type(error).__name__}"

    def pipe_file(self: MemoryFileSystem, path: str, value: bytes, **options: Any) -> None:
        if path.endswith("report.md"):
            raise error
        real(self, path, value, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", pipe_file)
        with pytest.raises(OSError, match=rf"^\[Errno 5\] {type(error).__name__}: .*Access Denied") as raised:
            store(address, NEW)
    assert raised.value.strerror
    assert not MemoryFileSystem().exists(address)
    store(address, NEW)
    assert len(MemoryFileSystem().ls(address)) == 2


@pytest.mark.parametrize(
    "secret",
    ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "fZq8Xh2Lk0PbN1uYt7WcA9sDe%3D"],
)
def test_no_key_is_in_what_a_store_says(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    def pipe_file(*arguments: object) -> None:
        raise RuntimeError(f"cannot PUT https://store.example.com/team?token={secret} for {secret}")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)
    with pytest.raises(OSError, match=r"cannot PUT https://store\.example\.com/team\?") as raised:
        store("memory://x", NEW)
    assert secret not in str(raised.value)


def test_an_address_without_its_package_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("s3fs", "paramiko"):
        monkeypatch.setitem(sys.modules, module, None)
    storage.check(ROOT / "reports")
    storage.check("memory://x")
    with pytest.raises(UserError, match=r"REPORTS_DIR: s3:// needs .*: pip install s3fs$"):
        storage.check("s3://bucket/x")
    with pytest.raises(UserError, match=r"REPORTS_DIR: sftp:// needs .*: pip install paramiko$"):
        storage.check("sftp://host/x")
    with pytest.raises(UserError, match=r"REPORTS_DIR: nothing knows nope:// here\. Set it to a folder, or"):
        storage.check("nope://bucket/x")


def reports_dir(value: str) -> Path | str:
    """What the settings make of REPORTS_DIR."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "DOTENV", ROOT / "no such file")
        patch.setenv("REPORTS_DIR", value)
        return config.load.__wrapped__().reports_dir


@pytest.mark.skipif(os.name == "nt", reason="paths of another shape")
@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", ROOT / "reports"),
        ("out", ROOT / "out"),
        ("/x/y", Path("/x/y")),
        ("~/x", Path("~/x").expanduser()),
        ("file:///x/my%20reports", Path("/x/my reports")),
        ("s3://bucket/x/", "s3://bucket/x"),
        ("gs://bucket", "gs://bucket"),
        ("memory:///x", "memory:///x"),
        (
            "abfs://container@account.dfs.core.windows.net/x",
            "abfs://container@account.dfs.core.windows.net/x",
        ),
        ("sftp://me@host:22/x", "sftp://me@host:22/x"),
    ],
)
def test_reports_dir_is_a_folder_or_an_address(value: str, taken: Path | str) -> None:
    assert reports_dir(value) == taken


@pytest.mark.parametrize(
    "value",
    [
        *("file://x/y", "s3://", "s3:///", "://x", "simplecache::s3://bucket/x", "s3://bucket/my reports"),
        *("sftp://me:hunter2@host/x", "sftp://me:/hunter2@host/x", "s3://bucket/x?token=hunter2"),
    ],
)
def test_an_address_that_cannot_be_or_holds_a_secret_is_refused(value: str) -> None:
    with pytest.raises(UserError, match=r"REPORTS_DIR .* must be a folder") as raised:
        reports_dir(value)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


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
        "# Why is the sky blue?\n\n2026-01-02  ·  written by openai/gpt-4o\n\n"
        "## Executive Summary\n\nIn short.\n\n**Note.** It is cut.\n\n**Note.** It was resumed.\n\n"
        "---\n\n## Findings\n\n1. *One*\n\n   two  \n\n"
        "---\n\nMade with openai/gpt-4o: cost $0.01.\n"
    )


def test_a_report_of_nothing_but_text_is_markdown_too() -> None:
    assert report_markdown(PDFGenerationInput("text")) == "# Research Report\n\n---\n\ntext\n"
    assert "**Sample.**" in report_markdown(PDFGenerationInput("text"), "Sample.")

"""Report files in a folder: stored whole or not at all, whatever is in the way or fails."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from research.config import ROOT
from research.output.storage import store

OLD = {"report.md": b"old text", "report.pdf": b"old page"}
NEW = {"report.md": b"new text", "report.pdf": b"new page"}


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
from research.output.storage import store

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


def test_a_full_disk_and_a_read_only_one_require_action(tmp_path: Path) -> None:
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
        "import os; from research.output import storage\n"
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

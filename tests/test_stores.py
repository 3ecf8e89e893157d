"""REPORTS_DIR as an address: stores that fsspec knows, their failures, and whom sftp:// believes."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec.config  # type: ignore[import-untyped]
import paramiko  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from research import config
from research.config import ROOT
from research.errors import UserError
from research.output import storage
from research.output.storage import store
from tests.test_files import NEW, OLD


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
def test_a_store_that_fails_requires_action_and_leaves_no_pdf(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever a store raises is an OSError here, so that the report waits and continues."""
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
    for module in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, module, None)
    fix = "needs another package. To fix: pip install"
    storage.check(ROOT / "reports")
    storage.check("memory://x")
    with pytest.raises(UserError, match=f"REPORTS_DIR: s3:// {fix} s3fs$"):
        storage.check("s3://bucket/x")
    with pytest.raises(UserError, match=f"REPORTS_DIR: gs:// {fix} gcsfs$"):
        storage.check("gs://bucket/x")
    with pytest.raises(UserError, match=r"REPORTS_DIR: nope:// is not supported\. To fix: set"):
        storage.check("nope://bucket/x")


def reports_dir(value: str) -> Path | str:
    """What the settings make of REPORTS_DIR."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "DOTENV", ROOT / "no such file")
        patch.setenv("REPORTS_DIR", value)
        config.load.cache_clear()
        try:
            return config.load().reports_dir
        finally:
            config.load.cache_clear()


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


# sftp://, whose server must be known


class SftpHost(paramiko.ServerInterface):  # type: ignore[misc]
    """Lets anyone in who knows the password, and keeps every password that it was sent."""

    def __init__(self, passwords: list[str]) -> None:
        self.passwords = passwords

    def check_auth_password(self, username: str, password: str) -> int:
        self.passwords.append(password)
        known = (username, password) == ("team", "correct horse")
        return int(paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


class SftpFolder(paramiko.SFTPServerInterface):  # type: ignore[misc]
    """Serves one folder."""

    def __init__(self, server: object, root: Path) -> None:
        super().__init__(server)
        self.root = root

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat((self.root / path.lstrip("/")).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def open(self, path: str, flags: int, attr: object) -> Any:
        handle = paramiko.SFTPHandle(flags)
        handle.writefile = handle.readfile = (self.root / path.lstrip("/")).open("wb")
        return handle


class SftpServer:
    """A real SSH server on 127.0.0.1 with a host key of its own, which `known_hosts` may hold."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = paramiko.ECDSAKey.generate()
        self.passwords: list[str] = []
        self._transports: list[Any] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self._transports.append(transport)  # because a collected one is closed
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, SftpFolder, self.root)
            with suppress(paramiko.SSHException, EOFError):
                transport.start_server(server=SftpHost(self.passwords))


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    """A server, and a home folder that has never seen it; the password as a person would set it."""
    (tmp_path / "served" / "reports").mkdir(parents=True)
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setitem(fsspec.config.conf, "sftp", {"username": "team", "password": "correct horse"})
    server = SftpServer(tmp_path / "served")
    yield server
    server.close()


def test_sftp_writes_to_a_known_host_only(sftp: SftpServer, tmp_path: Path) -> None:
    """Unknown, then with another's key, then known: the password and the report reach the last alone."""
    address = f"sftp://127.0.0.1:{sftp.port}/reports"
    known_hosts = tmp_path / "home" / ".ssh" / "known_hosts"
    for key in (None, paramiko.ECDSAKey.generate()):
        if key:
            known_hosts.write_text(f"[127.0.0.1]:{sftp.port} {key.get_name()} {key.get_base64()}\n")
        with pytest.raises(OSError, match=r"host key of .* does not match ~/\.ssh/known_hosts; to add it"):
            storage.probe(address)
        with pytest.raises(OSError, match="does not match"):
            store(address, NEW)
    assert sftp.passwords == []
    assert list((sftp.root / "reports").iterdir()) == []
    known_hosts.write_text(f"[127.0.0.1]:{sftp.port} {sftp.key.get_name()} {sftp.key.get_base64()}\n")
    storage.probe(address)
    store(address, NEW)
    assert {file.name: file.read_bytes() for file in (sftp.root / "reports").iterdir()} == NEW

"""What the tests stand on: a clone of their own, a real dev server, a real HTTP provider."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock
from pypdf import PdfReader
from pypdfium2 import PdfDocument
from temporalio.client import Client

from models import LLMCallOutput
from research.formatting import format_note
from research.llm import resume, stored
from research.pdf import fonts
from research.temporal.client import connect
from testing import processes
from testing.app import SHARED, App, DevServer, copy_clone, free_port
from testing.forkserver import IMPORT_ENVIRON, ForkServer
from testing.inside import Inside, Serving, settings_of
from testing.inside import inside as serve_inside
from testing.provider import Provider
from tests.scheduling import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
    pytest_xdist_setupnodes,
)
from tests.skipping import pytest_runtest_makereport  # noqa: F401

PROMPT_SECONDS = 10.0
"""For what is to happen at once, on a machine that is busy."""
KEY = "sk-never-to-be-seen-4f1c2a7b9d"


def pytest_configure() -> None:
    """Clean the environment, and start what all pytest processes share in the one that starts the others."""
    hypothesis.settings.register_profile("tests", deadline=None)  # a busy machine is slow at any moment
    hypothesis.settings.load_profile("tests")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job
        signal.signal(signal.SIGINT, signal.default_int_handler)  # or the programs would ignore it too
    _clean_environment()
    if SHARED not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="research-tests-"))
        os.environ[SHARED] = str(folder)
        shared = ForkServer(folder / "fork")
        if sys.platform == "linux":
            shared.begin()
        atexit.register(_end_shared, folder, shared)
    if sys.platform == "linux":
        os.environ[processes.FORK_SERVER] = str(Path(os.environ[SHARED]) / "fork")
        processes.fork_server = ForkServer(Path(os.environ[SHARED]) / "fork")


def _clean_environment() -> None:
    """Let no setting of the person who runs the tests reach them, nor the variables of the fork server."""
    for name in list(os.environ):
        if name.startswith(("LLM_", "TEMPORAL_", "SEARCH_")) or name.endswith(("_API_KEY", "_API_BASE")):
            del os.environ[name]
    for name in ("REPORTS_DIR", "DEV_SERVER_PORT", "TOPIC", "MAKEFLAGS", "MAKELEVEL", *IMPORT_ENVIRON):
        os.environ.pop(name, None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every program would compile what it imports
    sys.dont_write_bytecode = False


def _end_shared(folder: Path, shared: ForkServer) -> None:
    if (folder / "port").exists():
        DevServer(folder / "clone", int((folder / "port").read_text())).run("stop")
    shared.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cold_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start this test's programs in the ordinary way, with the imports that they have for a user."""
    monkeypatch.setattr(processes, "fork_server", None)
    monkeypatch.delenv(processes.FORK_SERVER, raising=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_clone(tmp_path / "clone")


@pytest.fixture(scope="session")
def server() -> DevServer:
    """The dev server that all pytest processes share; each test has a namespace of its own in it."""
    folder = Path(os.environ[SHARED])
    with FileLock(folder / "lock"):
        if not (folder / "port").exists():
            port = free_port()
            started = DevServer(copy_clone(folder / "clone"), port).run("start")
            assert started.returncode == 0, started.stderr
            (folder / "port").write_text(str(port))
    return DevServer(folder / "clone", int((folder / "port").read_text()))


@pytest.fixture
def own_server(clone: Path) -> Iterator[DevServer]:
    """A port where nothing listens yet; what a test starts there is stopped."""
    server = DevServer(clone, free_port())
    yield server
    server.run("stop")


@pytest.fixture
def provider() -> Iterator[Provider]:
    resume._probed.clear()  # because another provider may get the port of an earlier one
    stored._refused.clear()
    with Provider() as provider:
        yield provider


@pytest.fixture
def environ(server: DevServer, provider: Provider) -> dict[str, str]:
    """The settings of one test's processes: its own namespace, a paid model, a key."""
    return {
        **server.environ,
        "TEMPORAL_NAMESPACE": f"test-{uuid.uuid4().hex[:12]}",
        "LLM_MODEL": "openai/gpt-4o",
        "LLM_API_KEY": KEY,
        "LLM_API_BASE": provider.url,
    }


@pytest.fixture
async def inside(server: DevServer, provider: Provider, tmp_path: Path) -> AsyncIterator[Inside]:
    """Workers in this process, with the settings that the tests' processes have."""
    environ = {
        "LLM_MODEL": "openai/gpt-4o",
        "LLM_API_KEY": KEY,
        "LLM_API_BASE": provider.url,
        "REPORTS_DIR": str(tmp_path / "reports"),
    }
    async with serve_inside(f"127.0.0.1:{server.port}", environ) as made:
        yield made


@pytest.fixture
def app(clone: Path, environ: dict[str, str]) -> Iterator[App]:
    app = App(clone, environ)
    yield app
    app.stop()


@pytest.fixture
def serving(app: App) -> Iterator[None]:
    """A worker for the app's programs, in this process."""
    with Serving(app.environ, app.root / "reports"):
        yield


@pytest.fixture
async def client(app: App) -> AsyncIterator[Client]:
    """A client of the test's own namespace, which the program's own function registers."""
    with settings_of(app.environ) as settings:
        await connect(settings, print)
    yield await app.client()


def pdf_text(path: Path) -> str:
    """The text of a PDF, read by another library than the one that wrote it."""
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def page_texts(pdf: Path | bytes) -> list[str]:
    """The text of each page, by pdfium: in a tenth of pypdf's time; raised letters are lines of their own."""
    with closing(PdfDocument(pdf)) as read:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in read]


def has_fonts(text: str) -> bool:
    """Whether the fonts of this machine have each character."""
    return all(fonts.face_for(character, fonts.TEXT, False, False) for character in text)


def needs_fonts(text: str) -> None:
    """Skip the test where no font of this machine has the text."""
    if not has_fonts(text):
        pytest.skip("no font here has it")


def remarks_of(answer: LLMCallOutput) -> list[str]:
    """What a reader must know of a model's answer."""
    return list(map(format_note, answer.remarks))


def is_about_fonts(note: str) -> bool:
    """Whether a report's note is about characters that this machine has no font for."""
    return note.startswith("Characters without a font here")


def notes_of(result: dict[str, Any]) -> list[str]:
    """The notes of a report, but for what this machine has no font for."""
    return [note for note in result["notes"] if not is_about_fonts(note)]

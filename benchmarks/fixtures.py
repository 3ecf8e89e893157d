"""What the contenders share: a dev server, and the settings of the endpoint."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testing.provider import Provider
from tests.conftest import DevServer, copy_clone, free_port


@contextmanager
def own_server() -> Iterator[DevServer]:
    """Run a dev server in its own clone, with the folder `out` for the reports."""
    with tempfile.TemporaryDirectory() as scratch:
        server = DevServer(copy_clone(Path(scratch) / "clone"), free_port())
        (server.root / "out").mkdir()
        server.run("start")
        try:
            yield server
        finally:
            server.run("stop")


def environ(server: DevServer, provider: Provider) -> dict[str, str]:
    """Return the settings of a worker, ours or a peer's."""
    return {
        **server.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{server.port}",
        "LLM_MODEL": "openai/gpt-4o",
        "LLM_API_KEY": "sk-benchmark-0123456789",
        "LLM_API_BASE": provider.url,
        "REPORTS_DIR": str(server.root / "out"),
    }

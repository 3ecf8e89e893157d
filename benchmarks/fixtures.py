"""What the contenders share: a dev server, the settings of the endpoint, how a report is started."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client

from testing.app import DevServer, copy_clone, free_port
from testing.processes import Program
from testing.provider import Provider


@contextmanager
def own_server() -> Iterator[DevServer]:
    """Run a dev server in its own clone, with the folder `out` for the reports."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile what a user's does not
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


def start_workflow(server: DevServer, workflow: Any, argument: object, identity: str, queue: str) -> None:
    """Start a Workflow, ours or the plain one, by its run method."""

    async def start() -> None:
        client = await Client.connect(f"127.0.0.1:{server.port}")
        await client.start_workflow(workflow, argument, id=identity, task_queue=queue)

    asyncio.run(start())


def wait_for_workflow(server: DevServer, identity: str) -> None:
    """Wait for the end of a Workflow."""

    async def wait() -> None:
        client = await Client.connect(f"127.0.0.1:{server.port}")
        await client.get_workflow_handle(identity).result()

    asyncio.run(wait())


def start_peer(server: DevServer, module: str, identity: str, environ: dict[str, str]) -> Program:
    """Start a peer that makes its report by itself, or resumes it from its database."""
    database = str(server.root / f"{identity}.sqlite")
    return Program("-m", f"benchmarks.{module}", "topic", identity, database, environ=environ)

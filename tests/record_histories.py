"""Record the histories that the replay tests read: python -m tests.record_histories VERSION

Run it once for each version that lands, with the version's name; a history that was
recorded stays for ever, so that reports started by that version go on with every later one.
"""

import asyncio
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from demos.provider import Call, Provider, Reply, default_reply
from tests.conftest import KEY, App, DevServer, copy_clone, free_port, workflow_id

HISTORIES = Path(__file__).parent / "histories"


def no_summary(call: Call) -> Reply:
    """A provider that refuses every summary."""
    refused = Reply(status=422, error={"message": "no summaries here"})
    return refused if call.is_summary else default_reply(call)


SHAPES: dict[str, tuple[list[str], Callable[[Call], Reply]]] = {
    "plain": ([], default_reply),
    "paused": (["--pause", "0.5"], default_reply),
    "no-summary": ([], no_summary),
}


def main(version: str) -> None:
    """One report of every shape, against a dev server of its own."""
    with tempfile.TemporaryDirectory() as scratch, Provider() as provider:
        server = DevServer(copy_clone(Path(scratch) / "clone"), free_port())
        environ = {
            **server.environ,
            "TEMPORAL_NAMESPACE": f"record-{uuid.uuid4().hex[:8]}",
            "LLM_MODEL": "openai/gpt-4o",
            "LLM_API_KEY": KEY,
            "LLM_API_BASE": provider.url,
        }
        app = App(server.root, environ)
        try:
            app.worker()
            for shape, (options, reply) in SHAPES.items():
                provider.calls.clear()
                provider.reply = reply
                starter = app.starter(*options, "How does durable execution work?")
                assert starter.exit_status() == 0, starter.text
                history = asyncio.run(_history(app, workflow_id(starter)))
                (HISTORIES / f"{version}-{shape}.json").write_text(history + "\n")
        finally:
            app.stop()
            server.run("stop")


async def _history(app: App, identity: str) -> str:
    client = await app.client()
    return (await client.get_workflow_handle(identity).fetch_history()).to_json()


if __name__ == "__main__":
    main(sys.argv[1])

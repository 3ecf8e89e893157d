"""Record the histories that the replay tests read.

    python -m tests.record_histories VERSION [COMMIT]

Run it for each version that lands, with the version's name, and its commit unless it is today's;
a history that was recorded stays for ever, so that reports started by that version go on with
every later one. A shape that has been recorded is not recorded again.
"""

import asyncio
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import WorkflowHandle

from research.llm.evidence_prompts import JUDGE_INSTRUCTION, PASSAGES_INSTRUCTION, REWRITE_INSTRUCTION
from research.llm.reader_prompts import ANSWER_INSTRUCTION, CHANGES_INSTRUCTION
from testing.app import App, DevServer, checkout, copy_clone, free_port, wait_until
from testing.pages import Pages, html_page
from testing.processes import workflow_id
from testing.provider import Call, Reply, default_reply, rest_of
from testing.search import SearchProvider, SearchReply
from tests.conftest import KEY

HISTORIES = Path(__file__).parent / "histories"
LONG = " ".join(f"word{number}" for number in range(60))


def no_summary(call: Call) -> Reply:
    """A provider that refuses every summary."""
    refused = Reply(status=422, error={"message": "no summaries here"})
    return refused if call.is_summary else default_reply(call)


def slow(call: Call) -> Reply:
    """A research of six seconds."""
    return default_reply(call) if call.is_summary else Reply(rest_of(LONG, call), chunk_seconds=0.1)


def slow_sections(call: Call) -> Reply:
    """Sections of six seconds, of which one is done at once and one is refused."""
    if call.section == 2:
        return Reply(status=400, error={"message": "not this", "code": "content_policy_violation"})
    return slow(call) if call.section > 2 else default_reply(call)


def busy_at_first() -> Callable[[Call], Reply]:
    """Every kind of call is first answered with 503."""
    seen = set()

    def reply(call: Call) -> Reply:
        first = call.is_summary not in seen
        seen.add(call.is_summary)
        return Reply(status=503, error={"message": "busy"}) if first else default_reply(call)

    return reply


def proving(call: Call) -> Reply:
    """Passages that are in the page; a statement that is absent, is rewritten, and is judged again."""
    if call.prompt.startswith(PASSAGES_INSTRUCTION):
        return Reply("> They live in moss, and wait for rain.")
    if call.prompt.startswith(JUDGE_INSTRUCTION):
        return Reply("1: absent" if "They fly" in call.prompt else "1: supported")
    if call.prompt.startswith(CHANGES_INSTRUCTION):
        return Reply("2: flight")
    if call.prompt.startswith(ANSWER_INSTRUCTION):
        return Reply("They live in moss [1].")
    if call.prompt.startswith(REWRITE_INSTRUCTION):
        return Reply("1: They live in moss [1].")
    return Reply("They fly [1]. Nothing else is known.") if call.section else default_reply(call)


@dataclass(frozen=True)
class Shape:
    """One course that a report can take."""

    options: tuple[str, ...] = ()
    reply: Callable[[Call], Reply] = default_reply
    environ: Mapping[str, str] = field(default_factory=dict)
    kill: bool = False
    cancel: bool = False
    reads: bool = False
    """Whether the worker reads what the search finds."""
    said: tuple[tuple[str, ...], ...] = ()
    """What a person says of the plan that waits, each with the report's ID behind the option."""
    then: tuple[str, ...] = ()
    """What is wanted of the finished report, likewise; recorded is what comes of that."""
    since: str = "0.1"
    """The first version that knows this shape."""

    def is_of(self, version: str) -> bool:
        """Whether this version knows the shape."""
        return [*map(int, version.split("."))] >= [*map(int, self.since.split("."))]


SHAPES = {
    "plain": Shape(),
    "paused": Shape(options=("--pause", "0.5")),
    "retried": Shape(reply=busy_at_first()),
    "resumed": Shape(reply=slow, kill=True),
    "no-summary": Shape(reply=no_summary),
    "cancelled": Shape(reply=slow, cancel=True),
    "over-the-ceiling": Shape(environ={"LLM_MAX_COST": "0.00001"}),
    "stored": Shape(reply=slow, environ={"LLM_STORE": "yes"}, kill=True, since="0.7"),
    "documents": Shape(options=("--documents", "models.py", "research/sample"), since="0.8"),
    "proof": Shape(("--sources", "--sections", "2"), proving, reads=True, since="0.8"),
    "review": Shape(
        ("--sections", "2", "--review"), said=(("--change", "shorter"), ("--approve",)), since="0.9"
    ),
    "revision": Shape(
        ("--sources", "--sections", "2"), proving, reads=True, then=("--revise", "They fly"), since="0.9"
    ),
    "question": Shape(("--sources",), proving, reads=True, then=("--ask", "Do they fly?"), since="0.9"),
    "reading": Shape(options=("--sources",), reads=True, since="0.8"),
    "sources": Shape(options=("--sources",), since="0.5"),
    "sections": Shape(options=("--sources", "--sections", "4"), reply=slow_sections, kill=True, since="0.5"),
}


def main(version: str, commit: str = "") -> None:
    """One report of every shape that is not there yet, against a dev server of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "clone"
        server = DevServer(checkout(commit, root) if commit else copy_clone(root), free_port())
        started = server.run("start")
        assert started.returncode == 0, started.stderr
        try:
            for name, shape in SHAPES.items():
                target = HISTORIES / f"{version}-{name}.json"
                if shape.is_of(version) and not target.exists():
                    target.write_text(asyncio.run(_record(server, shape)) + "\n")
                    print(target.stem, flush=True)
        finally:
            server.run("stop")


async def _record(server: DevServer, shape: Shape) -> str:
    """The history of one report of this shape."""
    with SearchProvider(shape.reply) as provider, Pages() as site:
        if shape.reads:  # one page of three
            site.pages["/1"] = html_page("On tardigrades", "They live in moss, and wait for rain. " * 20)
            found = [
                {"title": path, "url": site.address(path), "content": "A snippet."}
                for path in ("/1", "/2", "/3")
            ]
            provider.find = lambda query: SearchReply(found)
        environ = {
            **server.environ,
            "TEMPORAL_NAMESPACE": f"record-{uuid.uuid4().hex[:8]}",
            "LLM_MODEL": "openai/gpt-4o",
            "LLM_API_KEY": KEY,
            "LLM_API_BASE": provider.url,
            **(provider.search_environ if "--sources" in shape.options else {}),
            **({**site.environ, "READ_MAX_PAGES": "2"} if shape.reads else {}),
            **shape.environ,
        }
        app = App(server.root, environ)
        try:
            worker = app.worker()
            starter = app.starter("How does durable execution work?", *shape.options)
            client = await app.client()
            handle = client.get_workflow_handle(workflow_id(starter))
            if shape.kill or shape.cancel:
                await asyncio.to_thread(
                    wait_until, lambda: "word20" in "".join(c.sent for c in provider.calls)
                )
            if shape.kill:
                worker.kill()
                app.worker()
            if shape.cancel:
                await handle.cancel()
            if shape.said:
                await asyncio.to_thread(starter.wait_for, "Waits for you")
            for option, *words in shape.said:
                await asyncio.to_thread(app.run("starter.py", option, handle.id, *words).exit_status)
            await asyncio.to_thread(starter.exit_status)
            if shape.then:
                option, *words = shape.then
                starter = app.run("starter.py", option, handle.id, *words)
                await asyncio.to_thread(starter.exit_status)
                handle = client.get_workflow_handle(workflow_id(starter))
            return await _history(handle)
        finally:
            app.stop()


async def _history(handle: "WorkflowHandle[object, object]") -> str:
    history = (await handle.fetch_history()).to_json()
    return re.sub(r'File \\"[^"\\]*?/(?:site-packages|clone)/', r'File \\"', history)  # no one's folders


if __name__ == "__main__":
    main(*sys.argv[1:])

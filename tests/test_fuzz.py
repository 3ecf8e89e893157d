"""Input that nobody thought of, at each place where something foreign comes in.

A few hundred examples in the suite; `make fuzz` makes each place a hundred times as many.
"""

import asyncio
import json
import os
import tempfile
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter

from models import (
    GenerateReportInput,
    GenerateReportOutput,
    LLMCallInput,
    LLMCallOutput,
    PDFGenerationInput,
    PDFGenerationOutput,
)
from research import config
from research.errors import UserError
from research.llm import client as llm
from research.llm import library
from research.llm.errors import ProviderError
from research.output.naming import report_filename
from research.output.storage import store
from testing.provider import Call, Provider, Reply
from tests.conftest import KEY
from tests.page_reader import render
from tests.test_model_call import configured

TIMES = int(os.environ.get("FUZZ", "1"))


def fuzz(examples: int) -> hypothesis_settings:
    """So many examples, or FUZZ times as many; the same ones each time in the suite."""
    return hypothesis_settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@fuzz(200)
@given(topic=st.text(max_size=2_000), run_id=st.uuids())
def test_topic_to_file_name(topic: str, run_id: object) -> None:
    """Whatever the topic is, the name is one that is taken, and short."""
    name = report_filename(topic, str(run_id))
    store("memory://fuzz", {name: b"x"})
    assert len(name.encode()) <= 98
    assert Path(name).name == name


PIECES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["# ", "\n\n", "\n", "- ", "1. ", "> ", "```", "|", "|---|\n", "**", "_", "~~", "$", "\\(", "\\)",
         "^", "{", "}", "\\frac", "\u2066", "\u2067", "\u2069", "\u202b", "\u202c", "\u0378",
         "[^1]", "[^1]: ", "[a](", ")", "<br>", "<sub>", "</sub>", "![", "\t", "    ", "\u202e", "\u0301",
         "水", "אב", "ก็", "क्ष", "🙂", "\ud800", "\0", "\x1b[",
         " ", "\xad", "\u200b", "\u200d", "\u200e", "\u2060", "\ufe0f", "\ufeff"]
    ),
)  # fmt: skip


@fuzz(60)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_markdown_to_pdf(content: str) -> None:
    """Every text gives a whole PDF of at least one page, without an error of ours."""
    rendered = render(content, topic=content[:40], summary=content[:200])
    assert rendered.pages >= 1
    assert rendered.data.startswith(b"%PDF-")
    assert rendered.data.rstrip().endswith(b"%%EOF")


class Foreign(Provider):
    """Answers with bytes as they are."""

    body = b""

    async def answer(self, request: web.Request, call: Call, stream: Any) -> web.StreamResponse:
        self.calls.append(call)
        kind = "text/event-stream" if call.body.get("stream") else "application/json"
        return web.Response(body=self.body, content_type=kind)


EVENT = json.dumps({"choices": [{"index": 0, "delta": {"content": "word "}}]}).encode()
BYTES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [b"data: ", b"\n\n", b"\n", b"[DONE]", b"{", b"}", b"null", b"[]", b'"choices"', b":", EVENT,
             b'{"choices": []}', b'{"choices": null}', b'{"choices": [{}]}', b'{"error": "x"}', b"event: x\n",
             b'{"choices": [{"index": 0, "delta": null}]}', b'{"usage": {"prompt_tokens": "x"}}', b"\xff"]
        ),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


def test_provider_bytes_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes back is a text, or an error of one line without the key."""
    monkeypatch.setattr(library, "STREAM_IDLE_SECONDS", 5.0)
    provider, loop = Foreign(lambda call: Reply()), asyncio.new_event_loop()
    with provider:

        @fuzz(40)
        @given(body=BYTES, streams=st.booleans())
        @example(body=b'{"choices":[]}', streams=False)
        def ask(body: bytes, streams: bool) -> None:
            provider.body = body
            config = configured("openai/gpt-4o", provider, max_streams=16 if streams else 0)
            try:
                answer = loop.run_until_complete(llm.complete(LLMCallInput("A topic"), config))
            except ProviderError as fault:
                assert fault.message
                assert "\n" not in fault.message
                assert KEY not in fault.message
            else:
                assert answer.text.strip()

        ask()


@fuzz(200)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_dotenv_to_settings(content: bytes) -> None:
    """A `.env` gives names and values, or one line that says what to fix."""
    path = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}.env"
    path.write_bytes(content)
    try:
        values = config.read_dotenv(path)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(value, str) and "\0" not in value for value in values.values())
    finally:
        path.unlink()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["prompt", "pause_seconds", "content", "notes", "filename", "spent", "x"]), inner
        ),
    ),
    max_leaves=8,
)
SHAPES = [GenerateReportInput, LLMCallInput, PDFGenerationInput, PDFGenerationOutput]


@fuzz(200)
@given(value=JSON, shape=st.sampled_from(SHAPES))
def test_json_to_dataclasses(value: Any, shape: Any) -> None:
    """Another SDK's JSON becomes the dataclass with the right types, or is refused; never half of it."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
    try:
        made: Any = PayloadConverter.default.from_payload(payload, shape)
    except (TypeError, ValueError, RuntimeError):
        return
    assert isinstance(made, shape)
    assert isinstance(getattr(made, fields(shape)[0].name), str)


REAL = {float: st.floats(allow_nan=False, allow_infinity=False), str: st.text(), int: st.integers()}


def any_of(shape: Any) -> st.SearchStrategy[Any]:
    """A dataclass with anything in its fields, or with their defaults."""
    for kind, strategy in REAL.items():
        st.register_type_strategy(kind, strategy)
    hints = get_type_hints(shape)
    required = {field.name for field in fields(shape) if field.default is MISSING}
    return st.builds(lambda values: shape(**values), st.fixed_dictionaries(
        {name: st.from_type(hints[name]) for name in hints if name in required},
        optional={name: st.from_type(hints[name]) for name in hints if name not in required},
    ))  # fmt: skip


@fuzz(100)
@given(value=st.one_of(*[any_of(shape) for shape in [*SHAPES, LLMCallOutput, GenerateReportOutput]]))
def test_dataclasses_to_history_and_back(value: Any) -> None:
    """What is stored is the same when it is read, also as 0.4 stored it: without defaults."""
    [payload] = PayloadConverter.default.to_payloads([value])
    assert PayloadConverter.default.from_payload(payload, type(value)) == value
    defaults = {field.name: field.default for field in fields(value)}
    stored = json.loads(payload.data)
    brief = {name: part for name, part in stored.items() if part != defaults[name]}
    payload.data = json.dumps(brief).encode()
    assert PayloadConverter.default.from_payload(payload, type(value)) == value

"""What providers send, byte by byte, on litellm's routes: broken streams, errors inside, other forms."""

import asyncio
import itertools
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from models import LLMCallInput, StepKind
from research.errors import ErrorKind
from research.llm import client as llm
from research.llm import library, outcome, wire
from research.llm.draft import Draft
from research.llm.errors import PromptTooLong, ProviderError
from research.llm.prompts import summary_prompt
from research.llm.resume import PROBE_PROMPT
from research.llm.stream import MAX_BLANK_CHARACTERS, MAX_REASONING_BYTES
from testing.asked import call_for
from testing.provider import Call, Provider
from testing.responses import break_connection
from tests.conftest import KEY
from tests.test_model_call import configured, fault_of

OPENAI_ROUTES = [
    *("openai/gpt-4o", "hosted_vllm/m", "openrouter/m", "deepseek/deepseek-chat", "mistral/mistral-small"),
    *("groq/m", "together_ai/m", "fireworks_ai/m", "xai/grok-3", "lm_studio/m", "moonshot/m"),
    *("dashscope/qwen-plus", "perplexity/sonar"),
]
"""litellm's routes of OpenAI's protocol."""
OWN_READERS = [
    route for route in OPENAI_ROUTES if route.startswith(("op", "host", "mistral", "groq", "fire", "xai"))
]
"""One for each of litellm's readers of such streams: the other routes have that of the first or second."""
SENT_IN_EACH_WAY = ("openai/gpt-4o", "anthropic/claude-sonnet-4-5", "hosted_vllm/m")
BEGUN = "## Lichens\n\nA lichen is a fungus and an alga that live as one.\n\nSome grow less than a millimetre"
TEXT = f"{BEGUN} a year, so that their width dates the rock below them."
USAGE = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
DONE = b"data: [DONE]\n\n"


def route(model: str, *more: Any) -> Any:
    """A parameter with one of OPENAI_ROUTES: those without a reader of their own are proofs."""
    return pytest.param(model, *more, marks=() if model in OWN_READERS else pytest.mark.proof)


class Wired(Provider):
    """Answers a POST request to any path with bytes, and then ends the answer or breaks the connection."""

    def __init__(
        self, answer: Callable[[Call], bytes | Iterable[bytes]], status: int = 200, breaks: bool = False
    ) -> None:
        super().__init__()
        self.bytes_for = answer
        self._status, self._breaks = status, breaks

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        call = Call(_turns(body), dict(request.headers), body)
        if call.prompt == PROBE_PROMPT:
            return web.json_response({"error": {"message": "the last message must be a user's"}}, status=400)
        self.calls.append(call)
        data = self.bytes_for(call)
        response = web.StreamResponse(status=self._status)
        await response.prepare(request)
        with suppress(ConnectionError):
            for piece in [data] if isinstance(data, bytes) else data:
                await response.write(piece)
        return break_connection(request, response) if self._breaks else response


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    """Close what litellm keeps open for the next call, because each test has an event loop of its own."""
    yield
    if "litellm" in sys.modules:
        litellm = library.load()
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()


def _turns(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request in any protocol, as OpenAI's."""
    turns = []
    for turn in body.get("messages") or body["contents"]:
        content = turn.get("content") or turn["parts"]
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        turns.append({"role": {"model": "assistant"}.get(turn["role"], turn["role"]), "content": text})
    return turns


def event(data: object) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def delta(fields: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    """One event of OpenAI's protocol."""
    choice = {"index": 0, "delta": fields, "finish_reason": reason}
    return event({**HEAD, "object": "chat.completion.chunk", "choices": [choice], **more})


HEAD = {"id": "c-1", "created": 1, "model": "m"}
BLANK = " \n" * 500
BEGUN_EVENT = delta({"role": "assistant", "content": BEGUN})


def openai(content: object, reason: str | None, streams: bool = True) -> bytes:
    """An answer in OpenAI's protocol."""
    message = {"role": "assistant", "content": content}
    if streams:
        counted = event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
        return delta(message) + delta({}, reason) + counted + DONE
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()


# Streams that end too early.


@pytest.mark.parametrize("model", [*map(route, OPENAI_ROUTES)])
async def test_a_stream_that_breaks_off_is_transient(model: str) -> None:
    """Also where `[DONE]` follows: without a finish reason nothing says that the text is whole."""
    for ending in (
        b"",
        DONE,
        event({**HEAD, "choices": [], "usage": USAGE}) + DONE,
        b'error: {"code":500,"message":"the slot is gone","type":"server_error"}\n\n' + DONE,
        BEGUN_EVENT[:70] + b"\n\n" + DONE,
        BEGUN_EVENT[:70],
        b": keep-alive\n\n",
    ):
        draft = Draft()
        with Wired(lambda call, ending=ending: BEGUN_EVENT + ending) as server:  # type: ignore[misc]
            fault = await fault_of(configured(model, server), draft)
        assert (fault.kind, draft.text, len(server.calls)) == (ErrorKind.TRANSIENT, BEGUN, 1), ending
        assert len(fault.message) < 400


@pytest.mark.parametrize("model", OWN_READERS)
async def test_a_byte_order_mark_costs_nothing(model: str) -> None:
    with Wired(lambda call: b"\xef\xbb\xbf" + openai(TEXT, "stop")) as server:
        answer = await llm.complete(LLMCallInput("A topic"), configured(model, server))
    assert (answer.text, answer.finish_reason) == (TEXT, "stop")


# Errors inside an answer of status 200.

QUOTA = {"message": "no more credit", "type": "insufficient_quota", "code": "insufficient_quota"}
ERRORS: list[tuple[dict[str, Any], ErrorKind, str]] = [
    ({"message": "no more credit", "code": 402}, ErrorKind.NEEDS_ACTION, "the quota at the provider is"),
    (QUOTA, ErrorKind.NEEDS_ACTION, "the quota at the provider is used up"),
    ({"message": "who is it?", "code": 401}, ErrorKind.NEEDS_ACTION, "the provider refused the key"),
    ({"message": "who is it?", "code": "invalid_api_key"}, ErrorKind.NEEDS_ACTION, "the provider refused"),
    ({"message": "slow down", "code": "429"}, ErrorKind.TRANSIENT, "the provider answered 429: slow down"),
    ({"message": "full", "status": 503}, ErrorKind.TRANSIENT, "the provider answered 503: full"),
    ({"message": "busy", "type": "overloaded_error"}, ErrorKind.TRANSIENT, "the provider answered 529: busy"),
    ({"message": "it failed"}, ErrorKind.TRANSIENT, "the provider's answer broke off: it failed"),
    ({"message": "no tools", "code": 400}, ErrorKind.PERMANENT, "the provider refuses this request (400)"),
]


@pytest.mark.parametrize("model", [*OWN_READERS, "anthropic/claude-sonnet-4-5"])
async def test_an_error_at_the_start_of_a_stream_keeps_its_code(model: str) -> None:
    for error, kind, message in ERRORS if model in SENT_IN_EACH_WAY else ERRORS[::4]:
        data = event({"type": "error", "error": error}) + DONE
        with Wired(lambda call, data=data: data) as server:  # type: ignore[misc]
            fault = await fault_of(configured(model, server))
        assert (fault.kind, len(server.calls)) == (kind, 1), fault
        assert fault.message.startswith(message), fault


@pytest.mark.parametrize("model", ["openai/gpt-4o", "hosted_vllm/m", "anthropic/claude-sonnet-4-5"])
async def test_a_rate_limit_inside_a_stream_is_never_given_up(model: str) -> None:
    """As one with status 429: it costs nothing."""
    draft = Draft()
    with Wired(lambda call: event({"type": "error", "error": {"message": "slow", "code": 429}})) as server:
        kinds = {(await fault_of(configured(model, server), draft)).kind for _ in range(8)}
    assert kinds == {ErrorKind.TRANSIENT}


@pytest.mark.parametrize("model", OWN_READERS)
async def test_a_prompt_too_long_by_an_error_inside_a_stream_is_shortened(model: str) -> None:
    error = {"message": "a prompt of 9000 tokens, a context of 4096", "type": "BadRequestError", "code": 400}

    def answer(call: Call) -> bytes:
        return event({"error": error}) + DONE if len(call.prompt) > 9_000 else openai(TEXT, "stop")

    with Wired(answer) as server:
        settings = configured(model, server)
        with pytest.raises(PromptTooLong):
            await llm.complete(LLMCallInput("word " * 2_000), settings)
        call = call_for(summary_prompt("A paragraph of the research.\n\n" * 500), StepKind.SUMMARY)
        answered = await llm.complete(call, settings)
    assert (answered.prompt_shortened, answered.text) == (True, TEXT)


@pytest.mark.parametrize("model", OWN_READERS)
async def test_an_error_in_the_middle_of_a_stream_keeps_the_text(model: str) -> None:
    """OpenRouter's form, with a finish reason of its own, and others'."""
    error = {"code": 502, "message": "the upstream is gone"}
    for data in (
        delta({"content": ""}, "error", error=error),
        event({"error": error}),
        event({"error": {"message": "the upstream is gone", "code": None}}),
        event({"error": "the upstream is gone"}),
    ):
        draft = Draft()
        with Wired(lambda call, data=data: BEGUN_EVENT + data + DONE) as server:  # type: ignore[misc]
            fault = await fault_of(configured(model, server), draft)
        assert (fault.kind, draft.text) == (ErrorKind.TRANSIENT, BEGUN)
        assert fault.message.endswith("the upstream is gone")


# A provider that nobody reaches.


async def why_unreachable(address: str) -> set[str]:
    """What the faults say, without the address, whichever way litellm sends the request."""
    said = set()
    with Wired(lambda call: b"") as server:
        for model in SENT_IN_EACH_WAY:
            for streams in (1, 0):
                draft = Draft()
                settings = configured(model, server, api_base=f"{address}/v1/{KEY}", max_streams=streams)
                fault = await fault_of(settings, draft)
                assert (fault.kind, draft.empty_answers) == (ErrorKind.TRANSIENT, 0)
                assert KEY not in fault.message
                assert fault.message.startswith(f"nothing answers at {address}: "), fault.message
                said.add(fault.message.removeprefix(f"nothing answers at {address}: "))
    return said


async def test_nobody_listens() -> None:
    assert await why_unreachable("http://127.0.0.1:9") == {"the connection is refused"}


async def test_the_proxy_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    [said] = await why_unreachable("http://provider.invalid")
    assert said.startswith("the proxy refuses. To fix: ")


async def test_the_connection_is_closed_before_an_answer() -> None:
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1") as server:
        [said] = await why_unreachable(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert said == "Server disconnected"


async def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_self_signed(tmp_path / "certificate.pem"))
    listening = asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", ssl=context)
    async with await listening as server:
        [said] = await why_unreachable(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert said.startswith("its certificate cannot be verified (self-signed certificate). To fix: ")


def _self_signed(path: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key into a file."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = built.add_extension(address, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate + secret)
    return path


# What is read, and paid for, is bounded.


@pytest.mark.parametrize(
    ("fields", "characters", "message"),
    [
        ({"reasoning_content": "on and on, " * 500}, MAX_REASONING_BYTES, "the model thought for more than"),
        ({"content": BLANK}, MAX_BLANK_CHARACTERS, "the model wrote nothing but white space"),
    ],
)
@pytest.mark.parametrize("model", ["openai/gpt-4o", "hosted_vllm/m"])
async def test_a_stream_for_ever_is_stopped_and_counted(
    model: str, fields: dict[str, str], characters: int, message: str
) -> None:
    """The provider sees a closed connection; what was read has its estimated price."""
    draft = Draft()
    with Wired(lambda call: itertools.repeat(delta(fields))) as server:
        faults = [await fault_of(configured(model, server), draft) for _ in range(outcome.MAX_EMPTY_ANSWERS)]
    assert [fault.kind for fault in faults] == [ErrorKind.TRANSIENT] * 4 + [ErrorKind.PERMANENT]
    assert faults[0].message.startswith(message)
    assert message in faults[-1].message
    assert characters * 5 <= draft.output_tokens * 4 <= characters * 5 * 1.2 + 50_000
    assert len(server.calls) == outcome.MAX_EMPTY_ANSWERS


async def test_white_space_for_ever_after_a_text_leaves_the_text() -> None:
    def answer(call: Call) -> Iterable[bytes]:
        return itertools.chain(
            () if call.draft else [BEGUN_EVENT], itertools.repeat(delta({"content": BLANK}))
        )

    draft = Draft()
    with Wired(answer) as server:
        settings = configured("hosted_vllm/m", server)
        for _ in range(outcome.MAX_FRUITLESS - 1):
            assert (await fault_of(settings, draft)).kind is ErrorKind.TRANSIENT
        answered = await llm.complete(LLMCallInput("A topic"), settings, draft)
    assert answered.finish_reason == "unfinished"
    assert answered.text.strip() in BEGUN
    assert len(server.calls) == outcome.MAX_FRUITLESS


@pytest.mark.parametrize("model", OWN_READERS)
async def test_reasoning_before_each_reset_is_paid_for_a_few_times(model: str) -> None:
    thoughts = delta({"content": "", "reasoning_content": "on and on about lichens "}) * 20
    draft = Draft()
    with Wired(lambda call: thoughts, breaks=True) as server:
        faults = [await fault_of(configured(model, server), draft) for _ in range(outcome.MAX_EMPTY_ANSWERS)]
    assert [fault.kind for fault in faults] == [ErrorKind.TRANSIENT] * 4 + [ErrorKind.PERMANENT]
    assert faults[-1].message.startswith("the model gave nothing but empty answers, 5 times; the last one: ")
    assert len(server.calls) == outcome.MAX_EMPTY_ANSWERS


@pytest.mark.parametrize("model", SENT_IN_EACH_WAY)
async def test_a_large_error_is_not_read_to_its_end(model: str) -> None:
    """Neither as a page nor as JSON."""
    await asyncio.to_thread(library.load)  # because importing it takes seconds
    page = b"<p>oops</p> " * 400_000
    for body, streams in ((page, 1), (json.dumps({"error": {"message": page.decode()}}).encode(), 0)):
        with Wired(lambda call, body=body: body, status=500) as server:  # type: ignore[misc]
            started = time.process_time()
            fault = await fault_of(configured(model, server, max_streams=streams))
        assert time.process_time() - started < 2
        assert fault.kind is ErrorKind.TRANSIENT
        assert fault.message.startswith("the provider answered 500: ")
        assert len(fault.message) < 400


# The reader itself.


def read(data: bytes, sizes: Iterable[int]) -> tuple[bytes, wire.Wire]:
    """What the reader passes on of data that comes in chunks of these sizes, and what it has read."""
    kept, passed, position = wire.Wire(), [], 0
    reader = wire.AnswerReader(kept)
    for size in sizes:
        passed.append(reader.feed(data[position : position + size]))
        position += size
        if position >= len(data):
            break
    return b"".join([*passed, reader.end()]), kept


CHOICES = st.sampled_from(
    [
        {"delta": {"content": "text — 水"}},
        {"delta": {"content": [{"type": "text", "text": "part"}, {"type": "thinking", "thinking": "hm"}]}},
        {"delta": {}, "finish_reason": "length"},
        {"message": {"content": [{"type": "text", "text": "part"}]}, "finish_reason": "stop"},
        None,
    ]
)
LINES = st.one_of(
    CHOICES.map(lambda choice: b"data: " + json.dumps({"choices": [choice]}).encode()),
    st.sampled_from([b"", b": ping", b"event: error", b'error: {"code": 500}', DONE.strip(), b"data: {"]),
    st.sampled_from([b'data: {"error": {"code": 402}}\r', b'data:{"stop_reason": "end_turn"}', b"\xff\xfe"]),
    st.binary(max_size=10),
)
OBJECTS = st.tuples(CHOICES, st.sampled_from([None, 2]), st.sampled_from([b"", b"\n"])).map(
    lambda made: json.dumps({"choices": [made[0]]}, indent=made[1]).encode() + made[2]
)
ROWS = st.lists(CHOICES, min_size=1).map(
    lambda made: b"".join(json.dumps({"choices": [c], "done": c is None}).encode() + b"\n" for c in made)
)
ANSWERS = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\n\n"]),
    st.one_of(st.lists(LINES).map(b"\n".join), OBJECTS, ROWS, st.binary()),
).map(b"".join)


@given(data=ANSWERS, sizes=st.lists(st.integers(1, 9), min_size=1))
def test_an_answer_is_read_alike_in_any_chunks(data: bytes, sizes: list[int]) -> None:
    whole = read(data, [len(data)])
    assert read(data, itertools.repeat(1)) == whole
    assert read(data, itertools.cycle(sizes)) == whole


@given(
    data=st.one_of(st.sampled_from([b"<html>no</html>", b"[1, 2]", b"\x00\x00\x01\x0b:event"]), st.binary()),
    sizes=st.lists(st.integers(1, 9), min_size=1),
)
def test_what_is_no_json_passes_unchanged(data: bytes, sizes: list[int]) -> None:
    data = data.lstrip(b" \t\n\r\v\f\xef")  # white space, and what may begin a byte order mark
    assert read(data, itertools.cycle(sizes))[0] == data


@pytest.mark.proof
@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        (b"data: ", b"x", b""),
        (b'{"choices": "', b"x", b'"}'),
        (b'{"choices":\n "', b"x", b'"}'),
        (b"", b" ", b""),
        (b"", b"data: {}\n\n", b""),
        (b"", b'{"done": false}\n', b""),
        (b"<p>", b"x\n", b""),
    ],
)
def test_reading_takes_linear_time(head: bytes, unit: bytes, tail: bytes) -> None:
    """In chunks as small as a packet."""

    def seconds(size: int) -> float:
        data = head + unit * (size // len(unit)) + tail
        started = time.process_time()
        assert len(read(data, itertools.repeat(1_400))[0]) in (len(data), 0)
        return time.process_time() - started

    size = 8_000_000 if len(unit) == 1 else 1_000_000
    assert seconds(size) < 10 * seconds(size // 4) + 0.3


EMPTY = {
    "comments": b": still thinking\n\n",
    "events without choices": event({**HEAD, "object": "chat.completion.chunk", "choices": []}),
    "events without text": delta({"content": ""}),
    "one line": b"data: " + b" " * 4_000,
}


@pytest.mark.parametrize("kind", EMPTY)
async def test_a_stream_that_says_nothing_for_ever_ends(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bytes that come without a word of the answer; what was written before is kept."""
    monkeypatch.setattr(wire, "MAX_QUIET_BYTES", 40_000)
    with Wired(lambda call: itertools.chain([BEGUN_EVENT], itertools.repeat(EMPTY[kind]))) as provider:
        draft = Draft()
        async with asyncio.timeout(20):
            with pytest.raises(ProviderError) as raised:
                await llm.complete(LLMCallInput("A topic"), configured("openai/gpt-4o", provider), draft)
    assert raised.value.kind is ErrorKind.TRANSIENT
    assert "no word of the answer" in raised.value.message
    assert draft.text == BEGUN

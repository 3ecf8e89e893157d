"""Finish reasons, in the words of each protocol, and answers in other forms than they were asked for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models import LLMCallInput
from research.config import Settings
from research.errors import ErrorKind
from research.llm import client as llm
from research.llm import outcome
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from testing.provider import Call
from tests.conftest import remarks_of
from tests.test_model_call import configured, fault_of
from tests.test_wire import (
    BEGUN,
    DONE,
    HEAD,
    OPENAI_ROUTES,
    OWN_READERS,
    TEXT,
    USAGE,
    Wired,
    closed_clients,  # noqa: F401
    delta,
    event,
    openai,
    route,
)

Protocol = Callable[[str, str | None, bool], bytes]
"""An answer of this text, with this finish reason, streamed or whole."""
COUNTED = {"input_tokens": 7, "output_tokens": 9}
WHOLE, CONTINUED, FILTERED, RESUMED, UNFINISHED = "whole", "continued", "filtered", "resumed", "unfinished"
REASONS = {
    **dict.fromkeys(["stop", "eos", "end_turn", "stop_sequence", "STOP", "COMPLETE"], WHOLE),
    **dict.fromkeys(["length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_length"], CONTINUED),
    **dict.fromkeys(["ERROR_LIMIT", "model_context_window_exceeded"], CONTINUED),
    **dict.fromkeys(["error", "network_error", "insufficient_system_resource", "abort", "timeout"], RESUMED),
    **dict.fromkeys(["cancelled", "failed", "incomplete", "MALFORMED_RESPONSE", "ERROR"], RESUMED),
    **dict.fromkeys(["content_filter", "sensitive", "refusal", "safety", "SAFETY", "RECITATION"], FILTERED),
    "guardrail_intervened": FILTERED,
    "out_of_cheese": UNFINISHED,
}
SOME = ("stop", "content_filter", "insufficient_system_resource", "model_length", "out_of_cheese")
"""One of each kind."""


def anthropic(text: str, reason: str | None, streams: bool) -> bytes:
    message = {**HEAD, "type": "message", "role": "assistant", "stop_sequence": None, "usage": COUNTED}
    block = {"type": "text", "text": "" if streams else text}
    if not streams:
        return json.dumps({**message, "content": [block], "stop_reason": reason}).encode()
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    return b"".join(f"event: {data['type']}\n".encode() + event(data) for data in events)


def gemini(text: str, reason: str | None, streams: bool) -> bytes:
    counted = {"promptTokenCount": 7, "candidatesTokenCount": 9, "totalTokenCount": 16}
    content = {"parts": [{"text": text}], "role": "model"}
    body: dict[str, Any] = {"candidates": [{"content": content, "index": 0}], "usageMetadata": counted}
    if not streams:
        body["candidates"][0]["finishReason"] = reason
        return json.dumps(body).encode()
    last = {"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": counted}
    return event(body) + event(last)


def ollama(text: str, reason: str | None, streams: bool) -> bytes:
    def row(content: str, **more: Any) -> bytes:
        message = {"role": "assistant", "content": content}
        return json.dumps({"model": "m", "message": message, **more}).encode() + b"\n"

    last = {"done": True, "done_reason": reason, "prompt_eval_count": 7, "eval_count": 9}
    return row(text, done=False) + row("", **last) if streams else row(text, **last)


def cohere(text: str, reason: str | None, streams: bool) -> bytes:
    content = {"type": "text", "text": text}
    end = {"finish_reason": reason, "usage": {"tokens": COUNTED}}
    if not streams:
        return json.dumps({"id": "c", "message": {"role": "assistant", "content": [content]}, **end}).encode()
    piece = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
    return event(piece) + event({"type": "message-end", "delta": end})


NATIVE: list[tuple[str, Protocol, str, dict[str, str]]] = [
    (
        "anthropic/claude-sonnet-4-5",
        anthropic,
        "end_turn",
        {
            **{"end_turn": WHOLE, "stop_sequence": WHOLE, "refusal": FILTERED, "out_of_cheese": UNFINISHED},
            **dict.fromkeys(["max_tokens", "pause_turn", "model_context_window_exceeded"], CONTINUED),
        },
    ),
    (
        "gemini/gemini-2.5-flash",
        gemini,
        "STOP",
        {
            **{"STOP": WHOLE, "MAX_TOKENS": CONTINUED, "SAFETY": FILTERED, "RECITATION": FILTERED},
            **{"MALFORMED_RESPONSE": RESUMED, "OUT_OF_CHEESE": UNFINISHED},
        },
    ),
    ("ollama/llama3.2", ollama, "stop", {"stop": WHOLE, "length": CONTINUED, "out_of_cheese": UNFINISHED}),
    (
        "cohere/command-a-03-2025",
        cohere,
        "COMPLETE",
        {
            **{"COMPLETE": WHOLE, "MAX_TOKENS": CONTINUED, "ERROR_TOXIC": FILTERED},
            **{"ERROR": RESUMED, "TIMEOUT": RESUMED, "OUT_OF_CHEESE": UNFINISHED},
        },
    ),
]
MATRIX = [
    ("openai/gpt-4o", openai, "stop", REASONS),
    ("openrouter/m", openai, "stop", {name: REASONS[name] for name in (*SOME, "error")}),
    *[
        route(model, openai, "stop", {name: REASONS[name] for name in SOME[2:]})
        for model in OPENAI_ROUTES
        if model not in ("openai/gpt-4o", "openrouter/m")
    ],
    *NATIVE,
]


@pytest.mark.filterwarnings("ignore:Items? :UserWarning:pydantic")  # litellm's types of Cohere
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(("model", "protocol", "good", "reasons"), MATRIX)
async def test_a_finish_reason_counts(
    model: str, protocol: Protocol, good: str, reasons: dict[str, str], streams: bool
) -> None:
    """Only those that say so end a text; the rest of it is requested, or its reader is told."""
    if streams and model.startswith("cohere"):
        pytest.skip("litellm 1.106 reads no stream of Cohere's: it takes `data:` for a part of the JSON")
    found = {}
    with Wired(lambda call: b"") as server:
        settings = configured(model, server, max_streams=int(streams))
        for reason in reasons:

            def answer(call: Call, reason: str = reason) -> bytes:
                if not call.draft:
                    return protocol(BEGUN, reason, streams)
                is_again = reasons[reason] == UNFINISHED
                return protocol(TEXT[len(call.draft) :], reason if is_again else good, streams)

            server.bytes_for = answer
            server.calls.clear()
            found[reason] = f"{await how_it_ends(settings)} {len(server.calls)}"
    requests = {WHOLE: 1, FILTERED: 1}
    assert found == {reason: f"{how} {requests.get(how, 2)}" for reason, how in reasons.items()}


async def how_it_ends(settings: Settings) -> str:
    """What a caller sees, who makes another attempt after a transient fault."""
    draft, is_resumed = Draft(), False
    try:
        answer = await llm.complete(LLMCallInput("A topic"), settings, draft)
    except ProviderError as fault:
        if fault.kind is ErrorKind.PERMANENT and "content filter" in fault.message:
            return FILTERED  # because litellm drops the text of Gemini's whole answer
        if fault.kind is not ErrorKind.TRANSIENT or draft.text.strip() != BEGUN:
            return repr(fault)
        answer, is_resumed = await llm.complete(LLMCallInput("A topic"), settings, draft), True
    told = "".join(remarks_of(answer))
    if answer.finish_reason == "refused" and answer.text == BEGUN and "content filter" in told:
        return FILTERED
    if answer.finish_reason == "unfinished" and answer.text == TEXT:
        return UNFINISHED
    if answer.finish_reason == "stop" and answer.text in (BEGUN, TEXT) and not told:
        return WHOLE if answer.text == BEGUN else RESUMED if is_resumed else CONTINUED
    return repr(answer)


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(("model", "protocol", "reason"), [
    ("hosted_vllm/m", openai, "sensitive"),
    ("anthropic/claude-sonnet-4-5", anthropic, "refusal"),
    ("gemini/gemini-2.5-flash", gemini, "SAFETY"),
])  # fmt: skip
async def test_a_filter_that_leaves_no_text_is_permanent(
    model: str, protocol: Protocol, reason: str, streams: bool
) -> None:
    for text in ("It begins", " \n" * 50):
        with Wired(lambda call, text=text: protocol(text, reason, streams)) as server:  # type: ignore[misc]
            fault = await fault_of(configured(model, server, max_streams=int(streams)))
        assert (fault.kind, len(server.calls)) == (ErrorKind.PERMANENT, 1)
        assert "filter" in fault.message, fault


# Answers in other forms.


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("model", OWN_READERS)
async def test_the_text_parts_of_content_are_the_text(model: str, streams: bool) -> None:
    thoughts: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "which lichen?"}]},
        {"type": "thinking", "thinking": "hm"},
    ]
    parts = [{"type": "text", "text": BEGUN}, {"type": "text", "text": TEXT.removeprefix(BEGUN)}]
    data = delta({"content": thoughts}) if streams else b""
    data += openai(parts if streams else thoughts + parts, "stop", streams)
    with Wired(lambda call: data) as server:
        answer = await llm.complete(
            LLMCallInput("A topic"), configured(model, server, max_streams=int(streams))
        )
    assert (answer.text, answer.finish_reason, len(server.calls)) == (TEXT, "stop", 1)
    assert (answer.input_tokens, answer.output_tokens) == (7, 9)


@pytest.mark.parametrize("model", ["openai/gpt-4o", "hosted_vllm/m", "openrouter/m"])
@pytest.mark.parametrize("choices", [None, []])
async def test_answers_without_choices_are_given_up(model: str, choices: object) -> None:
    """Streamed, whole, and whole where a stream was requested."""
    body = {**HEAD, "object": "chat.completion", "choices": choices, "usage": USAGE}
    streamed, whole = event(body) + DONE, json.dumps(body).encode()
    faults, draft = [], Draft()
    with Wired(lambda call: b"") as server:
        for data, streams in ((streamed, 1), (whole, 0), (whole, 1), (whole + b"\n", 1), (streamed, 1)):
            server.bytes_for = lambda call, data=data: data  # type: ignore[misc]
            faults.append(await fault_of(configured(model, server, max_streams=streams), draft))
    assert [fault.kind for fault in faults] == [ErrorKind.TRANSIENT] * 4 + [ErrorKind.PERMANENT], faults
    assert len(server.calls) == draft.requests == outcome.MAX_EMPTY_ANSWERS


@pytest.mark.parametrize("model", [*OWN_READERS, "anthropic/claude-sonnet-4-5"])
async def test_a_server_that_does_not_stream(model: str) -> None:
    """Its one JSON object, in many lines or in one, is the answer; a cut one is continued."""

    def answer(call: Call) -> bytes:
        assert call.body["stream"]
        is_cut = not call.draft
        text = BEGUN if is_cut else TEXT[len(call.draft) :]
        if not model.startswith("anthropic"):
            body = json.loads(openai(text, "length" if is_cut else "stop", streams=False))
        else:
            body = {
                **{"id": "m", "type": "message", "role": "assistant", "model": "m"},
                **{"content": [{"type": "text", "text": text}], "stop_sequence": None},
                **{"stop_reason": "max_tokens" if is_cut else "end_turn"},
                "usage": {"input_tokens": 7, "output_tokens": 9},
            }
        return json.dumps(body, indent=2 if is_cut else None).encode()

    with Wired(answer) as server:
        answered = await llm.complete(LLMCallInput("A topic"), configured(model, server))
    assert (answered.text, answered.finish_reason, len(server.calls)) == (TEXT, "stop", 2)
    assert (answered.input_tokens, answered.output_tokens) == (14, 18)

"""The stand-in provider in the protocols of Anthropic, Gemini and Ollama too."""

import json
import re
from typing import Any

from aiohttp import web

from testing.provider import Call, Provider, Reply


class MultiProtocolProvider(Provider):
    """Answers each protocol from the same `reply`; only whole streams and errors are played."""

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_post("/models/{model}", self._gemini)
        app.router.add_post("/api/chat", self._ollama)

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    async def _anthropic(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        messages = [
            {"role": m["role"], "content": "".join(part["text"] for part in m["content"])}
            for m in body["messages"]
        ]
        return await self.answer(request, Call(messages, dict(request.headers), body), _anthropic_stream)

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        messages = [
            {
                "role": {"model": "assistant"}.get(turn["role"], turn["role"]),
                "content": "".join(part["text"] for part in turn["parts"]),
            }
            for turn in body["contents"]
        ]
        return await self.answer(request, Call(messages, dict(request.headers), body), _gemini_stream)

    async def _ollama(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        call = Call(body["messages"], dict(request.headers), body)
        return await self.answer(request, call, _ollama_stream)


async def _send(request: web.Request, call: Call, events: list[tuple[bytes, str]]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for event, text in events:
        await response.write(event)
        call.sent += text
    call.finished = True
    return response


def _sse(data: dict[str, Any]) -> bytes:
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


async def _anthropic_stream(request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
    usage = {"input_tokens": 7, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    block = {"type": "text", "text": ""}
    events = [
        (_sse({"type": "message_start", "message": message}), ""),
        (_sse({"type": "content_block_start", "index": 0, "content_block": block}), ""),
    ]
    for piece in re.findall(r"\s*\S+\s*", reply.text):
        delta = {"type": "text_delta", "text": piece}
        events.append((_sse({"type": "content_block_delta", "index": 0, "delta": delta}), piece))
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events += [
        (_sse({"type": "content_block_stop", "index": 0}), ""),
        (_sse({"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}}), ""),
        (_sse({"type": "message_stop"}), ""),
    ]
    return await _send(request, call, events)


async def _gemini_stream(request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
    pieces = re.findall(r"\s*\S+\s*", reply.text)
    events = []
    for number, piece in enumerate(pieces, start=1):
        candidate: dict[str, Any] = {"content": {"parts": [{"text": piece}], "role": "model"}, "index": 0}
        chunk: dict[str, Any] = {"candidates": [candidate]}
        if number == len(pieces):
            candidate["finishReason"] = "STOP"
            chunk["usageMetadata"] = {
                "promptTokenCount": 7,
                "candidatesTokenCount": 9,
                "totalTokenCount": 16,
            }
        events.append((_sse(chunk), piece))
    return await _send(request, call, events)


async def _ollama_stream(request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
    events = [
        (
            json.dumps(
                {"model": "m", "message": {"role": "assistant", "content": piece}, "done": False}
            ).encode()
            + b"\n",
            piece,
        )
        for piece in re.findall(r"\s*\S+\s*", reply.text)
    ]
    asked, written = reply.usage or (7, 9)
    counts = {"prompt_eval_count": asked, "eval_count": written}
    nothing = {"role": "assistant", "content": ""}
    reason = reply.finish_reason
    last = {"model": "m", "message": nothing, "done": True, "done_reason": reason, **counts}
    events.append((json.dumps(last).encode() + b"\n", ""))
    return await _send(request, call, events)

"""The offline sample model: a litellm custom provider, so that the same code path runs.

It streams like a real model, slowly enough that there is time to kill the worker.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import litellm
from litellm.types.utils import GenericStreamingChunk, ModelResponse

from models import LLMCallInput
from research.sample.writing import answer

CHUNK_SECONDS = 0.012


class SampleModel(litellm.CustomLLM):  # type: ignore[misc]  # litellm has no types
    """Writes about tardigrades, and for any other topic a skeleton that says what it is."""

    def streaming(self, *args: Any, **kwargs: Any) -> Iterator[GenericStreamingChunk]:
        """Yield the answer word by word, or the rest of one that was begun."""
        for chunk in _chunks(kwargs):
            time.sleep(CHUNK_SECONDS)
            yield chunk

    async def astreaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenericStreamingChunk]:
        """Yield the same without blocking the event loop."""
        for chunk in _chunks(kwargs):
            await asyncio.sleep(CHUNK_SECONDS)
            yield chunk

    def completion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the same answer whole, after the time that it takes to stream."""
        chunks = list(_chunks(kwargs))
        time.sleep(CHUNK_SECONDS * len(chunks))
        return _whole(chunks)

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the same without blocking the event loop."""
        chunks = list(_chunks(kwargs))
        await asyncio.sleep(CHUNK_SECONDS * len(chunks))
        return _whole(chunks)


def _whole(chunks: list[GenericStreamingChunk]) -> ModelResponse:
    text = "".join(chunk["text"] for chunk in chunks)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return ModelResponse(choices=[choice], usage=chunks[-1]["usage"])


def _chunks(kwargs: Mapping[str, Any]) -> Iterator[GenericStreamingChunk]:
    messages = kwargs["messages"]
    prompt = str(messages[0]["content"])
    call = kwargs["optional_params"].get("extra_body", {}).get("call") or LLMCallInput(prompt)
    begun = "".join(str(m["content"]) for m in messages if m["role"] == "assistant")
    rest = answer(call).removeprefix(begun)
    pieces = re.findall(r"\s*\S+\s*", rest) or [rest]
    for number, piece in enumerate(pieces, start=1):
        last = number == len(pieces)
        yield GenericStreamingChunk(
            text=piece,
            is_finished=last,
            finish_reason="stop" if last else "",
            index=0,
            tool_use=None,
            usage={
                "prompt_tokens": len(prompt.split()),
                "completion_tokens": number,
                "total_tokens": len(prompt.split()) + number,
            }
            if last
            else None,
        )

"""Reading an answer, streamed or whole, into a draft."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from research.formatting import json_bytes, truncate_json
from research.llm.answer import clean
from research.llm.continuation import ContinuationJoiner
from research.llm.draft import Draft
from research.llm.errors import ErrorKind, ProviderError
from research.llm.limits import MAX_ANSWER_BYTES
from research.llm.usage import BYTES_PER_TOKEN, estimate_tokens

STEP_BYTES = 2_000
"""Between two looks at the length of an answer that is about as long as it may be."""
CLOSE_SECONDS = 2.0
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

_streaming = 0


@dataclass
class AnswerEnd:
    """What comes with an answer beside its text."""

    finish_reason: str = ""
    """Empty where the provider gave none."""
    refusal: str = ""
    has_content: bool = False
    """Whether the model wrote anything, be it reasoning; else this may be a gateway's error page."""
    usage: Any = None


@contextmanager
def stream_slot(maximum: int) -> Iterator[bool]:
    """Yield whether this call may stream: reading too many streams would delay all heartbeats."""
    global _streaming
    free = _streaming < maximum
    _streaming += free
    try:
        yield free
    finally:
        _streaming -= free


def minimum_tokens(text: str) -> int:
    """Return a number of tokens that a text of this length has with every tokenizer.

    No tokenizer joins words; Chinese, Japanese and Korean have at most four characters a token.
    """
    return len(text.split()) + len(_CJK.findall(text)) // 4


async def read_stream(stream: Any, draft: Draft, joiner: ContinuationJoiner, max_bytes: int) -> AnswerEnd:
    """Read a stream to its end, or to `max_bytes` of the answer, and close it, whatever happens."""
    end = AnswerEnd()
    paid_before, written, size, enough = draft.output_tokens, 0, json_bytes(draft.text), max_bytes
    try:
        async for chunk in stream:
            end.usage = getattr(chunk, "usage", None) or end.usage
            for choice in chunk.choices[:1]:
                end.refusal += getattr(choice.delta, "refusal", None) or ""
                piece = choice.delta.content or ""
                reasoning = getattr(choice.delta, "reasoning_content", None) or ""
                written += len(f"{piece}{reasoning}".encode("utf-8", "replace"))
                draft.output_tokens = paid_before - (-written // BYTES_PER_TOKEN)
                if piece:
                    size += json_bytes(piece)
                    draft.text = joiner.add(piece)
            if size > enough:
                size = json_bytes(draft.text)  # exactly, because repetitions are left out of the text
                if size > MAX_ANSWER_BYTES:  # a heartbeat with more would fail the Activity for good
                    draft.text = truncate_json(draft.text, MAX_ANSWER_BYTES)
                    break
                if is_too_long(draft, max_bytes):
                    break
                enough = min(size + STEP_BYTES, MAX_ANSWER_BYTES)  # because of its reasoning
            # After its end and its usage, litellm only accounts for the stream, to those who log with it.
            if end.usage and stream.received_finish_reason:
                break
            await asyncio.sleep(0)  # because a full socket would keep the loop from the heartbeats
    finally:
        with suppress(Exception):  # so that the provider stops writing what nobody reads
            await asyncio.wait_for(stream.aclose(), CLOSE_SECONDS)
    # The chunks cannot be asked: where a stream breaks off, litellm invents a "stop".
    end.has_content = written > 0
    end.finish_reason = stream.received_finish_reason or stream.intermittent_finish_reason or ""
    return end


def is_too_long(draft: Draft, max_bytes: int) -> bool:
    """Return whether the answer so far, without its reasoning, has more bytes than that as JSON."""
    return json_bytes(draft.text) > max_bytes < json_bytes(clean(draft.text, finished=False))


async def read_whole(answer: Any, draft: Draft, joiner: ContinuationJoiner, max_bytes: int) -> AnswerEnd:
    """Read an answer that was not streamed."""
    if not answer.choices:
        raise ProviderError(ErrorKind.TRANSIENT, "the provider's answer holds no text")
    choice = answer.choices[0]
    piece = choice.message.content or ""
    draft.output_tokens += estimate_tokens(piece)
    draft.text = joiner.add(piece)
    refusal = getattr(choice.message, "refusal", None) or ""
    return AnswerEnd(choice.finish_reason or "", refusal, True, getattr(answer, "usage", None))

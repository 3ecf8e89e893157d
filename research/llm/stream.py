"""Reading an answer, streamed or whole, into a draft."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from research.llm.answer import json_bytes, truncate
from research.llm.continuation import ContinuationJoiner
from research.llm.draft import Draft
from research.llm.errors import ErrorKind, ProviderError

MAX_ANSWER_BYTES = 900_000
"""Bytes of an answer as JSON: a heartbeat and a result stay well under the 2 MB that Temporal takes,
and so does the PDF's input, which holds the research and the summary."""
BYTES_PER_TOKEN = 4
"""For estimates, because providers send chunks of one token or of a hundred."""
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


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; for Chinese about three in four characters."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def minimum_tokens(text: str) -> int:
    """Return a number of tokens that a text of this length has with every tokenizer.

    No tokenizer joins words; Chinese, Japanese and Korean have at most four characters a token.
    """
    return len(text.split()) + len(_CJK.findall(text)) // 4


async def read_stream(stream: Any, draft: Draft, joiner: ContinuationJoiner) -> AnswerEnd:
    """Read a stream to its end, or to MAX_ANSWER_BYTES, and close it, whatever happens."""
    end = AnswerEnd()
    paid_before, written, size = draft.output_tokens, 0, json_bytes(draft.text)
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
            if size > MAX_ANSWER_BYTES:
                size = json_bytes(draft.text)  # exactly, because repetitions are left out of the text
                if size > MAX_ANSWER_BYTES:  # a heartbeat with more would fail the Activity for good
                    draft.text = truncate(draft.text, MAX_ANSWER_BYTES)
                    break
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


async def read_whole(answer: Any, draft: Draft, joiner: ContinuationJoiner) -> AnswerEnd:
    """Read an answer that was not streamed."""
    if not answer.choices:
        raise ProviderError(ErrorKind.TRANSIENT, "the provider's answer holds no text")
    choice = answer.choices[0]
    piece = choice.message.content or ""
    draft.output_tokens += estimate_tokens(piece)
    draft.text = joiner.add(piece)
    refusal = getattr(choice.message, "refusal", None) or ""
    return AnswerEnd(choice.finish_reason or "", refusal, True, getattr(answer, "usage", None))

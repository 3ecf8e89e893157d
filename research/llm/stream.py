"""Reading an answer, streamed or whole, into a draft."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from research.formatting import json_bytes, truncate_json
from research.llm.answer import clean
from research.llm.continuation import Joiner
from research.llm.draft import Draft
from research.llm.endings import Ending, ending_of
from research.llm.limits import MAX_ANSWER_BYTES
from research.llm.usage import BYTES_PER_TOKEN
from research.llm.wire import Wire

MAX_REASONING_BYTES = 400_000
"""Of one request, about 100,000 tokens: a model that thinks for longer has lost its way."""
MAX_BLANK_CHARACTERS = 10_000
"""Of white space in a row, after which a model is taken to write nothing else any more."""
STEP_BYTES = 2_000
"""Between two looks at the length of an answer that is about as long as it may be."""
CLOSE_SECONDS = 2.0
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

_streaming = 0


@dataclass
class AnswerEnd:
    """What comes with an answer beside its text."""

    ending: Ending = Ending.INTERRUPTED
    refusal: str = ""
    stopped: str = ""
    """Why no more of the answer was read, as a clause; empty where it was read to its end."""
    is_answer: bool = False
    """Whether this is a provider's answer, with text or without; else it may be a gateway's error page."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    """As the provider counts them; None where it does not."""


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


class Intake:
    """Takes the pieces of an answer into a draft, and sees when enough has come.

    Args:
        draft: Its text grows, and its output tokens, which are estimated until the usage comes.
        joiner: Joins the pieces to what the draft has already.
        max_bytes: Of the whole answer as JSON, without its reasoning.
        wire: Is told of each word, so that a stream without any ends.
    """

    def __init__(self, draft: Draft, joiner: Joiner, max_bytes: int, wire: Wire) -> None:
        self.joiner = joiner
        self._wire = wire
        self.stopped = ""
        """Why no more is taken, as a clause; empty while more may come."""
        self._draft = draft
        self._max_bytes = max_bytes
        self._paid_before = draft.output_tokens
        self._size, self._enough = json_bytes(draft.text), max_bytes
        self._written = self._thoughts = self._blank = 0

    @property
    def has_content(self) -> bool:
        """Whether the model wrote anything, be it reasoning."""
        return self._written > 0

    def add(self, piece: str, reasoning: str = "") -> bool:
        """Take a piece of the text or of the reasoning; return whether enough has come."""
        if piece or reasoning:
            self._wire.hear()
        self._written += len(f"{piece}{reasoning}".encode("utf-8", "replace"))
        self._thoughts += len(reasoning)
        self._draft.output_tokens = self._paid_before - (-self._written // BYTES_PER_TOKEN)
        if piece:
            self._blank = self._blank + len(piece) if piece.isspace() else 0
            self._size += json_bytes(piece)
            self._draft.text = self.joiner.add(piece)
        if self._thoughts > MAX_REASONING_BYTES:
            self.stopped = f"the model thought for more than {MAX_REASONING_BYTES // 1_000:,} kB"
        elif self._blank > MAX_BLANK_CHARACTERS:
            self.stopped = "the model wrote nothing but white space"
        elif self._size > self._enough:
            self._measure()
        return bool(self.stopped)

    def _measure(self) -> None:
        """Look at the length exactly, because the text has no repetitions, and reasoning does not count."""
        draft = self._draft
        self._size = json_bytes(draft.text)
        if self._size > MAX_ANSWER_BYTES:  # a heartbeat with more would fail the Activity for good
            draft.text = truncate_json(draft.text, MAX_ANSWER_BYTES)
            self.stopped = TOO_LONG
        elif is_too_long(draft, self._max_bytes):
            self.stopped = TOO_LONG
        self._enough = min(self._size + STEP_BYTES, MAX_ANSWER_BYTES)


TOO_LONG = "the answer is as long as it may be"


async def read_stream(stream: Any, wire: Wire, intake: Intake) -> AnswerEnd:
    """Read a stream to its end, or until enough has come, and close it, whatever happens.

    A server that ignores that a stream was requested answers with one JSON object: its text is the answer.
    """
    end = AnswerEnd()
    try:
        async for chunk in stream:
            _take_usage(end, getattr(chunk, "usage", None))
            for choice in chunk.choices[:1]:
                end.refusal += getattr(choice.delta, "refusal", None) or ""
                reasoning = getattr(choice.delta, "reasoning_content", None) or ""
                intake.add(choice.delta.content or "", reasoning)
            if intake.stopped:
                break
            # After its end and its usage, litellm only accounts for the stream, to those who log with it.
            if end.input_tokens and stream.received_finish_reason:
                break
            await asyncio.sleep(0)  # because a full socket would keep the loop from the heartbeats
    finally:
        with suppress(Exception):  # so that the provider stops writing what nobody reads
            await asyncio.wait_for(stream.aclose(), CLOSE_SECONDS)
    invented = stream.received_finish_reason or stream.intermittent_finish_reason or ""
    return _ended(end, wire, intake, invented)


async def read_whole(answer: Any, wire: Wire, intake: Intake) -> AnswerEnd:
    """Read an answer that was not streamed."""
    end = AnswerEnd()
    _take_usage(end, getattr(answer, "usage", None))
    reason = ""
    for choice in (answer.choices or [])[:1]:
        end.refusal = getattr(choice.message, "refusal", None) or ""
        reason = choice.finish_reason or ""
        intake.add(choice.message.content or "")
    return _ended(end, wire, intake, reason)


def read_body(wire: Wire, intake: Intake) -> AnswerEnd:
    """Read an answer that is one JSON object and that litellm did not read.

    In OpenAI's or Anthropic's protocol it came in place of a stream; Gemini's was stopped by a filter.
    """
    end, body = AnswerEnd(), wire.body
    choices, parts, usage = body.get("choices"), body.get("content"), body.get("usage")
    candidates = body.get("candidates")
    if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict):
        content = candidates[0].get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else {}
    message = choice.get("message") if isinstance(choice, dict) else None
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    if isinstance(message, dict):
        texts = [message.get("content")]
    intake.add("".join(text for text in texts if isinstance(text, str)))
    if isinstance(usage, dict):
        names = ("prompt_tokens", "completion_tokens") if choices else ("input_tokens", "output_tokens")
        end.input_tokens, end.output_tokens = (usage.get(name) for name in names)
    return _ended(end, wire, intake, "")


def _take_usage(end: AnswerEnd, usage: Any) -> None:
    if usage is not None and getattr(usage, "prompt_tokens", None):
        end.input_tokens, end.output_tokens = usage.prompt_tokens, usage.completion_tokens


def _ended(end: AnswerEnd, wire: Wire, intake: Intake, invented: str) -> AnswerEnd:
    """Complete the end by the provider's own finish reason; litellm invents one where a stream breaks off.

    Only where the wire cannot be read (a binary protocol, the sample model) or where litellm has seen a
    filter that has another name there, its reason counts.
    """
    reason = wire.reason
    if not wire.is_readable or (not reason and ending_of(invented) is Ending.FILTERED):
        reason = invented
    end.ending, end.stopped = ending_of(reason), intake.stopped
    end.is_answer = wire.is_readable or intake.has_content
    return end


def is_too_long(draft: Draft, max_bytes: int) -> bool:
    """Return whether the answer so far, without its reasoning, has more bytes than that as JSON."""
    return json_bytes(draft.text) > max_bytes < json_bytes(clean(draft.text, finished=False))

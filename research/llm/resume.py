"""How an interrupted text is resumed: the best way that its provider has.

Retrieve: the provider keeps the answer and writes on while no worker is alive (`stored.py`). Prefill: the
model continues its own message. By block: it is asked for the rest, from the next block on.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from research.config import Settings
from research.errors import ErrorKind
from research.llm import library, stored
from research.llm.blocks import cut_to_block
from research.llm.continuation import BlockJoiner, Joiner, PrefillJoiner, trim_partial_word
from research.llm.draft import Draft
from research.llm.errors import ProviderError, classify
from research.llm.usage import estimate_tokens
from research.llm.wire import recording


class Way(StrEnum):
    """How a text is resumed, from the best to the last."""

    RETRIEVE = "retrieve"
    PREFILL = "prefill"
    BLOCK = "block"
    AGAIN = "again"


@dataclass(frozen=True)
class Prefill:
    """How a model is asked to continue its own message."""

    flag: str = ""
    """The field of the message that says so; empty where the last message's role is enough."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the request."""
    echoes: bool | None = None
    """Whether the answer begins with the message; None where nobody knows."""


CONTINUE_PROMPT = (
    "A text was cut off after its last paragraph. Write the rest of it.\n\nThis was asked for:\n\n",
    "\n\nThe text so far:\n\n",
    "\n\n(The text so far ends here.) Write only the rest of the text, beginning with the block that follows"
    " the last one.",
)
"""What stands before, between and behind the prompt and the text. Of twelve wordings tried with a real model,
this one lost no section that was asked for; docs/measurements.md has the table."""

_PARTIAL = ("moonshot", "dashscope")
"""Providers that continue a message with `partial`; those with `prefix` are in litellm's list."""
_NEW_TURN = ("openai", "azure", "azure_ai", "anthropic", "gemini", "vertex_ai", "xai", "cohere", "perplexity")
"""Providers whose models answer in a new message, or refuse, unless litellm's list says otherwise."""
_OWN_SERVERS = ("openai", "custom_openai")
"""Routes of OpenAI's protocol, behind which any server may be."""
_FLAGS = {"continue_final_message": True, "add_generation_prompt": False}
"""What vLLM and SGLang want; llama.cpp takes it too."""
PROBE_PROMPT = "Write the numbers from 1 to 12 in one line, separated by commas."
PROBE_PREFILL = "1, 2, 3, 4, 5, 6, 7,"
PROBE_TOKENS = 8

_NOT_ASKED = ProviderError(ErrorKind.TRANSIENT, "whether the server continues messages could not be asked")

_probed: dict[tuple[str, str | None, bool], asyncio.Future[Prefill | None]] = {}


def known_way(settings: Settings) -> Way | None:
    """Return how a text of this model is resumed; None where its server is asked at the first resume."""
    if stored.is_used(settings):
        return Way.RETRIEVE
    known, prefill = _known_prefill(settings)
    return (Way.PREFILL if prefill else Way.BLOCK) if known else None


def _known_prefill(settings: Settings) -> tuple[bool, Prefill | None]:
    """Return whether it is known how, or that no, message is continued; and how."""
    if settings.is_sample:
        return True, Prefill()
    provider = library.provider_of(settings)
    if provider in _PARTIAL:
        return True, Prefill("partial")
    if library.model_info(settings.model).get("supports_assistant_prefill"):
        return True, Prefill("prefix")
    is_own_server = provider in _OWN_SERVERS and settings.api_base and not stored.is_official(settings)
    return provider in _NEW_TURN and not is_own_server, None


async def find_prefill(settings: Settings, draft: Draft, streams: bool) -> Prefill | None:
    """Return how the model continues its own message; None where it does not.

    A server that no list knows is asked once, whoever needs it: its answer is remembered, and paid by the
    draft that asked.

    Raises:
        ProviderError: the server cannot be asked now.
    """
    known, prefill = await asyncio.to_thread(_known_prefill, settings)
    if known or not trim_partial_word(draft.text):  # too short to be resumed at all
        return prefill
    key, loop = (settings.model, settings.api_base, streams), asyncio.get_running_loop()
    asked = _probed.get(key)
    if asked is None or asked.get_loop() is not loop:
        asked = _probed[key] = loop.create_future()
        try:
            prefill, is_certain = await _probe(settings, draft, streams)
        except BaseException as error:
            fault = error if isinstance(error, ProviderError) else _NOT_ASKED
            asked.set_exception(fault)  # for those who wait for it, too
            asked.exception()
            del _probed[key]
            raise
        asked.set_result(prefill)
        if not is_certain:
            del _probed[key]
    return await asyncio.shield(asked)


async def _probe(settings: Settings, draft: Draft, streams: bool) -> tuple[Prefill | None, bool]:
    """Ask the server to continue a list of numbers; return how it does, and whether that is certain.

    Only one that continues the message begins with the space before the 8: a model that answers in a new
    message may well say "8" too.
    """
    is_certain = True
    for fields in (_FLAGS, {}):
        messages = [
            {"role": "user", "content": PROBE_PROMPT},
            {"role": "assistant", "content": PROBE_PREFILL},
        ]
        with recording() as wire:
            try:
                answer = await library.send(messages, settings, streams, PROBE_TOKENS, fields)
                text = await _text_of(answer, draft, streams)
            except Exception as error:
                fault = classify(error, settings, wire)
                # These fields, or a last message of the model's own, are refused; some chat templates fail.
                if fault.kind is not ErrorKind.PERMANENT and wire.status != 500:
                    raise fault from None
                is_certain &= wire.status != 500
                continue
        draft.requests += 1
        echoes = text.lstrip().startswith(PROBE_PREFILL)
        rest = text.lstrip().removeprefix(PROBE_PREFILL) if echoes else text
        return Prefill(fields=fields, echoes=echoes) if re.match(r"\s+8\b", rest) else None, True
    return None, is_certain


async def _text_of(answer: Any, draft: Draft, streams: bool) -> str:
    """Return the text of a short answer, and add its usage to the draft."""
    text, usage = "", None
    if streams:
        async with aclosing(answer):
            async for chunk in answer:
                usage = getattr(chunk, "usage", None) or usage
                text += "".join(choice.delta.content or "" for choice in chunk.choices[:1])
    else:
        usage = getattr(answer, "usage", None)
        text = answer.choices[0].message.content or ""
    draft.input_tokens += getattr(usage, "prompt_tokens", 0) or estimate_tokens(PROBE_PROMPT + PROBE_PREFILL)
    draft.output_tokens += getattr(usage, "completion_tokens", 0) or estimate_tokens(text)
    return text


def cut(text: str, prefill: Prefill | None) -> str:
    """Return the text up to where it can be resumed; empty where it is requested from its beginning."""
    return trim_partial_word(text) if prefill else cut_to_block(text)


def messages(prompt: str, text: str, prefill: Prefill | None) -> list[dict[str, Any]]:
    """Return the messages that ask for the answer to a prompt, or for what comes behind a text of it."""
    asked = [{"role": "user", "content": prompt}]
    if not text:
        return asked
    partial: dict[str, Any] = {"role": "assistant", "content": text.rstrip()}
    if prefill:
        return [*asked, {**partial, prefill.flag: True} if prefill.flag else partial]
    before, between, behind = CONTINUE_PROMPT
    return [{"role": "user", "content": f"{before}{prompt}{between}{text.rstrip()}{behind}"}]


def joiner(text: str, prefill: Prefill | None) -> Joiner:
    """Return what joins the answer to the text."""
    if not text:
        return Joiner("")
    return PrefillJoiner(text, prefill.echoes) if prefill else BlockJoiner(text)


def describe(way: Way | None) -> str:
    """Return what a way costs after a kill, as a clause for people."""
    return {
        Way.RETRIEVE: "the provider keeps the answer, so that a killed worker loses nothing",
        Way.PREFILL: "the model continues its own message; about a second of the text is paid again",
        Way.BLOCK: "the model writes the rest from the last paragraph on, which is paid again",
        Way.AGAIN: "the text is written, and paid, again",
        None: "whether the model continues its own message is asked when a text is first resumed",
    }[way]

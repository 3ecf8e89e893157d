"""Answers that the provider keeps, and goes on writing while no worker is alive: the Responses API.

OpenAI and Azure keep an answer that was asked for in the background. Its ID, and the number of its last
event, are all that another attempt needs. https://platform.openai.com/docs/guides/background
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from research.config import Settings
from research.errors import ErrorKind
from research.llm import library
from research.llm.continuation import Joiner
from research.llm.draft import Draft
from research.llm.endings import Ending, ending_of
from research.llm.errors import ProviderError, StreamError
from research.llm.stream import AnswerEnd, Intake

POLL_SECONDS = 1.0
"""Between two looks at an answer that is not streamed."""
CLOSE_SECONDS = 5.0
"""For the provider to cancel or delete an answer that nobody waits for."""
_KEPT_BY = ("openai", "azure")
_OPENAI, _AZURE = ("api.openai.com",), (".openai.azure.com", ".services.ai.azure.com")
_ENDED = ("completed", "incomplete", "failed", "cancelled")

_refused: set[tuple[str, str | None]] = set()
"""Models and addresses that keep no answers."""


class AnswerGone(Exception):
    """The provider does not have the answer any more, or never kept it."""


def is_official(settings: Settings) -> bool:
    """Return whether the model is served by OpenAI or Azure themselves."""
    provider = library.provider_of(settings)
    host = urlsplit(_base_url(settings) or "").hostname or ""
    if provider == "azure":
        return host.endswith(_AZURE)
    return provider == "openai" and (host in _OPENAI or host.endswith(".api.openai.com"))


def is_used(settings: Settings) -> bool:
    """Return whether the provider is to keep answers: LLM_STORE, and where it is unset, whether it can."""
    if settings.is_sample or settings.store == "no" or (settings.model, settings.api_base) in _refused:
        return False
    asked = settings.store == "yes" and library.provider_of(settings) in _KEPT_BY
    return asked or (is_official(settings) and _api_key(settings) is not None)


async def read(
    messages: Sequence[Mapping[str, Any]],
    settings: Settings,
    draft: Draft,
    intake: Intake,
    streams: bool,
    max_tokens: int | None,
    joiner_for: Callable[[str], Joiner],
) -> AnswerEnd:
    """Read the answer that the draft names, else request one and name it there; return how it ended.

    Raises:
        AnswerGone: it is not there any more, or this provider keeps none; the draft names none then.
        Exception: there is no answer; the draft names it for as long as it may still come.
    """
    async with _client(settings) as client:
        if draft.response_id:
            opened = await _attach(client, draft, streams)
            if len(draft.text) > draft.response_start:  # its beginning has been judged
                intake.joiner = Joiner(draft.text)
                intake.joiner.is_empty = False  # or its last word would be taken for an empty answer
        else:
            opened = await _create(client, messages, settings, draft, streams, max_tokens)
        end = None if hasattr(opened, "status") else await _follow(client, opened, draft, intake)
        if end is None:
            response = await _wait(client, draft)
            end = _ended(response, draft)  # first, because a failed answer has no text any more
            draft.text = draft.text[: draft.response_start]
            intake.joiner = joiner_for(draft.text)
            intake.add(response.output_text or "")
        end.stopped = intake.stopped
        if intake.stopped:
            with suppress(Exception):
                await client.responses.cancel(draft.response_id, timeout=CLOSE_SECONDS)
    draft.response_id = ""
    return end


async def discard(ids: Sequence[str], settings: Settings) -> int:
    """Cancel and delete answers that the provider keeps; return how many it still had.

    Raises:
        Exception: one of them cannot be deleted now; all others are.
    """
    async with _client(settings) as client:
        deleted = await asyncio.gather(*[_discard(client, number) for number in ids], return_exceptions=True)
    for error in deleted:
        if isinstance(error, BaseException):
            raise error
    return sum(map(bool, deleted))


async def discard_quietly(ids: Sequence[str], settings: Settings) -> None:
    """Discard the answers of a step that ends without a result: the reason why it ends is what counts."""
    if ids:
        with suppress(Exception):
            await discard(ids, settings)


async def _discard(client: Any, number: str) -> bool:
    import openai

    with suppress(Exception):  # because one that has ended cannot be cancelled
        await client.responses.cancel(number, timeout=CLOSE_SECONDS)
    try:
        await client.responses.delete(number, timeout=CLOSE_SECONDS)
    except openai.NotFoundError:
        return False
    return True


async def _create(
    client: Any,
    messages: Sequence[Mapping[str, Any]],
    settings: Settings,
    draft: Draft,
    streams: bool,
    max_tokens: int | None,
) -> Any:
    """Request an answer; return its stream, or its first state."""
    limit = {"max_output_tokens": max(max_tokens, 16)} if max_tokens else {}  # 16 is the API's least
    try:
        opened = await client.responses.create(
            model=library.load().get_llm_provider(settings.model)[0],
            input=[{"role": message["role"], "content": message["content"]} for message in messages],
            background=True,
            store=True,
            stream=streams,
            **limit,
        )
    except Exception as error:
        if _keeps_none(error):
            _refused.add((settings.model, settings.api_base))
            raise AnswerGone from None
        raise
    if not streams:
        _name(draft, opened.id)
    return opened


def _keeps_none(error: Exception) -> bool:
    """Return whether the provider has no Responses API, or none for this model or organisation."""
    said, status = str(error).lower(), getattr(error, "status_code", None)
    if status in (404, 405, 501):
        return "model" not in said or "response" in said
    return status in (400, 403, 422) and any(word in said for word in ("background", "'store'", "retention"))


async def _attach(client: Any, draft: Draft, streams: bool) -> Any:
    """Return the stream of an answer behind the last event that was read; where there is none, its state."""
    import openai

    try:
        if streams:
            with suppress(openai.BadRequestError):  # it was not created with a stream, or that has expired
                return await client.responses.retrieve(
                    draft.response_id, stream=True, starting_after=draft.response_event
                )
        return await client.responses.retrieve(draft.response_id)
    except openai.NotFoundError:
        draft.response_id = ""
        raise AnswerGone from None


async def _wait(client: Any, draft: Draft) -> Any:
    """Look at an answer until it has ended."""
    while True:
        response = await client.responses.retrieve(draft.response_id)
        if response.status in _ENDED:
            return response
        await asyncio.sleep(POLL_SECONDS)


async def _has_ended(client: Any, draft: Draft) -> bool:
    if not draft.response_id:
        return False
    return (await client.responses.retrieve(draft.response_id)).status in _ENDED


async def _follow(client: Any, stream: Any, draft: Draft, intake: Intake) -> AnswerEnd | None:
    """Read the stream to the answer's end; return None where the stream failed and the answer has ended."""
    import openai

    try:
        async with stream:
            async for event in stream:
                if event.type == "response.created":
                    _name(draft, event.response.id)
                elif event.type == "error":
                    raise StreamError({"code": event.code, "message": event.message})
                elif event.type.removeprefix("response.") in _ENDED:
                    return _ended(event.response, draft)
                elif event.type == "response.output_text.delta":
                    intake.add(event.delta)
                elif "reasoning" in event.type and event.type.endswith(".delta"):
                    intake.add("", event.delta)
                if intake.stopped:
                    return AnswerEnd(is_answer=True)
                if not intake.joiner.is_holding:
                    draft.response_event = event.sequence_number
    except (StreamError, openai.APIError) as error:
        is_of_stream = isinstance(error, StreamError) or type(error) is openai.APIError
        if is_of_stream and await _has_ended(client, draft):
            return None
        raise
    if await _has_ended(client, draft):
        return None
    raise ProviderError(
        ErrorKind.TRANSIENT, "the provider's stream broke off before the end of the answer", is_free=True
    )


def _name(draft: Draft, number: str) -> None:
    draft.response_id, draft.response_event, draft.response_start = number, 0, len(draft.text)
    draft.stored.append(number)


def _ended(response: Any, draft: Draft) -> AnswerEnd:
    """Return how an answer ended.

    Raises:
        ProviderError: it failed, or somebody cancelled it: the draft names none any more.
    """
    usage = response.usage
    end = AnswerEnd(
        is_answer=True,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
    )
    if response.status == "completed":
        end.ending = Ending.WHOLE
        parts = [part for item in response.output for part in getattr(item, "content", None) or ()]
        end.refusal = "".join(getattr(part, "refusal", "") for part in parts)
    elif response.status == "incomplete":
        end.ending = ending_of(getattr(response.incomplete_details, "reason", None) or "incomplete")
    else:
        draft.response_id = ""
        error = response.error
        raise StreamError({"code": error.code if error else None, "message": error.message if error else ""})
    return end


def _client(settings: Settings) -> Any:
    import openai
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    return openai.AsyncOpenAI(
        api_key=_api_key(settings) or "none",
        base_url=_base_url(settings),
        timeout=library.STREAM_IDLE_SECONDS,
        http_client=AsyncHTTPHandler().client,  # so that proxies, certificates and errors are as elsewhere
        max_retries=0,  # because retries are Temporal's
    )


def _api_key(settings: Settings) -> str | None:
    """Return the provider's key; None where there is none, or a token of another kind, as for Azure."""
    variable = "AZURE_API_KEY" if library.provider_of(settings) == "azure" else "OPENAI_API_KEY"
    return settings.api_key or os.environ.get(variable) or None


def _base_url(settings: Settings) -> str | None:
    """Return the address of the API; Azure's has the same paths below /openai/v1."""
    if library.provider_of(settings) == "azure":
        base = settings.api_base or os.environ.get("AZURE_API_BASE")
        return f"{base.partition('/openai')[0].rstrip('/')}/openai/v1" if base else None
    return settings.api_base or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"

"""One query in, the search provider's results and their price out, by litellm. Knows nothing of Temporal."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from models import Source
from research.config import DOTENV, SAMPLE_SEARCH, Settings
from research.errors import ErrorKind, StepError, UserError
from research.llm.errors import provider_message, retry_after
from research.llm.library import load
from research.sample import publications

SEARCH_SECONDS = 60.0
"""How long one search may take."""
MAX_OUTAGES = 8
"""Attempts that the provider fails, in some two minutes, before a report continues without the search."""
QUOTA_STATUSES = (402, 432, 433)
"""402 by HTTP; the others are Tavily's."""

_PAGE_FIELDS = ("raw_content", "markdown", "text")
"""In which Tavily, Firecrawl and Exa send the text of a page."""
_PAGE_OPTIONS = {"tavily": {"include_raw_content": "markdown"}}
"""What asks for it; the others send it unasked."""

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b")
# Because some providers answer a wrong key with 400 or 422.
_BAD_KEY = re.compile(
    r"(api.?key|token|credential)\W.{0,30}\b(invalid|not valid|missing|expired)|invalid.{0,20}(key|token)"
)


@dataclass(frozen=True)
class SearchAnswer:
    """What a search provider answered, as it was sent."""

    results: tuple[Source, ...]
    cost: float | None
    """US dollars by litellm's price list; None where it has no price for the provider."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """The texts of pages that it has sent with their results, as Markdown or plain text, by address."""


async def search(query: str, settings: Settings, max_results: int) -> SearchAnswer:
    """Return the results for a query; no request goes to any address in them.

    Raises:
        StepError: no answer; its kind says what that means.
    """
    provider = settings.search_provider
    if provider == SAMPLE_SEARCH:
        return SearchAnswer(publications.find(query), 0.0)
    litellm = await asyncio.to_thread(load)
    await asyncio.to_thread(_accept_bad_fields)
    try:
        await asyncio.to_thread(check_search, settings)
    except UserError as error:
        raise StepError(ErrorKind.NEEDS_ACTION, f"{str(error).rstrip('.')}; {_CONTINUES}") from None
    try:
        options = _PAGE_OPTIONS.get(str(provider), {}) if settings.max_pages else {}
        async with asyncio.timeout(SEARCH_SECONDS):  # because litellm applies its timeout to no search
            response = await litellm.asearch(
                query=query, search_provider=provider, max_results=max_results, **options
            )
    except Exception as error:
        raise classify(error, settings) from None
    pages = {str(result.url): result.page for result in response.results if getattr(result, "page", "")}
    return SearchAnswer(tuple(map(_source, response.results)), _price(str(provider), max_results), pages)


def check_search(settings: Settings) -> None:
    """Check that a search can be made with these settings; nothing is sent.

    Raises:
        UserError: there is no search provider, litellm does not know it, or its key is missing.
    """
    provider = settings.search_provider
    if provider is None:
        raise UserError(
            "Sources need a search provider: set SEARCH_PROVIDER, such as SEARCH_PROVIDER=tavily with"
            f" TAVILY_API_KEY, in {DOTENV} and restart the worker."
        )
    if provider == SAMPLE_SEARCH:
        return
    load()
    from litellm.types.utils import SearchProviders
    from litellm.utils import ProviderConfigManager

    known = sorted(kind.value for kind in SearchProviders)
    if provider not in known:
        raise UserError(
            f"SEARCH_PROVIDER={provider} names no search provider that litellm knows: set it to one of"
            f" {', '.join([*known, SAMPLE_SEARCH])}."
        )
    try:  # as litellm does before each search
        config = ProviderConfigManager.get_provider_search_config(provider=SearchProviders(provider))
        config.validate_environment(headers={})
        config.get_complete_url(api_base=None, optional_params={}, data={})
    except Exception as error:
        names = list(dict.fromkeys(_VARIABLE.findall(str(error))))
        what = names[0] if names else settings.redact(provider_message(error))
        raise UserError(
            f"SEARCH_PROVIDER={provider} needs {what}: set it in {DOTENV} and restart the worker."
        ) from None


@cache
def _accept_bad_fields() -> None:
    """Make litellm read a result with a bad field, which else costs all results of the query.

    Its SearchResult wants strings, and its providers' readers want no null where they expect an object. So
    each reader gets the JSON without nulls, and each SearchResult its fields as strings.
    """
    from litellm.llms.base_llm.search.transformation import SearchResult
    from litellm.utils import ProviderConfigManager

    configure, make = ProviderConfigManager.get_provider_search_config, SearchResult.__init__

    def get_provider_search_config(*args: Any, **kwargs: Any) -> Any:
        config = configure(*args, **kwargs)
        if config is not None:
            read = type(config).transform_search_response

            def transform(raw_response: Any, *rest: Any, **more: Any) -> Any:
                answer = _WithoutNulls(raw_response)
                return _with_pages(read(config, *rest, raw_response=answer, **more), answer.json())

            config.transform_search_response = transform
        return config

    def make_lenient(result: Any, /, **fields: Any) -> None:
        make(result, **{name: _text(value) for name, value in fields.items()})

    ProviderConfigManager.get_provider_search_config = staticmethod(get_provider_search_config)
    SearchResult.__init__ = make_lenient


def _with_pages(response: Any, answer: Any) -> Any:
    """Return the response, its results with their pages, which litellm drops or calls snippets."""
    pages = dict(_pages(answer))
    for result in response.results:
        result.page = pages.get(result.url, "")
    return response


def _pages(value: Any) -> Iterator[tuple[str, str]]:
    """Yield address and text of the pages in an answer, wherever its results stand in it."""
    if isinstance(value, dict):
        text = next((value[name] for name in _PAGE_FIELDS if isinstance(value.get(name), str)), "")
        if text and isinstance(value.get("url"), str):
            yield value["url"], text
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pages(part)


class _WithoutNulls:
    """An HTTP response whose JSON has no nulls."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._json: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def json(self) -> Any:
        if self._json is None:
            self._json = _without_nulls(self._response.json())
        return self._json


def _without_nulls(value: Any, is_item: bool = False) -> Any:
    """Return JSON without nulls: in an object that is an item of a list, such as a result, they are "".

    In a list of objects, whatever is none goes with them.
    """
    if isinstance(value, dict):
        kept = {
            name: "" if part is None else part for name, part in value.items() if is_item or part is not None
        }
        return {name: _without_nulls(part) for name, part in kept.items()}
    if isinstance(value, list):
        has_objects = any(isinstance(part, dict) for part in value)
        kind = dict if has_objects else object
        return [_without_nulls(part, True) for part in value if part is not None and isinstance(part, kind)]
    return value


def _text(value: Any) -> str:
    """Return a field of a result; empty for what can be no text."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


_CONTINUES = "the report then continues by itself"


def classify(error: Exception, settings: Settings) -> StepError:
    """Return what an exception of a search means, by its status code first."""
    provider, status = settings.search_provider, getattr(error, "status_code", None)
    said = settings.redact(provider_message(error)).partition(" Traceback (most recent call last)")[0]
    if isinstance(error, TimeoutError):
        return StepError(ErrorKind.TRANSIENT, f"{provider} did not answer within {SEARCH_SECONDS:.0f} s")
    if repair := _repair(status, said, provider):
        where = f"in {DOTENV} and restart the worker"
        return StepError(ErrorKind.NEEDS_ACTION, f"{repair} {where}; {_CONTINUES}")
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 425, 429):
        return StepError(ErrorKind.PERMANENT, f"{provider} refuses this query ({status}): {said}")
    # Whatever has no status of the provider's, litellm gives 500: refused connections, unreadable answers.
    return StepError(ErrorKind.TRANSIENT, f"{provider} gives no answer: {said}", retry_after(error))


def _repair(status: object, said: str, provider: str | None) -> str | None:
    """Return what a person has to do; None where no person can do anything."""
    if status in QUOTA_STATUSES:
        return f"the quota at {provider} is used up: add credit, or set another SEARCH_PROVIDER"
    if status == 403 and provider == "searxng":
        return "SearXNG gives no JSON: allow it in its settings.yml, or set another SEARCH_PROVIDER"
    if status in (401, 403) or (status in (400, 422) and _BAD_KEY.search(said.lower().replace("_", " "))):
        return f"{provider} refused the key: set its key"
    if status == 404:
        return f"{provider} has no search at this address: set its address, or another SEARCH_PROVIDER,"
    return None


def _source(result: Any) -> Source:
    date = result.date or result.last_updated or ""
    return Source(url=str(result.url), title=str(result.title), date=str(date), snippet=str(result.snippet))


def _price(provider: str, max_results: int) -> float | None:
    """Return the price of one query in US dollars by litellm's price list; None where it has none."""
    from litellm.search.cost_calculator import search_provider_cost_per_query

    with suppress(Exception):  # because litellm raises a bare Exception for what it does not know
        options = {"max_results": max_results}
        return float(search_provider_cost_per_query(f"{provider}/search", provider, 1, options)[0])
    return None

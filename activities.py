"""The three Activities: each takes one dataclass, calls one function of `research/`, gives one back.

The workflow imports this file, and with it the starter; so litellm and reportlab, which take
seconds to import, are left to the functions that need them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import fields, replace
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from models import LLMCallInput, LLMCallOutput, PDFGenerationInput, PDFGenerationOutput
from research import config
from research.cli import terminal
from research.llm import client as llm
from research.llm import usage
from research.llm.client import Draft
from research.llm.errors import NEEDS_ACTION_RETRY_SECONDS, ErrorKind, ProviderError
from research.reports.naming import UnsafeName

HEARTBEAT_SECONDS = 0.8
"""A killed worker loses what its model wrote since the last heartbeat, and no more."""
QUIET_SECONDS = 1.5
"""While there is nothing new to tell, this is often enough to be taken for alive."""
TELLING_SECONDS = 10.0
"""Between two lines of the worker's log about a text that grows."""
activity.logger.activity_info_on_message = False  # one line for people's logs
_RENDERING = ThreadPoolExecutor(2, "rendering")  # more at once would hold up the event loop


@activity.defn
async def llm_call(input: LLMCallInput) -> LLMCallOutput:
    """The research: the model's answer to the prompt."""
    return await _written(lambda draft: llm.complete(input.prompt, config.load(), draft, input.spent))


@activity.defn
async def generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """The executive summary; a research too long for the model is shortened for this prompt."""
    return await _written(
        lambda draft: llm.complete_shortening(input.prompt, config.load(), draft, input.spent)
    )


@activity.defn(name="generate_summary")
async def failing_generate_summary(input: LLMCallInput) -> LLMCallOutput:
    """What `python worker.py --simulate-failure` registers in place of `generate_summary`."""
    raise ApplicationError("Simulated failure: Summary service temporarily unavailable")


@activity.defn
async def create_pdf_activity(input: PDFGenerationInput) -> PDFGenerationOutput:
    """The report on paper, and as Markdown beside it, in the reports folder or store."""
    from research.pdf import document

    settings = config.load()
    try:
        async with heartbeats():
            run = asyncio.get_running_loop().run_in_executor
            rendered = await run(_RENDERING, document.render_report, input, settings)
            written = await run(_RENDERING, document.store_report, input, settings, rendered)
    except UnsafeName as error:
        raise ApplicationError(str(error), type="Permanent", non_retryable=True) from None
    except OSError as error:
        reason = settings.redact(error.strerror or str(error))
        raise ApplicationError(
            f"the report cannot be written to {settings.reports_dir}: {reason};"
            " mend that, and the report goes on by itself",
            type="NeedsAction",
            next_retry_delay=timedelta(seconds=NEEDS_ACTION_RETRY_SECONDS),
        ) from None
    activity.logger.info("PDF written: %s, %s", usage.pluralize(written.pages, "page"), written.path)
    return replace(written, attempts=activity.info().attempt)


async def _written(write: Callable[[Draft], Awaitable[LLMCallOutput]]) -> LLMCallOutput:
    """Let a text be written, from where the last attempt left it; hand it back when told to stop."""
    draft = _last_draft()
    _tell_beginning(draft)
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    async with heartbeats(draft):
        writing = asyncio.ensure_future(write(draft))
        try:
            await asyncio.wait([writing, stopping], return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                activity.logger.info("%s finished: %s", _step(), usage.format_call(writing.result()))
                return replace(writing.result(), attempts=activity.info().attempt)
        except ProviderError as fault:
            draft.faults += 1
            raise _as_application_error(fault, draft.faults) from None
        finally:
            stopping.cancel()
            writing.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await writing
        raise ApplicationError(
            f"handed back at character {len(draft.text):,} by a worker that was told to stop",
            type="WorkerShutdown",
            next_retry_delay=timedelta(milliseconds=1),
        )


def _step() -> str:
    return terminal.STEPS[activity.info().activity_type]


def _tell_beginning(draft: Draft) -> None:
    if draft.text:
        activity.logger.info("%s goes on at character %s", _step(), f"{len(draft.text):,}")
    elif activity.info().attempt == 1:
        activity.logger.info("%s begins", _step())


def _last_draft() -> Draft:
    """What the last attempt has left in its heartbeats."""
    details = activity.info().heartbeat_details
    left = details[0] if details and isinstance(details[0], dict) else {}
    return Draft(**{field.name: left[field.name] for field in fields(Draft) if field.name in left})


def _as_application_error(fault: ProviderError, count: int) -> ApplicationError:
    delay = fault.delay(count)
    return ApplicationError(
        fault.message,
        type=fault.kind.value,
        non_retryable=fault.kind is ErrorKind.PERMANENT,
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
    )


class Pace:
    """Tells the worker's log, now and then, how a text grows."""

    def __init__(self, draft: Draft | None) -> None:
        self._draft = draft
        self._words, self._since = self._count(), time.monotonic()

    def tell(self) -> None:
        """One line, when it is time for one and there is something new."""
        seconds = time.monotonic() - self._since
        if seconds < TELLING_SECONDS:
            return
        words, before = self._count(), self._words
        self._words, self._since = words, time.monotonic()
        if words > before:
            pace = (words - before) / seconds
            activity.logger.info("%s: %s words, %.0f a second", _step(), f"{words:,}", pace)

    def _count(self) -> int:
        return len(self._draft.text.split()) if self._draft else 0


@asynccontextmanager
async def heartbeats(draft: Draft | None = None) -> AsyncIterator[None]:
    """Tell the service, while something runs, that this worker lives, and what is written so far."""

    async def beat() -> None:
        told, silent = draft and replace(draft), 0.0
        pace = Pace(draft)
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            silent += HEARTBEAT_SECONDS
            pace.tell()
            if draft != told or silent >= QUIET_SECONDS:
                activity.heartbeat(draft)
                told, silent = draft and replace(draft), 0.0

    beating = asyncio.create_task(beat())
    try:
        yield
    except BaseException:
        activity.heartbeat(draft)  # the next attempt goes on from the last word
        raise
    finally:
        beating.cancel()

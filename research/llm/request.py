"""One request to the model: sent in the best way that its provider has, read into a draft, and judged."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from models import LLMCallInput
from research.config import Settings
from research.errors import ErrorKind
from research.llm import errors, library, outcome, resume, stored, stream
from research.llm.continuation import Joiner
from research.llm.draft import Draft
from research.llm.endings import Ending
from research.llm.resume import Way
from research.llm.usage import estimate_tokens, is_ollama
from research.llm.wire import Wire, recording

OnResume = Callable[[Way, int], None]
"""Is called with the way, and the character of the text, at which an interrupted text is resumed."""

MIN_CONTEXT_TOKENS = 1_000
"""Ollama cuts no prompt to less: a smaller number of tokens read counts something else."""
PROMPT_CUT_RATIO = 0.8
"""Tokens read, against the least that the prompt can have, below which Ollama has cut the prompt."""


class Request:
    """One request, or the rest of an answer that the provider has kept; its answer extends the draft."""

    def __init__(
        self, call: LLMCallInput, settings: Settings, draft: Draft, max_bytes: int, max_tokens: int | None
    ) -> None:
        self._call, self._settings, self._draft = call, settings, draft
        self._max_bytes, self._max_tokens = max_bytes, max_tokens
        self._prefill: resume.Prefill | None = None
        self._streams = False
        self._is_new = True
        """Whether a request is sent, as against the rest of an answer that was requested before."""
        self._before = (0, 0)
        """Tokens of the requests before it."""

    async def send(self, on_resume: OnResume | None) -> str:
        """Return the finish reason; `on_resume` is None where the draft is not one of another attempt."""
        most = self._settings.max_streams if library.can_stream(self._settings) else 0
        with stream.stream_slot(most) as self._streams:
            if self._draft.response_id:
                self._resume(Way.RETRIEVE, on_resume)
                with suppress(stored.AnswerGone):
                    return await self._receive(is_kept=True)
            is_kept = stored.is_used(self._settings)
            if self._draft.text and not await self._cut(is_kept, on_resume):
                return Ending.LENGTH
            if is_kept:
                with suppress(stored.AnswerGone):
                    return await self._receive(is_kept=True)
            return await self._receive(is_kept=False)

    async def _cut(self, is_kept: bool, on_resume: OnResume | None) -> bool:
        """Cut the draft to where it can be resumed; return False where a long answer cannot be continued."""
        draft = self._draft
        if not is_kept:
            self._prefill = await resume.find_prefill(self._settings, draft, self._streams)
        was_cut = self._prefill and on_resume and len(draft.text) == draft.resumed_at
        kept = draft.text if was_cut else resume.cut(draft.text, self._prefill)
        if on_resume is None:
            draft.text = kept or draft.text
            return bool(kept)
        if not kept and len(draft.text) > len(draft.first):
            draft.first = draft.text  # so that it is not lost where the second one is refused
        draft.text = kept
        self._resume(Way.PREFILL if self._prefill else Way.BLOCK, on_resume)
        return True

    def _resume(self, way: Way, on_resume: OnResume | None) -> None:
        draft = self._draft
        if on_resume is None:
            return
        draft.resumed_at, draft.kept_tokens = len(draft.text) or None, estimate_tokens(draft.text)
        draft.way = way if draft.text or draft.response_id else ""
        on_resume(way if draft.way else Way.AGAIN, len(draft.text))

    async def _receive(self, is_kept: bool) -> str:
        """Send the request, or attach to the answer that is kept, and read it; return the finish reason."""
        draft, base = self._draft, self._draft.text
        self._begin()
        started = time.monotonic()
        try:
            with recording() as wire:
                intake = stream.Intake(draft, self._joiner(base), self._max_bytes, wire)
                read = self._read_kept if is_kept else self._read
                end = await read(resume.messages(self._call.prompt, base, self._prefill), intake, wire)
        except stored.AnswerGone:
            draft.input_tokens, draft.requests = self._before[0], draft.requests - self._is_new
            raise
        except Exception as error:
            fault = errors.classify(error, self._settings, wire)
            idle = library.STREAM_IDLE_SECONDS if self._streams else library.WHOLE_ANSWER_SECONDS
            was_accepted = wire.status == 200 or time.monotonic() - started >= idle
            if (fault.is_free or not was_accepted) and not intake.has_content and not draft.response_id:
                draft.input_tokens = self._before[0]
            elif outcome.is_worth_no_more(draft, fault):
                return "unfinished"
            if fault.kind is ErrorKind.INTERNAL:
                raise  # because a bug keeps its traceback
            raise fault from None
        self._count(end)
        joiner = intake.joiner
        draft.text = joiner.end(is_whole=end.ending is Ending.WHOLE)
        draft.replaced |= joiner.replaced
        if joiner.replaced:
            draft.resumed_at, draft.kept_tokens = None, 0
        is_continuation = bool(base) and self._is_new
        is_block = is_continuation and not self._prefill
        return outcome.validate_answer(
            draft, end, joiner.is_empty, is_continuation, is_block, self._max_bytes
        )

    def _begin(self) -> None:
        """Count the request, by an estimate until its usage comes; a kept answer was counted before."""
        draft = self._draft
        self._is_new = not draft.response_id
        if self._is_new:
            draft.response_input, draft.response_output = draft.input_tokens, draft.output_tokens
            draft.requests += 1
            draft.input_tokens += estimate_tokens(self._call.prompt + draft.text)
        self._before = draft.response_input, draft.response_output

    def _count(self, end: stream.AnswerEnd) -> None:
        """Take the usage as the provider counts it; see where Ollama has cut the prompt."""
        if not end.input_tokens:
            return
        draft = self._draft
        draft.input_tokens = self._before[0] + end.input_tokens
        draft.output_tokens = self._before[1] + (end.output_tokens or 0)
        least = stream.minimum_tokens(self._call.prompt)
        is_cut = MIN_CONTEXT_TOKENS <= end.input_tokens < least * PROMPT_CUT_RATIO
        if is_cut and is_ollama(self._settings.model):
            draft.prompt_part = end.input_tokens / least

    def _joiner(self, text: str) -> Joiner:
        return resume.joiner(text, self._prefill)

    def _fields(self) -> dict[str, Any]:
        """Return what the request's body has beside the usual: for the sample model, what the call is for."""
        fields = dict(self._prefill.fields) if self._prefill else {}
        return {**fields, "call": self._call} if self._settings.is_sample else fields

    async def _read_kept(self, asked: list[Any], intake: stream.Intake, wire: Wire) -> stream.AnswerEnd:
        return await stored.read(
            asked, self._settings, self._draft, intake, self._streams, self._max_tokens, self._joiner
        )

    async def _read(self, asked: list[Any], intake: stream.Intake, wire: Wire) -> stream.AnswerEnd:
        """Send the request by litellm and read its answer, also one that litellm cannot read."""
        try:
            answer = await library.send(
                asked, self._settings, self._streams, self._max_tokens, self._fields()
            )
            end = await (stream.read_stream if self._streams else stream.read_whole)(answer, wire, intake)
        except Exception:
            if not wire.body or wire.error:
                raise
            end = stream.AnswerEnd()
        if wire.body and not intake.has_content and not wire.error:
            end = stream.read_body(wire, intake)
        if wire.error and end.ending is not Ending.WHOLE:
            raise errors.StreamError(wire.error)
        return end

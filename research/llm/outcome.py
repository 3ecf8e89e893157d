"""How a request ended: an answer, an error worth another attempt, or a text to be kept as it is.

What was written is never given up, and requests that are paid for are counted over all attempts.
"""

from models import Note
from research.config import Settings
from research.errors import ErrorKind
from research.formatting import truncate_json
from research.llm import answer, errors, stream
from research.llm.blocks import MIN_DRAFT, ends_in_loop, ends_within_sentence
from research.llm.draft import Draft
from research.llm.endings import Ending
from research.llm.errors import ProviderError
from research.llm.limits import MAX_ANSWER_BYTES

NO_CONTINUATION = "no continuation"
"""In place of a finish reason: the rest was asked for, and what came is none."""
MAX_EMPTY_ANSWERS = 5
"""Paid requests without text, over all attempts, after which the answer is given up."""
MAX_FRUITLESS = 4
"""Paid requests in a row, over all attempts, without an end or MIN_PROGRESS_CHARACTERS more of the text,
after which the text is taken as it is."""
MIN_PROGRESS_CHARACTERS = 100
MAX_LOOKS = 20
"""Attempts in a row that get nothing new of an answer that the provider keeps; then it is requested anew."""


def validate_answer(
    draft: Draft, end: stream.AnswerEnd, is_empty: bool, is_continuation: bool, is_block: bool, max_bytes: int
) -> str:
    """Return the finish reason of what is an answer: "stop", or why the text is not whole.

    `is_empty` says whether nothing new came, `is_continuation` whether the rest of a text was asked for, and
    `is_block` whether it was asked for from the next block on, in a new message.

    Raises:
        ProviderError: it is no answer.
    """
    if end.refusal:
        raise ProviderError(ErrorKind.PERMANENT, f"the model refuses: {errors.to_one_line(end.refusal)}")
    if end.ending is Ending.FILTERED:
        raise ProviderError(
            ErrorKind.PERMANENT, "the provider's content filter stopped the answer: change the topic"
        )
    if end.stopped == stream.TOO_LONG or stream.is_too_long(draft, max_bytes):
        draft.text = truncate_json(draft.text, MAX_ANSWER_BYTES)
        return "too_long"
    if end.stopped or end.ending is Ending.INTERRUPTED:
        return _broken_off(draft, end)
    if is_empty and not is_continuation:
        raise no_text(draft)
    has_failed = is_empty or (end.ending is Ending.WHOLE and ends_within_sentence(draft.text))
    has_failed |= is_block and ends_in_loop(draft.text)
    if is_continuation and has_failed and not draft.is_again:
        return NO_CONTINUATION
    return "empty" if is_empty else end.ending


def _broken_off(draft: Draft, end: stream.AnswerEnd) -> str:
    """Return "unfinished" where no more is paid for the text.

    Raises:
        ProviderError: it is worth another attempt, or has brought no text too often.
    """
    what = end.stopped or "the provider's stream broke off before the end of the answer"
    fault = ProviderError(ErrorKind.TRANSIENT, what, is_free=not end.is_answer)
    # Even with new text, because some gateways never give a finish reason.
    draft.longest = max(draft.longest, len(draft.text))
    if (end.is_answer or draft.text.strip()) and is_worth_no_more(draft, fault):
        return "unfinished"
    raise fault


def is_worth_no_more(draft: Draft, fault: ProviderError) -> bool:
    """Count a paid request that failed; return whether to take the text as it is, and pay no more for it.

    Raises:
        ProviderError: there is no text, and there was none too often.
    """
    if fault.kind is ErrorKind.NEEDS_ACTION:
        return False
    if not draft.text.strip() and not draft.response_id:
        if (last := no_text(draft, fault)) is not fault:
            raise last
        return False
    if len(draft.text) >= draft.longest + MIN_PROGRESS_CHARACTERS:
        draft.longest, draft.fruitless = len(draft.text), 0
    else:
        draft.fruitless += 1
    if draft.response_id:  # an answer that the provider keeps costs nothing more
        if draft.fruitless >= MAX_LOOKS:
            draft.response_id, draft.fruitless = "", 0
        return False
    return draft.fruitless >= MAX_FRUITLESS


def no_text(draft: Draft, fault: ProviderError | None = None) -> ProviderError:
    """Count a paid request without text; return its error, in the end a permanent one."""
    draft.empty_answers += 1
    if draft.empty_answers < MAX_EMPTY_ANSWERS:
        return fault or ProviderError(ErrorKind.TRANSIENT, "the model gave an empty answer")
    last = f"; the last one: {fault.message}" if fault else ""
    return ProviderError(
        ErrorKind.PERMANENT, f"the model gave nothing but empty answers, {draft.empty_answers} times{last}"
    )


def keep_the_better(draft: Draft, finish_reason: str) -> str:
    """Keep, of a text that could not be resumed and its second version, the whole one, else the longer one.

    Returns the finish reason of the text that is kept.
    """
    if finish_reason == "stop" or len(draft.first) <= len(draft.text):
        return finish_reason
    draft.text = draft.first
    return finish_reason if finish_reason in ("refused", "cost") else "empty"


def kept_in_spite_of(fault: ProviderError, draft: Draft) -> str:
    """Return the fault's message if it is permanent and there is text that would be lost with it.

    Raises:
        ProviderError: the fault, otherwise.
    """
    text = answer.clean(draft.text or draft.first, finished=False)
    if fault.kind is not ErrorKind.PERMANENT or len(text.strip()) < MIN_DRAFT:
        raise fault from None
    return fault.message


def notes(draft: Draft, finish_reason: str, settings: Settings, reason: str) -> tuple[Note, ...]:
    """Return what a reader must know about the text."""
    ceiling = f"${settings.max_cost or 0:g}"
    found = {
        Note("The text ends where LLM_MAX_COST ({0}) was reached; it is not complete.", (ceiling,)): (
            finish_reason == "cost"
        ),
        Note("The text is not complete, because it could not be continued: {0}.", (reason,)): (
            finish_reason == "refused"
        ),
        Note("The text was interrupted and could not be resumed; it was written again from its beginning."): (
            draft.is_again and draft.text != draft.first
        ),
        Note(
            "The text was begun again by the model;"
            " its second answer replaced the first, which was incomplete."
        ): draft.replaced,
        Note("The text was written from a part of its prompt: the provider cut the rest off."): (
            draft.prompt_part < 1
        ),
    }
    return tuple(note for note, applies in found.items() if applies)

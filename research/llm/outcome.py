"""How a request ended: an answer, an error worth another attempt, or a text to be kept as it is.

What was written is never given up, and requests that are paid for are counted over all attempts.
"""

from research.config import Settings
from research.formatting import truncate_json
from research.llm import answer, continuation, errors, stream
from research.llm.draft import Draft
from research.llm.errors import ErrorKind, ProviderError
from research.llm.limits import MAX_ANSWER_BYTES

MAX_EMPTY_ANSWERS = 5
MAX_FRUITLESS = 4
"""Paid requests in a row, over all attempts, without an end or MIN_PROGRESS_CHARACTERS more of the text,
after which the text is taken as it is."""
MIN_PROGRESS_CHARACTERS = 100


def validate_answer(draft: Draft, end: stream.AnswerEnd, is_empty: bool, max_bytes: int) -> str:
    """Return the finish reason of what is an answer.

    Raises:
        ProviderError: it is none.
    """
    if end.refusal:
        raise ProviderError(ErrorKind.PERMANENT, f"the model refuses: {errors.to_one_line(end.refusal)}")
    if end.finish_reason == "content_filter":
        raise ProviderError(
            ErrorKind.PERMANENT, "the provider's content filter stopped the answer: change the topic"
        )
    if stream.is_too_long(draft, max_bytes):
        draft.text = truncate_json(draft.text, MAX_ANSWER_BYTES)
        return "too_long"
    if not end.finish_reason and (draft.text.strip() or not end.has_content):
        draft.longest = max(draft.longest, len(draft.text))
        if is_worth_no_more(draft):  # even with new text, because some gateways never give a finish reason
            return "unfinished"
        raise ProviderError(
            ErrorKind.TRANSIENT, "the provider's stream broke off before the end of the answer"
        )
    if is_empty:
        fault = empty_answer(draft)
        if draft.empty_answers >= MAX_EMPTY_ANSWERS and draft.text.strip():
            return "empty"
        raise fault
    return end.finish_reason


def is_worth_no_more(draft: Draft) -> bool:
    """Count a paid request that failed; return whether to take the text as it is, and pay no more for it."""
    if not draft.text.strip():
        return False
    if len(draft.text) >= draft.longest + MIN_PROGRESS_CHARACTERS:
        draft.longest, draft.fruitless = len(draft.text), 0
    else:
        draft.fruitless += 1
    return draft.fruitless >= MAX_FRUITLESS


def empty_answer(draft: Draft) -> ProviderError:
    """Count an empty answer; return the error that it is, permanent after MAX_EMPTY_ANSWERS of them."""
    draft.empty_answers += 1
    if draft.empty_answers < MAX_EMPTY_ANSWERS:
        return ProviderError(ErrorKind.TRANSIENT, "the model gave an empty answer")
    return ProviderError(ErrorKind.PERMANENT, "the model gave nothing but empty answers")


def kept_in_spite_of(fault: ProviderError, draft: Draft) -> str:
    """Return the fault's message if it is permanent and there is text that would be lost with it.

    Raises:
        ProviderError: the fault, otherwise.
    """
    text = answer.clean(draft.text, finished=False)
    if fault.kind is not ErrorKind.PERMANENT or len(text) < continuation.MIN_DRAFT:
        raise fault from None
    return fault.message


def notes(draft: Draft, finish_reason: str, settings: Settings, reason: str) -> tuple[str, ...]:
    """Return what a reader must know about the text, as clauses whose subject is the text."""
    clauses = {
        f"ends where LLM_MAX_COST (${settings.max_cost or 0:g}) was reached; it is not complete": (
            finish_reason == "cost"
        ),
        f"is not complete, because it could not be continued: {reason}": finish_reason == "refused",
        "was begun again by the model; its second answer replaced the first, which was incomplete": (
            draft.replaced
        ),
        "was begun again by the model; the second, shorter answer stands behind the first": draft.doubled,
        "was written from a part of its prompt: the provider cut the rest off": draft.prompt_cut,
    }
    return tuple(clause for clause, applies in clauses.items() if applies)

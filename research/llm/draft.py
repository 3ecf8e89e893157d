"""The draft of an answer: enough for another attempt, in another process, to resume from it."""

from dataclasses import dataclass


@dataclass
class Draft:
    """What a model has written so far, and what that took."""

    text: str = ""
    """As the model wrote it, reasoning included, because a continuation is asked for from there."""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    """Over all requests; those of an interrupted request are estimated by the text."""
    requests: int = 0
    seconds: float = 0.0
    resumed_at: int | None = None
    """The character at which the last attempt that resumed did so."""
    kept_tokens: int = 0
    """Tokens that a resumed attempt did not have to pay again."""
    faults: int = 0
    """Attempts that failed at the provider, as against those that were lost with a worker."""
    empty_answers: int = 0
    fruitless: int = 0
    """Paid requests that brought nothing new, or ended cleanly without a finish reason."""
    prompt_cut: bool = False
    """Whether the provider read far less of the prompt than was sent."""
    replaced: bool = False
    """Whether the model began its answer again, and the new one took the place of the first."""
    doubled: bool = False
    """Whether it did so, and the new one stands behind the first, because it was shorter."""

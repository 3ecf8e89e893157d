"""The draft of an answer: enough for another attempt, in another process, to resume from it."""

from dataclasses import dataclass, field


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
    way: str = ""
    """How it did so: a value of `resume.Way`."""
    kept_tokens: int = 0
    """Tokens that a resumed attempt did not have to pay again."""
    faults: int = 0
    """Attempts that failed at the provider, as against those that were lost with a worker."""
    empty_answers: int = 0
    """Paid requests that brought no text."""
    fruitless: int = 0
    """Paid requests in a row that brought nothing new, or ended cleanly without a finish reason."""
    longest: int = 0
    """Characters of the text when a request last brought something new."""
    prompt_part: float = 1.0
    """The part of the prompt that the provider has read, where it has cut it."""
    replaced: bool = False
    """Whether the model began its answer again, and the new one took the place of the first."""
    first: str = ""
    """The text that could not be resumed, while the answer is written again from its beginning."""
    is_again: bool = False
    """Whether it was written again: that is done once."""
    response_id: str = ""
    """The answer that the provider keeps, and writes on while no worker is alive; empty for none."""
    response_event: int = 0
    """The sequence number of its last event that is in the text."""
    response_start: int = 0
    """The character of the text at which it begins."""
    response_input: int = 0
    response_output: int = 0
    """The tokens of the requests before it."""
    stored: list[str] = field(default_factory=list)
    """IDs of all answers that the provider keeps for this text."""

"""What a provider's finish reason says about the text: only some of them say that it is whole."""

from enum import StrEnum


class Ending(StrEnum):
    """What a finish reason says about the text before it."""

    WHOLE = "stop"
    """The model came to the end of its answer."""
    LENGTH = "length"
    """A limit of the length cut it, or the model pauses: ask for the rest."""
    INTERRUPTED = "interrupted"
    """The provider broke it off, or gave no reason at all: resume it."""
    FILTERED = "filtered"
    """A filter of the provider's stopped it, or the model refuses to go on."""
    UNKNOWN = "unknown"
    """A reason that nobody knows yet: ask for the rest, once."""


# As they come on the wire, without regard to case: OpenAI and its likes, Anthropic, Gemini, Bedrock,
# Cohere, Mistral, DeepSeek, Zhipu, Ollama, Text Generation Inference.
_REASONS = {
    Ending.WHOLE: "stop eos end_turn stop_sequence eos_token complete",
    Ending.LENGTH: (
        "length max_tokens max_output_tokens max_completion_tokens model_length error_limit"
        " model_context_window_exceeded pause_turn compaction"
    ),
    Ending.INTERRUPTED: (
        "error network_error insufficient_system_resource abort aborted timeout cancelled canceled failed"
        " incomplete malformed_response"
    ),
    Ending.FILTERED: (
        "content_filter content_filtered sensitive refusal safety recitation guardrail_intervened error_toxic"
        " blocklist prohibited_content spii language"
    ),
}
_ENDINGS = {reason: ending for ending, reasons in _REASONS.items() for reason in reasons.split()}


def ending_of(reason: str) -> Ending:
    """Return what a finish reason says, as the provider wrote it; an empty one is an interruption."""
    return _ENDINGS.get(reason.casefold(), Ending.UNKNOWN) if reason else Ending.INTERRUPTED

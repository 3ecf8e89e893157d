"""What crosses the border between processes: plain dataclasses, standard library only.

A report that was started by one version must complete on the next, so a field is
only ever added here, and always with a default.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GenerateReportInput:
    """What a report is started with; from another SDK `{"prompt": "…"}` is enough."""

    prompt: str
    pause_seconds: float = 0.0
    """A durable pause after the research: time to kill the worker and watch nothing be lost."""


@dataclass(frozen=True)
class GenerateReportOutput:
    """What a finished report gives back."""

    result: str
    """The sentence a person reads, ending in the file's name."""
    filename: str = ""
    path: str = ""
    """Where the worker wrote the file, on the worker's machine."""
    pages: int = 0
    model: str = ""


@dataclass(frozen=True)
class LLMCallInput:
    """One prompt for the configured model."""

    prompt: str


@dataclass(frozen=True)
class LLMCallOutput:
    """What a model wrote and what it took; never the provider's whole response."""

    text: str
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    """US dollars by litellm's price list; None where it has no price for the model."""
    finish_reason: str = ""


@dataclass(frozen=True)
class PDFGenerationInput:
    """A report's parts, in Markdown, and the name of the file to write."""

    content: str
    filename: str = "research_pdf.pdf"
    summary: str = ""
    topic: str = ""
    model: str = ""
    date: str = ""
    """The day the report was started, as YYYY-MM-DD in UTC."""


@dataclass(frozen=True)
class PDFGenerationOutput:
    """The file that was written."""

    filename: str
    path: str = ""
    pages: int = 0

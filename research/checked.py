"""A report as it is printed: what every room that prints or proves it knows of its citations."""

from dataclasses import dataclass

from models import PDFGenerationInput, Source


@dataclass(frozen=True)
class CheckedReport(PDFGenerationInput):
    """A report that cites: in its content every citation is a mark `[^n]`; its sources are those cited."""

    citations: tuple[int, ...] = ()
    """The characters of the content at which these marks begin."""
    given: tuple[Source, ...] = ()
    """Every source that the report was given; those that it does not cite have the number 0."""
    account: str = ""
    """What was checked, in one line."""

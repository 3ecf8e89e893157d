"""What one answer may cost and how long it may be."""

import sys
from dataclasses import dataclass

from models import LLMCallInput
from research.config import Settings
from research.errors import ErrorKind
from research.llm import library
from research.llm.draft import Draft
from research.llm.errors import ProviderError
from research.llm.usage import estimate_tokens, price

MAX_ANSWER_BYTES = 900_000
"""Bytes of an answer as JSON: a heartbeat and a result stay well under the 2 MB that Temporal takes,
and so does the PDF's input, which holds the research and the summary."""
MATERIAL_PART = 0.5
"""Of a model's context; the rest is for the instruction and the answer."""
MIN_REQUEST_TOKENS = 20
"""A request that may write fewer tokens than this is not worth its prompt."""


class CostCeiling(ProviderError):
    """LLM_MAX_COST is reached before anything was written."""


@dataclass(frozen=True)
class Limits:
    """The limits of one answer, beside those of the settings."""

    spent: float = 0.0
    """What the report has cost before this call, in US dollars, for the ceiling LLM_MAX_COST."""
    share: int = 1
    """How many calls side by side share what the ceiling leaves; each may use its part of that."""
    max_bytes: int = MAX_ANSWER_BYTES
    """Bytes of the answer as JSON, without its reasoning."""

    @classmethod
    def of(cls, input: LLMCallInput) -> "Limits":
        """Return the limits that a call is given."""
        max_bytes = min(input.max_bytes or MAX_ANSWER_BYTES, MAX_ANSWER_BYTES)
        return cls(input.spent, max(input.share, 1), max_bytes)

    def max_tokens(self, prompt: str, settings: Settings, draft: Draft) -> int | None:
        """Return how many tokens the next request may write at most; None where the model itself decides.

        A call alone may exceed the ceiling with its last request; calls side by side may not, because
        each of them would.

        Raises:
            CostCeiling: what the ceiling leaves pays for no request.
        """
        if settings.max_cost is None:
            return None
        cost = self.spent + (price(settings.model, draft.input_tokens, draft.output_tokens) or 0.0)
        ceiling = self.spent + (settings.max_cost - self.spent) / self.share
        if cost >= ceiling:
            raise self._reached(cost, settings)
        million = price(settings.model, 0, 1_000_000) or 0.0
        if self.share == 1 or not million:
            return None
        asked = price(settings.model, estimate_tokens(prompt + draft.text), 0) or 0.0
        tokens = int((ceiling - cost - asked) / million * 1_000_000)
        if tokens < MIN_REQUEST_TOKENS:
            raise self._reached(cost, settings)
        return tokens if tokens < _max_output_tokens(settings.model) else None

    def _reached(self, cost: float, settings: Settings) -> CostCeiling:
        part = f", one of {self.share} texts may use its part of the rest" if self.share > 1 else ""
        return CostCeiling(
            ErrorKind.PERMANENT,
            f"the report has cost ${cost:.4f}, LLM_MAX_COST is ${settings.max_cost or 0:g}{part}, and nothing"
            " of this text was written",
        )


def max_material_bytes(model: str) -> int:
    """Return how much UTF-8 of sources a prompt may have: about half of the model's context.

    A token counts as three bytes: it has about four in English, and about three in scripts without spaces.
    """
    tokens = library.model_info(model).get("max_input_tokens") or 0
    return int(tokens * MATERIAL_PART * 3) or sys.maxsize


def _max_output_tokens(model: str) -> float:
    """Return the most tokens that a model writes; a provider refuses a request for more."""
    return library.model_info(model).get("max_output_tokens") or 0

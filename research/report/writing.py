"""What a writer gets of the sources that were read: taken from the evidence store, chosen by what is wanted."""

from models import LLMCallInput
from research.config import Settings
from research.evidence import excerpts, store
from research.llm import prompts

MAX_TEXT_BYTES = 60_000
"""Of all sources in a prompt, some 15,000 tokens; a model that cannot take as many gets fewer sources."""


def with_texts(call: LLMCallInput, settings: Settings) -> LLMCallInput:
    """Return the call with excerpts of its sources behind the prompt; of one that was not read, the snippet.

    Raises:
        OSError, Changed: a frozen text cannot be had.
    """
    read = {source.number: source.sha256 for source in call.sources if source.sha256}
    if not read:
        return call
    texts = {number: store.thaw(settings.reports_dir, sha256) for number, sha256 in read.items()}
    chosen: dict[int, list[str]] = {}
    for excerpt in excerpts.choose(texts, call.queries, MAX_TEXT_BYTES):
        chosen.setdefault(excerpt.source, []).append(excerpt.text)
    return prompts.with_texts(call, chosen)

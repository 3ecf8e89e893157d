"""What model calls cost: prices, and estimates of tokens."""

from research.config import SAMPLE_MODEL

BYTES_PER_TOKEN = 4
"""For estimates, because providers send chunks of one token or of a hundred."""


def price(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price in US dollars by litellm's price list; None where it has none for the model."""
    if model == SAMPLE_MODEL or is_ollama(model):
        return 0.0
    import litellm

    try:
        prices = litellm.cost_per_token(model, input_tokens, output_tokens)
    except Exception:  # because litellm raises a bare Exception for a model that it does not know
        return None
    return round(float(sum(prices)), 9)


def prices(model: str) -> tuple[float, float] | None:
    """Return what a million tokens cost, in and out; None where the price list has none for the model."""
    sent, written = price(model, 1_000_000, 0), price(model, 0, 1_000_000)
    return None if sent is None or written is None else (sent, written)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; for Chinese about three in four characters."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def is_ollama(model: str) -> bool:
    """Return whether an Ollama server runs the model: free, and unknown to litellm's lists."""
    return model.startswith(("ollama/", "ollama_chat/"))

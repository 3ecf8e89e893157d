"""The language of a text, as far as its script tells it."""

import re

_BLOCKS = {
    "ar": "\u0600-\u06ff", "he": "\u0590-\u05ff", "hi": "\u0900-\u097f", "th": "\u0e00-\u0e7f",
    "el": "\u0370-\u03ff", "ru": "\u0400-\u04ff", "ko": "\uac00-\ud7af", "ja": "\u3040-\u30ff",
    "zh": "\u4e00-\u9fff",
}  # fmt: skip
_SIMPLIFIED, _TRADITIONAL = "们这个国说时会对学经发为来过开关点", "們這個國說時會對學經發為來過開關點"
"""Frequent characters in both forms."""


def language_of(text: str) -> str:
    """Return the code of the language, with the script where it is Traditional Chinese; English in doubt."""
    sample = text[:5_000]
    counts = {code: len(re.findall(f"[{block}]", sample)) for code, block in _BLOCKS.items()}
    if counts["ja"]:
        counts["ja"] += counts.pop("zh")
    likely = max(counts, key=lambda code: counts[code])
    if counts[likely] * 3 <= len(re.findall(r"\w", sample)):
        return "en"
    if likely == "zh" and _count(sample, _TRADITIONAL) > _count(sample, _SIMPLIFIED):
        return "zh-Hant"
    return likely


def _count(text: str, characters: str) -> int:
    return sum(map(text.count, characters))

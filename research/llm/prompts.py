"""The prompts that this program writes itself. Imports the standard library only.

The workflow, the demo without durability, the sample model and the stand-in provider share them.
"""

import re

SUMMARY_INSTRUCTION = "Provide a 2-3 sentence executive summary of this research: "
SUMMARY_LANGUAGE = "Write the summary in the language of the research above."
_SUMMARY_AGAIN = "Provide a 2-3 sentence executive summary of the research above."


def summary_prompt(research: str, repeat_instruction: bool = False) -> str:
    """Return the prompt that asks for the executive summary of a research text.

    `repeat_instruction` puts the instruction after the research as well, for a provider that
    cuts off the front of a long prompt.
    """
    again = f"{_SUMMARY_AGAIN} " if repeat_instruction else ""
    return f"{SUMMARY_INSTRUCTION}{research}\n\n{again}{SUMMARY_LANGUAGE}"


def is_summary_prompt(prompt: str) -> bool:
    """Return whether the prompt asks for an executive summary."""
    return prompt.startswith(SUMMARY_INSTRUCTION)


def shorten_prompt(prompt: str, length: int, repeat_instruction: bool = False) -> str:
    """Return the prompt with its text cut to at most `length` characters at a heading or paragraph.

    A summary prompt keeps its instructions.
    """
    if not is_summary_prompt(prompt):
        return _cut(prompt, length)
    research = prompt.removeprefix(SUMMARY_INSTRUCTION)
    research = research.removesuffix(SUMMARY_LANGUAGE).rstrip().removesuffix(_SUMMARY_AGAIN).rstrip()
    return summary_prompt(_cut(research, length), repeat_instruction)


def _cut(text: str, length: int) -> str:
    """Return the beginning of the text, ending before a heading, or else at a paragraph's end."""
    if len(text) <= length:
        return text
    beginning = text[:length]
    for pattern in (r"\n(?=#{1,6} )", r"\n\s*\n"):
        ends = [match.start() for match in re.finditer(pattern, beginning)]
        if ends and ends[-1] > length // 2:
            return beginning[: ends[-1]]
    return beginning

"""What a prompt of the program asks for, recognised from outside: a stand-in provider has nothing else."""

import re

from models import LLMCallInput, Step, StepKind
from research.llm.prompts import PLAN_INSTRUCTION, SECTION_INSTRUCTION, SUMMARY_INSTRUCTION, Prompt


def is_summary_prompt(prompt: str) -> bool:
    """Return whether the prompt asks for an executive summary."""
    return prompt.startswith(SUMMARY_INSTRUCTION)


def is_plan_prompt(prompt: str) -> bool:
    """Return whether the prompt asks for a plan."""
    return prompt.startswith(PLAN_INSTRUCTION)


def planned_sections(prompt: str) -> int:
    """Return how many sections a plan is asked for; 0 where it is asked for queries alone."""
    found = re.match(rf"{PLAN_INSTRUCTION} on the topic below, in (\d+) sections", prompt)
    return int(found[1]) if found else 0


def section_number(prompt: str) -> int:
    """Return the number of the section that a prompt asks for; 0 for any other prompt."""
    found = re.match(rf"{SECTION_INSTRUCTION}(\d+) of \d+ of a research report", prompt)
    return int(found[1]) if found else 0


def call_for(prompt: Prompt, kind: StepKind) -> LLMCallInput:
    """Return a call with the prompt, as the program makes it."""
    return LLMCallInput(prompt.text, step=Step(kind), material=prompt.material)

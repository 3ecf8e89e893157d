"""The prompts for what a reader wants of a finished report: that it be changed, or an answer."""

from collections.abc import Sequence

from models import PlannedSection, Source
from research.checked import in_brackets
from research.formatting import truncate_json
from research.llm.prompts import (
    MAX_PLAN_BYTES,
    MAX_SECTION_TOPIC_BYTES,
    MAX_SOURCES_BYTES,
    Prompt,
    quote,
    section_line,
    section_prompt,
    with_sources,
)

CHANGES_INSTRUCTION = "Which sections of this research report must change"
ANSWER_INSTRUCTION = "Answer the question below"
QUERY_WORDS = "a few words to search the web for"
MAX_OLD_SECTION_BYTES = 40_000
"""Of a section that is written once more, as JSON."""


def changes_prompt(topic: str, sections: Sequence[PlannedSection], wish: str) -> Prompt:
    """Return the prompt that asks which sections of a finished report a wish concerns."""
    listed = "\n".join(f"{n}. {section_line(section)}" for n, section in enumerate(sections, start=1))
    return Prompt(f"""{CHANGES_INSTRUCTION} for the wish of its reader? Every other section stays as it \
is.

The topic of the report:

{truncate_json(quote(topic), MAX_SECTION_TOPIC_BYTES)}

Its sections:

{truncate_json(listed, MAX_PLAN_BYTES)}

The wish:

{quote(wish)}

Find the section whose title and content are about the wish. Answer with one line for each section that must \
change, in this form, with the section's own number and title:

NUMBER. TITLE: {QUERY_WORDS}""")


def revision_prompt(
    topic: str,
    plan: Sequence[PlannedSection],
    section: PlannedSection,
    text: str,
    wish: str,
    sources: Sequence[Source],
) -> Prompt:
    """Return the prompt that asks for a section of a finished report once more, as a reader wishes."""
    again = f"""

There is a text of your section already:

{quote(truncate_json(in_brackets(text), MAX_OLD_SECTION_BYTES))}

Write the section anew, whole, with this wish of the reader:

{quote(wish)}

Keep of the text what is right and what the wish does not concern, with its citations."""
    return section_prompt(topic, plan, section.number, sources, again)


def answer_prompt(topic: str, question: str, sources: Sequence[Source]) -> Prompt:
    """Return the prompt that asks a question about a finished report, with its sources."""
    asked = f"""{ANSWER_INSTRUCTION} in one to three sentences, from the sources of a research report alone. \
End each sentence with the number of its source in square brackets, as in: Moss has no roots [1]. If the \
sources do not answer the question, write only: The sources do not say.

The topic of the report:

{truncate_json(quote(topic), MAX_SECTION_TOPIC_BYTES)}

The question:

{quote(question)}"""
    return with_sources(asked, sources, MAX_SOURCES_BYTES)

"""The same report of sections as it is usually written first: a loop, one section after the other.

python -m benchmarks.sections_in_a_row TOPIC ID DATABASE      the database is not used
"""

import sys

from benchmarks.plain_temporal import ask_model, summary_prompt, write_pdf
from benchmarks.sections import SECTIONS
from research.llm.prompts import section_prompt, sections_plan_prompt
from research.report.plan import read_plan


def _text(prompt: str) -> str:
    answer: str = ask_model(prompt)["choices"][0]["message"]["content"]
    return answer


def main(topic: str, identity: str, database: str) -> None:
    plan = read_plan(_text(sections_plan_prompt(topic, SECTIONS, False).text))
    texts = [_text(section_prompt(topic, plan, number, ()).text) for number in range(1, len(plan) + 1)]
    summary = _text(summary_prompt("\n\n".join(texts)))
    write_pdf("\n\n".join([summary, *texts]), f"{identity}.pdf")
    print("Done.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

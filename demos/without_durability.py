"""Call the same three steps one after the other, without Temporal, as most scripts do.

    python -m demos.without_durability "A topic"

Kill it after "Research complete!" and run it again: the research is paid again.
"""

import asyncio
import sys

from models import LLMCallInput, PDFGenerationInput, Step, StepKind
from research import config
from research.cli import terminal
from research.llm import client as llm
from research.llm.prompts import summary_prompt
from research.output import storage
from research.output.naming import report_filename
from research.pdf import document


async def main(topic: str) -> None:
    """Research, summarise, write the PDF; all of it is lost when the process dies before the end."""
    settings = config.load()
    research = await llm.complete(LLMCallInput(topic), settings)
    terminal.print_line("Research complete!")
    await asyncio.sleep(2)  # the time to kill it
    step = Step(StepKind.SUMMARY, topic=topic)
    summary = await llm.complete(LLMCallInput(summary_prompt(research.text).text, step=step), settings)
    terminal.print_line("Summary generated!")
    name = report_filename(topic, "without-durability")
    report = PDFGenerationInput(research.text, name, summary.text, topic, research.model)
    pdf = document.render(report, settings.page_size, settings.fonts)
    path = storage.store_report(report, settings, pdf.data)
    terminal.print_line(f"PDF: {path}")


if __name__ == "__main__":
    terminal.prepare_output()
    asyncio.run(main(" ".join(sys.argv[1:]) or "How does durable execution work?"))
    terminal.exit_now(0)

"""Call the same three steps one after the other, without Temporal, as most scripts do.

    python -m demos.without_durability "A topic"

Kill it after "Research complete!" and run it again: the research is paid again.
"""

import asyncio
import sys

from models import PDFGenerationInput
from research import config
from research.llm import client as llm
from research.pdf import document
from research.reports.naming import report_filename

SUMMARY_PROMPT = "Provide a 2-3 sentence executive summary of this research: {research}"


async def main(topic: str) -> None:
    """Research, summarise, write the PDF; all of it is lost when the process dies before the end."""
    settings = config.load()
    research = await llm.complete(topic, settings)
    print("Research complete!", flush=True)
    await asyncio.sleep(2)  # the time to kill it
    summary = await llm.complete(SUMMARY_PROMPT.format(research=research.text), settings)
    print("Summary generated!", flush=True)
    name = report_filename(topic, "without-durability")
    report = PDFGenerationInput(research.text, name, summary.text, topic, research.model)
    written = document.store_report(report, settings, document.render_report(report, settings))
    print(f"PDF: {written.path}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "How does durable execution work?"))

"""The same three steps called one after the other, without Temporal: what most scripts do.

    python -m demos.without_durability "A topic"

Kill it after "Research complete!" and run it again: the research is paid for again.
"""

import asyncio
import sys

from models import PDFGenerationInput
from research import llm, pdf, settings
from research.files import report_filename

SUMMARY_PROMPT = "Provide a 2-3 sentence executive summary of this research: {research}"


async def main(topic: str) -> None:
    """Research, summary, PDF; whatever is not finished when the process dies is lost."""
    config = settings.load()
    research = await llm.complete(topic, config)
    print("Research complete!", flush=True)
    await asyncio.sleep(2)  # the time to kill it
    summary = await llm.complete(SUMMARY_PROMPT.format(research=research.text), config)
    print("Summary generated!", flush=True)
    name = report_filename(topic, "without-durability")
    report = PDFGenerationInput(research.text, name, summary.text, topic, research.model)
    written = pdf.store_report(report, config, pdf.render_report(report, config))
    print(f"PDF: {written.path}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "How does durable execution work?"))

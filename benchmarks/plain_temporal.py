"""The plain Temporal version that is usually written first, as a peer to measure against.

Three Activities as sync functions on a pool of 100 threads, `litellm.completion` with its
defaults, its whole response returned, start-to-close 30 s and no heartbeat, one `Paragraph`
per block of text.

    python -m benchmarks.plain_temporal      serves the task queue "plain"
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "plain"


def ask_model(prompt: str) -> dict[str, Any]:
    import litellm

    response = litellm.completion(
        model=os.environ["LLM_MODEL"],
        api_key=os.environ["LLM_API_KEY"],
        api_base=os.environ["LLM_API_BASE"],
        messages=[{"role": "user", "content": prompt}],
    )
    whole: dict[str, Any] = response.model_dump()
    return whole


def summary_prompt(text: str) -> str:
    return f"Provide a 2-3 sentence executive summary of this research: {text}"


def write_pdf(content: str, filename: str) -> str:
    from xml.sax.saxutils import escape

    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    style = getSampleStyleSheet()["Normal"]
    blocks = [Paragraph(escape(block), style) for block in content.split("\n\n")]
    SimpleDocTemplate(os.path.join(os.environ["REPORTS_DIR"], filename)).build(blocks)  # noqa: PTH118
    return filename


plain_call = activity.defn(name="plain_call")(ask_model)
plain_pdf = activity.defn(name="plain_pdf")(write_pdf)


@workflow.defn
class PlainWorkflow:
    @workflow.run
    async def run(self, prompt: str) -> str:
        options: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=30)}
        research = await workflow.execute_activity(plain_call, prompt, **options)
        text = research["choices"][0]["message"]["content"]
        summary = await workflow.execute_activity(plain_call, summary_prompt(text), **options)
        content = summary["choices"][0]["message"]["content"] + "\n\n" + text
        name = f"{workflow.info().run_id}.pdf"
        return await workflow.execute_activity(plain_pdf, args=[content, name], **options)


async def main() -> None:
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    with ThreadPoolExecutor(100) as pool:
        worker = Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[PlainWorkflow],
            activities=[plain_call, plain_pdf],
            activity_executor=pool,
            max_concurrent_activities=100,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        print("Ready.", flush=True)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main())

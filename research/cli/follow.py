"""Follow one report on the screen until it ends."""

import asyncio
import sys

from temporalio.client import Client, WorkflowFailureError

from models import GenerateReportOutput
from research.cli import listing, live, progress, review_prompt
from research.cli.output import Output
from research.cli.progress import Handle
from research.temporal.client import Service


async def follow(client: Client, service: Service, handle: Handle, output: Output) -> int:
    """Show the report's status until it ends, then its result; return the exit status."""
    link = service.link(handle.id, output.run_id)
    display = live.display(link, output.is_for_scripts)
    if isinstance(display, live.PlainProgress) and link:
        output.print_line(f"Watch it: {link}")
    poller = progress.Poller(client, service, handle)
    result = asyncio.create_task(progress.result(handle))
    can_ask = sys.stdin is not None and sys.stdin.isatty() and not output.is_for_scripts
    reviewing = review_prompt.Reviewing(handle, output)
    while not await _show(display, poller, result, can_ask):
        answer = await reviewing.ask()
        if answer == review_prompt.DETACH:
            result.cancel()
            output.report_started()
            return 0
        if answer == review_prompt.CANCEL:
            await listing.cancel(handle)
    try:
        report = await result
    except WorkflowFailureError as error:
        return output.report_failure(error)
    output.report_done(report)
    return 0


async def _show(
    display: live.PlainProgress | live.LiveProgress,
    poller: progress.Poller,
    result: "asyncio.Task[GenerateReportOutput]",
    can_ask: bool,
) -> bool:
    """Show the report's status until it ends; return False where its plan waits for this person."""
    with display:
        while not result.done():
            status = await poller.poll()
            display.show(status)
            if status.review and can_ask:
                return False
            await asyncio.wait([result], timeout=progress.POLL_SECONDS)
        display.show(await poller.poll())
    return True

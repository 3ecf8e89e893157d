"""Follow one report on the screen until it ends."""

import asyncio

from temporalio.client import Client, WorkflowFailureError

from research.cli import live, progress
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
    with display:
        while not result.done():
            display.show(await poller.poll())
            await asyncio.wait([result], timeout=progress.POLL_SECONDS)
        display.show(await poller.poll())
    try:
        report = await result
    except WorkflowFailureError as error:
        return output.report_failure(error)
    output.report_done(report)
    return 0

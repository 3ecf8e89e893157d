"""What the starter does with a report that was started before: list, follow, review, revise, ask."""

import argparse
from typing import TYPE_CHECKING

from research.cli import listing
from research.cli.output import Output

if TYPE_CHECKING:
    from temporalio.client import Client

    from research.temporal.client import Service


async def act(client: "Client", service: "Service", options: argparse.Namespace, output: Output) -> int:
    """Do the one action that the options name, and return the exit status.

    Raises:
        UserError: there is no such report, or it refuses; the message says why.
    """
    if options.revise or options.ask:
        from research.cli import finished  # here, like the others, because a list needs none of it

        if options.ask:
            return await finished.ask(client, service, tuple(options.ask), output)
        return await finished.revise(client, service, tuple(options.revise), output)
    if options.list:
        output.print_list(await listing.latest(client))
        return 0
    identity = options.attach or options.cancel or options.plan or options.approve
    identity, said = options.change or options.plan_file or (identity, "")
    handle, run_id = await listing.find(client, identity)
    output.set_report(handle.id, run_id)
    if options.attach:
        from research.cli.follow import follow

        return await follow(client, service, handle, output)
    if options.cancel:
        await listing.cancel(handle)
        output.print_line(f"Cancelled: {handle.id}")
        output.emit_result("cancelled", {})
        return 0
    from research.cli import review

    if options.plan:
        review.print_plan(await review.plan_of(handle), output)
    elif options.approve:
        await review.approve(handle, options.revision, output)
    elif options.change:
        await review.change(handle, options.revision, said, output)
    else:
        await review.put(handle, options.revision, said, output)
    return 0

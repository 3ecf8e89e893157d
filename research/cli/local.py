"""What the starter does with a report's files alone: without a service, a worker or a model."""

import argparse

from research.cli import diff, verify


async def act(options: argparse.Namespace) -> int:
    """Do the one action that the options name, and return the exit status.

    Raises:
        UserError: there is no such report; the message says why.
    """
    if options.diff is not None:
        return diff.run(options.diff)
    return await verify.run(options.verify, options.online)

"""`make report`: a worker for as long as one report takes. TOPIC in the environment is the topic."""

import os
import sys

import starter
from demos.processes import start_worker
from research import console, devserver, settings
from research.errors import Fixable


def main() -> int:
    """Start a worker, run the starter, stop the worker; the exit status is the starter's."""
    topic = os.environ.get("TOPIC", "")
    try:
        config = settings.load()
        devserver.ensure_if_default(console.complain)
        console.say(
            f"Model: {config.model}"
            + ("  (no key is set, so this is sample text)" if config.is_sample else "")
        )
        with start_worker():
            sys.argv = [sys.argv[0], *([topic] if topic.strip() else [])]
            return starter.main()
    except Fixable as error:
        console.complain(str(error))
        return error.exit_status
    except TimeoutError as error:
        console.complain(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main())

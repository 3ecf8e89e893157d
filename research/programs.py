"""What a person types to run the two programs: as files of the clone, or as installed commands."""

import sys
from pathlib import Path

_INSTALLED = "research-worker", "research-report"
WORKER, STARTER = (
    _INSTALLED if Path(sys.argv[0]).stem in _INSTALLED else ("python worker.py", "python starter.py")
)

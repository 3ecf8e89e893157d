"""What the demos of a kill share: the service, the settings of their programs, and how they end."""

import os
from collections.abc import Callable

from research import config
from research.cli import signals, terminal
from research.errors import UserError
from research.temporal.client import Service, connect
from testing.processes import Program, ProgramError
from testing.provider import Provider


def run(play: Callable[[], bool]) -> int:
    """Play a demo, which returns whether its claim held, and return the exit status: 0 where it did."""
    try:
        signals.install()
        terminal.prepare_output()  # a demo whose output is closed or full is played to its end all the same
        held = play()
    except UserError as error:
        terminal.print_error(str(error))
        return error.exit_status
    except ProgramError as error:
        terminal.print_error(f"A process did not do what was expected of it:\n{error}")
        return 1
    except KeyboardInterrupt:
        terminal.print_error("\nInterrupted.")
        return signals.end_interrupted()
    terminal.print_line("The claim held." if held else "The claim did NOT hold.")
    return 0 if held else 1


def prepare() -> Service:
    """Return the service, with a namespace of its own: no worker of yours takes these reports."""
    os.environ["TEMPORAL_NAMESPACE"] = "demo"
    _, service = signals.run_async(lambda: connect(config.load(), terminal.print_error))
    return service


def provider_environ(provider: Provider, reports: str) -> dict[str, str]:
    """Return the settings of a worker and a starter that use the stand-in provider."""
    return {
        "LLM_MODEL": "openai/stand-in",
        "LLM_API_KEY": "sk-stand-in-for-a-key",
        "LLM_API_BASE": provider.url,
        "REPORTS_DIR": reports,
    }


def print_result(starter: Program) -> None:
    """Print the report's sentence and its path, as the starter did."""
    for line in (*[line for line in starter.lines if line.startswith("Result:")], starter.lines[-1]):
        terminal.print_line(f"  {line}")

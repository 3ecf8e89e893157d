"""The starter's arguments, and its `--help` with the exit statuses."""

import argparse
from collections.abc import Callable, Iterator
from typing import NoReturn

from research import __version__
from research.cli import terminal
from research.cli.prompt import is_blank
from research.programs import STARTER, WORKER

EXAMPLES = f"""\
examples:
  {STARTER}                          ask for a topic, follow the report
  {STARTER} "Moss" --sections 8      a long report of eight sections
  echo "a topic" | {STARTER} --quiet print the PDF's path alone
  {STARTER} --verify a-report.pdf    is every citation what it was?

exit status: 0 done, 1 failed, 2 something to fix, 3 no Temporal service,
             4 cancelled, 130 Ctrl-C, 143 SIGTERM (the report continues)"""

NEW = ("sections", "sources", "documents", "evidence", "review", "review_for", "then", "pause", "detach")
"""The options of a new report, by their names."""
NO_ID = f"the ID is empty: `{STARTER} --list` shows the latest"


class Parser(argparse.ArgumentParser):
    """Prints an error as one line that is safe for a terminal, and ends the process by `exit_now`."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the arguments, and end the process with exit status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the process with this exit status; standard output may be closed or full."""
        if message:
            terminal.print_error(message.rstrip("\n"))
        terminal.exit_now(status)


def parse() -> argparse.Namespace:
    """Return the options; end the process with one line about arguments that are wrong."""
    parser = Parser(
        description=f"Research a topic and wait for its PDF. A worker must run: {WORKER}",
        epilog=EXAMPLES,
        usage="%(prog)s [topic …] [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("topic", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_report(parser.add_argument_group("a new report").add_argument)
    action = parser.add_argument_group("a report that there is, by its ID or the end of it")
    _add_actions(action.add_mutually_exclusive_group().add_argument)
    action.add_argument("--revision", type=_revision, metavar="N", help="if the plan still is revision N")
    action.add_argument("--online", action="store_true", help="with --verify: fetch the sources' pages again")
    add = parser.add_argument_group("what is printed").add_argument
    add("--open", action="store_true", help="open the PDF at the end")
    add("--quiet", action="store_true", help="print the PDF's path and nothing else")
    add("--json", action="store_true", help="print the result as one JSON object and nothing else")
    options = parser.parse_args()
    if wrong := next(_wrong(parser, options), ""):
        parser.error(wrong)
    options.then = options.then or "approve"
    return options


def _wrong(parser: Parser, options: argparse.Namespace) -> Iterator[str]:
    """Yield what is wrong with options that do not belong together."""
    if is_about_a_report(options) or is_local(options):
        if options.topic:
            yield "a topic starts a new report: give a topic, or an option for a report that there is"
        for name in NEW:
            if getattr(options, name) != parser.get_default(name):
                option = "no-evidence" if name == "evidence" else name.replace("_", "-")
                yield f"--{option} belongs to a new report"
    if any(pair and is_blank(pair[0]) for pair in (options.change, options.plan_file)):
        yield NO_ID
    if options.revision is not None and not (options.approve or options.change or options.plan_file):
        yield "--revision belongs to --approve, --change or --plan-file"
    if options.review_for and not options.review:
        yield "--review-for belongs to --review"
    if options.then and not options.review_for:
        yield "--then belongs to --review-for"
    if options.online and options.verify is None:
        yield "--online belongs to --verify REPORT"


def _add_report(add: Callable[..., object]) -> None:
    add("--sections", type=_sections, default=0, metavar="N", help="a long report: 2 to 20 sections")
    add("--sources", action="store_true", default=None, help="search the web first (also --no-sources)")
    add("--no-sources", dest="sources", action="store_false", default=None, help=argparse.SUPPRESS)
    documents = "write from files, folders, web addresses of yours"
    add("--documents", nargs="+", action="extend", default=[], metavar="PLACE", help=documents)
    add("--no-evidence", dest="evidence", action="store_false", help="judge no statement by its passages")
    add("--review", action="store_true", help="write nothing before you approve the plan")
    add("--review-for", type=_duration, default=0.0, metavar="TIME", help="as long as 3d, 12h, 30m; then …")
    add("--then", choices=("approve", "cancel"), metavar="DO", help="… approve or cancel")
    add("--pause", type=_seconds, default=0.0, metavar="SECONDS", help="a durable pause after the research")
    add("--detach", action="store_true", help="start the report, print its ID, exit")


def _add_actions(add: Callable[..., object]) -> None:
    add("--list", action="store_true", help="the latest reports, and what waits for you")
    add("--attach", type=_report_id, metavar="ID", help="follow it again")
    add("--cancel", type=_report_id, metavar="ID", help="cancel it")
    add("--plan", type=_report_id, metavar="ID", help="its plan, and what the rest will cost")
    add("--approve", type=_report_id, metavar="ID", help="approve its plan")
    add("--change", nargs=2, metavar=("ID", "WISH"), help="have another plan written")
    add("--plan-file", nargs=2, metavar=("ID", "FILE"), help="put a plan of yours there")
    revise = 'another version: "Section 3: more on costs"'
    add("--revise", nargs=2, metavar=("ID", "WISH"), help=revise)
    add("--ask", nargs=2, metavar=("ID", "QUESTION"), help="an answer from its sources")
    add("--diff", metavar="REPORT", help="what a version has changed, by its ID, name or path")
    add("--verify", metavar="REPORT", help="check it against its evidence, by its ID, name or path")


def is_local(options: argparse.Namespace) -> bool:
    """Return whether the options ask for something that needs the report's files alone."""
    return options.verify is not None or options.diff is not None


def is_about_a_report(options: argparse.Namespace) -> bool:
    """Return whether the options ask for something else than a new report."""
    names = ("list", "attach", "cancel", "plan", "approve", "change", "plan_file", "revise", "ask")
    return any(getattr(options, name) for name in names)


def _report_id(text: str) -> str:
    """Return the ID; an empty one is a variable that a script did not set."""
    if is_blank(text):
        raise argparse.ArgumentTypeError(NO_ID)
    return text.strip()


def _sections(text: str) -> int:
    from research.report.plan import MAX_SECTIONS, MIN_SECTIONS

    if not (text.isascii() and text.isdigit() and MIN_SECTIONS <= int(text) <= MAX_SECTIONS):
        bounds = f"from {MIN_SECTIONS} to {MAX_SECTIONS}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of sections {bounds}")
    return int(text)


def _duration(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in units and 0 < int(number) < 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 3d, 12h or 30m")
    return float(int(number) * units[unit])


def _revision(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a revision")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds

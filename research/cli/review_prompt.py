"""The plan of a report in front of its person, at a terminal: shown, edited, changed, approved."""

import asyncio
import sys
from contextlib import suppress

from models import PlannedSection
from research.cli import review, terminal
from research.cli.editor import EditedText
from research.cli.output import Output
from research.cli.progress import POLL_SECONDS, Handle
from research.cli.prompt import is_more_there, said
from research.errors import UserError
from research.messages import PlanReview, PlanStage, PlanState
from research.programs import WORKER
from research.report.plan_markdown import plan_markdown
from research.report.review import MAX_WISH_CHARACTERS

KEYS = "Enter approves it · e edits it · d leaves it waiting · c cancels the report"
WISH = "Anything else is what to change: "
EDIT_HINT = "<!-- A heading for each section, what it covers, and search queries as bullets. -->"
IN_THE_MAKING = "Another plan is being written …"
NO_WORKER = f"No worker answers: start one with `{WORKER}`. Until then the plan waits."
OVER, DETACH, CANCEL = "over", "detach", "cancel"


class Reviewing:
    """One person's review of one report."""

    def __init__(self, handle: Handle, output: Output) -> None:
        self._handle, self._output = handle, output
        self._shown = 0
        """The revision that is on the screen."""
        self._text = EditedText("Your plan", "plan.md")
        self._printed = ""

    async def ask(self) -> str:
        """Show the plan, and do what the person types, until that ends the review: OVER, DETACH or CANCEL.

        Whatever ends it, a text of theirs that was not taken stays in a file, whose path is printed.
        """
        try:
            return await self._ask()
        finally:
            self._text.leave()

    async def _ask(self) -> str:
        while (state := await self._ready()).state == PlanStage.WAITS:
            if state.revision != self._shown:
                _drop_typed()
                terminal.print_line()
                review.print_plan(state, self._output)
                self._shown = state.revision
            if self._text.is_kept:
                terminal.print_error("Your text is kept: e opens it again.")
            terminal.print_line(f"\n{KEYS}")
            typed = await asyncio.to_thread(_typed)
            if typed is None or typed in ("d", "D"):
                return DETACH
            if typed in ("c", "C"):
                return CANCEL
            try:
                await self._say(typed, state)
            except review.NoAnswer:
                self._print_once(NO_WORKER)
            except UserError as error:
                terminal.print_error(str(error))
        return OVER

    async def _ready(self) -> PlanState:
        """Return the plan, when a worker answers and no other one is being written."""
        while True:
            try:
                if (state := await review.plan_of(self._handle)).state != PlanStage.CHANGES:
                    self._printed = ""
                    return state
                self._print_once(IN_THE_MAKING)
            except review.NoAnswer:
                self._print_once(NO_WORKER)
            await asyncio.sleep(POLL_SECONDS)

    def _print_once(self, line: str) -> None:
        """Print why the person waits, unless that was the last thing printed."""
        if line != self._printed:
            terminal.print_line(line)
        self._printed = line

    async def _say(self, typed: str, state: PlanState) -> None:
        """Do what the person has typed about this plan."""
        if not typed:
            await review.send(self._handle, PlanReview(state.revision, approved=True))
        elif typed in ("e", "E"):
            await self._edit(state)
        elif typed.isascii() and " " not in typed:  # a slip, such as "yes", would cost a call of the model
            raise UserError(f"{typed!r} is no key, and a wish has more words than one.")
        else:
            wish = said(typed, "The wish", "what is to change", MAX_WISH_CHARACTERS)
            await review.plan_of(self._handle)  # or the next line would be printed without a worker too
            self._print_once(IN_THE_MAKING)
            await review.send(self._handle, PlanReview(state.revision, wish=wish))
            self._shown = 0  # the same plan is shown again where no other one has come

    async def _edit(self, state: PlanState) -> None:
        """Put what the person makes of the plan in its place; what cannot be taken is kept."""
        text = await self._text.edit(f"{EDIT_HINT}\n\n{plan_markdown(state.plan)}\n")
        plan = review.parsed(text, state, "Your plan")
        if _contents(plan) == _contents(state.plan):
            terminal.print_line("Nothing has changed.")
        else:
            await review.send(self._handle, PlanReview(state.revision, plan=plan))
        self._text.drop()


def _contents(plan: tuple[PlannedSection, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(section.title, section.covers, section.queries) for section in plan]


def _typed() -> str | None:
    """Return what the person types, in one line; None at the input's end. Pasted lines are one wish.

    Not by `input`: where readline is loaded, Ctrl-C in another thread leaves the terminal without echo.
    """
    print(WISH, end="", flush=True)
    lines = [sys.stdin.buffer.readline()]
    while lines[-1] and is_more_there():
        lines.append(sys.stdin.buffer.readline())
    if not lines[0]:
        print(flush=True)
        return None
    return " ".join(b"".join(lines).decode(sys.stdin.encoding, "surrogateescape").split())


def _drop_typed() -> None:
    """Drop what was typed before the plan was on the screen: an Enter would approve it unseen."""
    with suppress(ImportError):
        import termios

        with suppress(termios.error):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)

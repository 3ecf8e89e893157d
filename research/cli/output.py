"""What a run of the starter prints: lines for people, or the result alone for scripts."""

import json
import os
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.cli import signals, terminal
from research.errors import UserError
from research.programs import STARTER

if TYPE_CHECKING:
    from models import GenerateReportOutput
    from research.cli.listing import Row
    from research.cli.progress import Handle


class Output:
    """Prints what a run has to say about one report."""

    def __init__(self) -> None:
        self.set_format(False, False, False)
        self.workflow_id = ""
        self.run_id = ""
        """Empty until the service has accepted the report."""

    def set_format(self, quiet: bool, as_json: bool, opens_pdf: bool) -> None:
        """Print for people, or for scripts with `quiet` or `as_json`; open the PDF or not."""
        self._quiet, self._as_json, self._opens_pdf = quiet, as_json, opens_pdf
        self.is_for_scripts = quiet or as_json

    def set_report(self, workflow_id: str, run_id: str = "") -> None:
        """Name the report that errors, interruptions and results are about."""
        self.workflow_id, self.run_id = workflow_id, run_id

    def print_line(self, line: str) -> None:
        """Print a line for people."""
        if not self.is_for_scripts:
            self._print(line)

    def print_event(self, line: str) -> None:
        """Print on standard error what happens on the way; called from threads too."""
        if not self.is_for_scripts and not signals.was_interrupted():
            terminal.print_error(line)

    def emit_result(self, status: str, result: dict[str, Any], alone: str = "") -> None:
        """Print the result for scripts: one JSON object, or with --quiet `alone`."""
        if self._as_json:
            self._print_json({"status": status, **result})
        elif self._quiet and alone:
            self._print(alone)

    def print_list(self, rows: "list[Row]") -> None:
        """Print the latest reports: a JSON array, or lines for people."""
        if self._as_json:
            terminal.print_line(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=2))
        elif not rows:
            self.print_line("There are no reports yet.")
        for row in () if self._as_json else rows:
            terminal.print_line(row.for_people(terminal.width()))

    def report_accepted(self, handle: "Handle") -> None:
        """Print that the service has accepted a report, which all that follows is about."""
        self.set_report(handle.id, handle.first_execution_run_id or "")
        self.print_line(f"Started workflow. Workflow ID: {handle.id}, RunID {self.run_id}")

    def report_started(self) -> None:
        """Print how to follow a report that was started and is not followed."""
        self.print_line(f"To follow it: {self.attach_command()}")
        self.emit_result("running", {}, self.workflow_id)

    def report_done(self, output: "GenerateReportOutput") -> None:
        """Print the result of a finished report."""
        from dataclasses import asdict

        from research import config
        from research.formatting import format_usage

        self.print_line(f"\n{output.answer}" if output.answer else f"Result: {output.result}")
        for note in output.notes:
            self.print_line(f"Note: {note}")
        self.print_line(f"Bill: {format_usage(output.bill)}")
        if config.is_sample(output.model):
            self.print_line("This is sample text. To fix: set LLM_MODEL and a key in .env for real research.")
        if _is_here(output.path):
            self.print_line(f"{'Answers' if output.answer else 'PDF'}: {output.path}")
        self.emit_result("done", asdict(output), output.answer.strip() or output.path or output.filename)
        if self._opens_pdf:
            _open(output.path)

    def report_failure(self, error: BaseException) -> int:
        """Print why a report ended without a result, and return the exit status."""
        from temporalio.exceptions import CancelledError, TerminatedError

        from research.cli.progress import is_refused, reason

        if isinstance(error.__cause__, (CancelledError, TerminatedError)):
            terminal.print_error("The report was cancelled.")
            self.emit_result("cancelled", {"error": reason(error)})
            return 4
        if is_refused(error):
            self.report_error(reason(error))
            return UserError.exit_status
        terminal.print_error(f"The report failed: {reason(error)}")
        self.emit_result("failed", {"error": reason(error)})
        return 1

    def report_error(self, line: str) -> None:
        """Print what is wrong and how to fix it."""
        terminal.print_error(line)
        if self._as_json:
            with suppress(UserError, BrokenPipeError):  # the error may be that nothing can be written
                self._print_json({"status": "error", "error": line})

    def report_interrupt(self) -> None:
        """Print what became of the report when a signal ended this run."""
        if self.workflow_id:
            state = "continues" if self.run_id else "may have started"
            terminal.print_error(f"\nInterrupted; the report {state}: {self.attach_command()}")
        else:
            terminal.print_error("\nInterrupted; no report was started.")

    def attach_command(self) -> str:
        """Return what to type to follow the report."""
        return f"{STARTER} --attach {terminal.short_id(self.workflow_id)}"

    def _print_json(self, result: dict[str, Any]) -> None:
        identity = {"workflow_id": self.workflow_id, "run_id": self.run_id}
        self._print(json.dumps({**identity, **result}, ensure_ascii=False))

    def _print(self, line: str) -> None:
        try:
            terminal.print_line(line)
        except UserError as error:
            if not self.workflow_id:
                raise
            raise UserError(f"{error} The report is not lost: {self.attach_command()}") from None


def _open(path: str) -> None:
    """Open the PDF with what this machine opens PDFs with; print a line where that is not possible."""
    from research import config

    if "://" in path or not Path(path).is_file():
        terminal.print_error(f"The PDF cannot be opened from here: it is at {path}.")
        return
    for name, value in list(os.environ.items()):  # because the program that opens it would get every key
        if config.load().without_secrets(value) != value:
            del os.environ[name]
    if not webbrowser.open(Path(path).as_uri()):
        terminal.print_error(f"No program here opens PDFs: {path}")


def _is_here(path: str) -> bool:
    """Return whether the file is at an address or on this machine: the worker may be on another."""
    return "://" in path or Path(path).is_file()

"""Options that do not belong together: one line, exit status 2, and nothing is started."""

from pathlib import Path

from testing.processes import run_program

NO_ID = "the ID is empty: `python starter.py --list` shows the latest"


def test_options_that_do_not_belong_together(clone: Path) -> None:
    """A report that there is takes no option of a new one: who asks for a review there is told."""
    for arguments, line in (
        (("--attach", "x", "--sections", "5"), "--sections belongs to a new report"),
        (("--revise", "x", "Section 1: y", "--review"), "--review belongs to a new report"),
        (("--approve", "x", "--no-sources"), "--sources belongs to a new report"),
        (("--verify", "x", "--no-evidence"), "--no-evidence belongs to a new report"),
        (("--list", "--detach"), "--detach belongs to a new report"),
        (("--change", "", "y"), NO_ID),
        (("--plan-file", " ", "y"), NO_ID),
        (("--review-for", "3d", "Moss"), "--review-for belongs to --review"),
        (("--then", "approve", "Moss"), "--then belongs to --review-for"),
        (("--review", "--then", "cancel", "Moss"), "--then belongs to --review-for"),
    ):
        done = run_program("starter.py", *arguments, root=clone, environ={})
        assert (done.returncode, done.stderr) == (2, f"starter.py: {line}\n"), arguments

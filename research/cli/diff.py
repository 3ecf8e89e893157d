"""`python starter.py --diff REPORT`: what a version of a report has changed against the one before."""

from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path

from research import config
from research.cli import terminal
from research.cli.verify import find, load_record
from research.config import Settings
from research.errors import UserError
from research.evidence.record import MakingRecord
from research.markdown.outline import cut_sections
from research.output import folder
from research.output.naming import EVIDENCE, first_name, newest_version, report_name


def run(report: str) -> int:
    """Print what the version has changed: lines that have gone with "-", new ones with "+".

    Raises:
        UserError: there is no such report, or no version before it.
    """
    settings = config.load()
    place, name = find(report, settings)
    made = _made(place, name, settings)
    if not made.revision.before:
        name = _newest(place, name)
        made = _made(place, name, settings)
    before = report_name(made.revision.before)
    terminal.print_line(f"{name}.pdf against {before}.pdf: {made.revision.wish}")
    for line in lines_of(_made(place, before, settings).text, made.text):
        terminal.print_line(line)
    return 0


def lines_of(before: str, after: str) -> Iterator[str]:
    """Yield the lines that say what has changed, section by section, and last the sections that have not."""
    preface, old = cut_sections(before)
    new_preface, new = cut_sections(after)
    unchanged = []
    if new_preface != preface:
        yield from _changed("Before the first section", preface, new_preface)
    for number, cut in enumerate(new, start=1):
        text = old[number - 1].text if number <= len(old) else ""
        if text == cut.text:
            unchanged.append(str(number))
        else:
            yield from _changed(f"Section {number}. {cut.title}".rstrip(". "), text, cut.text)
    yield f"\nUnchanged: {', '.join(unchanged) or 'no section'}"


def _changed(title: str, before: str, after: str) -> Iterator[str]:
    yield f"\n{title}"
    for line in ndiff(before.strip().splitlines(), after.strip().splitlines()):
        if line[:1] in "+-" and line[2:].strip():
            yield line


def _made(place: Path | str, name: str, settings: Settings) -> MakingRecord:
    made = load_record(place, name, settings).making
    if made is None:
        raise UserError(f"{name}{EVIDENCE} was written by a version before 0.9, which recorded no text.")
    return made


def _newest(place: Path | str, name: str) -> str:
    """Return the name of the newest version of a report."""
    newest = report_name(newest_version(name, folder.names(place)))
    if newest == first_name(name):
        raise UserError(f"{newest}.pdf has one version only.")
    return newest

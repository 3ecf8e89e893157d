"""Names of report files, and which names are refused."""

import re
import unicodedata
from collections.abc import Iterable

from research.errors import ErrorKind, StepError

EVIDENCE = ".evidence.json"
"""What the name of a report's evidence file ends in, behind that of its PDF without ".pdf"."""
MAX_SLUG_BYTES = 80
MAX_NAME_BYTES = 255
MAX_READ_CHARACTERS = 10_000
"""Of a topic: the rest is in no name, and the Workflow has two seconds for the whole."""
# Windows reserves these names for devices, whatever extension follows.
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|con(in|out)\$|(com|lpt)[\d¹²³])\s*(\..*)?", re.IGNORECASE)

_VERSION = re.compile(r"-v[1-9]\d{0,3}\Z")


def report_filename(topic: str, run_id: str) -> str:
    """Return the name of a run's PDF: the same on every attempt, at most 98 bytes.

    Letters and digits of any script are kept. The end of the Run ID makes the name unique: its
    beginning is a time, which runs that start together share.
    """
    normal = unicodedata.normalize("NFC", topic[:MAX_READ_CHARACTERS]).casefold()
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in normal)
    slug = "-".join(kept.split())
    if len(slug.encode()) > MAX_SLUG_BYTES:
        cut = slug.encode()[:MAX_SLUG_BYTES].decode("utf-8", "ignore")
        slug = cut[: cut.rindex("-")] if "-" in cut[20:] else cut
    return f"{slug or 'report'}-{run_id.replace('-', '')[-12:]}.pdf"


def version_filename(filename: str, version: int) -> str:
    """Return the name of another version of a PDF, such as `moss-1a2b3c-v2.pdf`."""
    return f"{first_name(filename)}-v{version}.pdf"


def first_name(filename: str) -> str:
    """Return the name of the first version of a PDF, without ".pdf"."""
    return _VERSION.sub("", filename.removesuffix(".pdf"))


def report_name(given: str) -> str:
    """Return the name of a report, which its files share, by that name or the path of one of them."""
    name = given.strip().replace("\\", "/").rpartition("/")[2]
    suffix = next((suffix for suffix in (EVIDENCE, ".pdf", ".md") if name.endswith(suffix)), "")
    return name.removesuffix(suffix)


def next_version(filename: str, names: Iterable[str]) -> int:
    """Return the number of the first version of a PDF that is not among these names of files."""
    there, number = set(names), 2
    while f"{report_name(version_filename(filename, number))}{EVIDENCE}" in there:
        number += 1
    return number


def newest_version(filename: str, names: Iterable[str]) -> str:
    """Return the PDF's name of the newest version of a report that is among these names of files."""
    newest = next_version(filename, names) - 1
    return version_filename(filename, newest) if newest > 1 else f"{first_name(filename)}.pdf"


def require_safe(filename: str) -> None:
    """Refuse a name that is not a plain file name on every platform.

    Raises:
        StepError: a path, a Windows device, a control character, or longer than 255 bytes.
    """
    unsafe = (
        not filename
        or filename[-1] in ". "  # Windows removes them
        or any(c in '/\\:*?"<>|' or unicodedata.category(c) in ("Cc", "Cs") for c in filename)
        or len(filename.encode()) > MAX_NAME_BYTES
        or _WINDOWS_DEVICES.fullmatch(filename)
    )
    if unsafe:
        raise StepError(
            ErrorKind.PERMANENT, f"{filename[:80]!r} cannot name a report: give a plain file name"
        )

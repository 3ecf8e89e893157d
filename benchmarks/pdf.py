"""Markdown to PDF: time, memory and lost words, side by side with other programs.

    python -m benchmarks.pdf [BYTES ...]

Ours against pandoc with typst, WeasyPrint and fpdf2, with the same fonts, page and text size, each
in a new process: time and memory are those of the whole process, its imports included. Some words
of the text occur once; lost are those that pdftotext (else pypdf) does not find. The last row is 38
real reports, one after the other in one process, where they lie beside the checkout.
The peers are in benchmarks/requirements.txt. WeasyPrint also needs Debian's libpango-1.0-0.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.pdf_text import Writer
from research.config import ROOT

LIMIT_SECONDS = 120.0
"""For one text and one contender."""
REPORT_MARK = "\n\f\n"
"""Between two real reports in one file."""
REAL_REPORTS = ROOT.parent / "shared" / "real-reports"
SIZES = [10_000, 100_000, 1_000_000]
FONTS = {
    "FiraGO-Regular": "figo",
    "FiraGO-Bold": "figbo",
    "FiraGO-Italic": "figit",
    "FiraGO-BoldItalic": "figbi",
    "Cascadia-Regular": "cascadia",
    "Cascadia-Bold": "cascadiab",
    "Cascadia-Italic": "cascadiai",
    "Cascadia-BoldItalic": "cascadiabi",
}
"""The files to write and their names in pymupdf_fonts."""


def main(sizes: list[int]) -> None:
    """Print a Markdown table; this process stays small because a child's peak memory counts its parent's."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([sys.executable, "-m", "benchmarks.pdf", "fonts", scratch, ""], check=True)
        print(f"Read back with {'pdftotext' if shutil.which('pdftotext') else 'pypdf'}\n")
        print("| | size | time (s) | memory (MB) | pages | lost tokens |")
        print("|---|---|---|---|---|---|")
        for size in sizes:
            text, tokens = Writer().write(size)
            (folder / "in.md").write_text(text, encoding="utf-8")
            for name in CONTENDERS:
                shown = f"{size / 1e6:g} MB" if size >= 1e6 else f"{size / 1e3:g} kB"
                cells = [name, shown, *_measure(name, folder, tokens)]
                print("| " + " | ".join(cells) + " |", flush=True)
        if REAL_REPORTS.exists():
            reports = [path for path in sorted(REAL_REPORTS.glob("*.md")) if path.name != "README.md"]
            text = REPORT_MARK.join(path.read_text(encoding="utf-8") for path in reports)
            (folder / "in.md").write_text(text, encoding="utf-8")
            cells = [f"ours, {len(reports)} real reports", f"{len(text.encode()) / 1e6:.1f} MB"]
            print("| " + " | ".join([*cells, *_measure("real", folder, [])]) + " |", flush=True)


def _measure(name: str, folder: Path, tokens: list[str]) -> list[str]:
    output, errors = folder / "out.pdf", folder / "errors.txt"
    output.unlink(missing_ok=True)
    with errors.open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pdf", name, folder / "in.md", output],
            stderr=stderr, stdout=stderr, start_new_session=True,
        )  # fmt: skip
        limit = threading.Timer(LIMIT_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        _, status, usage = os.wait4(process.pid, 0)  # the peak of this child and of its children
        took = time.perf_counter() - started
        limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    if took >= LIMIT_SECONDS:
        return [f"more than {LIMIT_SECONDS:.0f} s", f"{memory:.0f}", "", ""]
    if process.returncode or not output.exists():
        return [_reason(errors.read_text(errors="replace"), process.returncode), "", "", ""]
    read = _read(output)
    lost = _lost(read, tokens)
    return [f"{took:.1f}", f"{memory:.0f}", str(read.count("\f")), f"{len(lost)} of {len(tokens)}"]


def _reason(errors: str, code: int) -> str:
    """Why there is no PDF, in one phrase: from the last line of the traceback."""
    last = (errors.strip().splitlines() or [f"exit code {code}"])[-1].replace("|", "/")
    if missing := re.search(r"No module named '([^']+)'|cannot load library '([^']+)'", errors):
        return f"not installed: {missing[1] or missing[2]}"
    return f"crashed: {last[:100]}"


def _read(output: Path) -> str:
    """The text of the PDF, each page closed by a form feed."""
    command = [sys.executable, "-m", "benchmarks.pdf", "read", str(output), "-"]
    if shutil.which("pdftotext"):
        command = ["pdftotext", "-enc", "UTF-8", str(output), "-"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def _lost(read: str, tokens: list[str]) -> list[str]:
    """The tokens that are not in the text, wherever its lines may break."""
    whole = unicodedata.normalize("NFKC", read)
    whole = re.sub(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2066-\u2069]|[-\u2010]\n", "", whole)
    return [token for token in tokens if token not in whole]


# The contenders: each takes the Markdown and the path of the PDF, in its own process.


def _ours(source: Path, output: Path) -> None:
    from models import PDFGenerationInput
    from research.formatting import format_note
    from research.pdf import document

    rendered = document.render(PDFGenerationInput(content=source.read_text(encoding="utf-8")))
    if rendered.warnings:  # a part that was laid out as plain text only
        sys.exit("; ".join(map(format_note, rendered.warnings)))
    output.write_bytes(rendered.data)


def _real(source: Path, output: Path) -> None:
    """Render each report as a document of its own and keep all of them in one PDF."""
    from pypdf import PdfWriter

    from models import PDFGenerationInput
    from research.pdf import document

    together = PdfWriter()
    for content in source.read_text(encoding="utf-8").split(REPORT_MARK):
        together.append(io.BytesIO(document.render(PDFGenerationInput(content)).data))
    together.write(output)


def _pandoc_typst(source: Path, output: Path) -> None:
    pandoc, typst = import_module("pypandoc"), import_module("typst")
    settings = [
        "mainfont=FiraGO", "codefont=Cascadia Mono", "fontsize=10.5pt", "papersize=us-letter",
        "margin-x=72pt", "margin-y=72pt",
    ]  # fmt: skip
    options = [option for setting in settings for option in ("-V", setting)]
    target = output.with_suffix(".typ")
    pandoc.convert_file(
        str(source), "typst", format="gfm", outputfile=str(target), extra_args=["-s", *options]
    )
    typst.compile(str(target), output=str(output), font_paths=[str(output.parent)])


def _weasyprint(source: Path, output: Path) -> None:
    faces = "".join(
        f"@font-face {{font-family: {name.split('-')[0]}; src: url({output.parent.as_uri()}/{name}.ttf);"
        f"font-weight: {'bold' if 'Bold' in name else 'normal'};"
        f"font-style: {'italic' if 'Italic' in name else 'normal'}}}\n"
        for name in FONTS
    )
    style = (
        "@page {size: letter; margin: 72pt} body {font: 10.5pt FiraGO}"
        "pre, code {font-family: Cascadia} pre {white-space: pre-wrap}"
    )
    html = f"<!doctype html><meta charset=utf-8><style>{faces}{style}</style>{_html(source)}"
    import_module("weasyprint").HTML(string=html).write_pdf(str(output))


def _fpdf2(source: Path, output: Path) -> None:
    fpdf = import_module("fpdf")
    document = fpdf.FPDF(unit="pt", format="letter")
    document.set_margin(72)
    document.set_auto_page_break(True, 72)
    for name in FONTS:
        family, face = name.split("-")
        style = ("B" if "Bold" in face else "") + ("I" if "Italic" in face else "")
        document.add_font(family, style, str(output.parent / f"{name}.ttf"))
    document.set_text_shaping(True)
    document.add_page()
    document.set_font("FiraGO", size=10.5)
    code = fpdf.FontFace(family="Cascadia")
    cell = re.compile(r"(<t[dh][^>]*>)(.*?)(</t[dh]>)")
    html = cell.sub(lambda found: found[1] + re.sub("<[^>]+>", "", found[2]) + found[3], _html(source))
    document.write_html(html, font_family="FiraGO", tag_styles={"code": code, "pre": code})
    document.output(str(output))


def _html(source: Path) -> str:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("js-default", {"html": False}).render(source.read_text(encoding="utf-8")))


def _save_fonts(folder: Path, _: Path) -> None:
    import pymupdf_fonts

    for name, key in FONTS.items():
        (folder / f"{name}.ttf").write_bytes(pymupdf_fonts.myfont(key))


def _print_text(source: Path, _: Path) -> None:
    from pypdf import PdfReader

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for page in PdfReader(source).pages:
        print(page.extract_text(), end="\n\f")


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    "ours": _ours,
    "pandoc with typst": _pandoc_typst,
    "WeasyPrint": _weasyprint,
    "fpdf2, plain cells": _fpdf2,
}
ROLES = {**CONTENDERS, "real": _real, "fonts": _save_fonts, "read": _print_text}


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ROLES:
        ROLES[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)

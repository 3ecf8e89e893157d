"""Record the reference pictures of the page, for tests/test_looks.py.

    python -m tests.record_pages

Look at what has changed before you commit it: a change of looks is a decision.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from models import PDFGenerationInput
from research.pdf import document

PAGES = Path(__file__).parent / "pages"
CORPUS = Path(__file__).parent / "corpus"
DPI = 50

REPORTS = {
    name: PDFGenerationInput(
        (CORPUS / f"{name}.md").read_text(encoding="utf-8"), topic=name, date="2026-11-22",
        summary="Tardigrades survive by **drying out**.", model="openai/gpt-4o", bill="3,210 tokens",
    )
    for name in ("en-tardigrades", "de-pflegegeld-lang", "he-mayim", "hi-chandrayaan")
}  # fmt: skip


def pictures(report: PDFGenerationInput) -> list[Path]:
    """The report's pages as PNG files, drawn by poppler; the caller removes their folder."""
    folder = Path(tempfile.mkdtemp())
    (folder / "report.pdf").write_bytes(document.render(report).data)
    command = ["pdftoppm", "-r", str(DPI), "-gray", "-png", "report.pdf", "page"]
    subprocess.run(command, cwd=folder, check=True)
    return sorted(folder.glob("page*.png"))


def main() -> None:
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    for name, report in REPORTS.items():
        pages = pictures(report)
        shutil.copy(pages[0], PAGES / f"{name}.png")
        shutil.rmtree(pages[0].parent)


if __name__ == "__main__":
    main()

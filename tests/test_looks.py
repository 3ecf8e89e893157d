"""What a page looks like, that it is a sound PDF, and that drawing it opens nothing but fonts."""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from pypdf import PdfReader

from models import PDFGenerationInput
from research.config import ROOT
from research.pdf import document
from tests.record_pages import PAGES, REPORTS, pictures

TOLERANCE = 3.0
"""Mean difference of two pictures, of 255: another version of poppler draws edges differently."""

needs_poppler = pytest.mark.skipif(not shutil.which("pdftoppm"), reason="poppler-utils is not installed")
needs_qpdf = pytest.mark.skipif(not shutil.which("qpdf"), reason="qpdf is not installed")
needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def difference(one: Path, other: Path) -> float:
    with Image.open(one) as first, Image.open(other) as second:
        assert first.size == second.size
        return ImageStat.Stat(ImageChops.difference(first.convert("L"), second.convert("L"))).mean[0]


@needs_poppler
@pytest.mark.parametrize("name", REPORTS)
def test_a_page_looks_as_it_was_decided(name: str) -> None:
    pages = pictures(REPORTS[name])
    assert difference(pages[0], PAGES / f"{name}.png") < TOLERANCE
    shutil.rmtree(pages[0].parent)


@needs_poppler
def test_the_comparison_can_fail() -> None:
    assert difference(PAGES / "hi-chandrayaan.png", PAGES / "en-tardigrades.png") > TOLERANCE


@needs_qpdf
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_a_sound_pdf(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(document.render(REPORTS[name]).data)
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    reader = PdfReader(path, strict=True)
    assert reader.metadata
    assert reader.metadata.title == REPORTS[name].content.splitlines()[0].removeprefix("# ")
    assert str(reader.metadata.creation_date).startswith("2026-11-22")
    assert reader.outline


HOSTILE = """
import os
from models import PDFGenerationInput
from research.pdf import document

text = '''![x](/etc/passwd) ![y](file:///etc/shadow) ![z](http://127.0.0.1:9/x.png)
<img src="/etc/hostname"> [a](file:///etc/passwd) \ue123 ```python\\nopen("/etc/group")\\n```'''
document.render(PDFGenerationInput(text, topic=text))
print(os.path.exists("/begin"))
document.render(PDFGenerationInput(text + " And once more.", topic="/etc/issue"))
"""


@pytest.mark.proof
@needs_strace
def test_drawing_opens_nothing_and_asks_nobody(tmp_path: Path) -> None:
    """The first report loads the modules and the fonts; the second needs no file at all."""
    log = tmp_path / "log"
    trace = ["strace", "-f", "-o", str(log), "-e", "trace=open,openat,stat,newfstatat,socket,connect"]
    subprocess.run([*trace, sys.executable, "-c", HOSTILE], cwd=ROOT, check=True)
    before, after = log.read_text().split('"/begin"')
    assert ".ttf" in before or "pymupdf_fonts" in before
    assert not re.findall(r"socket\(.*AF_INET|connect\(", before + after)
    opened = re.findall(r'open(?:at)?\([^"]*"([^"]*)"', after)
    assert [path for path in opened if not path.startswith("/proc/")] == []
    assert "/etc/" not in "".join(opened)


def ink(markdown: str) -> Image.Image:
    """The line of a page on which the text stands: black where there is ink."""
    rendered = document.render(PDFGenerationInput(f"x\n\n{markdown}", topic="Zq"))
    if rendered.warnings:
        pytest.skip("no font here has it")
    corner = ["-x", "0", "-y", "0", "-W", "1000", "-H", "1500"]
    command = ["pdftoppm", "-r", "288", *corner, "-gray", "-png", "-"]
    picture = subprocess.run(command, input=rendered.data, capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(picture)) as page:
        text = page.convert("L").point(lambda value: 255 if value < 140 else 0)
    *_, (top, bottom) = groups(text, 1)[:4]
    return text.crop((0, top, text.width, bottom))


def groups(picture: Image.Image, axis: int) -> list[tuple[int, int]]:
    """Where there is ink along an axis, as pairs of begin and end."""
    length = picture.size[axis]
    found: list[tuple[int, int]] = []
    for at in range(length):
        strip = (at, 0, at + 1, picture.height) if axis == 0 else (0, at, picture.width, at + 1)
        if picture.crop(strip).getbbox():
            begin = found.pop()[0] if found and found[-1][1] == at else at
            found.append((begin, at + 1))
    return found


@needs_poppler
@pytest.mark.parametrize("word", ["成本", "🙂🙃", "한글"])
def test_bold_and_italic_can_be_told_in_a_font_of_the_system(word: str) -> None:
    """By a face of the same family, else by thicker or slanted outlines; the text is copied once."""
    plain, bold = ink(word), ink(f"**{word}**")
    assert ImageStat.Stat(bold).sum[0] > 1.1 * ImageStat.Stat(plain).sum[0]
    assert ink(f"*{word}*").tobytes() != plain.tobytes()
    data = document.render(PDFGenerationInput(f"**{word}**")).data
    assert PdfReader(io.BytesIO(data)).pages[0].extract_text().count(word) == 1


@needs_poppler
def test_keycaps_have_room_for_their_frames() -> None:
    assert len(groups(ink("1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e3"), 0)) == 3

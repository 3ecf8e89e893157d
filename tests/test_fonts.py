"""The fonts of the machine: which are opened, and which of a family's faces draws a text."""

import logging
from pathlib import Path

import pymupdf_fonts
import pytest

from research.pdf import fonts
from research.pdf.system_fonts import SystemFonts

STYLES = {"Regular": "figo", "Bold": "figbo", "Italic": "figit", "BoldItalic": "figbi"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a family of four files, and one that is no font."""
    for style, name in STYLES.items():
        (tmp_path / f"Fira-{style}.ttf").write_bytes(pymupdf_fonts.myfont(name))
    (tmp_path / "Zapf-Broken.ttf").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("bold", "italic", "name"),
    [(False, False, "Regular"), (True, False, "Bold"), (False, True, "Italic"), (True, True, "BoldItalic")],
)
def test_bold_and_italic_are_faces_of_the_same_family(
    bold: bool, italic: bool, name: str, folder: Path
) -> None:
    face = SystemFonts([folder]).face_for("A", bold, italic, "en")
    assert face
    assert (face.name, face.is_bold, face.is_italic) == (f"Fira-{name}", bold, italic)


def test_fonts_are_opened_until_the_first_that_has_the_character(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "research.pdf.system_fonts")
    system = SystemFonts([folder])
    assert system.face_for("A", False, False, "en")
    assert "Zapf-Broken" not in caplog.text
    assert system.face_for("\U000e0fff", False, False, "en") is None
    assert "Zapf-Broken" in caplog.text


def test_a_language_has_its_own_forms_where_a_file_has_several() -> None:
    faces = [fonts.face_for("骨", fonts.TEXT, False, False, language) for language in ("ja", "zh", "zh-Hant")]
    if not faces[0] or not faces[0].family.endswith("JP"):
        pytest.skip("no font here has the forms of several countries")
    assert [face.family[-2:] for face in faces if face] == ["JP", "SC", "TC"]

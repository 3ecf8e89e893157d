"""The fonts of the machine, opened one after the other until the first that has what is looked for."""

import logging
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import uharfbuzz as harfbuzz

from research.pdf.face import Face

log = logging.getLogger(__name__)

_FOLDERS = {
    "darwin": ("~/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"),
    "win32": (r"~\AppData\Local\Microsoft\Windows\Fonts", r"C:\Windows\Fonts"),
}.get(sys.platform, ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts"))
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PLAIN_FACE_LAST = ("bold", "italic", "oblique", "light", "thin", "black", "condensed", "mono")
_REGIONS = {"ja": "JP", "ko": "KR", "zh": "SC", "zh-Hant": "TC"}
"""The last word of a family's name where one file has the forms of several countries."""
_REGULAR_WEIGHT, _BOLD_WEIGHT = 400, 700


class SystemFonts:
    """The faces of preferred places and of the system. Not for two threads at once."""

    def __init__(self, preferred: Sequence[Path]) -> None:
        self.preferred = list(preferred)
        self._files: dict[Path, tuple[Face, ...]] = {}
        self._opened: list[Path] = []
        self._unopened = _font_files(self.preferred)

    def face_for(self, text: str, bold: bool, italic: bool, language: str) -> Face | None:
        """Return the face of the first font that has the text, in the style and language if it can."""
        for path in chain(self._opened, self._open_further()):
            if any(face.has(text) for face in self._faces(path)[:1]):
                return self._variant(path, text, bold, italic, language)
        return None

    def _open_further(self) -> Iterator[Path]:
        for path in filter(self._faces, self._unopened):
            self._opened.append(path)
            yield path

    def _faces(self, path: Path) -> tuple[Face, ...]:
        """Return the faces of a file; none where it cannot be read or embedded."""
        if path not in self._files:
            try:
                blob = harfbuzz.Blob.from_file_path(str(path))
                faces = [Face(path.stem, blob, index) for index in range(harfbuzz.Face(blob).count)]
                self._files[path] = tuple(face for face in faces if face.has_outlines)
            except Exception as error:  # whatever lies in a font folder, the report continues
                log.debug("%s is not used as a font: %r", path, error)
                self._files[path] = ()
        return self._files[path]

    def _variant(self, path: Path, text: str, bold: bool, italic: bool, language: str) -> Face:
        """Return the face of the same family in the language's forms and in the style, or the nearest."""
        faces, region = self._faces(path), _REGIONS.get(language)
        regional = (face for face in faces if region and face.family.endswith(f" {region}"))
        plain = next((face for face in regional if "Mono" not in face.family and face.has(text)), faces[0])
        if not (bold or italic):
            return plain
        beside = chain.from_iterable(map(self._faces, _relatives(path)))
        relatives = [face for face in beside if face.family == plain.family and face.has(text)]
        weight = _BOLD_WEIGHT if bold else _REGULAR_WEIGHT
        return min(
            [plain, *relatives],
            key=lambda face: (face.is_bold != bold, face.is_italic != italic, abs(face.weight - weight)),
        )


def _relatives(path: Path) -> list[Path]:
    """Return the files beside a font that may have its other styles, by the beginning of their names."""
    family = path.stem.split("-")[0].casefold()
    return [file for file in sorted(_below([path.parent])) if file.stem.casefold().startswith(family)]


def _font_files(preferred: Sequence[Path]) -> Iterator[Path]:
    """Yield font files, the preferred ones first, plain faces before bold or narrow ones."""
    for places in (preferred, [Path(folder).expanduser() for folder in _FOLDERS]):
        yield from sorted(_below(places), key=_plain_first)


def _below(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        files = [place] if place.is_file() else place.rglob("*")
        yield from (path for path in files if path.suffix.lower() in _SUFFIXES)


def _plain_first(path: Path) -> tuple[int, str]:
    return sum(word in path.stem.lower() for word in _PLAIN_FACE_LAST), str(path)

"""What the documents name exists: files, tests, settings."""

import re
import shlex
from pathlib import Path

import pytest

from research.config import ROOT

DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "docs").glob("*.md")),
]
TESTS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").glob("test_*.py")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    paths = [*links, *re.findall(r"`((?:research|tests|testing|benchmarks|docs|demos)/[\w./]*)`", text)]
    missing = [path for path in paths if not (ROOT / path).exists() and not (document.parent / path).exists()]
    missing += [name for name in re.findall(r"\btest_\w+\.py", text) if not (ROOT / "tests" / name).exists()]
    missing += [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in TESTS]
    missing += [
        module
        for module in re.findall(r"python -m ([a-z_]+\.[a-z_.]+)", text)
        if not list(ROOT.glob(f"{module.replace('.', '/')}*"))
    ]
    assert missing == []


def test_the_tests_that_contributing_names_are_there(request: pytest.FixtureRequest) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *\.venv/bin/python -m pytest (.+)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        file, *chosen = shlex.split(command)
        assert chosen[::2] in ([], ["-k"])
        module = pytest.Module.from_parent(request.session, path=ROOT / file)
        names = [item.name for item in request.session.genitems(module)]
        assert [name for name in names if "".join(chosen[1:]) in name], command


def test_every_setting_is_in_the_readme_and_read_by_the_program() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    source = (ROOT / "research" / "config.py").read_text(encoding="utf-8")
    assert [name for name in settings if f"`{name}`" not in readme] == []
    table = re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)
    assert [name for name in table if name not in settings or f'"{name}"' not in source] == []

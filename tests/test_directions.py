"""The architecture: imports run one way, `starter.py` stays light, files and functions stay small."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from research.config import ROOT

TOP = ("starter", "worker", "workflow", "activities", "models")
BASE = tuple(
    f"research.{name}"
    for name in ("config", "redaction", "errors", "formatting", "address", "checked", "programs", "messages")
)
DEVELOPMENT = ("testing", "tests", "demos", "benchmarks")
ROOMS = ("cli", "evidence", "llm", "markdown", "output", "pdf", "report", "sample", "sources", "temporal")


def rooms(*allowed: str) -> list[str]:
    """Every room of `research` but those that are allowed."""
    return [f"research.{room}" for room in ROOMS if room not in allowed]


# What a module or package may not import, at its top or inside a function. The longest name applies too.
FORBIDDEN = {
    "worker": (*DEVELOPMENT, "starter"),
    "starter": (*DEVELOPMENT, "worker", "workflow", "activities", "litellm", "reportlab"),
    "workflow": (*DEVELOPMENT, "starter", "worker", "research.cli"),
    "activities": (*DEVELOPMENT, "starter", "worker", "workflow", "research.cli"),
    "research": (*DEVELOPMENT, "starter", "worker", "workflow", "activities"),
    "research.markdown": ("temporalio", "litellm", *rooms("markdown")),
    "research.sources": ("temporalio", *rooms("sources", "markdown", "llm", "sample")),
    "research.evidence": ("temporalio", "litellm", *rooms("evidence", "markdown", "sources", "output")),
    "research.llm": ("temporalio", *rooms("llm", "markdown", "sample")),
    "research.report": (
        "temporalio", "litellm", *rooms("report", "markdown", "sources", "output", "llm", "evidence"),
    ),
    "research.output": ("temporalio", "litellm", *rooms("output", "markdown")),
    "research.pdf": ("temporalio", "litellm", *rooms("pdf", "markdown", "output")),
    "research.temporal": ("litellm", *rooms("temporal")),
    "research.sample": ("temporalio", *rooms("sample")),
    **{name: ("temporalio", *rooms()) for name in BASE},
}  # fmt: skip
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 60
MAX_LINES = {("workflow",): 200, ("models",): 300, ("starter", "worker", "activities"): 500}
"""Of the top-level files, some of them together."""


def product(root: Path) -> Iterator[tuple[str, Path]]:
    """Each module of the product, by its dotted name."""
    for path in [*(root / f"{name}.py" for name in TOP), *sorted((root / "research").rglob("*.py"))]:
        if path.exists():
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def imports(path: Path) -> set[str]:
    """Every name that a file imports; `from a import b` may mean the module `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports are not used here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def wrong_imports(root: Path) -> list[str]:
    """Every import against the direction, as "who imports what"."""
    wrong = []
    for module, path in product(root):
        forbidden = [name for place, names in FORBIDDEN.items() if within(module, place) for name in names]
        for name in sorted(imports(path)):
            foreign = module == "models" and name.partition(".")[0] not in sys.stdlib_module_names
            if foreign or any(within(name, other) for other in forbidden):
                wrong.append(f"{module} imports {name}")
    return wrong


def too_long(root: Path) -> list[str]:
    """Every file and function that is longer than a person reads at once."""
    wrong, top = [], Counter[str]()
    for module, path in product(root):
        source = path.read_text(encoding="utf-8")
        lines = len(source.splitlines())
        top[module] = lines
        if lines > MAX_FILE_LINES:
            wrong.append(f"{module} has {lines} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    wrong.append(f"{module}.{node.name} has {length} lines")
    for files, most in MAX_LINES.items():
        if (together := sum(top[file] for file in files)) > most:
            wrong.append(f"{' and '.join(files)} have {together} lines, not {most}")
    return wrong


def test_imports_run_one_way() -> None:
    assert wrong_imports(ROOT) == []


def test_files_and_functions_are_short() -> None:
    assert too_long(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("models.py", "import temporalio"),
        ("activities.py", "from research.cli import terminal"),
        ("starter.py", "def later():\n    import litellm"),
        ("research/config.py", "from research.llm.errors import ErrorKind"),
        ("research/llm/client.py", "from temporalio import activity"),
        ("research/pdf/fonts.py", "import research.temporal.client"),
        ("research/temporal/client.py", "from research import cli"),
        ("research/cli/live.py", "def later():\n    from workflow import GenerateReportWorkflow"),
    ],
)
def test_a_wrong_import_is_found(file: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"import ast\n{line}\n")
    module = file.removesuffix(".py").replace("/", ".")
    [found] = wrong_imports(tmp_path)
    assert found.startswith(f"{module} imports ")


def test_a_file_and_a_function_that_are_too_long_are_found(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("def serve():\n" + "    pass\n" * MAX_FUNCTION_LINES)
    (tmp_path / "starter.py").write_text("\n" * (MAX_FILE_LINES + 1))
    (tmp_path / "activities.py").write_text("\n" * MAX_FILE_LINES)
    together = MAX_FUNCTION_LINES + 1 + MAX_FILE_LINES + 1 + MAX_FILE_LINES
    assert sorted(too_long(tmp_path)) == [
        f"starter and worker and activities have {together} lines, not 500",
        f"starter has {MAX_FILE_LINES + 1} lines",
        f"worker.serve has {MAX_FUNCTION_LINES + 1} lines",
    ]


OF_A_WORKER = ["litellm", "openai", "reportlab", "workflow", "activities"]
OF_A_WORKER += ["research.llm", "research.evidence", "research.pdf"]


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        ("starter", [*OF_A_WORKER, "temporalio"]),
        ("starter, research.temporal.client, research.cli.follow", [*OF_A_WORKER, "regex"]),
        ("starter, research.temporal.client, research.cli.actions", [*OF_A_WORKER, "rich"]),
        (
            "workflow, research.temporal.client",
            ["litellm", "openai", "reportlab", "markdown_it", "icu", "rich", "babel", "fasttext"],
        ),
    ],
    ids=["before the question", "to follow a report", "to list reports", "before the worker polls"],
)
def test_what_takes_long_is_not_loaded(imported: str, heavy: list[str]) -> None:
    script = f"import sys, {imported}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr

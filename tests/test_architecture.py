"""docs/architecture.md and pyproject.toml say what is so."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from research.config import ROOT
from tests.test_directions import ROOMS, TOP, imports, product

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def part_of(module: str) -> str | None:
    """The room or top-level file of a module; None for what every room may use, and for libraries."""
    first, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    return first if first in TOP else room if first == "research" and room in ROOMS else None


def imported() -> Iterator[tuple[str, str]]:
    """Who imports whom, by rooms; everything may use the models."""
    for module, path in product(ROOT):
        for name in imports(path):
            one, other = part_of(module), part_of(name)
            if one and other and one != other != "models":
                yield one, other


def test_the_picture_shows_the_imports() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = text.partition("```mermaid\n")[2].partition("```")[0]
    shown = {
        (one, other.strip())
        for one, others in re.findall(r"^ *(\w+) --> (.+)$", picture, re.M)
        for other in others.split("&")
    }
    assert sorted(shown) == sorted(set(imported()))


def test_there_is_no_circle() -> None:
    order: dict[str, set[str]] = {}
    for one, other in imported():
        order.setdefault(one, set()).add(other)
    assert [*TopologicalSorter(order).static_order()][-2:] in (["starter", "worker"], ["worker", "starter"])


def test_what_is_installed_is_the_product() -> None:
    """Its modules, its data, and two commands."""
    settings = PROJECT["tool"]["setuptools"]
    assert sorted(settings["py-modules"]) == sorted(TOP)
    for target in PROJECT["project"]["scripts"].values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
    patterns = settings["package-data"]["research"]
    data = {path for pattern in patterns for path in (ROOT / "research").glob(pattern)}
    others = {path for path in (ROOT / "research").rglob("*.*") if path.suffix not in (".py", ".pyc")}
    assert others == data

"""What is public is exported on purpose, and explained."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["abmiddleware", "abmiddleware_django", "abmiddleware_fastapi", "abmiddleware_flask"]
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("name", PACKAGES)
def test_the_exported_names_are_sorted_and_all_there(name: str) -> None:
    """`__all__` is what a package offers: no name is missing, none is there by accident."""
    package = importlib.import_module(name)
    exported: list[str] = getattr(package, "__all__", [])
    found = {
        one
        for one, value in vars(package).items()
        if not one.startswith("_")
        and not isinstance(value, ModuleType)
        and one not in ("TYPE_CHECKING", "annotations")
    }

    assert exported == sorted(set(exported))
    assert all(hasattr(package, one) for one in exported)
    assert found <= set(exported)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(name: str) -> None:
    """A package that loads some names late still refuses the others."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = importlib.import_module(name).nonsense


def undocumented(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield the public classes, functions and methods without a docstring."""
    for node in tree.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        decorators = [ast.unparse(one) for one in node.decorator_list]
        is_explained_elsewhere = "overload" in decorators or f"{node.name}.setter" in decorators
        if node.name.startswith("_") or is_explained_elsewhere:
            continue
        if ast.get_docstring(node) is None:
            yield f"{node.name} (line {node.lineno})"
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{one}" for one in undocumented(node))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_everything_public_is_explained(path: Path) -> None:
    """Every module, public class, function and method says what it is for."""
    tree = ast.parse(path.read_text())

    assert ast.get_docstring(tree) is not None
    assert list(undocumented(tree)) == []

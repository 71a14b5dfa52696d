"""The rooms and who may import whom, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = "abmiddleware"
#: The frameworks that each adapter may import.
ADAPTERS = {
    "abmiddleware_django": {"asgiref", "debug_toolbar", "django", "jinja2"},
    "abmiddleware_fastapi": {"fastapi", "starlette", "jinja2"},
    "abmiddleware_flask": {
        *("blinker", "click", "flask", "flask_debugtoolbar", "flask_login", "werkzeug")
    },
    # A package of its own: every pytest of an environment loads it, and would load the core, too.
    "abmiddleware_pytest": {"pytest"},
}
FRAMEWORKS = {"django", "asgiref", "flask", "werkzeug", "starlette", "fastapi", "pydantic"}
#: The only packages from elsewhere that the core may import.
DEPENDENCIES = {"fnv_hash_fast", "msgspec"}
#: A dependency that one room alone may import.
TELEMETRY = {"abmiddleware.telemetry": {"opentelemetry"}}
#: What extras bring, by the only room that may import it, late or for types.
EXTRAS = {
    **TELEMETRY,
    "abmiddleware.agent": {"dlt", "duckdb", "psycopg2", "pyarrow"},
    "abmiddleware.analysis": {"ibis", "numpy", "rich", "scipy", "statsmodels", "tea_tasting"},
    "abmiddleware.commands": {"rich"},
    "abmiddleware.design": {"scipy"},
    "abmiddleware.evaluation": {"regex"},
    "abmiddleware.exposures": {"confluent_kafka", "opentelemetry"},
    "abmiddleware.openfeature": {"openfeature"},
    "abmiddleware.sources": {"cryptography", "httpx2", "yaml"},
    "abmiddleware.sticky": {"redis", "sqlalchemy"},
}


def modules(package: str) -> dict[str, ast.Module]:
    """Return the modules of a package by their dotted names."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.AST, *, for_types: bool = True) -> Iterator[str]:
    """Yield the dotted names of what a module imports, with or without its type checking."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that a reader sees the room"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node, for_types=for_types)


def top(name: str) -> str:
    return name.partition(".")[0]


ALL = {package: modules(package) for package in (CORE, *ADAPTERS)}
EVERY_MODULE = [(name, tree) for package in ALL.values() for name, tree in package.items()]


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize(("name", "tree"), ALL[CORE].items(), ids=ALL[CORE])
def test_the_core_imports_no_framework_and_no_adapter(name: str, tree: ast.Module) -> None:
    """The core needs nothing but the standard library, its dependencies and a room's extras."""
    foreign = {top(one) for one in imports(tree, for_types=False)} - sys.stdlib_module_names
    extras = {one for room, names in EXTRAS.items() if within(name, room) for one in names}

    assert foreign <= {CORE, "__future__", *DEPENDENCIES, *extras}
    assert not {top(one) for one in imports(tree)} & {*FRAMEWORKS, *ADAPTERS}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_import_the_core_and_their_own_framework_only(adapter: str) -> None:
    """No adapter imports another one or another one's framework."""
    for name, tree in ALL[adapter].items():
        foreign = {top(one) for one in imports(tree)} - sys.stdlib_module_names

        assert foreign <= {CORE, adapter, *ADAPTERS[adapter]}, name


def test_starlette_alone_is_enough_for_the_middleware() -> None:
    """Of the package for Starlette and FastAPI, one module needs FastAPI."""
    needs_fastapi = {
        name
        for name, tree in ALL["abmiddleware_fastapi"].items()
        if "fastapi" in map(top, imports(tree))
    }

    assert needs_fastapi == {"abmiddleware_fastapi.dependencies"}


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("abmiddleware.evaluation", ["abmiddleware.exceptions"]),
        (
            "abmiddleware.exposures",
            [
                "abmiddleware.evaluation",
                "abmiddleware.exceptions",
                "abmiddleware.extras",
                "abmiddleware.notices",
            ],
        ),
        (
            "abmiddleware.design",
            [
                "abmiddleware.evaluation",
                "abmiddleware.exceptions",
                "abmiddleware.sources.yaml_text",
            ],
        ),
        (
            "abmiddleware.analysis",
            [
                "abmiddleware.design",
                "abmiddleware.evaluation",
                "abmiddleware.exceptions",
                "abmiddleware.extras",
            ],
        ),
        (
            "abmiddleware.telemetry",
            [
                "abmiddleware.evaluation",
                "abmiddleware.exceptions",
                "abmiddleware.exposures",
                "abmiddleware.notices",
            ],
        ),
    ],
)
def test_inner_rooms_do_not_know_the_outer_ones(room: str, allowed: list[str]) -> None:
    """Decisions know nothing of records, and records and telemetry nothing of requests."""
    for name, tree in ALL[CORE].items():
        if within(name, room):
            ours = [one for one in imports(tree) if top(one) == CORE]

            assert all(within(one, room, *allowed) for one in ours), name


def test_telemetry_needs_the_api_of_opentelemetry_only() -> None:
    """Neither the SDK nor the conventions' package, which instrumentations pin to one version."""
    api = {"_logs", "baggage", "context", "metrics", "trace"}
    used = {
        one.split(".")[1]
        for name, tree in ALL[CORE].items()
        if within(name, *TELEMETRY)
        for one in imports(tree)
        if top(one) == "opentelemetry"
    }

    assert used <= api


#: What these keep for each thread, it sets anew with each question, so that it decides no other.
PER_THREAD = {
    "abmiddleware.evaluation.patterns.allowance",
    "abmiddleware.evaluation.patterns.budget",
}


def test_decisions_touch_no_clock_disk_network_log_or_chance() -> None:
    """Evaluation is pure: the same question has the same answer, whenever and wherever."""
    impure = {"asyncio", "datetime", "io", "logging", "os", "pathlib", "random", "secrets"}
    impure |= {"socket", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"}
    for name, tree in ALL[CORE].items():
        if within(name, "abmiddleware.evaluation"):
            found = impure & {top(one) for one in imports(tree)}
            if name in PER_THREAD:
                found -= {"threading"}
            assert not found, name
            calls = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert not calls & {"open", "print", "eval", "exec", "input"}, name


def test_no_modules_import_in_a_circle() -> None:
    """Each module can be understood after those that it imports."""
    known = {name for name, _ in EVERY_MODULE}
    graph = {
        name: {
            next(one for one in (used, used.rpartition(".")[0]) if one in known)
            for used in imports(tree, for_types=False)
            if top(used) in ALL
        }
        for name, tree in EVERY_MODULE
    }

    assert set(TopologicalSorter(graph).static_order()) == known


def test_modules_are_named_after_what_they_hold() -> None:
    """No module is a drawer for whatever has no place."""
    drawers = {"base", "common", "core", "helpers", "misc", "shared", "tools", "util", "utils"}

    assert not [name for name, _ in EVERY_MODULE if name.rpartition(".")[2].strip("_") in drawers]


LOADED = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("package", ALL)
def test_a_package_loads_its_own_framework_only(package: str) -> None:
    """With every framework installed, importing all of a package loads only the one it serves."""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-W", "error", "-c", LOADED, package],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    own = ADAPTERS.get(package, set())
    if "fastapi" in own:
        own = {*own, "pydantic"}  # FastAPI is built on it

    loaded = set(done.stdout.split())
    assert loaded & FRAMEWORKS <= own
    needed = set() if package == "abmiddleware_pytest" else {CORE}
    assert loaded & set(ALL) == {*needed, package}

"""The pages of the frameworks: each is a project whose own tests pass."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ["django", "fastapi", "flask", "starlette"]
HEADINGS = [
    "Install",
    "Set up",
    "Run an experiment",
    "Identify the user",
    "Exposures",
    "Caching",
    "Test it",
    "API",
]
#: What each package offers by its own name; FastAPI's page and Starlette's share one.
PACKAGES = {
    "django": "abmiddleware_django",
    "fastapi": "abmiddleware_fastapi",
    "flask": "abmiddleware_flask",
    "starlette": "abmiddleware_fastapi",
}
NEEDS_FASTAPI = {"Experiments", "Variation", "get_experiments"}
FILE = re.compile(r"```(?:python|ini)\n# (\w+\.\w+)\n(.*?)```", re.DOTALL)


def text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_have_the_same_headings(page: str) -> None:
    """Who knows one finds their way in the others."""
    assert re.findall(r"^## (.*)$", text(page), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_of_a_page_pass(page: str, tmp_path: Path) -> None:
    """Its blocks are the files of a project; they warn of nothing."""
    assert len(FILE.findall(text(page))) == len(re.findall(r"```(?:python|ini)\n", text(page)))
    for name, content in FILE.findall(text(page)):
        (tmp_path / name).write_text(content)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "PYTEST"))}
    plugins = ["no:cacheprovider", "no:asyncio"]  # which warns of an option that it wants
    options = ["-q", *(word for plugin in plugins for word in ("-p", plugin))]
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-W", "error", "-m", "pytest", *options],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(DOCS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_the_api_of_a_page_is_all_there_is(page: str) -> None:
    """Each name that is listed can be imported, and each that a package offers is listed."""
    package = PACKAGES[page]
    table = text(page).partition("## API")[2]
    listed = re.findall(r"^\| `([\w.]+)(?:\(\))?` \|", table, re.MULTILINE)
    for name in listed:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
    offered = set(importlib.import_module(package).__all__)
    own = {name.removeprefix(f"{package}.") for name in listed if name.count(".") == 1}
    assert own == offered - (NEEDS_FASTAPI if page == "starlette" else set())


def test_djangos_page_lists_every_check() -> None:
    """By its id, and no other."""
    code = "".join(
        (DOCS.parent / "abmiddleware_django" / f"{name}.py").read_text()
        for name in ("checks", "deploy_checks", "design_checks")
    )

    listed = re.findall(r"^\| `(abmiddleware\.\w+)` \|", text("django"), re.MULTILINE)
    assert listed == sorted(set(re.findall(r"abmiddleware\.[EIW]\d{3}", code)))


def test_the_adapter_is_short() -> None:
    """At most forty lines of code: the core does the rest."""
    code = re.findall(r"```python\n(.*?)```", text("adapter"), re.DOTALL)[0]

    assert len([line for line in code.splitlines() if line.strip()]) <= 40

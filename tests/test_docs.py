"""Every Python block of the documentation, executed page by page."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest

from abmiddleware import Engine
from abmiddleware_django.conf import OPTIONS

DOCS = Path(__file__).parents[1] / "docs"


def test_every_option_is_documented() -> None:
    """The table of options has each argument of the engine, and each key of Django's setting."""
    page = (DOCS / "configuration.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE)

    assert [argument for argument, _ in rows] == list(signature(Engine).parameters)
    assert {key: argument for argument, key in rows} == OPTIONS


#: Pages whose blocks are the files of a project, which other tests run.
PROJECTS = {"decide", "django", "fastapi", "flask", "quickstart", "starlette"}
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page.stem not in PROJECTS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of a page run one after the other, as a reader pastes them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for block in re.finditer(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        line = page.read_text()[: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], str(page), "exec"), names)  # noqa: S102  # our own text


def test_every_page_is_found_from_the_index() -> None:
    """Once, by what it is needed for."""
    index = (DOCS / "README.md").read_text()
    linked = set(re.findall(r"\]\((\w+\.md)\)", index))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{page.name}" for page in sorted(DOCS.glob("*.md")))]
)
def test_every_link_leads_somewhere(page: str) -> None:
    """To a file that is there, and to a heading in it."""
    at = DOCS.parent / page
    for target, heading in re.findall(r"\]\(([\w/.-]+\.md)?(?:#([\w-]+))?\)", at.read_text()):
        there = at.parent / target if target else at
        assert there.exists(), target
        if heading:
            assert heading in _anchors(there), f"{target}#{heading}"


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

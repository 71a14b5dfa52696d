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


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of a page run one after the other, as a reader pastes them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for block in re.finditer(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        line = page.read_text()[: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], str(page), "exec"), names)  # noqa: S102  # our own text

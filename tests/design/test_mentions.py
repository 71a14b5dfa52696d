"""Lint reads the team's code: keys that nobody mentions, and calls of keys that nobody defines."""

from __future__ import annotations

from pathlib import Path

import pytest

from abmiddleware.design.lint.mentions import lint_code, mentions

KNOWN = {"checkout-button", "banner", "page-layout"}


def written(place: Path, name: str, text: str) -> Path:
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_an_experiment_that_no_code_mentions_is_stale(tmp_path: Path) -> None:
    """A key in a constant, a template or a decorator is a mention."""
    written(tmp_path, "views.py", 'KEY = "checkout-button"\n@experiment("banner")\ndef f(): ...\n')
    written(tmp_path, "page.html", "{% ifvariation 'page-layout' '1' %}{% endifvariation %}")

    assert lint_code(tmp_path, KNOWN, KNOWN) == []
    (hit,) = lint_code(tmp_path, {*KNOWN, "old"}, {*KNOWN, "old"})
    assert str(hit) == f"experiments.old: no code in {tmp_path} mentions it (stale)"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("views.py", 'x = 1\nrequest.experiments.run("chekout")\n', 2),
        ("views.py", 'async def page():\n    await request.experiments.arun("chekout")\n', 2),
        ("views.py", 'experiments.value("chekout", 3)\n', 1),
        ("views.py", '@variations("chekout")\ndef page(): ...\n', 1),
        ("page.html", "\n{% variation 'chekout' as layout %}", 2),
        ("page.jinja", "{{ experiments.run('chekout').value }}", 1),
    ],
)
def test_a_call_of_an_unknown_key_is_found_at_its_line(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    """In Python and in templates."""
    path = written(tmp_path, name, text)
    (hit,) = lint_code(tmp_path, KNOWN, ())

    assert (hit.level, hit.path) == ("error", f"{path}:{line}")
    assert hit.problem == "asks for 'chekout', which nothing defines"


@pytest.mark.parametrize(
    "text",
    [
        'subprocess.run("chekout")',
        "experiments.run(key)",
        "experiments.run()",
        'cache.value("chekout")',
        "experiments.run(3)",
        'run("chekout")',
        'factory()("chekout")',
    ],
)
def test_what_is_no_call_of_ours_is_let_be(tmp_path: Path, text: str) -> None:
    """Nor one whose key is not written."""
    written(tmp_path, "views.py", text + "\n")
    assert lint_code(tmp_path, KNOWN, ()) == []


def test_code_that_cannot_be_parsed_is_looked_at_as_text(tmp_path: Path) -> None:
    """Python 2, a template of Python, or no text at all."""
    written(tmp_path, "old.py", 'print "banner"\n')
    (tmp_path / "odd.py").write_bytes(b"\xff\xfe'checkout-button'\0")
    assert {one.key for one in mentions(tmp_path)} >= {"banner", "checkout-button"}
    assert lint_code(tmp_path, KNOWN, {"banner", "checkout-button"}) == []


def test_code_of_others_is_not_looked_at(tmp_path: Path) -> None:
    """Environments, packages and caches."""
    for place in (".venv/lib", "node_modules/x", "lib/site-packages"):
        written(tmp_path, f"{place}/views.py", 'experiments.run("chekout")')
    assert list(mentions(tmp_path)) == []

"""What code asks for: keys that nobody mentions, and calls of keys that nobody knows."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from abmiddleware.design.lint.finding import Finding

#: Directories that hold no code of the team's own.
_FOREIGN: Final = ("node_modules", "__pycache__", "site-packages", "build", "dist")
_TEMPLATES: Final = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".txt")
_ASKING: Final = ("run", "arun", "feature", "afeature", "value", "is_on")
_DECORATORS: Final = ("experiment", "variations")
#: What holds the experiments of a request; `value` and `run` of anything else are not ours.
_HOLDERS: Final = ("experiments", "experiment_client")
_IN_TEMPLATE: Final = re.compile(
    r"{%-?\s*(?:variation|ifvariation)\s+[\"']([^\"']+)[\"']"
    r"|experiments\.(?:run|feature|value|is_on)\(\s*[\"']([^\"']+)[\"']"
)
_TEXT: Final = re.compile(r"[\"']([\w.-]{1,200})[\"']")


class Mention(msgspec.Struct, frozen=True):
    """A key in code, and whether something asks for it there."""

    key: str
    place: str
    is_asked: bool


def mentions(directory: Path) -> Iterator[Mention]:
    """Yield the keys that Python files and templates below a directory mention.

    A file that cannot be parsed is looked at as text.
    """
    for parent, names, files in os.walk(directory):
        names[:] = sorted(one for one in names if one[:1] != "." and one not in _FOREIGN)
        for name in sorted(files):
            path = Path(parent, name)
            if name.endswith(".py"):
                yield from _of_python(path)
            elif name.endswith(_TEMPLATES):
                yield from _of_template(path)


def lint_code(directory: Path, known: Collection[str], running: Collection[str]) -> list[Finding]:
    """Return the experiments that no code mentions, and the calls that ask for unknown keys.

    Args:
        directory: the team's code.
        known: keys of all experiments and features.
        running: keys of the experiments that must be mentioned somewhere.
    """
    found = list(mentions(directory))
    seen = {one.key for one in found}
    stale = [
        Finding("stale", "warning", f"experiments.{key}", f"no code in {directory} mentions it")
        for key in sorted(set(running) - seen)
    ]
    unknown = [
        Finding("unknown", "error", one.place, f"asks for {one.key!r}, which nothing defines")
        for one in found
        if one.is_asked and one.key not in known
    ]
    return stale + unknown


def _of_python(path: Path) -> Iterator[Mention]:
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        for key in _TEXT.findall(text):
            yield Mention(key, str(path), is_asked=False)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (key := _asked(node)) is not None:
            yield Mention(key, f"{path}:{node.lineno}", is_asked=True)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Mention(node.value, f"{path}:{node.lineno}", is_asked=False)


def _asked(call: ast.Call) -> str | None:
    """Return the key that a call asks for, if it is one of ours with a written key."""
    if not call.args or not isinstance(call.args[0], ast.Constant):
        return None
    key, called = call.args[0].value, call.func
    if not isinstance(key, str):
        return None
    if isinstance(called, ast.Name):
        return key if called.id in _DECORATORS else None
    if not isinstance(called, ast.Attribute) or called.attr not in _ASKING:
        return None
    holder = called.value
    name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
    return key if name in _HOLDERS else None


def _of_template(path: Path) -> Iterator[Mention]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        for tag, call in _IN_TEMPLATE.findall(line):
            yield Mention(tag or call, f"{path}:{number}", is_asked=True)

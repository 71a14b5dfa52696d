"""YAML, read as the JSON that it is a nicer way to write.

Only `true`, `false` and `null` (also with capitals), `~` and JSON's numbers are anything but text:
`no`, `on`, `1:30` and `2026-01-01` are what they look like. Aliases are refused, for a few lines
of them can mean billions of values; and so are tags that make anything but JSON values.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, cast

from abmiddleware.exceptions import DocumentError
from abmiddleware.extras import required
from abmiddleware.sources.json_text import MAX_DEPTH

_TAG: Final = "tag:yaml.org,2002:"
#: What a plain scalar must look like to be anything but text, and the characters it begins with.
_PLAIN: Final = (
    ("null", re.compile(r"(?:~|null|Null|NULL)?\Z"), ("~", "n", "N", "")),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), tuple("tTfF")),
    ("int", re.compile(r"-?(?:0|[1-9][0-9]*)\Z"), tuple("-0123456789")),
    (
        "float",
        re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)\Z"),
        tuple("-0123456789"),
    ),
)


def decode_yaml(raw: bytes, path: str) -> object:
    """Return the value of a YAML text.

    Args:
        raw: the text.
        path: what it is, for the error.

    Raises:
        DocumentError: it is no YAML, or of a kind that is refused; tells line and column.
        ConfigurationError: the package pyyaml is missing.
    """
    yaml = required("yaml", "yaml", "File")
    try:
        return yaml.load(raw, Loader=_loader())
    except yaml.YAMLError as error:
        problem = f"{_place(getattr(error, 'problem_mark', None))}{_told(error)}"
    except (ValueError, LookupError, RecursionError) as error:  # from what a tag forces
        problem = str(error)
    raise DocumentError(path, f"is no YAML that can be read: {problem}")


def check_yaml() -> None:
    """See to it that YAML can be read.

    Raises:
        ConfigurationError: the package pyyaml is missing.
    """
    required("yaml", "yaml", "File")


class _JsonOnly:
    """Narrows PyYAML's safe loader, which it is mixed with, to what is also JSON."""

    depth = 0

    def compose_node(self: Any, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if type(event).__name__ == "AliasEvent":
            raise _refusal("an alias is refused, write out what it stands for", event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"is nested deeper than {MAX_DEPTH} levels", event)
        node = super().compose_node(parent, index)  # type: ignore[misc]  # the loader's
        self.depth -= 1
        return node

    def mapping(self: Any, node: Any) -> dict[str, object]:
        if node.id != "mapping":
            raise _refusal("a tag says that this is a mapping", node)
        made: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refusal(f"the key {key!r} is no text, put it in quotes", key_node)
            if key in made:
                raise _refusal(f"the key {key!r} is there twice", key_node)
            made[key] = self.construct_object(value_node, deep=True)
        return made

    def sequence(self: Any, node: Any) -> list[object]:
        made: list[object] = self.construct_sequence(node, deep=True)
        return made

    def integer(self: Any, node: Any) -> int:
        return int(self.construct_scalar(node))

    def number(self: Any, node: Any) -> float:
        return float(self.construct_scalar(node))

    def refused(self: Any, node: Any) -> object:
        raise _refusal(f"the tag {node.tag!r} is refused", node)


@cache
def _loader() -> type[Any]:
    """Return the class that reads YAML; made when it is needed, as its package is optional."""
    safe = required("yaml", "yaml", "File").SafeLoader
    # Of its own, and empty: what the safe loader makes of dates, binary data and so on is left out.
    tables: dict[str, Any] = {"yaml_implicit_resolvers": {}, "yaml_constructors": {}}
    loader: Any = type("Loader", (_JsonOnly, safe), tables)
    makers = {
        "null": safe.construct_yaml_null,
        "bool": safe.construct_yaml_bool,
        "int": loader.integer,
        "float": loader.number,
        "str": safe.construct_yaml_str,
        "seq": loader.sequence,
        "map": loader.mapping,
    }
    for name, maker in makers.items():
        loader.add_constructor(_TAG + name, maker)
    loader.add_constructor(None, loader.refused)
    for name, pattern, begins in _PLAIN:
        loader.add_implicit_resolver(_TAG + name, pattern, list(begins))
    return cast("type[Any]", loader)


def _refusal(problem: str, at: Any) -> ValueError:
    return ValueError(f"{_place(at.start_mark)}{problem}")


def _place(mark: Any) -> str:
    return "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "


def _told(error: Any) -> str:
    """Return what a YAML error says, in one line."""
    return getattr(error, "problem", None) or " ".join(str(error).split())

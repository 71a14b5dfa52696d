"""YAML, read as the JSON that it is a nicer way to write.

Only `true`, `false` and `null` (also with capitals), `~` and JSON's numbers are anything but text:
`no`, `on`, `1:30` and `2026-01-01` are what they look like. Aliases are refused, for a few lines
of them can mean billions of values; and so are tags that make anything but JSON values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from abmiddleware.exceptions import DocumentError
from abmiddleware.extras import required
from abmiddleware.sources.json_text import MAX_DEPTH

_TAG: Final = "tag:yaml.org,2002:"
#: What a plain scalar looks like that is anything but text.
_PLAIN: Final = re.compile(
    "(?P<null>|~|null|Null|NULL)|(?P<bool>true|True|TRUE|false|False|FALSE)"
    "|(?P<int>-?(?:0|[1-9][0-9]*))"
    r"|(?P<float>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))"
)
_BOOLS: Final = {"true": True, "false": False}
#: How to make a scalar, by the name of its tag.
_MAKERS: Final[Mapping[str, Callable[[str], object]]] = {
    "null": lambda _: None,
    "bool": lambda text: _BOOLS[text.lower()],
    "int": int,
    "float": float,
    "str": str,
}


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
    # The parser in C is 25 times as fast as the one in Python, and comes with nearly every PyYAML.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with closing(yaml.parse(raw, Loader=loader)) as events:
            return _document(events)
    except yaml.YAMLError as error:
        problem = f"{_place(getattr(error, 'problem_mark', None))}{_told(error)}"
    except _RefusedError as error:
        problem = str(error)
    raise DocumentError(path, f"is no YAML that can be read: {problem}")


def check_yaml() -> None:
    """See to it that YAML can be read.

    Raises:
        ConfigurationError: the package pyyaml is missing.
    """
    required("yaml", "yaml", "File")


class _RefusedError(Exception):
    """A text is YAML, and means what is refused."""

    def __init__(self, problem: str, at: Any) -> None:
        super().__init__(f"{_place(at.start_mark)}{problem}")


def _document(events: Iterator[Any]) -> object:
    """Build the value of the one document that the events of a parser tell of.

    From them, and not from the nodes that the package would make of them: these take ten times as
    long, and their making would follow any depth.
    """
    made: object = None
    is_first = True
    for event in events:
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            if not is_first:
                raise _RefusedError("another document is refused", event)
            is_first = False
            made = _value(next(events), events, 1)
    return made


def _value(event: Any, events: Iterator[Any], depth: int) -> object:
    """Build the value that begins with an event, and take the events that it consists of."""
    kind = type(event).__name__
    if kind == "ScalarEvent":
        return _scalar(event)
    if kind == "AliasEvent":
        raise _RefusedError("an alias is refused, write out what it stands for", event)
    if depth > MAX_DEPTH:
        raise _RefusedError(f"is nested deeper than {MAX_DEPTH} levels", event)
    if kind == "MappingStartEvent":
        return _mapping(event, events, depth)
    _check_tag(event, "seq")
    made = []
    while type(event := next(events)).__name__ != "SequenceEndEvent":
        made.append(_value(event, events, depth + 1))
    return made


def _mapping(event: Any, events: Iterator[Any], depth: int) -> dict[str, object]:
    _check_tag(event, "map")
    made: dict[str, object] = {}
    while type(event := next(events)).__name__ != "MappingEndEvent":
        key = _value(event, events, depth + 1)
        if not isinstance(key, str):
            raise _RefusedError(f"the key {key!r} is no text, put it in quotes", event)
        if key in made:
            raise _RefusedError(f"the key {key!r} is there twice", event)
        made[key] = _value(next(events), events, depth + 1)
    return made


def _scalar(event: Any) -> object:
    text, tag = event.value, event.tag
    if tag is None:
        # The first of the two tells whether it is plain, and not in quotes.
        plain = _PLAIN.fullmatch(text) if event.implicit[0] else None
        name = (plain.lastgroup if plain else None) or "str"
    else:
        name = tag.removeprefix(_TAG)
        if tag == name or name not in _MAKERS:
            raise _RefusedError(f"the tag {tag!r} is refused", event)
    try:
        return _MAKERS[name](text)
    except (ValueError, LookupError):
        raise _RefusedError(f"{text[:20]!r} is no {name} that can be read", event) from None


def _check_tag(event: Any, name: str) -> None:
    if event.tag not in (None, _TAG + name):
        raise _RefusedError(f"the tag {event.tag!r} is refused", event)


def _place(mark: Any) -> str:
    return "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "


def _told(error: Any) -> str:
    """Return what a YAML error says, in one line."""
    return getattr(error, "problem", None) or " ".join(str(error).split())

"""The metrics and records of a team, from a file or from code."""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from abmiddleware.design.metrics import (
    JOURNAL,
    EventSource,
    Metric,
    check_metric,
    check_name,
    check_source,
)
from abmiddleware.design.record import ExperimentRecord, check_record
from abmiddleware.exceptions import DefinitionError, DocumentError
from abmiddleware.sources.yaml_text import decode_yaml

_AT: Final = re.compile(r" - at `\$\.?(.*)`$")
_UNKNOWN: Final = re.compile(r"unknown field `(.*)`")
_INVALID: Final = re.compile(r"Invalid enum value (.*)")
_TYPE: Final = re.compile(r"Expected `(\w+)[^`]*`, got|Invalid RFC3339 encoded (date)")
#: What msgspec's types are called in files.
_TYPES: Final = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date such as 2026-12-14",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a text in quotes",
}


class Designs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is measured, and what each experiment is to show.

    Raises:
        DefinitionError: a metric or a record cannot be used, if made by `of` or `read`.
    """

    metrics: dict[str, Metric] = {}
    experiments: dict[str, ExperimentRecord] = {}
    sources: dict[str, EventSource] = {}
    #: Days on which people are not as always, by what they are, such as "christmas".
    calendar: dict[str, list[dt.date]] = {}

    @classmethod
    def of(
        cls,
        metrics: Mapping[str, Metric],
        experiments: Mapping[str, ExperimentRecord] | None = None,
        sources: Mapping[str, EventSource] | None = None,
    ) -> Designs:
        """Return designs that were made in code.

        Raises:
            DefinitionError: one cannot be used.
        """
        made = cls(dict(metrics), dict(experiments or {}), dict(sources or {}))
        made.check()
        return made

    def check(self) -> None:
        """Check all parts.

        Raises:
            DefinitionError: one cannot be used; the message tells where, what and the mend.
        """
        for name, source in self.sources.items():
            check_name("sources", name)
            if name == JOURNAL:
                raise DefinitionError("sources.journal", "is there already, must have another name")
            check_source(f"sources.{name}", source)
        for name, metric in self.metrics.items():
            check_name("metrics", name)
            check_metric(f"metrics.{name}", metric, self.sources)
        for name, record in self.experiments.items():
            check_name("experiments", name)
            check_record(f"experiments.{name}", record, self.metrics)


def read_designs(path: str | os.PathLike[str]) -> Designs:
    """Read the designs of a `.toml`, `.yaml`, `.yml` or `.json` file.

    Raises:
        DocumentError: it cannot be read, or has something that nothing reads.
        DefinitionError: a part of it cannot be used.
        OSError: it is not there.
    """
    file = Path(path)
    found = _decoded(file.read_bytes(), file)
    if not isinstance(found, dict):
        raise DocumentError(str(file), "must have tables: [metrics.conversion], for example")
    sections: dict[str, dict[str, Any]] = {}
    for section, parts in found.items():
        if section not in _KINDS:
            raise DocumentError(str(file), f"{section}: is unknown{_nearest(section, _KINDS)}")
        if not isinstance(parts, dict):
            raise DocumentError(str(file), f"{section}: must be a table of parts by their names")
        sections[section] = {
            name: _converted(f"{section}.{name}", part, _KINDS[section], file)
            for name, part in parts.items()
        }
    made = Designs(**sections)
    made.check()
    return made


_KINDS: Final[dict[str, Any]] = {
    "metrics": Metric,
    "experiments": ExperimentRecord,
    "sources": EventSource,
    "calendar": list[dt.date],
}


def _converted(path: str, part: object, kind: Any, file: Path) -> Any:
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        place = _AT.search(message)
        where = f"{path}.{place[1]}".replace(".[", "[") if place and place[1] else path
        text = message[: place.start()] if place else message
        if (unknown := _UNKNOWN.search(text)) is not None:
            where = f"{where}.{unknown[1]}"
            text = f"is unknown{_nearest(unknown[1], kind.__struct_fields__)}"
        elif (invalid := _INVALID.search(text)) is not None:
            text = f"is {invalid[1]}, must be one of {_values(kind, where.rpartition('.')[2])}"
        elif (wrong := _TYPE.search(text)) is not None:
            value = _value_at(part, place[1] if place else "")
            text = f"is {value!r}, must be {_TYPES.get(wrong[1] or wrong[2], wrong[1])}"
        raise DocumentError(str(file), f"{where}: {text}") from None


def _value_at(part: Any, place: str) -> object:
    """Return the value at a place, such as `ids.user` or `goals[0]`."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        part = part[name] if name else part[int(index)]
    return part


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else f", must be one of {', '.join(known)}"


def _values(kind: Any, name: str) -> str:
    """Return the values that a field may have."""
    (field,) = (one for one in msgspec.structs.fields(kind) if one.name == name)
    return ", ".join(map(repr, get_args(field.type)))


def _decoded(raw: bytes, file: Path) -> Any:
    try:
        match file.suffix.lower():
            case ".toml":
                return tomllib.loads(raw.decode("utf-8-sig"))
            case ".yaml" | ".yml":
                return decode_yaml(raw, str(file))
            case ".json":
                return msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise DocumentError(str(file), f"cannot be read: {error}") from None
    raise DocumentError(str(file), "must be a .toml, .yaml, .yml or .json file")

"""GrowthBook's JSON form of experiments and features, read and written without loss.

Fields keep their camelCase names there. What this library has no field for, and defaults that are
written out, are kept in `extra` and written again. Reading never raises: what is malformed is kept
as it is and judged when it is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING as REQUIRED
from dataclasses import Field, fields, replace
from typing import Any, Final, NamedTuple, TypeVar, cast

from abmiddleware.evaluation.definition import MISSING, Definition, Extra, FeatureDefinition
from abmiddleware.evaluation.values import same

R = TypeVar("R", bound=Extra)


class _Part(NamedTuple):
    """One field: its name here, its name in JSON, its default, and the records it lists."""

    name: str
    json: str
    default: object
    entries: type[Extra] | None

    @classmethod
    def of(cls, field: Field[Any]) -> _Part:
        first, *rest = field.name.split("_")
        camel = first + "".join(word.capitalize() for word in rest)
        return cls(
            field.name,
            field.metadata.get("json", camel),
            REQUIRED if field.metadata.get("told") else field.default,
            field.metadata.get("entries"),
        )


#: The fields of each kind of record, once they were asked for.
_KNOWN: Final[dict[type, dict[str, _Part]]] = {}
#: Fields that JSON does not hold.
_PYTHON_ONLY: Final = ("extra", "plan")


def _parts(kind: type) -> dict[str, _Part]:
    """Return the fields of a record by their names in JSON."""
    known = _KNOWN.get(kind)
    if known is None:
        parts = [_Part.of(part) for part in fields(kind) if part.init]
        known = {part.json: part for part in parts if part.json and part.name not in _PYTHON_ONLY}
        _KNOWN[kind] = known
    return known


def read(kind: type[R], document: Mapping[str, object], **given: object) -> R:
    """Read a record, such as an experiment, from its JSON form.

    Args:
        kind: the record's class.
        document: its JSON object.
        given: fields that stand elsewhere, such as the key of a feature.
    """
    parts = _parts(kind)
    told = {part.name: None for part in parts.values() if part.default is REQUIRED} | given
    extra: dict[str, object] = {}
    for name, value in document.items():
        part = parts.get(name)
        if part is None or part.name in given or _is_default(value, part.default):
            extra[name] = value
        else:
            told[part.name] = _value(part, value)
    return kind(extra=extra or None, **cast(Any, told))


def _is_default(value: object, default: object) -> bool:
    """Tell whether a value says what leaving it out says; null does so wherever it is no value."""
    if value is None:
        return default is not MISSING
    return same(value, default)


def _value(part: _Part, value: object) -> object:
    """Read the value of a field: the records that it lists, or as it is."""
    if part.entries is None or not isinstance(value, list):
        return value
    kind = part.entries
    return [read(kind, item) if isinstance(item, dict) else item for item in value]


def write(record: Extra, *, leave_out: tuple[str, ...] = ()) -> dict[str, object]:
    """Write a record in its JSON form, leaving out defaults that were not written out."""
    told = dict(record.extra or {})
    for part in _parts(type(record)).values():
        value = getattr(record, part.name)
        if value is None and part.default is REQUIRED:
            continue
        if value is not part.default and not same(value, part.default):
            told[part.json] = _plain(value)
    return {name: value for name, value in told.items() if name not in leave_out}


def _plain(value: object) -> object:
    if isinstance(value, Extra):
        return write(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def read_experiment(document: Mapping[str, object]) -> Definition[Any]:
    """Read an experiment as GrowthBook's payloads and inline experiments hold it."""
    return read(Definition, document)


def read_feature(key: str, document: Mapping[str, object]) -> FeatureDefinition[Any]:
    """Read a feature as the `features` of a payload hold it by its key."""
    return read(FeatureDefinition, document, key=key)


def write_feature(feature: FeatureDefinition[Any]) -> dict[str, object]:
    """Write a feature as the `features` of a payload hold it."""
    return write(feature, leave_out=("key",))


def overlaid(definition: Definition[Any], fields: Mapping[str, object]) -> Definition[Any]:
    """Lay fields in JSON form over an experiment; null leaves a field as it is."""
    parts = _parts(Definition)
    told = {
        parts[name].name: _value(parts[name], value)
        for name, value in fields.items()
        if name in parts and value is not None
    }
    return replace(definition, **cast(Any, told))

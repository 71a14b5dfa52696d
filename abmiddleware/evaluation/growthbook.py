"""GrowthBook's JSON form of experiments and features, read and written without loss.

Fields keep their camelCase names there. What this library has no field for, and defaults that are
written out, are kept in `extra` and written again. Reading never raises: what is malformed is kept
as it is and judged when it is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING as REQUIRED
from dataclasses import Field, fields, replace
from typing import Any, Final, TypeVar, cast

import msgspec

from abmiddleware.evaluation.definition import MISSING, Definition, Extra, FeatureDefinition
from abmiddleware.evaluation.values import same

R = TypeVar("R", bound=Extra)

#: Fields that JSON does not hold.
_PYTHON_ONLY: Final = ("extra", "plan")


class _Part(msgspec.Struct, frozen=True):
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


class _Form(msgspec.Struct, frozen=True):
    """What the JSON form of a kind of record holds."""

    #: The fields by their names in JSON.
    parts: dict[str, _Part]
    #: The names of those that have no default; what JSON lacks of them is None.
    required: dict[str, object]

    @classmethod
    def of(cls, kind: type) -> _Form:
        parts = [_Part.of(part) for part in fields(kind) if part.init]
        known = {part.json: part for part in parts if part.json and part.name not in _PYTHON_ONLY}
        required = [part.name for part in known.values() if part.default is REQUIRED]
        return cls(known, dict.fromkeys(required))


#: The forms of the kinds that were read or written.
_FORMS: Final[dict[type, _Form]] = {}


def _form(kind: type) -> _Form:
    return _FORMS.get(kind) or _FORMS.setdefault(kind, _Form.of(kind))


def json_fields(kind: type[Extra]) -> Mapping[str, type[Extra] | None]:
    """Return the names of a record's fields in JSON, and of what records each is a list."""
    return {name: part.entries for name, part in _form(kind).parts.items()}


def read(kind: type[R], document: Mapping[str, object], **given: object) -> R:
    """Read a record, such as an experiment, from its JSON form.

    Args:
        kind: the record's class.
        document: its JSON object.
        given: fields that stand elsewhere, such as the key of a feature.
    """
    form = _form(kind)
    parts, told = form.parts, form.required | given
    extra: dict[str, object] = {}
    for name, value in document.items():
        part = parts.get(name)
        if part is None or part.name in given or _is_default(value, part.default):
            extra[name] = value
        else:
            told[part.name] = value if part.entries is None else _entries(part.entries, value)
    return kind(extra=extra or None, **cast(Any, told))


def _is_default(value: object, default: object) -> bool:
    """Tell whether a value says what leaving it out says; null does so wherever it is no value."""
    if value is None:
        return default is not MISSING
    if type(value) is list:
        return not value and default == ()
    return default is not None and same(value, default)


def _entries(kind: type[Extra], value: object) -> object:
    """Read the records of a list; what is none stays as it is."""
    if not isinstance(value, list):
        return value
    return [read(kind, item) if isinstance(item, dict) else item for item in value]


def write(record: Extra, *, leave_out: tuple[str, ...] = ()) -> dict[str, object]:
    """Write a record in its JSON form, leaving out defaults that were not written out."""
    told = dict(record.extra or {})
    for part in _form(type(record)).parts.values():
        if part.name in leave_out:
            continue
        value = getattr(record, part.name)
        if value is None and part.default is REQUIRED:
            continue
        if value is not part.default and not same(value, part.default):
            told[part.json] = _plain(value)
    return told


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
    parts = _form(Definition).parts
    told: dict[str, object] = {}
    for name, value in fields.items():
        part = parts.get(name)
        if part is not None and value is not None:
            told[part.name] = value if part.entries is None else _entries(part.entries, value)
    return replace(definition, **cast(Any, told))

"""Fields that nothing reads, in files that people write by hand: mostly slips of the pen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.definition import (
    Definition,
    Extra,
    FeatureDefinition,
    Filter,
    Prerequisite,
    Rule,
    UrlPattern,
    VariationMeta,
)
from abmiddleware.evaluation.growthbook import json_fields
from abmiddleware.evaluation.payload import SECTIONS

#: What a problem calls the kinds of records.
_NAMES: Final[Mapping[type[Extra], str]] = {
    Definition: "an experiment",
    FeatureDefinition: "a feature",
    Filter: "a filter",
    Prerequisite: "a prerequisite",
    Rule: "a rule",
    UrlPattern: "a URL pattern",
    VariationMeta: "the meta of a variation",
}
#: Fields that GrowthBook or people keep beside those that are evaluated; no slips.
_NOTES: Final = frozenset(
    [
        "active",
        "archived",
        "blockedVariations",
        "changeType",
        "customFields",
        "dateCreated",
        "dateUpdated",
        "description",
        "groups",
        "hypothesis",
        "id",
        "include",
        "key",
        "metadata",
        "name",
        "owner",
        "phase",
        "project",
        "projects",
        "status",
        "tags",
        "title",
        "trackingKey",
        "type",
        "url",
        "valueType",
        "version",
    ]
)


def find_unknown_fields(payload: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the fields of a payload that nothing reads; names that begin with _ are notes.

    Args:
        payload: in GrowthBook's form; what is malformed in it is passed over.
    """
    for name in payload:
        if name not in SECTIONS and (near := get_close_matches(name, SECTIONS, n=1, cutoff=0.8)):
            yield Problem(name, f"is no section, did you mean {near[0]!r}?")
    features, experiments = payload.get("features"), payload.get("experiments")
    if isinstance(features, dict):
        for key, feature in features.items():
            yield from _unknown(FeatureDefinition, feature, f"features.{key}")
    if isinstance(experiments, list):
        for experiment in experiments:
            if isinstance(experiment, dict):
                yield from _unknown(Definition, experiment, f"experiments.{experiment.get('key')}")


def _unknown(kind: type[Extra], record: object, path: str) -> Iterator[Problem]:
    if not isinstance(record, dict):
        return
    known = json_fields(kind)
    for name, value in record.items():
        if name not in known:
            if name not in _NOTES and not name.startswith("_"):
                told = f"is no field of {_NAMES[kind]} and has no effect"
                yield Problem(f"{path}.{name}", told + _meant(name, known))
        elif (entries := known[name]) is not None and isinstance(value, list):
            for index, entry in enumerate(value):
                yield from _unknown(entries, entry, f"{path}.{name}[{index}]")


def _meant(name: str, known: Mapping[str, object]) -> str:
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest)  # as it would be in Python
    near = [camel] if camel in known else get_close_matches(name, known, n=1)
    meant = near[0] if near else ""
    return f", did you mean {meant!r}?" if meant else "; a note of yours may begin with _"

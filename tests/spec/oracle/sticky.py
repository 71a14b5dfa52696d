"""Section 13: sticky bucketing."""

from __future__ import annotations

import json
from typing import Any

from .freedom import free
from .hashing import attribute_name, hash_value
from .state import State
from .values import entries, field, is_number, text, truthy

Json = Any


def is_on(state: State, experiment: Json) -> bool:
    """13.1: a service is attached, and the experiment does not disable it."""
    return state.documents is not None and not truthy(field(experiment, "disableStickyBucketing"))


def value_text(value: Json) -> str:
    """13.2: the text of an attribute's value; JSON for an array or object."""
    if isinstance(value, list | dict):
        free("layout of JSON in a document key")
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text(value)


def document_key(name: str, value: Json) -> str:
    """13.2: the key of a document."""
    return f"{name}||{value_text(value)}"


def version(experiment: Json, name: str) -> int:
    """13.2, 13.3: a bucket version, by default 0."""
    number = field(experiment, name)
    if number is None:
        return 0
    if not is_number(number) or number != int(number):
        free("odd bucket version")
        return 0
    return int(number)


def assignment_key(experiment: Json, number: int) -> str:
    """13.2: experiment key, two underscores, bucket version."""
    return f"{experiment['key']}__{number}"


def assignments_of(state: State, name: Json) -> dict[str, Json]:
    """Return the assignments of the document of an attribute of the user."""
    value = hash_value(name, state.attributes)
    if value is None or state.documents is None:
        return {}
    document = state.documents.get(document_key(attribute_name(name), value))
    return entries(field(document, "assignments"))


def look_up(state: State, experiment: Json) -> tuple[int | None, bool]:
    """13.3: the variation that is found, if any, and whether the user is blocked."""
    # 1
    fallback = field(experiment, "fallbackAttribute")
    assignments = {
        **(assignments_of(state, fallback) if truthy(fallback) else {}),
        **assignments_of(state, field(experiment, "hashAttribute")),
    }
    primary = attribute_name(field(experiment, "hashAttribute"))
    if primary != "id" and not truthy(fallback) and assignments_of(state, "id"):
        free("sticky-id-fallback")
    # 2
    least = version(experiment, "minBucketVersion")
    if any(assignment_key(experiment, number) in assignments for number in range(least)):
        return None, True
    # 3
    assigned = assignments.get(assignment_key(experiment, version(experiment, "bucketVersion")))
    meta = field(experiment, "meta")
    for index, entry in enumerate(meta if isinstance(meta, list) else []):
        if assigned is not None and field(entry, "key") == assigned:
            if index >= len(experiment["variations"]) or not isinstance(assigned, str):
                free("assignment to a variation that is not there")
                return None, False
            if assigned == "":
                free("empty variation key")
            return index, False
    # 4
    return None, False


def save(state: State, experiment: Json, result: dict[str, Json]) -> None:
    """13.4: merge the assignment into the document of the attribute that was used."""
    if state.documents is None:
        return
    name, value = result["hashAttribute"], result["hashValue"]
    key = document_key(name, value)
    before = entries(field(state.documents.get(key), "assignments"))
    current = assignment_key(experiment, version(experiment, "bucketVersion"))
    if before.get(current) != result["key"]:
        state.documents[key] = {
            "attributeName": name,
            "attributeValue": value_text(value),
            "assignments": {**before, current: result["key"]},
        }


def loaded(context: Json, documents: dict[str, Json]) -> dict[str, Json]:
    """13.2: the documents of this user, for the attributes that the payload mentions."""
    state = State(context, documents)
    rules = [rule for feature in state.features.values() for rule in _list(feature, "rules")]
    holders = [
        rule
        for rule in rules
        if field(rule, "variations") is not None or field(rule, "contextualVariations") is not None
    ]
    keys = set()
    for holder in [*holders, *_list(context, "experiments")]:
        for name in (field(holder, "hashAttribute") or "id", field(holder, "fallbackAttribute")):
            value = hash_value(name, state.attributes) if name else None
            if value is not None:
                keys.add(document_key(name, value))
    return {key: document for key, document in documents.items() if key in keys}


def _list(record: Json, name: str) -> list[Json]:
    value = field(record, name)
    return value if isinstance(value, list) else []

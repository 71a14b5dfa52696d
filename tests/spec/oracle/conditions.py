"""Section 6 (and the saved groups of section 23): conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .coercion import compare, compare_versions
from .freedom import free
from .patterns import found
from .values import deeply_equal, entries, is_index, same, text, truthy, type_name

Json = Any

LISTS = {"$or", "$nor", "$and"}


@dataclass(frozen=True)
class Groups:
    """The saved groups, and the ids of those that are being resolved (23)."""

    entries: dict[str, Json] = field(default_factory=dict)
    open: frozenset[str] = frozenset()


def eval_condition(condition: Json, attributes: Json, saved_groups: Json = None) -> bool:
    """6: test a condition; a malformed one fails as a whole (19)."""
    try:
        if malformed(condition):
            return False
        return passes(condition, attributes, Groups(entries(saved_groups)))
    except RecursionError:
        return False


def is_operators(c: Json) -> bool:
    """6.3 step 1: an object whose keys all start with `$`, also the empty one."""
    return isinstance(c, dict) and all(name.startswith("$") for name in c)


def malformed(condition: Json) -> bool:
    """19: no object where a condition belongs, no list where a list of conditions belongs."""
    if not isinstance(condition, dict):
        return True
    for name, inner in condition.items():
        if name in LISTS:
            wrong = not isinstance(inner, list) or any(map(malformed, inner))
        elif name == "$not":
            wrong = malformed(inner)
        else:
            wrong = name != "$savedGroup" and malformed_value(inner)
        if wrong:
            return True
    return False


def malformed_value(c: Json) -> bool:
    """19: the same for what stands behind a path."""
    if not is_operators(c):
        return False
    for name, inner in c.items():
        if name in {"$not", "$size"}:
            wrong = malformed_value(inner)
        elif name in {"$all", "$alli"}:
            wrong = isinstance(inner, list) and any(map(malformed_value, inner))
        else:
            elements = name == "$elemMatch" and isinstance(inner, dict)
            wrong = elements and (
                malformed_value(inner) if is_operators(inner) else malformed(inner)
            )
        if wrong:
            return True
    return False


def passes(condition: dict[str, Json], subject: Json, groups: Groups) -> bool:
    """6.1: all entries must pass."""
    return all(_entry(name, inner, subject, groups) for name, inner in condition.items())


def _entry(name: str, inner: Json, subject: Json, groups: Groups) -> bool:
    if name in {"$or", "$nor"}:
        some = not inner or any(passes(each, subject, groups) for each in inner)
        return some if name == "$or" else not some
    if name == "$and":
        return all(passes(each, subject, groups) for each in inner)
    if name == "$not":
        return not passes(inner, subject, groups)
    if name == "$savedGroup":
        return in_saved_group(inner, subject, groups)
    if name == "$savedGroups":
        free("saved-group-ref")
    return value_passes(at_path(subject, name), inner, groups)


def at_path(subject: Json, path: str) -> Json:
    """6.2: what is not there is null."""
    for name in path.split("."):
        if isinstance(subject, dict):
            subject = subject.get(name)
        elif isinstance(subject, list) and name == "length":
            subject = len(subject)
        elif isinstance(subject, list) and is_index(name) and int(name) < len(subject):
            subject = subject[int(name)]
        else:
            return None
    return subject


def value_passes(v: Json, c: Json, groups: Groups) -> bool:
    """6.3: a value against a path's condition."""
    # 1
    if is_operators(c):
        return all(_operator(name, v, argument, groups) for name, argument in c.items())
    # 2
    if c is None:
        return v is None
    # 3
    return deeply_equal(v, c)


def _operator(name: str, v: Json, argument: Json, groups: Groups) -> bool:
    if name in SIMPLE:
        return SIMPLE[name](v, argument)
    if name == "$not":
        return not value_passes(v, argument, groups)
    if name in {"$inGroup", "$notInGroup"}:
        members = group_list(argument, groups)
        return members is not None and is_in(v, members) is (name == "$inGroup")
    if not isinstance(v, list):
        # An unknown operator fails, and so do those for arrays.
        return False
    if name == "$size":
        return value_passes(len(v), argument, groups)
    if name in {"$all", "$alli"}:
        some = _some_ignoring_case if name == "$alli" else _some
        return isinstance(argument, list) and all(some(v, c, groups) for c in argument)
    return name == "$elemMatch" and _element_matches(v, argument, groups)


def _some(v: list[Json], c: Json, groups: Groups) -> bool:
    return any(value_passes(element, c, groups) for element in v)


def _some_ignoring_case(v: list[Json], c: Json, groups: Groups) -> bool:
    if not isinstance(c, str):
        return _some(v, c, groups)
    if not all(isinstance(element, str) for element in v):
        free("alli-nonstring")
    return any(isinstance(element, str) and element.lower() == c.lower() for element in v)


def _element_matches(v: list[Json], c: Json, groups: Groups) -> bool:
    if not isinstance(c, dict):
        free("$elemMatch without an object")
        return False
    test = value_passes if is_operators(c) else _element_condition
    return any(test(element, c, groups) for element in v if element is not None)


def _element_condition(element: Json, c: Json, groups: Groups) -> bool:
    return passes(c, element, groups)


# 6.4 to 6.8: the operators that need nothing but the value and their argument.


def _exists(v: Json, argument: Json) -> bool:
    return (v is not None) is truthy(argument)


def _ordered(accepts: Callable[[int], bool]) -> Callable[[Json, Json], bool]:
    def test(v: Json, argument: Json) -> bool:
        order = compare(v, argument)
        return order is not None and accepts(order)

    return test


def _version(accepts: Callable[[int], bool]) -> Callable[[Json, Json], bool]:
    return lambda v, argument: accepts(compare_versions(v, argument))


def is_in(v: Json, members: Iterable[Json]) -> bool:
    """6.7: a value, or at least one element of an array, is in a list."""
    members = list(members)
    values = v if isinstance(v, list) else [v]
    return any(same(value, member) for value in values for member in members)


def _lower(value: Json) -> Json:
    if isinstance(value, list):
        return [_lower(element) for element in value]
    return value.lower() if isinstance(value, str) else value


def _is_in_ignoring_case(v: Json, members: Json) -> bool:
    return is_in(_lower(v), _lower(members))


def _listed(
    test: Callable[[Json, Json], bool], wanted: bool = True
) -> Callable[[Json, Json], bool]:
    return lambda v, argument: isinstance(argument, list) and test(v, argument) is wanted


def _found(pattern: Json, subject: str, ignore_case: bool) -> bool | None:
    if not isinstance(pattern, str):
        free("pattern that is not a string")
    return found(pattern, subject, ignore_case=ignore_case)


def _matches(ignore_case: bool) -> Callable[[Json, Json], bool]:
    return lambda v, pattern: _found(pattern, text(v), ignore_case) is True


def _matches_not(ignore_case: bool) -> Callable[[Json, Json], bool]:
    def test(v: Json, pattern: Json) -> bool:
        return not isinstance(v, str) or _found(pattern, v, ignore_case) is not True

    return test


SIMPLE: dict[str, Callable[[Json, Json], bool]] = {
    "$eq": same,
    "$ne": lambda v, argument: not same(v, argument),
    "$exists": _exists,
    "$type": lambda v, argument: isinstance(argument, str) and type_name(v) == argument,
    "$lt": _ordered(lambda order: order < 0),
    "$lte": _ordered(lambda order: order <= 0),
    "$gt": _ordered(lambda order: order > 0),
    "$gte": _ordered(lambda order: order >= 0),
    "$veq": _version(lambda order: order == 0),
    "$vne": _version(lambda order: order != 0),
    "$vlt": _version(lambda order: order < 0),
    "$vlte": _version(lambda order: order <= 0),
    "$vgt": _version(lambda order: order > 0),
    "$vgte": _version(lambda order: order >= 0),
    "$in": _listed(is_in),
    "$nin": _listed(is_in, wanted=False),
    "$ini": _listed(_is_in_ignoring_case),
    "$nini": _listed(_is_in_ignoring_case, wanted=False),
    "$regex": _matches(False),
    "$regexi": _matches(True),
    "$notRegex": _matches_not(False),
    "$notRegexi": _matches_not(True),
}


# 6.7 and 23: saved groups.


def group_list(name: Json, groups: Groups) -> list[Json] | None:
    """6.7, 23: the list of a group; null for an entry that has none."""
    if not isinstance(name, str):
        free("group-arg")
        return None
    if name not in groups.entries:
        return []
    group = groups.entries[name]
    if isinstance(group, dict) and group.get("type") == "list":
        group = group.get("values")
    return group if isinstance(group, list) else None


def in_saved_group(reference: Json, subject: Json, groups: Groups) -> bool:
    """23: a reference to a typed saved group."""
    name = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(name, str):
        return False
    group = groups.entries.get(name)
    if isinstance(group, list):
        free("reference to a group without a type")
        return False
    if not isinstance(group, dict) or name in groups.open:
        return False
    if group.get("type") == "condition":
        condition = group.get("condition")
        inside = replace(groups, open=groups.open | {name})
        return isinstance(condition, dict) and (
            not malformed(condition) and passes(condition, subject, inside)
        )
    values, key = group.get("values"), reference.get("attributeKey") or group.get("attributeKey")
    if group.get("type") != "list" or not isinstance(values, list) or not isinstance(key, str):
        return False
    if "." in key:
        free("path as the attribute of a group")
    return is_in(at_path(subject, key), values)

"""What a definition in code must be; a mistake raises where it is made, not in a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from abmiddleware.evaluation.buckets import sums_to_one
from abmiddleware.evaluation.definition import (
    MISSING,
    Definition,
    FeatureDefinition,
    Filter,
    Prerequisite,
    Rule,
    UrlPattern,
    VariationMeta,
    experiment_of,
)
from abmiddleware.evaluation.hashing import BUCKETS
from abmiddleware.evaluation.values import is_number, shown
from abmiddleware.exceptions import DefinitionError

#: Experiment keys become parts of span attributes and file names.
KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY_FORM: Final = "1 to 64 characters of A-Z a-z 0-9 _ . and -"
#: A feature's key stands in records, not in names.
FEATURE_KEY: Final = re.compile(r"\S.{0,255}", re.DOTALL)
STATUSES: Final = ("draft", "running", "stopped")
#: Ranges that were added up from shares may overlap by what doubles round.
_ROUNDING: Final = 1e-9


def check_definition(definition: Definition[Any]) -> None:
    """Raise the first mistake in a definition.

    Raises:
        DefinitionError: names the place, the value and the mend.
    """
    key = definition.key
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise DefinitionError("key", f"is {shown(key)}, must be {_KEY_FORM}")
    count = _check_variations(f"{key}.variations", definition.variations)
    _check_weights(f"{key}.weights", definition.weights, count)
    _check_share(f"{key}.coverage", definition.coverage)
    _check_hash(definition)
    _check_namespace(f"{key}.namespace", definition.namespace)
    if definition.ranges is not None:
        _check_ranges(f"{key}.ranges", definition.ranges)
        _check_length(f"{key}.ranges", definition.ranges, count)
        _check_overlaps(f"{key}.ranges", definition.ranges)
    _check_filters(f"{key}.filters", definition.filters)
    _check_ignored(definition)
    _check_meta(f"{key}.meta", definition.meta, count)
    _check_force(f"{key}.force", definition.force, count)
    _check_prerequisites(f"{key}.prerequisites", definition.prerequisites)
    _check_url_patterns(f"{key}.url_patterns", definition.url_patterns)
    _check_sticky(key, definition)
    for name in ("active", "persist_query_string", "manual"):
        _check_flag(f"{key}.{name}", getattr(definition, name))
    for name in ("name", "change_id", "url"):
        _check_string(f"{key}.{name}", getattr(definition, name))
    _check_one_of(f"{key}.status", definition.status, STATUSES)
    _check_phase(f"{key}.phase", definition.phase)
    _check_groups(f"{key}.groups", definition.groups)
    if definition.include is not None and not callable(definition.include):
        raise DefinitionError(
            f"{key}.include", f"is {shown(definition.include)}, must be a function"
        )


def check_feature(feature: FeatureDefinition[Any]) -> None:
    """Raise the first mistake in a feature.

    Raises:
        DefinitionError: names the place, the value and the mend.
    """
    key = feature.key
    if not isinstance(key, str) or not FEATURE_KEY.fullmatch(key):
        raise DefinitionError(
            "key", f"is {shown(key)}, must be 1 to 256 characters, the first no space"
        )
    _check_list(f"{key}.rules", feature.rules)
    for index, rule in enumerate(feature.rules):
        path = f"{key}.rules[{index}]"
        if not isinstance(rule, Rule):
            raise DefinitionError(path, f"is {shown(rule)}, must be a Rule")
        _check_rule(path, rule, key)


#: What a rule that forces a value does not read, though it would keep units out.
_OF_EXPERIMENTS: Final = ("namespace", "ranges", "weights")


def _check_rule(path: str, rule: Rule[Any], feature_key: str) -> None:
    _check_string(f"{path}.id", rule.id)
    _check_prerequisites(f"{path}.prerequisites", rule.prerequisites)
    if rule.key and not (isinstance(rule.key, str) and KEY.fullmatch(rule.key)):
        raise DefinitionError(f"{path}.key", f"is {shown(rule.key)}, must be {_KEY_FORM}")
    experiment = experiment_of(rule, feature_key)
    if rule.force is MISSING and experiment is None:
        if not rule.prerequisites:
            raise DefinitionError(path, "has neither force nor variations, must have one of them")
        return
    if rule.force is not MISSING and experiment is not None:
        given = "variations" if rule.contextual_variations is None else "contextual_variations"
        raise DefinitionError(f"{path}.{given}", "are ignored beside force, must be left out")
    if experiment is not None:
        if rule.range is not None:
            told = "is ignored beside variations, must be left out; give coverage or ranges"
            raise DefinitionError(f"{path}.range", told)
        _check_experiment_of(path, experiment)
        return
    _check_forced(path, rule)


def _check_forced(path: str, rule: Rule[Any]) -> None:
    """Check a rule that forces a value, or gives none."""
    for name in _OF_EXPERIMENTS:
        if getattr(rule, name) is not None:
            told = "is ignored beside force, must be left out; give coverage, range or filters"
            raise DefinitionError(f"{path}.{name}", told)
    if rule.coverage is not None:
        _check_share(f"{path}.coverage", rule.coverage)
    if rule.range is not None:
        _check_range(f"{path}.range", rule.range)
        if rule.coverage is not None:
            raise DefinitionError(f"{path}.coverage", "is replaced by range, must be left out")
    _check_attribute(f"{path}.hash_attribute", rule.hash_attribute)
    _check_version(f"{path}.hash_version", rule.hash_version)
    _check_string(f"{path}.seed", rule.seed)
    _check_filters(f"{path}.filters", rule.filters)
    _check_string(f"{path}.fallback_attribute", rule.fallback_attribute)
    _check_flag(f"{path}.disable_sticky_bucketing", rule.disable_sticky_bucketing)


def _check_experiment_of(path: str, experiment: Definition[Any]) -> None:
    """Check the experiment of a rule, and name the rule as the place of a mistake."""
    try:
        check_definition(experiment)
    except DefinitionError as error:
        place = error.path.removeprefix(experiment.key).removeprefix(".")
        raise DefinitionError(f"{path}.{place}", error.problem) from None


def _check_sticky(key: str, definition: Definition[Any]) -> None:
    _check_string(f"{key}.fallback_attribute", definition.fallback_attribute)
    _check_flag(f"{key}.disable_sticky_bucketing", definition.disable_sticky_bucketing)
    _check_number(f"{key}.bucket_version", definition.bucket_version)
    _check_number(f"{key}.min_bucket_version", definition.min_bucket_version)
    if definition.min_bucket_version > definition.bucket_version:
        raise DefinitionError(
            f"{key}.min_bucket_version",
            f"is {definition.min_bucket_version} and keeps out whom bucket_version "
            f"{definition.bucket_version} lets in, must not be above it",
        )


def _check_phase(path: str, phase: object) -> None:
    """Take a number, or its text, as GrowthBook writes it."""
    if not (isinstance(phase, str) and phase.isascii() and phase.isdigit()):
        _check_number(path, phase)


def _check_number(path: str, number: object) -> None:
    if type(number) is not int or number < 0:
        raise DefinitionError(path, f"is {shown(number)}, must be 0 or more")


def _check_one_of(path: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise DefinitionError(path, f"is {shown(value)}, must be one of {', '.join(known)}")


def _check_prerequisites(path: str, prerequisites: object) -> None:
    if prerequisites is None:
        return
    _check_list(path, prerequisites)
    for index, entry in enumerate(prerequisites):  # type: ignore[arg-type,var-annotated]  # a list
        if not isinstance(entry, Prerequisite):
            raise DefinitionError(f"{path}[{index}]", f"is {shown(entry)}, must be a Prerequisite")
        if not isinstance(entry.feature, str) or not entry.feature:
            raise DefinitionError(
                f"{path}[{index}].feature", f"is {shown(entry.feature)}, must be a feature's key"
            )
        _check_flag(f"{path}[{index}].gate", entry.gate)


def _check_url_patterns(path: str, patterns: object) -> None:
    if patterns is None:
        return
    _check_list(path, patterns)
    if not patterns:
        raise DefinitionError(path, "is empty and so matches no page, must have a pattern")
    for index, entry in enumerate(patterns):  # type: ignore[arg-type,var-annotated]  # it is a list
        if not isinstance(entry, UrlPattern):
            raise DefinitionError(f"{path}[{index}]", f"is {shown(entry)}, must be a UrlPattern")
        _check_string(f"{path}[{index}].pattern", entry.pattern)
        _check_one_of(f"{path}[{index}].type", entry.type, ("simple", "regex"))
        _check_flag(f"{path}[{index}].include", entry.include)


def _check_groups(path: str, groups: object) -> None:
    if groups is None:
        return
    _check_list(path, groups)
    for index, group in enumerate(groups):  # type: ignore[arg-type,var-annotated]  # it is a list
        _check_string(f"{path}[{index}]", group)


def _check_variations(path: str, variations: object) -> int:
    if isinstance(variations, (str, bytes)) or not isinstance(variations, Sequence):
        raise DefinitionError(path, f"is {shown(variations)}, must be a list of values")
    if len(variations) < 2:
        raise DefinitionError(
            path, f"has {len(variations)}, must have at least two: a control and a treatment"
        )
    return len(variations)


def _check_length(path: str, values: Sequence[object], count: int) -> None:
    if len(values) != count:
        raise DefinitionError(
            path, f"has {len(values)} entries for {count} variations, must have one for each"
        )


def _check_list(path: str, values: object) -> None:
    if not isinstance(values, (list, tuple)):
        raise DefinitionError(path, f"is {shown(values)}, must be a list")


def _check_weights(path: str, weights: Sequence[float] | None, count: int) -> None:
    if weights is None:
        return
    _check_list(path, weights)
    _check_length(path, weights, count)
    for index, weight in enumerate(weights):
        _check_share(f"{path}[{index}]", weight)
    if not sums_to_one(weights):
        raise DefinitionError(path, f"sum to {sum(weights):g}, must sum to 1")


def _check_share(path: str, share: object) -> None:
    if not is_number(share) or not 0 <= share <= 1:  # type: ignore[operator]  # it is a number
        raise DefinitionError(path, f"is {shown(share)}, must be a number from 0 to 1")


def _check_hash(definition: Definition[Any]) -> None:
    key = definition.key
    _check_version(f"{key}.hash_version", definition.hash_version)
    _check_attribute(f"{key}.hash_attribute", definition.hash_attribute)
    _check_string(f"{key}.seed", definition.seed)


def _check_version(path: str, version: object) -> None:
    if type(version) is not int or version not in BUCKETS:
        raise DefinitionError(path, f"is {shown(version)}, must be 1 or 2")


def _check_attribute(path: str, attribute: object) -> None:
    if not isinstance(attribute, str) or not attribute:
        raise DefinitionError(
            path, f"is {shown(attribute)}, must be the name of an attribute such as 'id'"
        )


def _check_string(path: str, value: object) -> None:
    if not isinstance(value, str):
        raise DefinitionError(path, f"is {shown(value)}, must be a string")


def _check_flag(path: str, value: object) -> None:
    if not isinstance(value, bool):
        raise DefinitionError(path, f"is {shown(value)}, must be True or False")


def _check_namespace(path: str, namespace: object) -> None:
    if namespace is None:
        return
    if (
        not isinstance(namespace, (list, tuple))
        or len(namespace) != 3
        or not isinstance(namespace[0], str)
    ):
        raise DefinitionError(path, f"is {shown(namespace)}, must be (id, start, end)")
    _check_range(path, namespace[1:])
    if namespace[1] == namespace[2]:
        raise DefinitionError(path, "is empty and admits nobody, must end behind its start")


def _check_range(path: str, limits: object) -> None:
    if not isinstance(limits, (list, tuple)) or len(limits) != 2:
        raise DefinitionError(path, f"is {shown(limits)}, must be (start, end)")
    start, end = limits
    _check_share(path, start)
    _check_share(path, end)
    if start > end:
        raise DefinitionError(
            path, f"starts at {start} behind its end {end}, must be ({end}, {start})"
        )


def _check_ranges(path: str, ranges: object) -> None:
    _check_list(path, ranges)
    for index, limits in enumerate(ranges):  # type: ignore[arg-type,var-annotated]  # it is a list
        _check_range(f"{path}[{index}]", limits)


def _check_overlaps(path: str, ranges: Sequence[Sequence[float]]) -> None:
    """Refuse ranges of variations that share buckets: the first would get them all."""
    for index, (start, end) in enumerate(ranges):
        for earlier, (other_start, other_end) in enumerate(ranges[:index]):
            if min(end, other_end) - max(start, other_start) > _ROUNDING:
                raise DefinitionError(
                    f"{path}[{index}]",
                    f"is {shown(ranges[index])} and overlaps that of variation {earlier}, "
                    f"{shown(ranges[earlier])}, must share nothing with it",
                )


def _check_ignored(definition: Definition[Any]) -> None:
    """Refuse a field that another one would replace in silence."""
    key = definition.key
    if definition.ranges is not None and definition.weights is not None:
        raise DefinitionError(f"{key}.weights", "are replaced by ranges, must be left out")
    if definition.ranges is not None and definition.coverage != 1:
        raise DefinitionError(f"{key}.coverage", "is replaced by ranges, must be left out")
    if definition.filters is not None and definition.namespace is not None:
        raise DefinitionError(f"{key}.namespace", "is replaced by filters, must be left out")


def _check_filters(path: str, filters: object) -> None:
    if filters is None:
        return
    _check_list(path, filters)
    for index, entry in enumerate(filters):  # type: ignore[arg-type,var-annotated]  # it is a list
        if not isinstance(entry, Filter):
            raise DefinitionError(f"{path}[{index}]", f"is {shown(entry)}, must be a Filter")
        _check_string(f"{path}[{index}].seed", entry.seed)
        _check_ranges(f"{path}[{index}].ranges", entry.ranges)
        if not entry.ranges:
            told = "is empty and so admits nobody, must have a range, such as [(0, 0.5)]"
            raise DefinitionError(f"{path}[{index}].ranges", told)
        _check_attribute(f"{path}[{index}].attribute", entry.attribute)
        _check_version(f"{path}[{index}].hash_version", entry.hash_version)


def _check_meta(path: str, meta: Sequence[object] | None, count: int) -> None:
    if meta is None:
        return
    _check_list(path, meta)
    _check_length(path, meta, count)
    keys: dict[str, int] = {}
    for index, entry in enumerate(meta):
        if not isinstance(entry, VariationMeta):
            raise DefinitionError(f"{path}[{index}]", f"is {shown(entry)}, must be a VariationMeta")
        _check_string(f"{path}[{index}].key", entry.key)
        _check_string(f"{path}[{index}].name", entry.name)
        _check_flag(f"{path}[{index}].passthrough", entry.passthrough)
        key = entry.key or str(index)
        if key in keys:
            raise DefinitionError(
                f"{path}[{index}].key",
                f"is {key!r} as is that of entry {keys[key]}, must be its own: "
                "records tell variations apart by it",
            )
        keys[key] = index


def _check_force(path: str, force: object, count: int) -> None:
    if force is not None and not (type(force) is int and 0 <= force < count):
        raise DefinitionError(
            path, f"is {shown(force)}, must be the index of a variation, 0 to {count - 1}"
        )

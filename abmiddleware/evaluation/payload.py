"""Payloads in GrowthBook's JSON form, judged as a whole before they are used (section 18.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from abmiddleware.evaluation.conditions import Problem
from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.values import is_number, shown
from abmiddleware.exceptions import DocumentError

#: The sections of a payload and what they must be; others are ignored.
SECTIONS: Final[Mapping[str, type]] = {
    "features": dict,
    "experiments": list,
    "savedGroups": dict,
    "contextualBandits": dict,
}


def read_payload(payload: object) -> Document:
    """Return the document of a payload; its parts are read when they are first asked for.

    A feature or an experiment that is malformed is set aside and listed in the document's
    `problems`.

    Raises:
        DocumentError: it is no payload at all, so that nothing in it can be trusted.
    """
    sections = _sections(payload)
    reader = _Reader()
    features = dict(reader.features(sections["features"]))
    listed = list(reader.experiments(sections["experiments"]))
    return Document(
        features=features,
        # Those without pages cannot be redirects, and are compiled when they are asked for.
        automatic=[(index, entry) for index, entry in listed if "urlPatterns" in entry],
        experiments={cast(str, entry["key"]): entry for _, entry in reversed(listed)},
        saved_groups=SavedGroups(sections["savedGroups"]),
        contextual_bandits=sections["contextualBandits"],
        units=frozenset(reader.units),
        problems=tuple(reader.problems),
    )


def _sections(payload: object) -> dict[str, Any]:
    """Return the sections of a payload; empty ones for those that it lacks."""
    if not isinstance(payload, dict):
        raise DocumentError("payload", f"is {shown(payload)}, must be an object with features")
    found = {}
    for name, kind in SECTIONS.items():
        section = payload.get(name)
        if section is not None and not isinstance(section, kind):
            must = "a list" if kind is list else "an object"
            raise DocumentError(name, f"is {shown(section)}, must be {must}")
        found[name] = kind() if section is None else section
    if not any(name in payload for name in SECTIONS):
        names = ", ".join(SECTIONS)
        raise DocumentError("payload", f"has no section that is known, must have one of {names}")
    return found


#: The JSON type that a field must have; a field of another is reported, and has no effect.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "variations": (list,),
    "contextualVariations": (list,),
    "weights": (list,),
    "ranges": (list,),
    "filters": (list,),
    "namespace": (list,),
    "meta": (list,),
    "range": (list,),
    "parentConditions": (list,),
    "urlPatterns": (list,),
    "condition": (dict,),
    "coverage": (int, float),
    "hashVersion": (int, float),
    "hashAttribute": (str,),
    "fallbackAttribute": (str,),
    "seed": (str,),
    "key": (str,),
}


class _Reader:
    """Walks the parts of a payload, and gathers their problems and units."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.units: set[str] = set()

    def features(self, features: dict[str, Any]) -> Iterator[tuple[str, dict[str, object]]]:
        for key, feature in features.items():
            if not isinstance(feature, dict):
                self._refuse(f"features.{key}", feature, "an object")
                continue
            rules = feature.get("rules")
            if rules:
                self._rules(f"features.{key}.rules", rules)
            yield key, feature

    def _rules(self, path: str, rules: object) -> None:
        if not isinstance(rules, list):
            self._refuse(path, rules, "a list")
            return
        for index, rule in enumerate(rules):
            if isinstance(rule, dict):
                self._fields(f"{path}[{index}]", rule)
                if "variations" in rule or "contextualVariations" in rule:
                    self._units(rule)
            else:
                self._refuse(f"{path}[{index}]", rule, "an object")

    def experiments(self, experiments: list[Any]) -> Iterator[tuple[int, dict[str, object]]]:
        places: dict[str, int] = {}
        for index, experiment in enumerate(experiments):
            if not isinstance(experiment, dict):
                self._refuse(f"experiments[{index}]", experiment, "an object")
            elif not isinstance(experiment.get("key"), str):
                self._refuse(f"experiments[{index}].key", experiment.get("key"), "a string")
            else:
                self._fields(f"experiments.{experiment['key']}", experiment)
                self._units(experiment)
                first = places.setdefault(experiment["key"], index)
                if first != index and "urlPatterns" not in experiment:  # those serve by page
                    told = f"as that of experiments[{first}], which serves; must be its own"
                    shown_key = shown(experiment["key"])
                    self.problems.append(
                        Problem(f"experiments[{index}].key", f"is {shown_key}, {told}")
                    )
                yield index, experiment

    def _fields(self, path: str, record: dict[str, object]) -> None:
        for name, value in record.items():
            types = _TYPES.get(name)
            if types is not None and type(value) not in types and value is not None:
                must = "a number" if is_number(types[0]()) else f"a {types[0].__name__}"
                self._refuse(f"{path}.{name}", value, must)

    def _units(self, record: dict[str, object]) -> None:
        for name in ("hashAttribute", "fallbackAttribute"):
            unit = record.get(name)
            if unit and isinstance(unit, str):
                self.units.add(unit)

    def _refuse(self, path: str, value: object, must: str) -> None:
        self.problems.append(Problem(path, f"is {shown(value)}, must be {must}"))

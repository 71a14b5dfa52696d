"""Sections 2 and 17: what one user brings along, and what an evaluation leaves behind."""

from __future__ import annotations

from typing import Any

from .freedom import free
from .values import Json, entries, field, is_number, text, truthy


class State:
    """A context with its layers merged, and the side effects so far."""

    def __init__(self, context: Json, documents: dict[str, Json] | None = None) -> None:
        # 2: the later layer wins, key by key; an explicit null wins too.
        self.attributes = merged(context, "globalAttributes", "attributes", "attributeOverrides")
        self.forced_variations = merged(context, "globalForcedVariations", "forcedVariations")
        self.forced_values = {
            **_mapping(field(context, "globalForcedFeatureValues")),
            **_mapping(field(context, "forcedFeatures")),
            **_mapping(field(context, "forcedFeatureValues")),
        }
        self.enabled = not any(
            field(context, name) is False for name in ("globalEnabled", "enabled")
        )
        self.qa_mode = truthy(field(context, "globalQaMode")) or truthy(field(context, "qaMode"))
        url = field(context, "url")
        self.url: str = url if isinstance(url, str) else ""
        self.features = entries(field(context, "features"))
        self.saved_groups = entries(field(context, "savedGroups"))
        self.bandits = entries(field(context, "contextualBandits"))
        self.overrides = entries(field(context, "overrides"))
        self.groups = entries(field(context, "groups"))
        #: 13: by document key; null while no sticky service is attached.
        self.documents = documents
        #: 17.1 to 17.3.
        self.exposures: list[dict[str, Json]] = []
        #: 17.5: the first result for each feature of one top-level evaluation.
        self.usages: list[tuple[str, dict[str, Json]]] = []
        self._seen: set[tuple[str, ...]] = set()

    def track(self, experiment: Json, result: Json) -> bool:
        """17.2: report an exposure once; tell whether it was new."""
        key = text(field(experiment, "key"))
        identity = (
            text(result.get("hashAttribute")),
            text(result.get("hashValue")),
            key,
            text(result.get("variationId")),
        )
        if identity in self._seen:
            return False
        self._seen.add(identity)
        self.exposures.append(
            {
                "experiment": key,
                "variation": result.get("key"),
                "hashAttribute": result.get("hashAttribute"),
                "hashValue": result.get("hashValue"),
            }
        )
        return True

    def track_as_given(self, tracks: Json) -> None:
        """17.4: entries without experiment or result are ignored (17.3)."""
        if tracks is not None and not isinstance(tracks, list):
            free("tracks that are no list")
        for entry in tracks if isinstance(tracks, list) else []:
            experiment, result = field(entry, "experiment"), field(entry, "result")
            if isinstance(experiment, dict) and isinstance(result, dict):
                if "key" not in experiment or not result.keys() >= RESULT_FIELDS:
                    free("incomplete track")
                self.track(experiment, result)
            else:
                free("incomplete track")

    def use(self, feature: str, result: dict[str, Json]) -> None:
        """17.5: never the same id twice within one top-level evaluation."""
        if result["source"] != "override" and feature not in dict(self.usages):
            self.usages.append((feature, result))


RESULT_FIELDS = {"key", "hashAttribute", "hashValue", "variationId"}


def merged(context: Json, *names: str) -> dict[str, Any]:
    """2: shallow, key by key, the later one wins."""
    result: dict[str, Json] = {}
    for name in names:
        result.update(entries(field(context, name)))
    return result


def _mapping(values: Json) -> dict[str, Json]:
    """18.5: forced features are a mapping or a list of pairs."""
    if isinstance(values, list):
        pairs = [each for each in values if isinstance(each, list) and len(each) == 2]
        return {name: value for name, value in pairs if isinstance(name, str)}
    return entries(values)


def index_of(value: Json, variations: list[Json]) -> int | None:
    """8.2 steps 6 and 17: an index that exists, or null."""
    if not is_number(value) or value != value or not 0 <= value < len(variations):
        return None
    return int(value) if value == int(value) else None

"""Makes the library answer GrowthBook's language-neutral cases, in their JSON form.

Every function goes through the code that a request goes through: documents are read, compiled
and evaluated as an engine does it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from abmiddleware import Engine, ExperimentClient, FeatureResult, MemorySink
from abmiddleware.context import UserContext
from abmiddleware.evaluation import buckets, hashing, urls
from abmiddleware.evaluation.automatic import (
    Chosen,
    RedirectOptions,
    redirect,
    target_of,
)
from abmiddleware.evaluation.conditions import compile_condition
from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.growthbook import read_experiment
from abmiddleware.evaluation.json_form import feature_result_json, result_json
from abmiddleware.evaluation.membership import SavedGroups
from abmiddleware.evaluation.payload import read_payload
from abmiddleware.evaluation.plan import Plan, compile_plan
from abmiddleware.evaluation.running import run as run_experiment
from abmiddleware.evaluation.scope import EvaluationOptions, Scope
from abmiddleware.evaluation.sticky import (
    DocumentsNeededError,
    StickyBuckets,
    document_key,
)
from abmiddleware.evaluation.url_patterns import is_url_targeted as _is_url_targeted
from abmiddleware.evaluation.values import Attributes, is_truthy, unit_text
from abmiddleware.snapshot import Snapshot
from abmiddleware.sources import encryption
from abmiddleware.sticky import StickyDocument

Json = Any


def eval_condition(
    condition: Json, attributes: Mapping[str, Json], saved_groups: Mapping[str, Json] | None = None
) -> bool:
    return compile_condition(condition, SavedGroups(saved_groups)).matches(Attributes(attributes))


def hash(seed: str, value: Json, version: int) -> float | None:  # noqa: A001  # the group's name
    bucket, unit = hashing.bucket_of(seed, version), unit_text(value)
    return None if bucket is None or unit is None else bucket(unit)


def get_bucket_range(
    count: int, coverage: float | None, weights: Sequence[float] | None
) -> list[list[float]]:
    return [list(limits) for limits in buckets.bucket_ranges(count, coverage, weights)]


def choose_variation(bucket: float, ranges: Sequence[tuple[float, float]]) -> int:
    cuts, indices = buckets.compile_choice(buckets.usable_ranges(ranges))
    chosen = indices[bisect_right(cuts, bucket)]
    assert chosen == buckets.choose_variation(bucket, buckets.usable_ranges(ranges))
    return chosen


def query_override(key: str, url: str, count: int) -> int | None:
    return urls.query_override(key, url, count)


def in_namespace(hash_value: str, namespace: Json) -> bool:
    return buckets.compile_namespace(namespace)(hash_value)


def get_equal_weights(count: int) -> list[float]:
    return buckets.equal_weights(count)


def decrypt(encrypted: str, key: str) -> str | None:
    try:
        return encryption.decrypt(encrypted, key)
    except encryption.DecryptionError:
        return None


def is_url_targeted(url: str, targets: Json) -> bool:
    return _is_url_targeted(url, targets)


def run(experiment: Mapping[str, Json], context: Mapping[str, Json]) -> dict[str, Json]:
    scope = scope_of(context)
    groups = SavedGroups(context.get("savedGroups"))
    plan = compile_plan(read_experiment(experiment), saved_groups=groups)
    return result_json(run_experiment(plan, scope))


def eval_feature(key: str, context: Mapping[str, Json]) -> dict[str, Json]:
    return feature_result_json(scope_of(context).feature(key))


def contextual_bandit(key: str, context: Mapping[str, Json]) -> dict[str, Json]:
    return eval_feature(key, context)


def run_sticky(
    context: Mapping[str, Json], docs: Sequence[Json] | Mapping[str, Json], key: str
) -> tuple[dict[str, Json] | None, dict[str, Json]]:
    stored = {
        document.key: document
        for entry in (docs.values() if isinstance(docs, Mapping) else docs)
        if (document := StickyDocument.from_growthbook(entry)) is not None
    }
    units = Snapshot.of([document_of(context)]).units
    attributes = scope_of(context).attributes
    keys = (document_key(unit, attributes[unit]) for unit in units)
    loaded: dict[str, Mapping[str, str]] = {
        key: stored[key].assignments for key in keys if key in stored
    }
    while True:
        sticky = StickyBuckets(loaded)
        scope = scope_of(context, sticky)
        try:
            result = scope.feature(key)
        except DocumentsNeededError as needed:
            for name in needed.keys:
                loaded[name] = stored[name].assignments if name in stored else {}
            continue
        break
    after = {name: dict(assignments) for name, assignments in loaded.items() if assignments}
    for name, changes in sticky.changes.items():
        after.setdefault(name, {}).update(changes)
    told = result.experiment_result
    return (
        None if told is None else result_json(told),
        {name: _document(name, assignments) for name, assignments in after.items()},
    )


def _document(name: str, assignments: Mapping[str, str]) -> Json:
    attribute, _, value = name.partition("||")
    return StickyDocument(attribute, value, assignments).to_growthbook()


def url_redirect(context: Mapping[str, Json]) -> list[dict[str, Json]]:
    scope = scope_of(context)
    options = RedirectOptions(
        enabled=not is_truthy(context.get("disableUrlRedirectExperiments")),
        cross_origin=not is_truthy(context.get("disableCrossOriginUrlRedirectExperiments")),
        blocked_changes=context.get("blockedChangeIds") or (),
    )
    run = partial(run_experiment, scope=scope)
    redirect(document_of(context).redirects(), scope.page(), run, options)
    return [
        {
            "inExperiment": result.in_experiment,
            "urlRedirect": target_of(result.value),
            "urlWithParams": Chosen(plan, result).target(scope.page()) or "",
        }
        for plan, result in scope.enrolled
    ]


class Evaluation:
    """The client of one user, and what it recorded."""

    def __init__(self, context: Mapping[str, Json]) -> None:
        self._usages: list[FeatureResult[Json]] = []
        engine = Engine(
            sink=MemorySink(),
            strict=False,
            on_feature_usage=lambda result, _: self._usages.append(result),
        )
        self._groups = SavedGroups(context.get("savedGroups"))
        snapshot = Snapshot.of([document_of(context)], options_of(context))
        user = User(attributes_of(context), url_of(context))
        self._client = ExperimentClient(engine._services, user, True, False, snapshot)

    def run(self, experiment: Mapping[str, Json]) -> dict[str, Json]:
        """Run an inline experiment, as often as one likes."""
        plan = compile_plan(read_experiment(experiment), saved_groups=self._groups)
        result, effects = self._client._asking().ask(partial(run_experiment, plan), {})
        self._client._use(effects)
        return result_json(result)

    def feature(self, key: str) -> dict[str, Json]:
        """Evaluate a feature anew; a client would keep the answer that it gave before."""
        self._usages.clear()
        for known in [name for name in self._client._once if isinstance(name, str)]:
            del self._client._once[known]
        return feature_result_json(self._client.feature(key))

    @property
    def exposures(self) -> list[dict[str, Json]]:
        """The exposures, each once, in their order."""
        return [
            {
                "experiment": told["experiment"]["key"],
                "variation": told["result"]["key"],
                "hashAttribute": told["result"]["hashAttribute"],
                "hashValue": told["result"]["hashValue"],
            }
            for told in self._client.deferred_exposures()
        ]

    @property
    def usages(self) -> list[dict[str, Json]]:
        """The features that the last evaluation asked first, in their order."""
        return [
            {"feature": result.key, "value": result.value, "source": str(result.source)}
            for result in self._usages
        ]


class User(UserContext):
    """A user who is on a page."""

    __slots__ = ("_url",)

    def __init__(self, attributes: Mapping[str, Json], url: str) -> None:
        super().__init__(attributes)
        self._url = url

    def page(self) -> str:
        return self._url


def evaluate(context: Mapping[str, Json]) -> Evaluation:
    return Evaluation(context)


def scope_of(context: Mapping[str, Json], sticky: StickyBuckets | None = None) -> Scope:
    """Return the evaluation of a context (section 2), as a client makes it for its request."""
    return Scope(
        Attributes(attributes_of(context)),
        Snapshot.of([document_of(context)]).features,
        options_of(context),
        lambda: url_of(context),
        sticky,
    )


def url_of(context: Mapping[str, Json]) -> str:
    url = context.get("url")
    return url if isinstance(url, str) else ""


def attributes_of(context: Mapping[str, Json]) -> dict[str, Json]:
    return layered(context, "globalAttributes", "attributes", "attributeOverrides")


def layered(context: Mapping[str, Json], *names: str) -> dict[str, Json]:
    """Return mappings laid over each other, the last one on top."""
    merged: dict[str, Json] = {}
    for name in names:
        merged.update(context.get(name) or {})
    return merged


def options_of(context: Mapping[str, Json]) -> EvaluationOptions:
    return EvaluationOptions(
        enabled=context.get("enabled") is not False and context.get("globalEnabled") is not False,
        qa_mode=is_truthy(context.get("qaMode")) or is_truthy(context.get("globalQaMode")),
        forced_variations=layered(context, "globalForcedVariations", "forcedVariations"),
        forced_features=layered(
            context, "globalForcedFeatureValues", "forcedFeatures", "forcedFeatureValues"
        ),
        query_overrides=True,
        overrides=context.get("overrides") or {},
        groups=context.get("groups") or {},
    )


def document_of(context: Mapping[str, Json]) -> Document:
    payload = {"features": {}, **context}
    return read_payload(payload)


def plan(experiment: Mapping[str, Json], saved_groups: Mapping[str, Json] | None = None) -> Plan:
    return compile_plan(read_experiment(experiment), saved_groups=SavedGroups(saved_groups))

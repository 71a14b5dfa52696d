"""A slow, literal reading of the specification, over plain JSON values.

It is written from the text alone and shares no code with the library, so that the two check each
other. A context is a JSON object with the keys of section 2: `attributes`, `features`,
`experiments`, `savedGroups`, `contextualBandits`, `forcedVariations`, `forcedFeatureValues` (or
`forcedFeatures`), `url`, `enabled`, `qaMode`, `overrides`, `groups`; the global layer has
`globalAttributes`, `globalForcedVariations`, `globalForcedFeatureValues`, `globalEnabled` and
`globalQaMode`; the user's overrides are `attributeOverrides`. What section 16 calls configuration
is `disableUrlRedirectExperiments`, `disableCrossOriginUrlRedirectExperiments`,
`disableVisualExperiments` and `blockedChangeIds`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from . import features
from .buckets import choose_variation, get_bucket_range, get_equal_weights, in_namespace
from .conditions import eval_condition
from .experiments import Run
from .freedom import watched
from .hashing import hash  # noqa: A004  # the specification's name
from .payloads import decrypt
from .redirects import run_auto_experiments
from .state import State
from .sticky import document_key, loaded
from .urls import is_url_targeted, query_override
from .values import field

__all__ = [
    "Evaluation",
    "choose_variation",
    "contextual_bandit",
    "decrypt",
    "eval_condition",
    "eval_feature",
    "evaluate",
    "get_bucket_range",
    "get_equal_weights",
    "hash",
    "in_namespace",
    "is_url_targeted",
    "query_override",
    "run",
    "run_sticky",
    "url_redirect",
    "watched",
]

Json = Any


class Evaluation:
    """One user scope: what is evaluated, and what that reports."""

    def __init__(self, context: Json, documents: dict[str, Json] | None = None) -> None:
        self._context = context
        self._state = State(context, documents)

    def feature(self, key: str) -> dict[str, Json]:
        """10: evaluate a feature, as the top of an evaluation."""
        self._state.usages = []
        return features.eval_feature(self._state, key)

    def run(self, experiment: dict[str, Json]) -> dict[str, Json]:
        """8: run an experiment."""
        self._state.usages = []
        return Run(self._state, experiment).result()

    def redirects(self) -> list[dict[str, Json]]:
        """16: run the auto experiments."""
        return run_auto_experiments(self._state, self._context)

    @property
    def exposures(self) -> list[dict[str, Json]]:
        """17.2: experiment, variation (its key), hashAttribute and hashValue, in order."""
        return self._state.exposures

    @property
    def usages(self) -> list[dict[str, Json]]:
        """17.5: feature, value and source, of the last top-level evaluation."""
        return [
            {"feature": name, "value": result["value"], "source": result["source"]}
            for name, result in self._state.usages
        ]


def evaluate(context: Json) -> Evaluation:
    """Open the scope of one user, without a sticky service."""
    return Evaluation(context)


def run(experiment: dict[str, Json], context: Json) -> dict[str, Json]:
    """8: the result of an experiment."""
    return evaluate(context).run(experiment)


def eval_feature(key: str, context: Json) -> dict[str, Json]:
    """10: the result of a feature."""
    return evaluate(context).feature(key)


def contextual_bandit(key: str, context: Json) -> dict[str, Json]:
    """14: the result of a feature with a bandit rule."""
    return eval_feature(key, context)


def run_sticky(
    context: Json, docs: list[Json], key: str
) -> tuple[dict[str, Json] | None, dict[str, Json]]:
    """13: the experiment result of a feature, and this user's documents afterwards."""
    stored = {
        document_key(document["attributeName"], document["attributeValue"]): deepcopy(document)
        for document in docs
    }
    mine = loaded(context, stored)
    after = dict(stored)
    result = Evaluation(context, after).feature(key)
    written = {name: doc for name, doc in after.items() if stored.get(name) != doc}
    return field(result, "experimentResult"), {**mine, **written}


def url_redirect(context: Json) -> list[dict[str, Json]]:
    """16: one entry for each exposure of the context's auto experiments."""
    return evaluate(context).redirects()

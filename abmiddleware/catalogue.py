"""What views can ask for: the current snapshot, and objects used without being registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final

from abmiddleware import live
from abmiddleware.configuration import Configuration
from abmiddleware.evaluation.digest import feature_hash
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import (
    ABMiddlewareError,
    DefinitionError,
    UnknownExperimentError,
    UnknownFeatureError,
)
from abmiddleware.mistakes import Mistakes
from abmiddleware.notices import notices
from abmiddleware.snapshot import Snapshot

#: Objects used without being registered that are remembered.
_MAX_ADOPTED: Final = 10_000


class Catalogue:
    """Finds what a view asks for, and tells of what nothing knows."""

    def __init__(self, configuration: Configuration, mistakes: Mistakes) -> None:
        self.configuration = configuration
        self.mistakes = mistakes
        self._adopted: dict[str, Plan] = {}
        #: The hashes of feature objects, by key.
        self._adopted_features: dict[str, str] = {}
        #: Plans of objects that are known to be the only ones of their key, with any value.
        self.settled: dict[Plan, None] = {}
        #: What units are made of beyond those of the snapshot: hash attributes of adopted plans.
        self.adopted_units: tuple[str, ...] = ()

    def adopt(self, plan: Plan, snapshot: Snapshot) -> None:
        """Take note of an experiment object that is used.

        Raises:
            DefinitionError: in strict mode, another experiment in use has the same key.
        """
        if plan in self.settled:
            return
        live.meet(plan.key)
        is_configured = plan.key in snapshot.plans
        known = snapshot.plans[plan.key] if is_configured else self._adopted.get(plan.key)
        if known is None and len(self._adopted) < _MAX_ADOPTED:
            known = self._adopted.setdefault(plan.key, plan)
            self._adopt_units((plan,), snapshot)
        if known is None or known.config_hash == plan.config_hash:
            if len(self.settled) < _MAX_ADOPTED:
                self.settled[plan] = None
            return
        problem = "is the key of two different experiments in use, must be its own"
        self.mistakes.report(f"twin {plan.key}", lambda: DefinitionError(plan.key, problem))

    def owns(self, feature: Feature[Any], snapshot: Snapshot) -> bool:
        """Tell whether a feature object that is used is what its key names, taking note of it.

        Raises:
            DefinitionError: in strict mode, another feature in use has the same key.
        """
        if feature.plan in snapshot.settled_features:
            return True
        told = feature_hash(feature)
        known = self._known_feature(feature.key, snapshot)
        if known is None and len(self._adopted_features) < _MAX_ADOPTED:
            known = self._adopted_features.setdefault(feature.key, told)
            self._adopt_units(feature.plan.experiments, snapshot)
        if known is None or known == told:
            if len(snapshot.settled_features) < _MAX_ADOPTED:
                snapshot.settled_features[feature.plan] = None
            return True
        problem = "is the key of two different features in use, must be its own"
        self.mistakes.report(
            f"twin feature {feature.key}", lambda: DefinitionError(feature.key, problem)
        )
        return False

    def _adopt_units(self, plans: Iterable[Plan], snapshot: Snapshot) -> None:
        for plan in plans:
            if plan.hash_attribute not in (*snapshot.units, *self.adopted_units):
                self.adopted_units = (*self.adopted_units, plan.hash_attribute)

    def _known_feature(self, key: str, snapshot: Snapshot) -> str | None:
        """Return the hash of the feature that has a key; None where none has."""
        if key not in snapshot.features:
            return self._adopted_features.get(key)
        try:
            return feature_hash(snapshot.features[key].definition)
        except Exception:  # noqa: BLE001  # compiled here; who asks by key is told of the error
            return ""

    def unknown_experiment(self, asked: object, snapshot: Snapshot) -> None:
        """Tell of an experiment that no configuration knows.

        Raises:
            UnknownExperimentError: in strict mode, once every source has been read.
        """
        key = _key(asked)
        self._unknown(
            key,
            f"unknown {key}",
            lambda: UnknownExperimentError(
                key,
                get_close_matches(key, {*snapshot.plans.known(), *snapshot.flags}, n=3),
                is_feature=isinstance(asked, Feature) or key in snapshot.features,
            ),
        )

    def unknown_feature(self, asked: object, snapshot: Snapshot) -> None:
        """Tell of a feature that no configuration knows.

        Raises:
            UnknownFeatureError: in strict mode, once every source has been read.
        """
        key = _key(asked)
        self._unknown(
            key,
            f"unknown feature {key}",
            lambda: UnknownFeatureError(
                key,
                get_close_matches(key, snapshot.features.known(), n=3),
                is_experiment=key in snapshot.plans,
            ),
        )

    def _unknown(self, key: str, subject: str, error: Callable[[], ABMiddlewareError]) -> None:
        missing = self.configuration.missing()
        if not missing:
            self.mistakes.report(subject, error)
            return
        # A server of configurations that is down must break no page in debug mode either.
        notices.warn(
            "not ready",
            "%r was asked for before a configuration came from %s: the control or the default is "
            "served; a script, or a server that starts, may call engine.wait_until_ready()",
            key,
            ", ".join(missing),
        )


def _key(asked: object) -> str:
    if isinstance(asked, (Experiment, Feature)):
        return asked.key
    return asked if isinstance(asked, str) else shown(asked)

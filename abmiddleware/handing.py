"""What a client tells others of its request: a browser's SDK, a task that goes on with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from abmiddleware.attribute_values import plain
from abmiddleware.browser import BrowserState, pinned_features, pinned_variations, tracking_calls
from abmiddleware.console.inspection import SUPPRESSIONS, Inspection, answered, evaluated
from abmiddleware.deciding import DecidingClient, identity, key_of, same
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.json_form import exposure_json
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, Result
from abmiddleware.handover import (
    TASK_HEADER,
    HandedFeature,
    HandedResult,
    Handover,
    handed_attributes,
)
from abmiddleware.telemetry import baggage
from abmiddleware.value_checks import check_names


class Era(NamedTuple):
    """The time up to a change of attributes."""

    #: How many answers and features there were at its end.
    counts: tuple[int, int]
    attributes: dict[str, object]


class HandingClient(DecidingClient, eq=False, weakref=True):
    """Knows what was answered, for others."""

    _eras: tuple[Era, ...] = ()

    @property
    def assignments(self) -> Mapping[str, Result[Any]]:
        """The results of experiments so far, those of features too, by experiment key."""
        shown = {
            key[0]: known[1]
            for key, known in list(self._once.items())
            if type(key) is tuple and len(key) == 1
        }
        return shown | {key: answer[1] for key, answer in list(self._answers.items())}

    def deferred_exposures(self) -> list[dict[str, Any]]:
        """Return the exposures so far for a browser's SDK, as JSON values (section 17.3)."""
        page, told = self._context.page(), []
        for number, (key, known) in enumerate(list(self._once.items())):
            if type(key) is tuple:
                plan, result = known
                told.append(exposure_json(plan, result, self._attributes_at(1, number), page))
        for number, (plan, result, waits) in enumerate(list(self._answers.values())):
            if result.hash_used and not waits and not self._is_shown(plan, result):
                told.append(exposure_json(plan, result, self._attributes_at(0, number), page))
        return told

    def _attributes_at(self, part: int, number: int) -> dict[str, object]:
        """Return the attributes when the answer (0) or the feature (1) of a number was new."""
        for era in self._eras:
            if number < era.counts[part]:
                return era.attributes
        return dict(self._context)

    def _is_shown(self, plan: Plan, result: Result[Any]) -> bool:
        """Tell whether a feature or a prerequisite exposed the same enrolment."""
        first = self._once.get((plan.key,))
        return first is not None and (
            same(first[1], result) or identity(plan, result) in self._once
        )

    def to_dict(self, *names: str) -> dict[str, Any]:
        """Return who this is and what was answered so far, for `engine.client_from`.

        A task that gets it has the same ids and answers, and records no exposure again. It holds
        JSON values only. A visitor without an id gets one, so call it before the response starts.

        Args:
            names: of attributes that the task needs and nothing has asked for; those that something
                has asked for are in it anyway.
        """
        if self._context.has_consent:
            self.ensure_identity()
        for name in names:
            _ = self._context[name]
        asked = self._context.asked
        return Handover(
            attributes=handed_attributes(self._context),
            experiments=self._handed_results(),
            features=self._handed_features(),
            suppressed=self._context.suppressed,
            override={} if asked is None else asked.override.values,
        ).to_dict()

    def inspect(self) -> Inspection:
        """Return what was asked so far and why it was answered so. For panels."""
        context = self._context
        suppressed, asked = context.suppressed, context.asked
        told = {key: (one, False) for key, one, _ in self._shown()}
        told |= {key: (one, bool(waits)) for key, (_, one, waits) in [*self._answers.items()]}
        features = [one for one in [*self._once.values()] if isinstance(one, FeatureResult)]
        visitor = context.known("id")
        return Inspection(
            [answered(key, one, suppressed, waits=waits) for key, (one, waits) in told.items()]
            + [evaluated(one) for one in features],
            "" if visitor is None else str(visitor),
            SUPPRESSIONS[suppressed],
            {} if asked is None else asked.override.values,
        )

    def bootstrap(self, *names: str) -> dict[str, Any]:
        """Return what GrowthBook's SDK in the browser needs to show what this page shows, as JSON.

        Options of `new GrowthBook(...)`: `attributes`, `forcedVariations` of what was answered
        here, and `forcedFeatureValues`, pairs for a `Map`. For `setDeferredTrackingCalls`:
        `deferredTrackingCalls`, the exposures so far. `suppressed` tells why the browser should
        track nothing. Call it when all was asked, and before the response starts.

        Args:
            names: of the attributes that the visitor's browser may see. The ids that experiments
                randomise by are handed over anyway, as far as something has asked for them.
        """
        check_names("bootstrap", names)
        self._depend()
        if self._context.has_consent:
            self.ensure_identity()
        snapshot = self._pin()
        units = {*snapshot.units, *self._services.catalogue.adopted_units}
        # By an id the browser would decide what is off here.
        shown = {*names, *units} if self._context.has_consent else {*names} - units
        attributes = {name: self._context[name] for name in names if name in shown} | {
            name: value for name, value in list(self._context.items()) if name in shown
        }
        suppressed = self._context.suppressed
        exposures = [] if suppressed else self.deferred_exposures()
        return BrowserState(
            handed_attributes(attributes),
            pinned_variations(self._pinned_answers(), snapshot),
            pinned_features(snapshot),
            tracking_calls(exposures, shown),
            suppressed,
        ).to_dict()

    def headers(
        self, experiments: Iterable[Experiment[Any] | str] | Experiment[Any]
    ) -> dict[str, str]:
        """Run experiments whose variation another service shows; return the headers of the call.

            httpx.get(url, headers=experiments.headers(["checkout-button"]))

        They hold the names of the variations, as W3C baggage, and no id. A client that
        OpenTelemetry instruments writes this header itself: use `baggage` there.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows a key.
        """
        return baggage.headers(self._variations(experiments))

    def baggage(
        self, experiments: Iterable[Experiment[Any] | str] | Experiment[Any]
    ) -> AbstractContextManager[None]:
        """Do as `headers`, for all calls within `with` whose client OpenTelemetry instruments.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows a key.
        """
        return baggage.attached(self._variations(experiments))

    def task_headers(self, *names: str) -> dict[str, Any]:
        """Return `to_dict(...)` as the headers of a Celery task, for `engine.client_of_task`.

        send_invoice.apply_async([order], headers=experiments.task_headers())
        """
        return {TASK_HEADER: self.to_dict(*names)}

    def _variations(
        self, experiments: Iterable[Experiment[Any] | str] | Experiment[Any]
    ) -> dict[str, str]:
        """Run experiments, and return the names of the variations that somebody is in."""
        told: dict[str, str] = {}
        shown = {key: result for key, result, _ in self._shown() if key not in self._answers}
        if isinstance(experiments, (str, Experiment)):  # one alone, not the letters of its key
            experiments = [experiments]
        for experiment in experiments:
            key = key_of(experiment)
            result = shown[key] if key in shown else self.run(experiment)
            if result.in_experiment:
                told[key] = result.key
        return told

    def _pinned_answers(self) -> list[tuple[str, Result[Any], bool]]:
        """Return all answers so far, and whether each waits to be used."""
        answers = [(key, one, bool(waits)) for key, (_, one, waits) in [*self._answers.items()]]
        return self._shown() + answers

    def _shown(self) -> list[tuple[str, Result[Any], bool]]:
        """Return the answers that features and prerequisites brought, which wait for nothing."""
        shown = []
        for key, known in list(self._once.items()):
            if type(key) is tuple and len(key) == 1:
                shown.append((key[0], known[1], False))
            elif isinstance(known, FeatureResult) and known.experiment is not None:
                shown.append((known.experiment.key, known.experiment_result, False))
        return shown

    def resume(self, handover: Handover) -> None:
        """Take over the answers of another client. For the engine."""
        self._answers.update(handover.answers(self._pin()))
        self._once.update(handover.feature_results())

    def _handed_results(self) -> dict[str, HandedResult]:
        handed = {
            key: HandedResult.of(result, exposed=True) for key, result in self.assignments.items()
        }
        for key, (_, result, waits) in list(self._answers.items()):
            handed[key] = HandedResult.of(result, exposed=not waits)
        return handed

    def _handed_features(self) -> dict[str, HandedFeature]:
        """Return the values of features that are JSON; others are evaluated anew."""
        handed: dict[str, HandedFeature] = {}
        for key, known in list(self._once.items()):
            if isinstance(key, str) and isinstance(known, FeatureResult):
                value = plain(f"feature {key}", known.value)
                if value is not None or known.value is None:
                    handed[key] = HandedFeature(value, known.source)
        return handed

"""What a request hands to whatever goes on with its work: a task, a worker, another process.

A plain dictionary of JSON, so that any queue carries it. It is for the team's own processes: who
can write it says who a visitor is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from abmiddleware.asking import Effects
from abmiddleware.attribute_values import plain
from abmiddleware.context import UserContext
from abmiddleware.evaluation.plan import Plan
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Reason, Result
from abmiddleware.exceptions import HandoverError
from abmiddleware.notices import notices
from abmiddleware.overrides import Asked, Override
from abmiddleware.policy import Suppressed
from abmiddleware.snapshot import Snapshot

VERSION: Final = 1
#: The header of a queued task that has it.
TASK_HEADER: Final = "abmiddleware"
#: An attribute that is longer as JSON is left out, in bytes.
LONGEST: Final = 16_384

#: A plan, its result, and what waits for it to be used.
Answer = tuple[Plan, Result[Any], list[Effects]]


class HandedResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request was answered of an experiment; the value is the worker's own."""

    variation_id: int
    in_experiment: bool
    reason: Reason
    hash_used: bool = False
    hash_attribute: str = ""
    hash_value: Any = ""
    bucket: float | None = None
    sticky_bucket_used: bool = False
    feature_id: str | None = None
    #: Whether the request has recorded the exposure, so that nobody need.
    exposed: bool = False

    @classmethod
    def of(cls, result: Result[Any], *, exposed: bool) -> HandedResult:
        """Return what is handed over of a result."""
        return cls(
            result.variation_id,
            result.in_experiment,
            result.reason,
            result.hash_used,
            result.hash_attribute,
            plain(result.hash_attribute, result.hash_value),
            result.bucket,
            result.sticky_bucket_used,
            result.feature_id,
            exposed,
        )

    def answer(self, plan: Plan) -> Answer | None:
        """Return the answer as the client keeps it; None if the variation is no more."""
        if not 0 <= self.variation_id < len(plan.parts.arms):
            return None
        arm = plan.parts.arms[self.variation_id]
        result = Result(
            self.in_experiment,
            arm.value,
            arm.key,
            arm.variation_id,
            self.hash_used,
            self.hash_attribute,
            self.hash_value,
            self.bucket,
            arm.name,
            arm.passthrough,
            self.sticky_bucket_used,
            self.feature_id,
            self.reason,
        )
        enrolled = [(plan, result)] if self.hash_used else []
        return plan, result, [] if self.exposed else [Effects(enrolled)]


class HandedFeature(msgspec.Struct, frozen=True):
    """What a request was answered of a feature."""

    value: Any
    source: FeatureSource


class Handover(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is handed over."""

    v: int = VERSION
    attributes: dict[str, Any] = {}
    experiments: dict[str, HandedResult] = {}
    features: dict[str, HandedFeature] = {}
    #: Why nothing is recorded; "" where it is.
    suppressed: Suppressed = Suppressed.NO
    #: What one of the team asked to see.
    override: dict[str, str] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return {"v": VERSION, **told}

    @classmethod
    def read(cls, data: object) -> Handover:
        """Return what a dictionary holds.

        Raises:
            HandoverError: it is none, or of a later version.
        """
        try:
            read = msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise HandoverError(
                f"client_from: {error}; must be given what experiments.to_dict() returned"
            ) from error
        if read.v != VERSION:
            raise HandoverError(
                f"client_from: is of version {read.v}, must be {VERSION}: update this process"
            )
        return read

    def answers(self, snapshot: Snapshot) -> dict[str, Answer]:
        """Return the answers about experiments that a configuration knows."""
        found: dict[str, Answer] = {}
        for key, handed in self.experiments.items():
            answer = handed.answer(snapshot.plans[key]) if key in snapshot.plans else None
            if answer is not None:
                found[key] = answer
        return found

    def feature_results(self) -> dict[object, Any]:
        """Return the answers about features."""
        return {
            key: FeatureResult(key, handed.value, handed.source)
            for key, handed in self.features.items()
        }


def handed_attributes(context: Mapping[str, object]) -> dict[str, Any]:
    """Return the attributes that are known, as JSON values of a bounded length."""
    told: dict[str, Any] = {}
    for name, value in list(context.items()):
        converted = plain(name, value)
        if converted is None:
            continue
        if problem := _no_json(converted):
            notices.warn(f"handover {name}", "attribute %r is not handed over: %s", name, problem)
            continue
        told[name] = converted
    return told


def _no_json(value: object) -> str:
    """Return why a value is not handed over, or ""."""
    try:
        is_long = len(msgspec.json.encode(value)) > LONGEST
    except (TypeError, ValueError) as error:  # half of a character, say
        return str(error)
    return f"it is longer than {LONGEST} bytes" if is_long else ""


class HandedContext(UserContext):
    """The attributes of somebody else's request, and what it was told not to do."""

    __slots__ = ("_override", "suppressed")

    def __init__(self, handover: Handover, constants: Mapping[str, object]) -> None:
        super().__init__(constants)
        self.update(handover.attributes)
        self.suppressed = handover.suppressed
        self._override = handover.override

    @property
    def has_consent(self) -> bool:
        """Whether who asked may be remembered."""
        return self.suppressed is not Suppressed.NO_CONSENT

    @property
    def asked(self) -> Asked | None:
        """What the request was to be shown out of the ordinary."""
        return Asked(Override(values=self._override), "", is_new=False) if self._override else None

"""What a page hands to GrowthBook's SDK in the browser, so that both sides show the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from abmiddleware.attribute_values import as_json
from abmiddleware.evaluation.naming import forced_arm
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.handover import handed_attributes
from abmiddleware.notices import notices
from abmiddleware.policy import Suppressed
from abmiddleware.snapshot import Snapshot

#: What tells whom an experiment is for, which is the team's own affair.
_TARGETING: Final = ("condition", "parentConditions", "filters", "urlPatterns", "url", "groups")


class BrowserState(msgspec.Struct, frozen=True, rename="camel"):
    """The options that `new GrowthBook(...)` is given, and what it is told at once."""

    attributes: dict[str, Any]
    #: The variation by experiment key.
    forced_variations: dict[str, int]
    #: Pairs of a feature's key and its value, as `new Map(...)` takes them.
    forced_feature_values: list[tuple[str, Any]]
    #: What the server has recorded, for the page's own analytics.
    deferred_tracking_calls: list[dict[str, Any]]
    #: Why nothing of this page should be recorded in the browser either; "" where it may.
    suppressed: Suppressed

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, whatever Python values it was made of."""
        told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return told


def pinned_variations(
    answers: Iterable[tuple[str, Result[Any], bool]], snapshot: Snapshot
) -> dict[str, int]:
    """Return the variations that the browser must not decide anew.

    Those that the page shows, whatever the browser's configuration says by then, and those that
    somebody asks to see. An experiment that was only peeked is decided and told of by the browser.
    """
    pinned = {}
    if (options := snapshot.options) is not None:
        for key, wanted in options.forced_variations.items():
            arm = (
                forced_arm(snapshot.plans[key].parts.arms, wanted)
                if key in snapshot.plans
                else None
            )
            if arm is not None:
                pinned[key] = arm.variation_id
    for key, result, waits in answers:
        if result.in_experiment and (result.reason is Reason.FORCED or not waits):
            pinned[key] = result.variation_id
    return pinned


def pinned_features(snapshot: Snapshot) -> list[tuple[str, Any]]:
    """Return the features whose values are forced, as far as they are JSON."""
    forced = {} if snapshot.options is None else snapshot.options.forced_features
    values = {key: _value(value) for key, value in forced.items()}
    return [(key, value) for key, value in values.items() if value is not None]


def tracking_calls(
    exposures: Iterable[Mapping[str, Any]], names: Collection[str]
) -> list[dict[str, Any]]:
    """Return exposures for the browser: without targeting, and with attributes of these names."""
    calls = [_tracking_call(exposure, names) for exposure in exposures]
    return [call for call in calls if _is_told(call)]


def _tracking_call(exposure: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    told, result, user = exposure["experiment"], exposure["result"], exposure["user"]
    experiment = {name: value for name, value in told.items() if name not in _TARGETING}
    experiment["variations"] = [_value(value) for value in told["variations"]]
    shown = {*names, result["hashAttribute"]}
    attributes = {name: value for name, value in user["attributes"].items() if name in shown}
    return {
        "experiment": experiment,
        "result": {**result, "value": _value(result["value"])},
        "user": {"attributes": handed_attributes(attributes), "url": user["url"]},
    }


def _value(value: object) -> object:
    """Return a variation's or a feature's value; None where JSON holds no such."""
    try:
        converted = as_json(value)
        msgspec.json.encode(converted)
    except Exception:  # noqa: BLE001  # a value may be an object of any type
        return None
    return converted


def _is_told(call: dict[str, Any]) -> bool:
    """Tell whether JSON holds an exposure, and warn where not: half of a character, say."""
    try:
        msgspec.json.encode(call)
    except (TypeError, ValueError) as error:
        key = call["experiment"]["key"]
        notices.warn(f"browser {key}", "the browser is not told of experiment %r: %s", key, error)
        return False
    return True

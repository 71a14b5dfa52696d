"""Records in the forms that other tools take: GrowthBook's warehouse, Segment, PostHog.

Each function takes a record, or a row of the journal, and returns what JSON can hold, or None for
what has no place there: links of two ids, counts of what was left out, and exposures that somebody
forced. The event ids are those of the rows, so that a tool that knows ids counts what comes twice
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from abmiddleware.exposures.records import (
    Exposure,
    ExposureRow,
    Outcome,
    OutcomeRow,
    Record,
    Row,
    frozen,
    rfc3339,
)

#: The attribute that is the visitor's id, and the one that is the logged-in user's.
VISITOR: Final = "id"
USER: Final = "user_id"


def growthbook(record: Record | Row) -> dict[str, Any] | None:
    """Return an exposure as a row of the table that GrowthBook's assignment queries read.

    `anonymous_id` is the visitor, `user_id` the user; every other id has a column of its name.
    See https://docs.growthbook.io/app/datasources.
    """
    if not isinstance(record, (Exposure, ExposureRow)) or record.forced:
        return None
    ids = _ids(record)
    return {
        "timestamp": rfc3339(record.ts_us),
        "user_id": ids.pop(USER, None),
        "anonymous_id": ids.pop(VISITOR, None),
        "experiment_id": record.experiment_key,
        # As GrowthBook's SDKs tell it: the key, which is the index where there is no other.
        "variation_id": record.variation_key,
        **ids,
    }


def segment(record: Record | Row) -> dict[str, Any] | None:
    """Return an exposure or an outcome as a track call of Segment, as its HTTP API takes it.

    See https://www.twilio.com/docs/segment/connections/spec/ab-testing.
    """
    if isinstance(record, (Exposure, ExposureRow)):
        if record.forced:
            return None
        event, properties = (
            "Experiment Viewed",
            {
                "experiment_id": record.experiment_key,
                "experiment_name": record.experiment_key,
                "variation_id": record.variation_key,
                "variation_name": record.variation_key,
            },
        )
    elif isinstance(record, (Outcome, OutcomeRow)):
        event, properties = record.event, _properties(record)
    else:
        return None
    ids = _ids(record)
    user, visitor = ids.get(USER), ids.get(VISITOR)
    if user is None and visitor is None:  # Segment takes nothing without one of them
        visitor = next(iter(ids.values()), "")
    return {
        "type": "track",
        "messageId": record.event_id,
        "timestamp": rfc3339(record.ts_us),
        **({} if user is None else {"userId": user}),
        **({} if visitor is None else {"anonymousId": visitor}),
        "event": event,
        "properties": properties,
    }


def posthog(record: Record | Row, *, unit: str = VISITOR) -> dict[str, Any] | None:
    """Return an exposure or an outcome as an event of PostHog: the arguments of its `capture`.

    See https://posthog.com/docs/experiments/exposures. PostHog wants the first variation to have
    the key `control`.

    Args:
        record: the record or row.
        unit: the id that PostHog knows people by; where it is not known, the exposure's own.
    """
    ids = _ids(record)
    if isinstance(record, (Exposure, ExposureRow)):
        if record.forced:
            return None
        flag = record.feature_key or record.experiment_key
        event, fallback = "$feature_flag_called", record.unit_id
        properties: dict[str, Any] = {
            "$feature_flag": flag,
            "$feature_flag_response": record.variation_key,
            f"$feature/{flag}": record.variation_key,
        }
    elif isinstance(record, (Outcome, OutcomeRow)):
        event, properties = record.event, _properties(record)
        fallback = next(iter(ids.values()), "")
    else:
        return None
    return {
        "event": event,
        "distinct_id": ids.get(unit, fallback),
        "properties": properties,
        "timestamp": rfc3339(record.ts_us),
        "uuid": str(UUID(record.event_id)),
    }


def _ids(record: Record | Row) -> dict[str, str]:
    """Return all ids that a record knows, by attribute."""
    if isinstance(record, (Exposure, ExposureRow)):
        return {**record.alt_ids, record.unit_type: record.unit_id}
    return dict(record.unit_ids) if isinstance(record, (Outcome, OutcomeRow)) else {}


def _properties(outcome: Outcome | OutcomeRow) -> dict[str, Any]:
    plain: Any = frozen(outcome.properties)
    properties: Mapping[str, Any] = plain if isinstance(plain, Mapping) else {}
    return dict(properties) if outcome.value is None else {**properties, "value": outcome.value}

"""Records of an experiment that a test makes up, as the journal has them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abmiddleware.analysis.subject import Subject, Variation

DAY = 86_400_000_000
#: The first day of all.
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
START_US = int(START.timestamp() * 1_000_000)
AB = Subject("button", [Variation("a", "old", 0.5), Variation("b", "new", 0.5)])


def exposure(unit: object, variation: str, at_us: int = START_US, **fields: Any) -> dict[str, Any]:
    """Return an exposure."""
    return {
        "v": 1,
        "type": "exposure",
        "event_id": f"{unit}-{variation}-{at_us}",
        "ts_us": at_us,
        "ts": dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat(),
        "experiment_key": "button",
        "phase": 0,
        "variation_key": variation,
        "variation_id": "ab".find(variation),
        "unit_type": "id",
        "unit_id": str(unit),
        "alt_ids": {},
        "kind": "exposed",
        "forced": False,
        "attributes": {},
        "config_hash": "c0ffee",
        "feature_key": None,
        "trace_id": None,
        "service": "shop",
        "sdk": "abmiddleware/0.1.0",
        **fields,
    }


_numbers = iter(range(10**9))


def outcome(
    unit: object, event: str, value: float | None, at_us: int = START_US, **fields: Any
) -> dict[str, Any]:
    """Return an outcome."""
    return {
        "v": 1,
        "type": "outcome",
        "event_id": f"outcome-{next(_numbers)}",
        "ts_us": at_us,
        "ts": dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat(),
        "event": event,
        "value": value,
        "unit_ids": {"id": str(unit)},
        "properties": {},
        "service": "shop",
        "sdk": "abmiddleware/0.1.0",
        **fields,
    }


def suppression(reason: str, count: int, at_us: int = START_US, **fields: Any) -> dict[str, Any]:
    """Return a count of exposures that were not recorded."""
    return {
        "v": 1,
        "type": "suppression",
        "event_id": f"suppression-{next(_numbers)}",
        "ts_us": at_us,
        "ts": dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat(),
        "experiment_key": "button",
        "phase": 0,
        "reason": reason,
        "count": count,
        "service": "shop",
        "sdk": "abmiddleware/0.1.0",
        **fields,
    }


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write records as the journal does, with an empty line between writes."""
    path.write_text("".join(f"\n{json.dumps(row)}\n" for row in rows))
    return path


def after(days: float) -> dt.datetime:
    """Return an instant, days after the first."""
    return START + dt.timedelta(days=days)

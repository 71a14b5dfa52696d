"""What came out of an experiment, as the ledger keeps it: records do not stay for ever."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from abmiddleware.design.ledger import Outcome
from abmiddleware.exceptions import DocumentError


def outcome_of(path: str | None, key: str, variation: str) -> Outcome | None:
    """Return the goal's outcome in a report; None where there is none that can be trusted.

    There is no file, or no lift in it; the experiment was not healthy; or the control stays.

    Args:
        path: of what `abmiddleware report KEY --json` printed.
        key: of the experiment.
        variation: the one that matters; "" for the first beside the control.

    Raises:
        DocumentError: the file is no report of the experiment.
        OSError: it is not there.
    """
    if not path:
        return None
    try:
        report = msgspec.json.decode(Path(path).read_bytes())
        if report["key"] != key:
            raise DocumentError(path, f"is the report of {report['key']!r}, must be of {key!r}")
        return _outcome(report, variation)
    except (msgspec.DecodeError, LookupError, TypeError) as error:
        raise DocumentError(path, f"is no report as JSON: {error}") from None


def _outcome(report: dict[str, Any], variation: str) -> Outcome | None:
    goals = [one for one in report["metrics"] if one["role"] == "goal" and one["verdicts"]]
    if not goals:
        return None
    if report["status"] == "unhealthy":
        return None
    verdicts = goals[0]["verdicts"]
    verdict = next((one for one in verdicts if one["variation"] == variation), None)
    if not variation:
        verdict = verdicts[0]
    if verdict is None:
        return None
    comparison = verdict["comparison"]
    lift, effect = comparison["lift"], comparison["effect"]
    if lift is None or not lift["low"] > -1 or not effect["high"] > effect["low"]:
        return None
    # Whatever its level, an interval is as wide in the logarithm of the lift as in the effect.
    width = math.log1p(lift["high"]) - math.log1p(lift["low"])
    error = comparison["standard_error"] * width / (effect["high"] - effect["low"])
    return Outcome(
        goals[0]["name"],
        verdict["variation"],
        lift["estimate"],
        error,
        sum(arm["units"] for arm in report["arms"]),
        report["days"],
    )

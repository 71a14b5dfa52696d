"""A report for programs: JSON, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

import msgspec

from abmiddleware.analysis.analysis import Analysis, MetricResult, Verdict

#: The columns of the CSV form, a line for each metric and variation.
COLUMNS: Final = (
    "experiment",
    "status",
    "role",
    "metric",
    "variation",
    "control_units",
    "units",
    "control_value",
    "value",
    "effect",
    "effect_low",
    "effect_high",
    "lift",
    "lift_low",
    "lift_high",
    "p_value",
    "verdict",
    "withheld",
)


def as_json(analysis: Analysis) -> str:
    """Return all of it."""
    return msgspec.json.format(msgspec.json.encode(analysis)).decode() + "\n"


def as_csv(analysis: Analysis) -> str:
    """Return a line for each metric and variation, behind one of headings."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for result in analysis.metrics:
        common = {
            "experiment": analysis.key,
            "status": analysis.status,
            "role": result.role,
            "metric": result.name,
        }
        if not result.verdicts:
            writer.writerow({**common, "withheld": result.withheld})
        for verdict in result.verdicts:
            writer.writerow({**common, **_line(analysis, result, verdict)})
    return out.getvalue()


def _line(analysis: Analysis, result: MetricResult, verdict: Verdict) -> dict[str, Any]:
    cells = {cell.variation: cell for cell in result.cells}
    comparison, lift = verdict.comparison, verdict.comparison.lift
    line: dict[str, Any] = {
        "variation": verdict.variation,
        "control_units": cells[analysis.arms[0].key].units,
        "units": cells[verdict.variation].units,
        "control_value": comparison.control,
        "value": comparison.treatment,
        "effect": comparison.effect.estimate,
        "effect_low": comparison.effect.low,
        "effect_high": comparison.effect.high,
        "p_value": verdict.p_value,
        "verdict": verdict.word,
    }
    if lift is not None:
        line |= {"lift": lift.estimate, "lift_low": lift.low, "lift_high": lift.high}
    return line

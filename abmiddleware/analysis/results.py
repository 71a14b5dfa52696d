"""The results of the metrics of one experiment, from what its units did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import msgspec

from abmiddleware.analysis import queries
from abmiddleware.analysis.activity import Activity
from abmiddleware.analysis.aggregating import capped, moments
from abmiddleware.analysis.analysis import Cell, MetricResult, Verdict
from abmiddleware.analysis.deciding import corrected
from abmiddleware.analysis.history import History
from abmiddleware.analysis.inference import chances, means, proportions, sequential
from abmiddleware.analysis.inference import quantiles as quantile_inference
from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.quantiles import Quantile
from abmiddleware.analysis.moments import VALUE, Moments
from abmiddleware.analysis.population import day_of, microseconds
from abmiddleware.analysis.quantile_values import quantiles
from abmiddleware.analysis.unit_values import eligible, unit_values
from abmiddleware.design.metrics import Metric
from abmiddleware.design.record import ExperimentRecord

T = TypeVar("T")
_ROLES: Final = (("goal", "goals"), ("guardrail", "guardrails"), ("secondary", "secondary"))


class Results:
    """Compares the variations of an experiment in each metric of its record.

    Args:
        keys: of the variations, the control first.
        metrics: by name, those that there are.
        record: which of them it looks at.
        activity: what its units did.
        history: what the ledger tells of it.
        withheld: why there is nothing to see; "" where there is.
        is_sequential: whether intervals must hold at every look.
    """

    def __init__(
        self,
        keys: Sequence[str],
        metrics: Mapping[str, Metric],
        record: ExperimentRecord,
        activity: Activity,
        history: History,
        withheld: str,
        *,
        is_sequential: bool,
    ) -> None:
        self._keys = keys
        self._metrics = metrics
        self._record = record
        self._activity = activity
        self._history = history
        self._withheld = withheld
        self._is_sequential = is_sequential
        #: The units that count, by the days of a window and by variation.
        self._eligible: dict[float, dict[str, int]] = {}

    def all(self) -> list[MetricResult]:
        """Return the results of all metrics, goals first, corrected for how many there are."""
        results = []
        for role, names in _ROLES:
            found = [self._result(name, role) for name in getattr(self._record, names)]
            planned = [one for one in found if not one.retroactive]
            later = [one for one in found if one.retroactive]
            results += corrected(role, planned, self._record.alpha)
            results += corrected(role, later, self._record.alpha)
        return results

    def _result(self, name: str, role: str) -> MetricResult:
        metric = self._metrics[name]
        withheld = self._withheld or self._under_way(metric)
        made = MetricResult(
            name,
            role,
            metric.kind,
            metric.direction,
            metric.unit,
            metric.margin,
            metric.window_days,
            [],
            [],
            withheld,
            self._retroactive(name, role),
        )
        if withheld:
            return made
        cells, comparisons = self._compared(metric)
        if not comparisons:
            why = "there are too few units whose time is over"
            if metric.kind == "quantile":
                why = "there are too few units for this quantile"
            return msgspec.structs.replace(made, cells=cells, withheld=why)
        if not any(one.standard_error > 0 for one in comparisons.values()):
            why = "there is nothing to compare: all units have the same value, or too large ones"
            return msgspec.structs.replace(made, cells=cells, withheld=why)
        verdicts = [
            Verdict(key, comparison, comparison.p_value, "", self._chance(metric, cells, key))
            for key, comparison in comparisons.items()
        ]
        return msgspec.structs.replace(made, cells=cells, verdicts=verdicts)

    def _under_way(self, metric: Metric) -> str:
        """Return until when a metric of a fixed plan is not told; "" for no longer.

        Its result moves until the time of the last unit is over. To look at each day of it is to
        look often: at a window of a week 12 of 100 experiments find what is not there.
        """
        due_us = self._activity.end_us + microseconds(metric.window_days)
        if self._is_sequential or self._activity.until_us >= due_us:
            return ""
        return f"the {metric.window_days:g} days of the last units are over on {day_of(due_us)}"

    def _retroactive(self, name: str, role: str) -> str:
        """Return the start after which a secondary metric was added; "" for none such."""
        known = self._history.secondary
        if role != "secondary" or known is None or name in known:
            return ""
        return str(day_of(self._history.began_us))

    def _compared(self, metric: Metric) -> tuple[list[Cell], dict[str, Comparison]]:
        """Return how the variations did, and the others beside the control."""
        counts, alpha = self._counts(metric), self._record.alpha
        if metric.kind == "quantile":
            levels = quantiles(metric, self._activity, alpha)
            cells = [self._level(key, levels, counts) for key in self._keys]
            return cells, self._beside(levels, counts, partial(_levels_compared, alpha=alpha))
        values = unit_values(metric, self._activity).cache()
        found = moments(capped(values, metric), counts)
        cells = [self._cell(metric, key, found, counts) for key in self._keys]
        return cells, self._beside(found, counts, partial(compare, metric, alpha=alpha))

    def _beside(
        self,
        found: Mapping[str, T],
        counts: Mapping[str, int],
        compared: Callable[[T, T], Comparison],
    ) -> dict[str, Comparison]:
        control, *others = self._keys
        if control not in found:
            return {}
        return {
            key: self._at_look(compared(found[control], found[key]), counts, control, key)
            for key in others
            if key in found
        }

    def _counts(self, metric: Metric) -> dict[str, int]:
        """Return the units that count, by variation; metrics with one window have the same."""
        if metric.window_days not in self._eligible:
            closed = eligible(self._activity.units, metric, self._activity.until_us)
            self._eligible[metric.window_days] = queries.counts(closed, "variation")
        return self._eligible[metric.window_days]

    def _level(self, key: str, found: Mapping[str, Quantile], counts: Mapping[str, int]) -> Cell:
        return Cell(key, counts.get(key, 0), found[key].estimate if key in found else None)

    def _cell(
        self, metric: Metric, key: str, found: Mapping[str, Moments], counts: Mapping[str, int]
    ) -> Cell:
        known = found.get(key)
        successes = round(known.total) if known is not None and metric.is_share else None
        return Cell(key, counts.get(key, 0), None if known is None else known.ratio, successes)

    def _at_look(
        self, comparison: Comparison, counts: Mapping[str, int], control: str, key: str
    ) -> Comparison:
        if not self._is_sequential:
            return comparison
        units = counts.get(control, 0) + counts.get(key, 0)
        return sequential.at_every_look(comparison, units, self._record.tuning, self._record.alpha)

    def _chance(self, metric: Metric, cells: Sequence[Cell], key: str) -> float | None:
        if not metric.is_share or self._is_sequential:
            return None
        known = {cell.variation: (cell.successes or 0, cell.units) for cell in cells}
        chance = chances.chance_to_beat(known[self._keys[0]], known[key])
        return chance if metric.sign > 0 else 1 - chance


def compare(metric: Metric, control: Moments, treatment: Moments, *, alpha: float) -> Comparison:
    """Compare a variation with the control: a share of units by itself, all else as a mean."""
    if metric.is_share and list(control.means) == [VALUE]:
        pairs = [(round(one.total), one.units) for one in (control, treatment)]
        return proportions.compare(pairs[0], pairs[1], alpha)
    return means.compare(control, treatment, alpha)


def _levels_compared(control: Quantile, treatment: Quantile, *, alpha: float) -> Comparison:
    return quantile_inference.compare(control, treatment, alpha)

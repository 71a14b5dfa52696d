"""Several questions at once: p-values that keep what was promised of all together."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm 1979: the chance of any false find stays below alpha."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    places = sorted(range(len(p_values)), key=p_values.__getitem__)
    for smaller, place in enumerate(places):
        largest = max(largest, min(1.0, (len(p_values) - smaller) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Benjamini & Hochberg 1995: the share of false finds stays so."""
    if not p_values:
        return []
    return [float(one) for one in stats.false_discovery_control(list(p_values))]

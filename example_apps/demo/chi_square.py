"""Pearson's chi-square test: does a split look as it was configured?"""

from __future__ import annotations

import math
from collections.abc import Sequence


def survival(statistic: float, freedom: int) -> float:
    """Return the chance that a chi-square variable of `freedom` degrees exceeds `statistic`.

    For whole degrees the regularised gamma function is a finite sum: of Poisson terms for even
    degrees, of terms at half-integers beside the error function for odd ones.
    """
    if freedom < 1:
        raise ValueError(f"freedom is {freedom}, must be 1 or more")
    half = statistic / 2
    if half <= 0:
        return 1.0
    first = 0.0 if freedom % 2 == 0 else 0.5
    terms = (
        math.exp(power * math.log(half) - half - math.lgamma(power + 1))
        for power in (first + step for step in range(freedom // 2))
    )
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if first else 0.0))


def split_p_value(counts: Sequence[int], weights: Sequence[float]) -> float:
    """Return the p-value of counts under the configured weights.

    Without any count there is nothing to doubt; one where the weight is 0 cannot be by chance.
    """
    total, share = sum(counts), sum(weights)
    pairs = [(count, total * weight / share) for count, weight in zip(counts, weights, strict=True)]
    if not total:
        return 1.0
    if any(count and not expected for count, expected in pairs):
        return 0.0
    possible = [(count, expected) for count, expected in pairs if expected]
    if len(possible) < 2:
        return 1.0
    statistic = math.fsum((count - expected) ** 2 / expected for count, expected in possible)
    return survival(statistic, len(possible) - 1)

"""What many experiments brought together, without the luck of those that were picked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

#: With fewer effects their spread is not known well enough.
FEWEST: Final = 6


def shrunken(effects: Sequence[float], errors: Sequence[float]) -> list[float]:
    """Return effects drawn towards zero by as much as their spread is noise.

    The normal-normal model about zero with the variance of true effects estimated by moments, never
    below zero: the positive-part estimator of James & Stein 1961 for unequal errors (Efron &
    Morris 1975).

    Args:
        effects: as measured.
        errors: their standard errors, each above zero.

    Raises:
        ValueError: there are too few.
    """
    if len(effects) < FEWEST:
        raise ValueError(f"are {len(effects)} effects, must be {FEWEST} or more")
    variance = _variance_of_truth(effects, errors)
    return [
        effect * variance / (variance + error**2) if variance else 0.0
        for effect, error in zip(effects, errors, strict=True)
    ]


def _variance_of_truth(effects: Sequence[float], errors: Sequence[float]) -> float:
    """Return the variance of true effects, weighing each by how well it is known."""
    variance = 0.0
    for _ in range(100):
        weights = [1 / (variance + error**2) ** 2 for error in errors]
        excess = (
            weight * (effect**2 - error**2)
            for weight, effect, error in zip(weights, effects, errors, strict=True)
        )
        found = max(0.0, math.fsum(excess) / math.fsum(weights))
        if math.isclose(found, variance, rel_tol=1e-9, abs_tol=1e-18):
            break
        variance = found
    return variance

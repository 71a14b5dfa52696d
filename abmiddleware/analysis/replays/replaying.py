"""Assigns units by many seeds, and compares their variations each time."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import numpy as np

from abmiddleware.analysis.inference import sequential
from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.corrections import holm
from abmiddleware.analysis.inference.ratio_mismatch import mismatch
from abmiddleware.analysis.moments import (
    Moments,
)
from abmiddleware.analysis.replays.trial import Trial
from abmiddleware.analysis.replays.units import Flags, Indices, Measured, Units
from abmiddleware.analysis.replays.verdict import Replays, judged
from abmiddleware.analysis.results import compare
from abmiddleware.evaluation.buckets import weighted_choice
from abmiddleware.evaluation.hashing import bucket_of
from abmiddleware.exceptions import ConfigurationError

#: Replays by default, and those below which a share of 5 % is not known.
USUAL: Final = 1_000
FEWEST: Final = 100


def replay(
    units: Units,
    trial: Trial,
    count: int = USUAL,
    watch: Callable[[], object] = lambda: None,
) -> Replays:
    """Assign units by so many seeds, compare each time, and judge what was found.

    Args:
        units: recorded or synthetic.
        trial: how they are assigned and compared.
        count: of the replays.
        watch: is called after each.

    Raises:
        ConfigurationError: there are too few replays.
    """
    if count < FEWEST:
        raise ConfigurationError(
            f"replays: is {count}, must be {FEWEST} or more: the share of fewer says nothing"
        )
    finds = alarms = 0
    for number in range(count):
        chosen = _assigned(units, trial, _seed(trial, number))
        finds += _is_found(units, trial, chosen)
        counts = np.bincount(chosen[chosen >= 0], minlength=len(trial.weights))
        alarms += mismatch(counts.tolist(), trial.weights).is_alarming
        watch()
    return judged(units, trial, count, finds, alarms)


def _seed(trial: Trial, number: int) -> str:
    """Return the seed of a replay.

    Seeds that differ in their last digits alone would not do: by the first version of the hash
    their assignments are alike, so that replays would not be independent.
    """
    return sha256(f"{trial.seed}:aa:{number}".encode()).hexdigest()


def _assigned(units: Units, trial: Trial, seed: str) -> Indices:
    """Return the variation of each unit, -1 for none, by the hash and the ranges of decisions."""
    bucket = bucket_of(seed, trial.hash_version)
    if bucket is None:
        raise ConfigurationError(f"hash_version: is {trial.hash_version}, must be 1 or 2")
    count = len(units.ids)
    buckets = np.fromiter(map(bucket, units.hashed), np.float64, count)
    chosen = np.empty(count, dtype=np.intp)
    phases = trial.phases
    for part, weights in zip(np.array_split(np.arange(count), len(phases)), phases, strict=True):
        cuts, indices = weighted_choice(len(weights), None, weights)
        chosen[part] = np.asarray(indices)[np.searchsorted(cuts, buckets[part], side="right")]
    return chosen


def _is_found(units: Units, trial: Trial, chosen: Indices) -> bool:
    """Tell whether any look finds a difference, of all metrics and variations together."""
    for look in range(1, trial.looks + 1):
        seen = len(chosen) * look // trial.looks
        p_values = [
            comparison.p_value
            for measured in units.measured.values()
            for comparison in _compared(measured, trial, chosen[:seen])
        ]
        if min(holm(p_values), default=1.0) < trial.alpha:
            return True
    return False


def _compared(measured: Measured, trial: Trial, chosen: Indices) -> list[Comparison]:
    """Return the comparisons of all variations with the control, as an analysis makes them."""
    control, *others = [
        _moments(measured, chosen == variation) for variation in range(len(trial.weights))
    ]
    if control is None:
        return []
    found = []
    for other in others:
        if other is None:
            continue
        comparison = compare(measured.metric, control, other, alpha=trial.alpha)
        if trial.sequential:
            count = control.units + other.units
            comparison = sequential.at_every_look(comparison, count, trial.tuning, trial.alpha)
        found.append(comparison)
    return found


def _moments(measured: Measured, has_it: Flags) -> Moments | None:
    """Return the moments of those that have a variation, of the first units; None for under two."""
    seen = len(has_it)
    kept = has_it & measured.counts[:seen]
    units = int(np.count_nonzero(kept))
    if units < 2:
        return None
    names = list(measured.columns)
    table = np.array([measured.columns[name][:seen][kept] for name in names])
    covariance = np.atleast_2d(np.cov(table))
    pairs = [(i, j) for i in range(len(names)) for j in range(i, len(names))]
    return Moments(
        units,
        dict(zip(names, table.mean(axis=1).tolist(), strict=True)),
        {(names[i], names[j]): float(covariance[i, j]) for i, j in pairs},
    )

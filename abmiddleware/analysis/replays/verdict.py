"""What is said of the false positives of many replays."""

from __future__ import annotations

from typing import Final

import msgspec
from scipy import stats

from abmiddleware.analysis.inference.ratio_mismatch import ALARM
from abmiddleware.analysis.replays.trial import Trial
from abmiddleware.analysis.replays.units import Units

#: A count of finds less likely than this is wrong.
_LEVEL: Final = 0.01
#: Of the interval that is shown.
_CONFIDENCE: Final = 0.95


class Replays(msgspec.Struct, frozen=True, kw_only=True):
    """What replays found where there is nothing to find."""

    key: str
    metrics: list[str]
    units: int
    #: How many there were, and at what level each looked.
    replays: int
    alpha: float
    #: Replays that found something, their share, and its exact interval (Clopper & Pearson 1934).
    finds: int
    share: float
    low: float
    high: float
    #: The chance of such a count where the promise of alpha is kept.
    p_value: float
    #: Whether finding less than alpha is no fault: it was promised at most.
    is_conservative: bool
    #: Replays whose split was alarming, and the chance of as many.
    alarms: int
    alarms_p_value: float
    passes: bool
    #: What is wrong, and what it probably is.
    problems: list[str]


def judged(units: Units, trial: Trial, count: int, finds: int, alarms: int) -> Replays:
    """Return whether so many finds, and alarms of the split, are as promised.

    Args:
        units: that were replayed.
        trial: how.
        count: of the replays.
        finds: those that found a difference.
        alarms: those whose split was alarming.
    """
    # Holm keeps a promise of all comparisons together, and more than that where they are alike.
    comparisons = len(units.measured) * (len(trial.weights) - 1)
    is_conservative = trial.sequential or comparisons > 1
    side = "greater" if is_conservative else "two-sided"
    tested = stats.binomtest(finds, count, trial.alpha, alternative=side)
    interval = stats.binomtest(finds, count).proportion_ci(_CONFIDENCE, method="exact")
    split = stats.binomtest(alarms, count, ALARM, alternative="greater")
    problems = []
    if tested.pvalue < _LEVEL:
        problems.append(_cause(units, trial, finds > count * trial.alpha))
    if split.pvalue < _LEVEL:
        problems.append(_cause_of_split(units, trial))
    return Replays(
        key=trial.key,
        metrics=list(units.measured),
        units=len(units.ids),
        replays=count,
        alpha=trial.alpha,
        finds=finds,
        share=finds / count,
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(tested.pvalue),
        is_conservative=is_conservative,
        alarms=alarms,
        alarms_p_value=float(split.pvalue),
        passes=not problems,
        problems=problems,
    )


def _cause(units: Units, trial: Trial, is_above: bool) -> str:
    """Return what a share of finds comes from that is not as promised."""
    if not is_above:
        return (
            "too little is found: too few units have the event, or most values are alike; wait "
            "for more units, or take a goal that more of them reach"
        )
    if units.clusters is not None:
        return (
            "too much is found: clusters are hashed and units are tested, which are alike within "
            "a cluster; test by what is hashed (--test-clusters), or hash by unit"
        )
    if trial.looks > 1 and not trial.sequential:
        return (
            "too much is found: the first find of several looks counts (peeking); look once, at "
            "the planned end, or plan with sequential = true"
        )
    if trial.ramp:
        return (
            "too much is found: phases of other weights are pooled, while the rate changes; let "
            "the weights be and raise the coverage, or begin a new phase with new weights"
        )
    return (
        "too much is found: units that are not independent, or a few very large values; randomise "
        "by the larger unit, or cap the metric"
    )


def _cause_of_split(units: Units, trial: Trial) -> str:
    if trial.ramp:
        return (
            "the split is alarming: the units of all phases together are not as the weights of the "
            "definition; let the weights be and raise the coverage"
        )
    if units.clusters is not None:
        return (
            "the split is alarming: whole clusters move together, and units are counted; count "
            "what is hashed"
        )
    return (
        "the split is alarming: the hash does not spread these ids as the weights say; look for "
        "ids that are not unique, or set hash_version = 2"
    )

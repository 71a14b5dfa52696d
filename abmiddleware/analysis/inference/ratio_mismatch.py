"""Sample ratio mismatch: do the units of the variations have the shares that were configured?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
from scipy import stats
from scipy.special import gammaln

#: A split less likely than this is wrong: Fabijan et al. 2019, and all products of the field.
ALARM: Final = 0.001
#: Units that the sequential test expects as known before, in all.
_PRIOR: Final = 1_000.0


class Mismatch(msgspec.Struct, frozen=True):
    """The units of the variations beside what was configured."""

    counts: list[int]
    expected: list[float]
    #: By the chi-square test, for one look.
    p_value: float
    #: Of the sequential test, which holds at every look and finds less.
    sequential_p_value: float

    @property
    def is_alarming(self) -> bool:
        """Whether the split is wrong, so that no result may be trusted."""
        return self.p_value < ALARM


def mismatch(counts: Sequence[int], weights: Sequence[float], fewest: float = 0.0) -> Mismatch:
    """Compare the units of the variations with their weights, all variations at once.

    Pearson's chi-square test; and the sequential test of a multinomial by Lindon & Malek, "Anytime-
    valid inference for multinomial count data", 2022, with a Dirichlet prior about the weights.

    Args:
        counts: units of each variation.
        weights: their shares; they need not add up to one.
        fewest: variations of which fewer units are expected are not tested.
    """
    total, share = sum(counts), math.fsum(weights)
    expected = [total * weight / share for weight in weights]
    if any(count and weight <= 0 for count, weight in zip(counts, weights, strict=True)):
        return Mismatch(list(counts), expected, 0.0, 0.0)
    tested = [
        place for place, weight in enumerate(weights) if weight > 0 and expected[place] >= fewest
    ]
    seen = [counts[place] for place in tested]
    if not sum(seen) or len(tested) < 2:
        return Mismatch(list(counts), expected, 1.0, 1.0)
    among = math.fsum(expected[place] for place in tested)
    wanted = [expected[place] * sum(seen) / among for place in tested]
    return Mismatch(
        list(counts),
        expected,
        float(stats.chisquare(seen, wanted).pvalue),
        _sequential(seen, wanted),
    )


def _sequential(counts: Sequence[int], expected: Sequence[float]) -> float:
    total = sum(counts)
    shares = [one / total for one in expected]
    prior = [_PRIOR * one for one in shares]
    evidence = gammaln(_PRIOR) - gammaln(_PRIOR + total)
    evidence += sum(
        gammaln(known + count) - gammaln(known) - count * math.log(one)
        for count, known, one in zip(counts, prior, shares, strict=True)
    )
    return float(math.exp(min(0.0, -evidence)))

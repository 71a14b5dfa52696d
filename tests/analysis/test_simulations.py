"""Experiments whose truth is known, many times over: how often is something false said of them?

Each bound is that of the binomial distribution, beyond which one right procedure of a million lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from abmiddleware.analysis.inference import corrections, means, proportions, quantiles, sequential
from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.means import ratio_error
from abmiddleware.analysis.moments import BEFORE, DIVISOR, DIVISOR_BEFORE, VALUE, Moments

ALPHA = 0.05
#: The chance that a right procedure fails here.
_RARE = 1e-6
Columns = dict[str, Any]


def moments(columns: Columns) -> Moments:
    """Return the moments of columns of values, by name and in their order."""
    names = list(columns)
    covariance = np.atleast_2d(np.cov(np.array([columns[name] for name in names])))
    return Moments(
        len(columns[VALUE]),
        {name: float(np.mean(columns[name])) for name in names},
        {
            (left, right): float(covariance[i, j])
            for i, left in enumerate(names)
            for j, right in enumerate(names)
            if i <= j
        },
    )


def is_about(found: int, of: int, share: float, *, or_less: bool = False) -> bool:
    """Tell whether so many of so many are what a share makes likely."""
    low, high = stats.binom.ppf([_RARE / 2, 1 - _RARE / 2], of, share)
    return bool((or_less or found >= low) and found <= high)


def finds(comparisons: Iterator[Comparison]) -> int:
    """Return how many comparisons find a difference."""
    return sum(one.p_value < ALPHA for one in comparisons)


# Nothing is there.


@pytest.mark.parametrize(("share", "units"), [(0.5, 400), (0.1, 2_000), (0.02, 5_000)])
def test_equal_shares_are_found_different_seldom(share: float, units: int) -> None:
    """In 5 % of 1,000 experiments."""
    source = np.random.default_rng(1)
    found = finds(
        proportions.compare((int(one), units), (int(two), units))
        for one, two in source.binomial(units, share, (1_000, 2))
    )

    assert is_about(found, 1_000, ALPHA)


def test_rare_shares_are_found_different_no_more_often() -> None:
    """By the exact test, which finds less."""
    source = np.random.default_rng(2)
    found = finds(
        proportions.compare((int(one), 1_000), (int(two), 1_000))
        for one, two in source.binomial(1_000, 0.002, (1_000, 2))
    )

    assert is_about(found, 1_000, ALPHA, or_less=True)


def revenue(source: np.random.Generator, units: int) -> Columns:
    """Return what units spent: most of them nothing, a few of them much."""
    buys = source.random(units) < 0.1
    return {VALUE: buys * source.lognormal(3, 1, units)}


def clicks(source: np.random.Generator, units: int) -> Columns:
    """Return clicks and sessions of users who have many sessions and their own way."""
    sessions = source.geometric(0.2, units)
    return {VALUE: source.binomial(sessions, source.beta(1, 4, units)), DIVISOR: sessions}


def spent_again(source: np.random.Generator, units: int) -> Columns:
    """Return what units spent after and before, which are alike."""
    taste = source.lognormal(2, 0.7, units)
    return {VALUE: source.poisson(taste), BEFORE: source.poisson(taste)}


def clicks_again(source: np.random.Generator, units: int) -> Columns:
    """Return clicks and sessions, after and before."""
    rate = source.beta(1, 4, units)
    sessions, earlier = source.geometric(0.2, (2, units))
    return {
        VALUE: source.binomial(sessions, rate),
        DIVISOR: sessions,
        BEFORE: source.binomial(earlier, rate),
        DIVISOR_BEFORE: earlier,
    }


@pytest.mark.parametrize("draw", [revenue, clicks, spent_again, clicks_again])
def test_equal_means_are_found_different_seldom(
    draw: Callable[[np.random.Generator, int], Columns],
) -> None:
    """In 5 % of 600 experiments: skewed values, ratios, and adjusted by what was before."""
    source = np.random.default_rng(3)
    found = finds(
        means.compare(moments(draw(source, 2_000)), moments(draw(source, 2_500)))
        for _ in range(600)
    )

    assert is_about(found, 600, ALPHA)


def test_sessions_are_no_units() -> None:
    """Tested one by one they find far too much; by the ratio of their users, they do not."""
    source = np.random.default_rng(4)
    naive = 0
    for _ in range(400):
        pairs = []
        for _ in range(2):
            of = clicks(source, 1_000)
            pairs.append((int(of[VALUE].sum()), int(of[DIVISOR].sum())))
        naive += proportions.compare(pairs[0], pairs[1]).p_value < ALPHA

    assert naive > 0.12 * 400


def test_units_of_one_cluster_are_not_many() -> None:
    """People of 80 companies: tested one by one they find far too much, by company they do not."""
    source = np.random.default_rng(5)
    per_person = per_company = 0
    for _ in range(600):
        people: list[Columns] = []
        companies: list[Columns] = []
        for _ in range(2):
            sizes = source.integers(10, 60, 40)
            level = source.normal(10, 2, 40)
            of = np.repeat(np.arange(40), sizes)
            values = source.normal(level[of], 3)
            people.append({VALUE: values})
            companies.append({VALUE: np.bincount(of, values), DIVISOR: sizes})
        per_person += means.compare(moments(people[0]), moments(people[1])).p_value < ALPHA
        found = means.compare(moments(companies[0]), moments(companies[1]))
        per_company += found.p_value < ALPHA

    assert per_person > 0.3 * 600
    # The delta method finds somewhat too much of 40 a side.
    assert is_about(per_company, 600, 1.3 * ALPHA)


def test_ten_metrics_find_something_false_seldom() -> None:
    """By Holm in 5 % of 400 experiments, without it in two of five."""
    source = np.random.default_rng(6)
    corrected = plain = 0
    for _ in range(400):
        # Metrics of the same units are alike.
        values = source.normal(5, 0.4, (2, 1, 400)) + source.normal(0, 1, (2, 10, 400))
        p_values = [
            means.compare(moments({VALUE: one}), moments({VALUE: two})).p_value
            for one, two in zip(values[0], values[1], strict=True)
        ]
        corrected += min(corrections.holm(p_values)) < ALPHA
        plain += min(p_values) < ALPHA

    assert is_about(corrected, 400, ALPHA, or_less=True)
    assert plain > 0.3 * 400


@pytest.mark.parametrize(
    ("adjust", "method"), [(corrections.holm, "holm"), (corrections.benjamini_hochberg, "fdr_bh")]
)
def test_corrections_are_those_of_statsmodels(
    adjust: Callable[[list[float]], list[float]], method: str
) -> None:
    """Which collects all garbage of the process each time, and takes 0.1 s for it."""
    source = np.random.default_rng(13)
    for count in (1, 2, 3, 10, 40):
        p_values = [float(one) for one in source.beta(0.3, 1, count)] + [0.02, 0.02, 1.0, 0.0]

        assert adjust(p_values) == pytest.approx(multipletests(p_values, method=method)[1])


def looks(source: np.random.Generator, effect: float = 0.0) -> Iterator[tuple[Comparison, int]]:
    """Return an experiment's comparisons on each of 14 days, and the units up to then."""
    values = source.exponential(1, (2, 14, 300))
    values[1] += effect
    for day in range(1, 15):
        one, two = (moments({VALUE: values[arm, :day].ravel()}) for arm in (0, 1))
        yield means.compare(one, two), one.units + two.units


def test_a_look_each_day_finds_too_much_by_a_fixed_test_alone() -> None:
    """22 % of 300 experiments have a day with p < 5 %; by confidence sequences 5 % at most."""
    source = np.random.default_rng(7)
    fixed = always = 0
    for _ in range(300):
        found = list(looks(source))
        fixed += any(one.p_value < ALPHA for one, _ in found)
        at_looks = [sequential.at_every_look(one, units, 8_300, ALPHA) for one, units in found]
        always += any(one.p_value < ALPHA for one in at_looks)
        assert not any(
            (one.p_value < ALPHA) and one.effect.low <= 0 <= one.effect.high for one in at_looks
        )

    assert is_about(fixed, 300, 0.22)
    assert is_about(always, 300, ALPHA, or_less=True)


def test_true_effects_are_in_the_intervals_of_all_looks() -> None:
    """Of the difference and of the lift, in 95 % of 200 experiments or more."""
    source = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        found = [
            sequential.at_every_look(one, units, 8_400, ALPHA)
            for one, units in looks(source, effect=0.1)
        ]
        covered += all(one.effect.low <= 0.1 <= one.effect.high for one in found)
        covered -= not all(
            one.lift is not None and one.lift.low <= 0.1 <= one.lift.high for one in found
        )

    assert is_about(200 - covered, 200, 2 * ALPHA, or_less=True)


# Something is there.


@pytest.mark.parametrize(("one", "two"), [(0.1, 0.115), (0.02, 0.025), (0.6, 0.5)])
def test_intervals_of_shares_hold_the_truth(one: float, two: float) -> None:
    """Of the difference and of the lift, in 95 % of 1,000 experiments."""
    source, covered = np.random.default_rng(9), np.zeros(2, dtype=int)
    for _ in range(1_000):
        pairs = [(int(source.binomial(4_000, share)), 4_000) for share in (one, two)]
        covered += holds(proportions.compare(pairs[0], pairs[1]), two - one, two / one - 1)

    assert all(is_about(int(found), 1_000, 1 - ALPHA) for found in covered)


def holds(comparison: Comparison, effect: float, lift: float) -> np.ndarray[Any, Any]:
    """Tell whether the intervals of the difference and of the lift hold the truth."""
    assert comparison.lift is not None
    return np.array(
        [
            comparison.effect.low <= effect <= comparison.effect.high,
            comparison.lift.low <= lift <= comparison.lift.high,
        ],
        dtype=int,
    )


@pytest.mark.parametrize("scale", [1.2, -1.0])
def test_intervals_of_means_hold_the_truth(scale: float) -> None:
    """Of skewed values that are 20 % more, and of losses that are 10 % more."""
    source, covered = np.random.default_rng(10), np.zeros(2, dtype=int)
    mean = math.copysign(0.1 * math.exp(3.5), scale)
    factor = 1.2 if scale > 0 else 1.1
    for _ in range(600):
        one, two = (revenue(source, 4_000)[VALUE] * math.copysign(1, scale) for _ in range(2))
        found = means.compare(moments({VALUE: one}), moments({VALUE: two * factor}))
        lift = math.copysign(factor - 1, scale)
        covered += holds(found, mean * (factor - 1), lift)

    assert all(is_about(int(found), 600, 1 - ALPHA) for found in covered)


def test_intervals_of_ratios_and_of_what_is_adjusted_hold_the_truth() -> None:
    """Whatever the units did before, the effect is that of after."""
    source = np.random.default_rng(11)
    ratios, adjusted = np.zeros(2, dtype=int), np.zeros(2, dtype=int)
    for _ in range(600):
        one, two = clicks(source, 2_000), clicks(source, 2_000)
        two[VALUE] = two[VALUE] + source.binomial(two[DIVISOR] - two[VALUE], 0.05)
        found = means.compare(moments(one), moments(two))
        ratios += holds(found, 0.8 * 0.05, 0.8 * 0.05 / 0.2)
        one, two = spent_again(source, 2_000), spent_again(source, 2_000)
        two[VALUE] = two[VALUE] + source.poisson(0.5, 2_000)
        mean = math.exp(2 + 0.7**2 / 2)
        adjusted += holds(means.compare(moments(one), moments(two)), 0.5, 0.5 / mean)

    assert all(is_about(int(found), 600, 1 - ALPHA) for found in (*ratios, *adjusted))


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_of_quantiles_hold_the_truth(level: float) -> None:
    """Where users have several values that are alike: of 400 experiments 95 %."""
    source = np.random.default_rng(12)
    covered = naive = 0
    for _ in range(400):
        arms = [quantile(source, level, factor) for factor in (1.0, 1.1)]
        found = quantiles.compare(arms[0], arms[1])
        assert found.lift is not None
        covered += found.lift.low <= 0.1 <= found.lift.high
        naive += found.lift.low <= 0.1 - 0.1 <= found.lift.high

    assert is_about(covered, 400, 1 - ALPHA)
    assert naive < covered


def quantile(source: np.random.Generator, level: float, factor: float) -> quantiles.Quantile:
    """Return a quantile of latencies of 400 users with ten pages each."""
    user = source.normal(0, 0.5, (400, 1))
    values = factor * np.exp(user + source.normal(0, 0.5, (400, 10)))
    estimate = float(np.quantile(values, level))
    below = (values <= estimate).sum(axis=1)
    error = ratio_error(moments({VALUE: below, DIVISOR: np.full(400, 10)}))
    low, high = (float(np.quantile(values, one)) for one in quantiles.ranks(level, error, ALPHA))
    return quantiles.Quantile(values.size, estimate, low, high)

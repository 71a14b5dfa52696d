"""Every figure against published numbers, and against a second library."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from abmiddleware.analysis.inference import (
    chances,
    corrections,
    guardrails,
    means,
    proportions,
    quantiles,
    ratio_mismatch,
    sequential,
    shrinkage,
)
from abmiddleware.analysis.inference.comparison import Comparison, Interval, Look, NoLift
from abmiddleware.analysis.moments import COLUMNS, Moments
from abmiddleware.design.sequence import half_width

#: Extra hours of sleep under two drugs (Cushny & Peebles 1905, as R's `sleep`).
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)


def moments(*columns: Any, names: tuple[str, ...] = COLUMNS) -> Moments:
    """Return the moments of columns of values."""
    table = np.atleast_2d(np.array(columns, dtype=float))
    covariance = np.atleast_2d(np.cov(table))
    used = names[: len(table)]
    return Moments(
        table.shape[1],
        {name: float(row.mean()) for name, row in zip(used, table, strict=True)},
        {
            (left, right): float(covariance[i, j])
            for i, left in enumerate(used)
            for j, right in enumerate(used)
            if i <= j
        },
    )


# Means.


def test_the_sleep_of_r() -> None:
    """R's `t.test(extra ~ group)`: t = -1.8608, p = 0.07939, interval -3.3654832 to 0.2054832."""
    found = means.compare(moments(SLEEP[0]), moments(SLEEP[1]))

    assert found.p_value == pytest.approx(0.07939414, abs=1e-8)
    assert found.effect.low == pytest.approx(-0.2054832, abs=1e-6)
    assert found.effect.high == pytest.approx(3.3654832, abs=1e-6)
    assert found.effect.estimate == pytest.approx(1.58)
    assert found.method == "Welch's t-test"


@given(st.integers(0, 2**32), st.floats(-3, 3), st.integers(20, 400), st.integers(20, 400))
def test_means_agree_with_scipy_and_statsmodels(seed: int, shift: float, m: int, n: int) -> None:
    """Effect, interval and p-value, at any sizes and spreads."""
    random = np.random.default_rng(seed)
    one, two = random.normal(5, 1, m), random.normal(5 + shift, 3, n)
    found = means.compare(moments(one), moments(two), 0.1)

    assert found.p_value == pytest.approx(stats.ttest_ind(one, two, equal_var=False).pvalue)
    both = CompareMeans(DescrStatsW(two), DescrStatsW(one))
    low, high = both.tconfint_diff(0.1, usevar="unequal")
    assert (found.effect.low, found.effect.high) == pytest.approx((low, high))
    assert found.standard_error == pytest.approx(
        math.sqrt(one.var(ddof=1) / m + two.var(ddof=1) / n)
    )


def test_values_near_a_thousand_million_keep_their_spread() -> None:
    """Where sums of squares lose it all."""
    random = np.random.default_rng(1)
    one, two = 1e9 + random.normal(0, 2.9, 500), 1e9 + 1 + random.normal(0, 2.9, 500)
    found = means.compare(moments(one), moments(two))

    assert found.p_value == pytest.approx(
        stats.ttest_ind(one, two, equal_var=False).pvalue, rel=1e-6
    )


def test_what_was_before_narrows_the_interval_and_moves_nothing() -> None:
    """As an ordinary least squares of the value on it and the variation, nearly."""
    random = np.random.default_rng(2)
    before = random.normal(10, 2, 20_000)
    value = before + random.normal(0, 1, 20_000)
    value[10_000:] += 0.1
    plain = means.compare(moments(value[:10_000]), moments(value[10_000:]))
    one, two = (
        moments(value[part], before[part], names=("value", "before"))
        for part in (slice(None, 10_000), slice(10_000, None))
    )
    adjusted = means.compare(one, two)

    assert adjusted.standard_error < 0.5 * plain.standard_error
    table = np.column_stack([np.ones(20_000), np.arange(20_000) >= 10_000, before])
    coefficients = np.linalg.lstsq(table, value, rcond=None)[0]
    assert adjusted.effect.estimate == pytest.approx(coefficients[1], abs=1e-3)
    assert adjusted.method == "Welch's t-test, CUPED"


def test_a_ratio_counts_units_and_not_its_divisor() -> None:
    """The delta method's error is that of resampled units, not of single clicks."""
    random = np.random.default_rng(3)
    sessions = random.poisson(3, 2_000) + 1
    rate = random.beta(2, 8, 2_000)
    clicks = random.binomial(sessions, rate)
    error = means.ratio_error(moments(clicks, sessions, names=("value", "divisor")))
    resampled = [
        clicks[chosen].sum() / sessions[chosen].sum()
        for chosen in (random.integers(0, 2_000, 2_000) for _ in range(2_000))
    ]

    assert error == pytest.approx(np.std(resampled), rel=0.05)
    share = clicks.sum() / sessions.sum()
    assert error > 1.1 * math.sqrt(share * (1 - share) / sessions.sum())


def test_a_negative_control_that_falls_has_fallen() -> None:
    """By its size: from -0.97 by 0.23 is -23.7 %, though the quotient has grown."""
    random = np.random.default_rng(4)
    one, two = random.normal(-0.97, 0.5, 5_000), random.normal(-1.2, 0.5, 5_000)
    found = means.compare(moments(one), moments(two))

    assert found.lift is not None
    assert found.lift.estimate == pytest.approx(-0.237, abs=0.02)
    assert found.lift.low < found.lift.estimate < found.lift.high < 0


@pytest.mark.parametrize(("mean", "why"), [(0.0, NoLift.NEAR_ZERO), (0.01, NoLift.NEAR_ZERO)])
def test_no_lift_is_told_near_a_control_of_zero(mean: float, why: NoLift) -> None:
    """The difference stands."""
    random = np.random.default_rng(5)
    one, two = random.normal(mean, 1, 1_000), random.normal(1, 1, 1_000)
    found = means.compare(moments(one), moments(two))

    assert (found.lift, found.no_lift) == (None, why)
    assert found.effect.low > 0.5


def test_no_lift_is_told_across_zero() -> None:
    """From a loss to a gain there is no sensible share."""
    found = means.compare(moments(np.arange(100) - 200), moments(np.arange(100)))

    assert (found.lift, found.no_lift) == (None, NoLift.SIGN)


def test_values_that_are_all_alike_show_no_difference() -> None:
    """With no spread at all nothing is found, and nothing breaks."""
    found = means.compare(moments([1.0] * 50), moments([1.0] * 50))

    assert found.p_value == 1.0
    assert found.effect.estimate == 0.0


# Proportions.


def test_a_proportion_agrees_with_statsmodels_and_scipy() -> None:
    """The pooled test is Pearson's chi-square without a correction."""
    found = proportions.compare((120, 1_000), (150, 1_010))

    assert found.p_value == pytest.approx(proportions_ztest([150, 120], [1_010, 1_000])[1])
    chi = stats.chi2_contingency([[120, 880], [150, 860]], correction=False)
    assert found.p_value == pytest.approx(chi.pvalue)
    ratio = stats.contingency.relative_risk(150, 1_010, 120, 1_000).confidence_interval(0.95)
    assert found.lift is not None
    assert (found.lift.low, found.lift.high) == pytest.approx((ratio.low - 1, ratio.high - 1))


@pytest.mark.parametrize(
    ("control", "treatment", "p_value"),
    [((0, 1_000), (0, 1_000), 1.0), ((1_000, 1_000), (900, 900), 1.0), ((0, 50), (4, 50), None)],
)
def test_shares_of_nothing_and_of_all(
    control: tuple[int, int], treatment: tuple[int, int], p_value: float | None
) -> None:
    """Nothing breaks, and few are tested exactly."""
    found = proportions.compare(control, treatment)

    table = [[one[0], one[1] - one[0]] for one in (control, treatment)]
    expected = stats.fisher_exact(table)[1] if p_value is None else p_value
    assert found.p_value == pytest.approx(expected)
    assert -1 <= found.effect.low <= found.effect.estimate <= found.effect.high <= 1
    assert found.lift is None or found.lift.is_whole


def test_a_tiny_p_value_stays_a_number() -> None:
    """Below what a float can tell from zero."""
    found = proportions.compare((1_000, 100_000), (9_000, 100_000))

    assert 0 <= found.p_value < 1e-90


# Every look.


def test_the_sequential_interval_is_that_of_growthbook() -> None:
    """Its unit test of two samples gives 0.50336, from -0.55844 to 1.56516."""
    (n_a, sum_a, squares_a), (n_b, sum_b, squares_b) = (
        (3_000, 1_396.87, 52_377.9767),
        (3_461, 2_422.7, 134_698.29),
    )
    mean_a, mean_b = sum_a / n_a, sum_b / n_b
    variance_a = (squares_a - sum_a * mean_a) / (n_a - 1)
    variance_b = (squares_b - sum_b * mean_b) / (n_b - 1)
    error = math.sqrt(
        variance_b / n_b / mean_a**2 + variance_a / n_a * mean_b**2 / mean_a**4
    )  # of the lift
    lift, half = mean_b / mean_a - 1, half_width(error, n_a + n_b, 1_000, 0.05)

    assert lift == pytest.approx(0.50336, abs=1e-5)
    assert (lift - half, lift + half) == pytest.approx((-0.55844, 1.56516), abs=1e-4)


@given(st.floats(0, 5), st.integers(100, 10**7), st.sampled_from([0.01, 0.05, 0.1]))
def test_the_sequential_p_value_and_interval_agree(z: float, units: int, alpha: float) -> None:
    """Zero is in the interval of a level exactly where the p-value is above it."""
    p_value = sequential.p_value(z * 0.1, 0.1, Look(units, 5_000, alpha))
    half = half_width(0.1, units, 5_000, alpha)

    if not math.isclose(p_value, alpha, rel_tol=1e-6):
        assert (z * 0.1 > half) == (p_value < alpha)


def test_looking_every_day_finds_too_much_by_a_fixed_test_only() -> None:
    """Of 400 A/A tests over 28 days, with a look each day."""
    random = np.random.default_rng(6)
    fixed = always = 0
    for _ in range(400):
        values = random.normal(0, 1, (2, 28, 200))
        for day in range(1, 29):
            one, two = (values[arm, :day].ravel() for arm in (0, 1))
            error = math.sqrt(one.var() / one.size + two.var() / two.size)
            effect = two.mean() - one.mean()
            found = abs(effect) > 1.959964 * error
            fixed += found
            if found:
                break
        for day in range(1, 29):
            one, two = (values[arm, :day].ravel() for arm in (0, 1))
            error = math.sqrt(one.var() / one.size + two.var() / two.size)
            if abs(two.mean() - one.mean()) > half_width(error, one.size + two.size, 11_200, 0.05):
                always += 1
                break

    assert fixed / 400 > 0.18
    assert stats.binomtest(always, 400, 0.05, alternative="greater").pvalue > 0.01


def test_a_wider_lift_stays_around_its_estimate() -> None:
    """And above -100 %; of a negative control, too."""
    for mean in (10, -10):
        random = np.random.default_rng(7)
        one, two = random.normal(mean, 3, 500), random.normal(mean * 1.1, 3, 500)
        fixed = means.compare(moments(one), moments(two))
        wide = sequential.at_every_look(fixed, 1_000, 5_000, 0.05)

        assert fixed.lift is not None
        assert wide.lift is not None
        assert (
            wide.lift.low < fixed.lift.low < wide.lift.estimate < fixed.lift.high < wide.lift.high
        )
        assert wide.lift.estimate == fixed.lift.estimate
        assert wide.p_value > fixed.p_value


# Splits.


def test_the_split_of_kohavi() -> None:
    """821,588 and 815,482 of an even split: p = 1.8e-6 (Kohavi, Tang & Xu 2020)."""
    found = ratio_mismatch.mismatch([821_588, 815_482], [0.5, 0.5])

    assert found.p_value == pytest.approx(1.8e-6, rel=0.05)
    assert found.is_alarming
    assert found.sequential_p_value > found.p_value


def test_weights_are_those_that_were_configured() -> None:
    """Of three, and not adding up to one."""
    found = ratio_mismatch.mismatch([500, 260, 240], [2, 1, 1])

    assert found.expected == [500, 250, 250]
    assert found.p_value == pytest.approx(stats.chisquare([500, 260, 240], [500, 250, 250]).pvalue)


@pytest.mark.parametrize(
    ("counts", "weights", "p_value"),
    [([0, 0], [1, 1], 1.0), ([5, 0], [1, 0], 1.0), ([5, 1], [1, 0], 0.0), ([7], [1], 1.0)],
)
def test_splits_without_units(counts: list[int], weights: list[float], p_value: float) -> None:
    """And of a variation that nobody should get."""
    assert ratio_mismatch.mismatch(counts, weights).p_value == p_value


def test_the_sequential_split_alarms_seldom_at_every_look() -> None:
    """Of 300 even splits, each looked at 50 times."""
    random = np.random.default_rng(8)
    alarms = 0
    for _ in range(300):
        counts = random.binomial(1_000, 0.5, 50).cumsum()
        totals = np.arange(1, 51) * 1_000
        alarms += any(
            ratio_mismatch.mismatch([int(one), int(all_ - one)], [1, 1]).sequential_p_value < 0.05
            for one, all_ in zip(counts, totals, strict=True)
        )

    assert stats.binomtest(alarms, 300, 0.05, alternative="greater").pvalue > 0.01


# Several questions.


def test_benjamini_and_hochberg_find_four_of_fifteen() -> None:
    """The example of their paper of 1995; Bonferroni finds three, and so does Holm."""
    p_values = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
        *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]

    assert sum(one <= 0.05 for one in corrections.benjamini_hochberg(p_values)) == 4
    assert sum(one <= 0.05 for one in corrections.holm(p_values)) == 3
    assert corrections.holm([]) == []
    assert corrections.holm([0.02]) == [0.02]
    assert corrections.holm([0.03, 0.03]) == [0.06, 0.06]


# Guardrails.


@given(
    st.floats(-0.3, 0.3),
    st.integers(100, 100_000),
    st.floats(0.01, 0.9),
    st.sampled_from([10.0, -10.0]),
    st.sampled_from([0.01, 0.05, 0.1]),
)
def test_a_guardrail_holds_just_where_the_interval_that_is_shown_is_within_the_margin(
    effect: float, units: int, margin: float, mean: float, alpha: float
) -> None:
    """That of one look, or of many: looking daily must not make it hold."""
    fixed = means.compare(_plain(mean, units // 2), _plain(mean + effect, units // 2), alpha)
    looked = sequential.at_every_look(fixed, units, 5_000, alpha)
    for found in (fixed, looked):
        assert found.lift is not None
        for direction, bound in ((1, found.lift.low), (-1, -found.lift.high)):
            if abs(bound + margin) > 1e-6:
                holds = guardrails.p_of_harm(found, margin, direction) < alpha
                assert holds == (bound > -margin)
    for direction in (1, -1):
        assert guardrails.p_of_harm(looked, margin, direction) >= guardrails.p_of_harm(
            fixed, margin, direction
        )


@pytest.mark.parametrize(("margin", "direction"), [(0.5, -1), (0.5, 1), (0.05, -1), (0.05, 1)])
def test_a_guardrail_that_is_as_bad_as_its_margin_seldom_holds(
    margin: float, direction: int
) -> None:
    """As often as one side of the interval errs, also where a margin is large.

    A margin is a share of the control, which is as uncertain as the variation is: with the error of
    the difference alone a latency that is worse by half of the control "held" 9 % of the time.
    """
    source, runs = np.random.default_rng(3), 2_000
    held = 0
    for _ in range(runs):
        control = source.exponential(1.0, 400)
        treatment = source.exponential(1.0 - direction * margin, 400)
        found = means.compare(moments(control), moments(treatment))
        held += guardrails.p_of_harm(found, margin, direction) < 0.05

    assert stats.binomtest(held, runs, 0.025, alternative="greater").pvalue > 0.001
    assert held > 0.01 * runs


def _plain(mean: float, units: int) -> Moments:
    return Moments(units, {"value": mean}, {("value", "value"): 4.0})


def test_a_guardrail_passes_where_the_margin_is_far_and_fails_where_it_is_not() -> None:
    """In the direction of the metric, and by the control's size."""
    near = partial(pytest.approx, rel=1e-3)  # 1.96 is rounded
    comparison = Comparison(
        100.0, 99.0, Interval(-1.0, -2.96, 0.96), None, 0.317, 1.0, "z", NoLift.SIGN
    )

    assert guardrails.p_of_harm(comparison, 0.05, 1) == near(2 * stats.norm.sf(4.0))
    assert guardrails.p_of_harm(comparison, 0.01, 1) == 1.0
    assert guardrails.p_of_harm(comparison, 0.01, -1) == near(2 * stats.norm.sf(2.0))
    assert not guardrails.is_harmed(comparison, 1)
    worse = Comparison(100.0, 95.0, Interval(-5.0, -7.0, -3.0), None, 0.0, 1.0, "z", NoLift.NO)
    assert guardrails.is_harmed(worse, 1)
    assert not guardrails.is_harmed(worse, -1)


# Chances.


def test_the_chance_to_beat_the_control_is_that_of_samples() -> None:
    """By a million draws; even for equals."""
    random = np.random.default_rng(9)
    one, two = random.beta(1 + 100, 1 + 900, 10**6), random.beta(1 + 120, 1 + 880, 10**6)

    assert chances.chance_to_beat((100, 1_000), (120, 1_000)) == pytest.approx(
        (two > one).mean(), abs=2e-3
    )
    assert chances.chance_to_beat((50, 500), (50, 500)) == pytest.approx(0.5, abs=1e-6)
    assert chances.chance_to_beat((0, 10), (10, 10)) > 0.999


# Shrinkage.


def test_shrinkage_undoes_the_luck_of_winners() -> None:
    """Sixty experiments a year with a spread of 1 % and an error of 1.2 %, winners shipped."""
    random = np.random.default_rng(10)
    naive, drawn, true = [], [], []
    for _ in range(400):
        truth = random.normal(0, 0.01, 60)
        seen = truth + random.normal(0, 0.012, 60)
        won = seen / 0.012 > 1.96
        better = np.array(shrinkage.shrunken(list(seen), [0.012] * 60))
        naive.append(seen[won].sum())
        drawn.append(better[won].sum())
        true.append(truth[won].sum())

    assert np.mean(naive) / np.mean(true) > 2
    assert np.mean(drawn) / np.mean(true) == pytest.approx(1, abs=0.1)


def test_shrinkage_needs_several_and_bounds_all() -> None:
    """Nothing is drawn past zero; where all is noise, all is zero."""
    with pytest.raises(ValueError, match="6 or more"):
        shrinkage.shrunken([0.1] * 5, [0.1] * 5)
    assert shrinkage.shrunken([0.001, -0.001] * 3, [0.1] * 6) == [0.0] * 6


# Quantiles.


def test_a_quantile_interval_covers_the_truth() -> None:
    """At about its level, by the ranks of the values."""
    random = np.random.default_rng(11)
    truth, covered = float(stats.expon.ppf(0.9)), 0
    for _ in range(500):
        values = random.exponential(1, 2_000)
        low, high = quantiles.ranks(0.9, math.sqrt(0.9 * 0.1 / 2_000), 0.05)
        covered += bool(np.quantile(values, low) <= truth <= np.quantile(values, high))

    assert stats.binomtest(covered, 500, 0.95).pvalue > 0.01


def test_quantiles_are_compared_with_the_right_error() -> None:
    """Of many pairs of samples, one in twenty is found different by chance."""
    random = np.random.default_rng(12)
    found = 0.0
    for _ in range(500):
        arms: list[quantiles.Quantile] = []
        for _ in range(2):
            values = random.exponential(1, 2_000)
            low, high = quantiles.ranks(0.9, math.sqrt(0.9 * 0.1 / 2_000), 0.05)
            arms.append(
                quantiles.Quantile(
                    2_000, *(float(np.quantile(values, r)) for r in (0.9, low, high))
                )
            )
        found += quantiles.compare(arms[0], arms[1]).p_value < 0.05

    assert stats.binomtest(int(found), 500, 0.05).pvalue > 0.001
    same = quantiles.Quantile(5, 1.0, 1.0, 1.0)
    assert quantiles.compare(same, same).p_value == 1.0

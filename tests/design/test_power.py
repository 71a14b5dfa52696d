"""How many units an experiment needs, against published numbers and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from abmiddleware.design.power import Question, duration, effect_for, power_of, size_for, units_for
from abmiddleware.exceptions import DefinitionError


def test_the_share_of_r() -> None:
    """`power.prop.test(p1 = .50, p2 = .75, power = .90)` says 76.7; so it is 77."""
    question = Question(baseline=0.5, is_share=True, power=0.9)

    assert units_for(question, 0.5) == 77
    assert power_of(question, 76.7, 0.5) == pytest.approx(0.9, abs=1e-4)


def test_the_mean_of_r_and_statsmodels() -> None:
    """`power.t.test(delta = 1, sd = 1, power = .90)` says 22.02; the normal tail is near it."""
    question = Question(baseline=1.0, deviation=1.0, power=0.9)
    exact = TTestIndPower().solve_power(1.0, alpha=0.05, power=0.9)

    assert exact == pytest.approx(22.02110, abs=1e-4)
    assert units_for(question, 1.0) == pytest.approx(exact, abs=1.5)
    assert units_for(Question(baseline=1.0, deviation=1.0), 0.1) == pytest.approx(
        TTestIndPower().solve_power(0.1, alpha=0.05, power=0.8), abs=1.5
    )


def test_cohens_table() -> None:
    """64 of each for a medium effect, 394 for a small one (Cohen 1992)."""
    question = Question(baseline=1.0, deviation=1.0)

    assert abs(units_for(question, 0.5) - 64) <= 1
    assert abs(units_for(question, 0.2) - 394) <= 1


def test_the_floor_is_no_power() -> None:
    """200 conversions at 10 % find +28 % four times in five; +10 % needs 14,750 of each."""
    question = Question(baseline=0.1, is_share=True)

    assert effect_for(question, 2_000) == pytest.approx(0.28, abs=0.01)
    assert units_for(question, 0.10) == pytest.approx(14_750, rel=0.005)
    assert power_of(question, 2_000, 0.10) == pytest.approx(0.18, abs=0.01)
    size = size_for(question, 0.5)
    assert (size.floor, size.needed, size.total) == (2_000, 2_000, 4_000)
    assert (duration(size, 10_000), duration(size, 100)) == (7, 42)


def test_unequal_shares_need_more_units() -> None:
    """By the harmonic mean of the control's share and the smallest other one; simulated."""
    question = Question(baseline=0.1, is_share=True)
    even, uneven = size_for(question, 0.2), size_for(question, 0.2, (0.9, 0.1))
    control, treated = round(uneven.total * 0.9), round(uneven.total * 0.1)
    random = np.random.default_rng(7)
    one = random.binomial(control, 0.1, 20_000) / control
    two = random.binomial(treated, 0.12, 20_000) / treated
    pooled = (one * control + two * treated) / (control + treated)
    error = np.sqrt(pooled * (1 - pooled) * (1 / control + 1 / treated))

    assert size_for(question, 0.2, (0.5, 0.5)) == even
    assert uneven.total == pytest.approx(even.total / (4 * 0.9 * 0.1), rel=0.001)
    assert np.mean(np.abs(two - one) / error > stats.norm.ppf(0.975)) == pytest.approx(
        0.8, abs=0.03
    )
    assert size_for(question, 0.9, (0.9, 0.1)).total == 20_000  # the floor, of a tenth
    three = Question(baseline=0.1, is_share=True, variations=3)
    assert size_for(three, 0.2, (0.6, 0.2, 0.2)).total > size_for(three, 0.2).total


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ((0.5, 0.3, 0.2), "are 3, must be one for each of 2"),
        ((0.9, 0.2), "are 0.9, 0.2, must be above 0 and add up to 1"),
        ((1.0, 0.0), "are 1, 0, must be above 0"),
        ((0.5, math.nan), "must be above 0 and add up to 1"),
    ],
)
def test_weights_that_are_no_shares_are_told(weights: tuple[float, ...], problem: str) -> None:
    """With their values, and what they must be."""
    with pytest.raises(DefinitionError, match=problem):
        size_for(Question(baseline=0.1, is_share=True), 0.2, weights)


@given(
    st.floats(0.01, 0.5), st.floats(0.02, 0.5), st.integers(2, 5), st.booleans(), st.integers(0, 3)
)
def test_units_and_effects_are_inverse(
    baseline: float, effect: float, variations: int, sequential: bool, guardrails: int
) -> None:
    """What so many units find is what so many units are needed for."""
    question = Question(
        baseline=baseline,
        is_share=True,
        variations=variations,
        sequential=sequential,
        guardrails=guardrails,
    )
    units = units_for(question, effect)

    assert effect_for(question, units) <= effect * (1 + 1e-6)
    assert effect_for(question, units) == pytest.approx(effect, rel=0.05)


def test_what_is_asked_besides_costs_units() -> None:
    """Goals, variations, guardrails, clusters and looks, each."""
    plain = units_for(Question(baseline=0.1, is_share=True), 0.1)
    for more in (
        {"goals": 2},
        {"variations": 3},
        {"guardrails": 2},
        {"sequential": True},
        {"cluster_size": 5.0, "correlation": 0.1},
    ):
        assert units_for(Question(baseline=0.1, is_share=True, **more), 0.1) > 1.1 * plain
    wide = units_for(Question(baseline=0.1, is_share=True, sequential=True), 0.1)
    assert wide / plain == pytest.approx(1.75, abs=0.25)


def test_the_power_is_what_simulations_find() -> None:
    """Of 4,000 experiments of the size that is said, four in five find it."""
    source = np.random.default_rng(1)
    question = Question(baseline=0.1, is_share=True)
    units = units_for(question, 0.2)
    one, two = (source.binomial(units, rate, 4_000) for rate in (0.1, 0.12))
    pooled = (one + two) / (2 * units)
    z = (two - one) / units / np.sqrt(2 * pooled * (1 - pooled) / units)
    found = int((np.abs(z) > stats.norm.ppf(0.975)).sum())

    assert stats.binomtest(found, 4_000, 0.8).pvalue > 0.001


@pytest.mark.parametrize(
    ("question", "effect", "problem"),
    [
        (Question(baseline=0.0, is_share=True), 0.1, "baseline: is 0, must be between 0 and 1"),
        (Question(baseline=3.0), 0.1, "deviation: must be given"),
        (Question(baseline=0.5, is_share=True), 0.0, "mde: is 0"),
        (Question(baseline=0.5, is_share=True), 2.0, "mde: takes the share 0.5 out of"),
        (Question(baseline=0.5, is_share=True, variations=1), 0.1, "variations: are 1"),
    ],
)
def test_what_is_missing_is_told(question: Question, effect: float, problem: str) -> None:
    """With what must be there."""
    with pytest.raises(DefinitionError, match=problem):
        units_for(question, effect)


def test_too_small_an_effect_and_too_few_units() -> None:
    """Are told, and bounded."""
    question = Question(baseline=0.1, is_share=True)

    with pytest.raises(DefinitionError, match="too small to be found"):
        units_for(question, 1e-9)
    assert effect_for(question, 3) == math.inf
    with pytest.raises(DefinitionError, match="units_per_day"):
        duration(size_for(question, 0.1), 0)

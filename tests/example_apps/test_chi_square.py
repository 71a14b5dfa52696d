"""The chi-square test of the demonstration, against known values."""

from __future__ import annotations

import math

import pytest

from example_apps.demo.chi_square import split_p_value, survival


@pytest.mark.parametrize(
    ("statistic", "freedom", "expected"),
    [
        (1.0, 1, 0.31731050786291415),
        (3.841458820694124, 1, 0.05),
        (10.827566170662733, 1, 0.001),
        (5.991464547107979, 2, 0.05),
        (2.0, 3, 0.5724067044708798),
        (7.814727903251179, 3, 0.05),
        (5.0, 4, 0.2872974951836458),
        (10.0, 5, 0.07523524614651217),
        (18.307038053275146, 10, 0.05),
        (124.34211340400407, 100, 0.05),
    ],
)
def test_known_values(statistic: float, freedom: int, expected: float) -> None:
    """The survival function has the values of the printed tables."""
    assert math.isclose(survival(statistic, freedom), expected, rel_tol=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 7, 200])
def test_limits(freedom: int) -> None:
    """Nothing exceeds less than nothing, and hardly anything exceeds very much."""
    assert survival(0, freedom) == 1
    assert survival(-1, freedom) == 1
    assert 0 <= survival(5000, freedom) < 1e-100


def test_no_freedom() -> None:
    """Without a degree of freedom there is no distribution."""
    with pytest.raises(ValueError, match="must be 1 or more"):
        survival(1, 0)


@pytest.mark.parametrize(
    ("counts", "weights", "expected"),
    [
        ([500, 500], [0.5, 0.5], 1.0),
        ([45, 55], [0.5, 0.5], 0.31731050786291415),
        ([105, 95], [1, 1], 0.4795001221869535),
        ([900, 100], [0.9, 0.1], 1.0),
        ([600, 400], [0.5, 0.5], 2.5396e-10),
        ([0, 0], [0.5, 0.5], 1.0),
        ([10, 0], [1.0, 0.0], 1.0),
        ([10, 1], [1.0, 0.0], 0.0),
        ([50, 50, 0], [0.5, 0.5, 0.0], 1.0),
    ],
)
def test_split(counts: list[int], weights: list[float], expected: float) -> None:
    """A split is held against the configured weights, whatever they sum to."""
    assert math.isclose(split_p_value(counts, weights), expected, rel_tol=1e-3)

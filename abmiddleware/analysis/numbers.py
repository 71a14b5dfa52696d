"""Numbers for people: never more digits than the interval knows."""

from __future__ import annotations

import math

from abmiddleware.analysis.inference.comparison import Interval


def decimals(half_width: float) -> int:
    """Return how many digits behind the point a number has whose interval is so wide.

    Two digits of the half-width at most: of 4.137 ± 0.62 the last is the second behind the point.
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 2
    return max(0, min(6, 1 - math.floor(math.log10(half_width))))


def percent(value: float, digits: int) -> str:
    """Return a share with its sign, such as "+4.1 %"."""
    return f"{_signed(100 * value, digits)} %"


def _signed(value: float, digits: int) -> str:
    """Return a number with its sign; what is rounded to zero has none."""
    text = f"{value:+,.{digits}f}"
    return text if any(digit in text for digit in "123456789") else text[1:]


def lift_texts(lift: Interval) -> tuple[str, str, str]:
    """Return a lift and the ends of its interval, in percent with the digits that it knows."""
    digits = _percent_digits(lift)
    return tuple(percent(one, digits) for one in (lift.estimate, lift.low, lift.high))  # type: ignore[return-value]


def _percent_digits(interval: Interval) -> int:
    return max(0, decimals(100 * (interval.high - interval.low) / 2) - 1)


def effect_texts(effect: Interval, *, is_share: bool, unit: str) -> tuple[str, str, str]:
    """Return a difference and the ends of its interval: in points of a share, or in a unit."""
    scale, behind = (100.0, " points") if is_share else (1.0, f" {unit}" if unit else "")
    digits = max(0, decimals(scale * (effect.high - effect.low) / 2) - 1)
    texts = (
        f"{scale * one:+,.{digits}f}{behind}" for one in (effect.estimate, effect.low, effect.high)
    )
    return tuple(texts)  # type: ignore[return-value]


def value_text(value: float | None, *, is_share: bool, unit: str, error: float = 0.0) -> str:
    """Return a mean, a share or a ratio."""
    if value is None:
        return "–"
    if is_share:
        return f"{100 * value:.{decimals(100 * error) if error else 2}f} %"
    digits = decimals(error) if error else max(0, 3 - len(f"{abs(value):.0f}"))
    return f"{value:,.{digits}f}{' ' + unit if unit else ''}"

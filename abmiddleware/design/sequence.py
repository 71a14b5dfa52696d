"""How wide an interval is that holds at every look: an asymptotic confidence sequence.

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences", arXiv 2103.06476: equation 9 for the width, 161 for its tuning. The
parameters are those of GrowthBook.
"""

from __future__ import annotations

import math


def half_width(error: float, units: int, tuning: int, alpha: float) -> float:
    """Return half the width of the interval of a difference with this standard error."""
    rho2 = rho_squared(tuning, alpha)
    scaled = units * rho2
    return error * math.sqrt(2 * (scaled + 1) / scaled * math.log(math.sqrt(scaled + 1) / alpha))


def rho_squared(tuning: int, alpha: float) -> float:
    """Return the parameter that makes the interval narrowest at so many units."""
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuning

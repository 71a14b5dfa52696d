"""Relative effects that mean what they say: by the control's size, and only where it has one."""

from __future__ import annotations

import math
from typing import Final

from abmiddleware.analysis.inference.comparison import Interval, NoLift

#: A control that lies fewer standard errors than this from zero is too near to it: the interval of
#: a quotient is then as good as unbounded (Fieller's theorem at a level of 99.7 %).
NEAREST: Final = 3.0


def lift_of(
    control: float, treatment: float, control_error: float, ratio: Interval
) -> tuple[Interval | None, NoLift]:
    """Return the relative effect with the effect's sign, or why there is none.

    Args:
        control: the control's mean.
        treatment: the variation's mean.
        control_error: the standard error of the control's mean.
        ratio: treatment / control - 1, as it was computed.
    """
    if not (math.isfinite(control) and math.isfinite(treatment)):
        return None, NoLift.UNDEFINED
    if abs(control) <= NEAREST * control_error or control == 0:
        return None, NoLift.NEAR_ZERO
    if treatment and (control > 0) != (treatment > 0):
        return None, NoLift.SIGN
    if not ratio.is_whole:
        return None, NoLift.UNDEFINED
    # A mean that falls from -1 to -1.2 has fallen by 20 %, though the quotient is 1.2.
    return (ratio if control > 0 else ratio.negative()), NoLift.NO

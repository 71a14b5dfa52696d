"""The chance that a variation's share is larger than the control's: for display, not to decide."""

from __future__ import annotations

import numpy as np
from scipy import stats

#: Steps of the integral over the control's share; the error is far below what is shown.
_STEPS = 2_001


def chance_to_beat(control: tuple[int, int], treatment: tuple[int, int]) -> float:
    """Return the posterior chance that a variation converts better, from uniform priors.

    The integral of the treatment's beta distribution over that of the control, by its quantiles.

    Args:
        control: successes and units.
        treatment: successes and units.
    """
    one, two = _posterior(control), _posterior(treatment)
    middles = (np.arange(_STEPS) + 0.5) / _STEPS
    return float(np.mean(two.sf(one.ppf(middles))))


def _posterior(seen: tuple[int, int]) -> stats.rv_frozen:
    successes, units = seen
    return stats.beta(1 + successes, 1 + units - successes)

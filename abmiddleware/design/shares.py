"""The shares of the units that variations get, whatever way a definition gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from abmiddleware.evaluation.buckets import are_usable, usable_ranges
from abmiddleware.evaluation.definition import Definition


def shares(definition: Definition[Any], count: int) -> list[float]:
    """Return the shares of so many variations among those that are let in.

    They add up to one; where nobody is let in, each is 0.
    """
    if definition.ranges is not None:
        widths = [end - start for start, end in usable_ranges(definition.ranges)[:count]]
        widths += [0.0] * (count - len(widths))
        whole = sum(widths)
        return [width / whole if whole > 0 else 0.0 for width in widths]
    weights = definition.weights
    if weights is None or not are_usable(weights, count):
        return [1 / count] * count
    return [float(one) for one in weights]


def effective(found: Sequence[float]) -> float:
    """Return the share of each variation by which a comparison is as certain as by those found.

    It is the harmonic mean of the control's and the smallest other one's: of three equal ones a
    third, of 9 to 1 only 0.18. A variation that nobody meets is compared with nothing.

    Args:
        found: the shares, the control's first.
    """
    control, *others = found
    least = min((one for one in others if one > 0), default=0.0)
    return 2 * control * least / (control + least) if control > 0 and least > 0 else 0.0

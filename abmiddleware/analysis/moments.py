"""What inference needs of one variation, whatever the number of its units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

#: The columns that a unit may have: what is measured, what it is divided by, and both before the
#: unit was exposed.
VALUE: Final = "value"
DIVISOR: Final = "divisor"
BEFORE: Final = "before"
DIVISOR_BEFORE: Final = "divisor_before"
COLUMNS: Final = (VALUE, DIVISOR, BEFORE, DIVISOR_BEFORE)


class Moments(msgspec.Struct, frozen=True):
    """Means, variances and covariances of the columns of one variation's units."""

    units: int
    #: By column.
    means: Mapping[str, float]
    #: By two columns in the order of `COLUMNS`, divided by units - 1; a column with itself is its
    #: variance.
    covariances: Mapping[tuple[str, str], float]

    def mean(self, column: str = VALUE) -> float:
        """Return the mean of a column."""
        return self.means[column]

    def variance(self, column: str = VALUE) -> float:
        """Return the sample variance of a column."""
        return self.covariances[column, column]

    @property
    def total(self) -> float:
        """The sum of what was measured, over all units."""
        return self.units * self.means[VALUE]

    @property
    def ratio(self) -> float | None:
        """What was measured for each of the divisor; for each unit where there is none."""
        if DIVISOR not in self.means:
            return self.means[VALUE]
        return self.means[VALUE] / self.means[DIVISOR] if self.means[DIVISOR] else None

"""Units and what each of them did; in what variation they were is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from abmiddleware.design.metrics import Metric

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


class Measured(msgspec.Struct, frozen=True, eq=False):
    """What each unit did in one metric."""

    metric: Metric
    #: Whether the unit counts: its time is over.
    counts: Flags
    #: By the name of `moments.COLUMNS`, a number of each unit; 0 where it did nothing.
    columns: Mapping[str, Numbers]


class Units(msgspec.Struct, frozen=True, eq=False):
    """Units in the order of their first exposure; in what variation they were is not known."""

    ids: Sequence[str]
    #: By the name of the metric.
    measured: Mapping[str, Measured]
    #: The cluster of each unit, by which it is hashed in place of its id; None for by its id.
    clusters: Sequence[str] | None = None

    @property
    def hashed(self) -> Sequence[str]:
        """The text of each unit that is hashed."""
        return self.ids if self.clusters is None else self.clusters

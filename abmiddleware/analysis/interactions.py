"""Whether two experiments that share units were assigned apart, as they should be."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from abmiddleware.analysis import queries

#: The p-value below which two experiments are said to go together (Vermeer 2023).
ALARM: Final = 0.001
#: Expected units of a cell below which the test says nothing.
_FEWEST: Final = 5.0


class Crossing(msgspec.Struct, frozen=True):
    """The units of two experiments, by the variations of both."""

    one: str
    two: str
    #: By variation of the first, then of the second.
    units: dict[str, dict[str, int]]
    #: The chance of a table like this, or less even, where assignments are independent.
    p_value: float

    @property
    def is_alarming(self) -> bool:
        """Whether who sees a variation of one sees a variation of the other more often."""
        return self.p_value < ALARM


def crossing(one: str, units_one: Any, two: str, units_two: Any) -> Crossing | None:
    """Return how the units of two experiments are spread; None where too few are in both.

    Args:
        one: the key of an experiment.
        units_one: its units, a table of Ibis with `unit_id` and `variation`.
        two: the key of the other.
        units_two: its units.
    """
    from scipy import stats

    others = units_two.select("unit_id", other=units_two.variation)
    both = units_one.join(others, "unit_id")
    found = queries.rows(both.group_by(["variation", "other"]).agg(units=both.count()))
    rows = sorted({row["variation"] for row in found})
    columns = sorted({row["other"] for row in found})
    if len(rows) < 2 or len(columns) < 2:
        return None
    table = {row: dict.fromkeys(columns, 0) for row in rows}
    for row in found:
        table[row["variation"]][row["other"]] = row["units"]
    result = stats.chi2_contingency([list(of.values()) for of in table.values()], correction=False)
    if result.expected_freq.min() < _FEWEST:
        return None
    return Crossing(one, two, table, float(result.pvalue))

"""What is known of one experiment at one instant: who took part, how they did, what may be said."""

from __future__ import annotations

import msgspec

from abmiddleware.analysis.history import Mark
from abmiddleware.analysis.inference.comparison import Comparison
from abmiddleware.analysis.inference.ratio_mismatch import Mismatch


class Arm(msgspec.Struct, frozen=True):
    """One variation, as it was defined and as it was met."""

    key: str
    name: str
    weight: float
    units: int


class Health(msgspec.Struct, frozen=True):
    """Whether the numbers may be trusted."""

    #: Of the units that were exposed, and of those that were activated; None where none are told.
    exposed: Mismatch | None
    activated: Mismatch | None
    #: Units that met two variations and were left out, and their share of all.
    crossovers: int
    crossover_share: float
    #: Exposures that do not count, as of bots and of forced variations, by reason.
    left_out: dict[str, int]
    #: What is wrong, in words: no result may be trusted.
    problems: list[str]
    #: What one should know, in words.
    warnings: list[str]
    #: Of the units that were assigned, as other tools record them.
    assigned: Mismatch | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class Cell(msgspec.Struct, frozen=True):
    """How one variation did in one metric."""

    variation: str
    #: The units whose time is over, which are those that count.
    units: int
    #: The mean, share, ratio or quantile; None where there is none.
    value: float | None
    #: Of a share, how many units have it.
    successes: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """A variation beside the control in one metric, and what may be said of it."""

    variation: str
    comparison: Comparison
    #: Adjusted for all that was asked at once.
    p_value: float
    #: "better", "worse" or "flat"; of a guardrail "holds", "harmed" or "open"; of an experiment
    #: that is not healthy "untrusted".
    word: str
    #: Of a share, the chance that the variation's is the better one; for display.
    chance: float | None = None


class MetricResult(msgspec.Struct, frozen=True):
    """One metric of an experiment."""

    name: str
    #: "goal", "guardrail" or "secondary".
    role: str
    kind: str
    direction: str
    unit: str
    margin: float
    window_days: float
    cells: list[Cell]
    verdicts: list[Verdict]
    #: Why there is nothing to see; "" where there is.
    withheld: str = ""
    #: The day of the start, if it was added later; such a metric decides nothing.
    retroactive: str = ""


class Analysis(msgspec.Struct, frozen=True):
    """All of it."""

    key: str
    #: In microseconds since 1970.
    as_of_us: int
    phase: int
    unit_type: str
    hypothesis: str
    owner: str
    arms: list[Arm]
    health: Health
    metrics: list[MetricResult]
    #: "unhealthy", "no data", "waiting", "ship", "roll back", "inconclusive" or "running".
    status: str
    #: The variation that status "ship" is about; "" for none.
    winner: str
    #: For a product manager.
    sentence: str
    sequential: bool
    alpha: float
    #: The days that have passed and are planned; 0 for no plan.
    days: int
    planned_days: int
    #: The planned end, such as "2026-12-14"; "" for none.
    end: str
    #: Units on the first day and on each day since that were new, by variation key.
    first_day: int
    daily: dict[str, list[int]]
    #: Why there are no effects at all; "" where there are.
    withheld: str
    #: The units that the plan asks for, of all variations; 0 where it does not tell.
    planned_units: int = 0
    #: What the ledger tells: ramps, pauses and the stop.
    marks: list[Mark] = []

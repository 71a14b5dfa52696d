"""What a team says of an experiment before it begins, beside its definition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from abmiddleware.design.metrics import Metric
from abmiddleware.exceptions import DefinitionError

#: Days that the effects of a day of the week need to even out.
WEEK: Final = 7


class ExperimentRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The plan of one experiment, which is locked when it starts.

    ExperimentRecord(hypothesis="...", owner="ana", goals=["conversion"], end=date(2026, 12, 14))
    """

    #: Because of what, changing what, moves which metric, where to and how far.
    hypothesis: str = ""
    #: The person who answers for it.
    owner: str = ""
    #: Where visitors meet it, such as "checkout".
    surface: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: What decides: one metric, two at most.
    goals: tuple[str, ...] = ()
    #: What is looked at besides.
    secondary: tuple[str, ...] = ()
    #: What must not get worse.
    guardrails: tuple[str, ...] = ()
    #: The first and the last day, in UTC; the last one is whole.
    start: dt.date | None = None
    end: dt.date | None = None
    #: Whether one may look at any time and stop; it costs width. Else the end decides.
    sequential: bool = False
    #: Units of two variations at which a sequential interval should be narrowest.
    tuning: int = 5_000
    #: The chance of a false find among the goals, and of finding an effect of the size `mde`.
    alpha: float = 0.05
    power: float = 0.8
    #: The smallest relative effect of the goal that is worth finding.
    mde: float = 0.0
    #: The event by which a unit shows that it really met the treatment; "" for the exposure.
    activation: str = ""
    #: Units a day that will be exposed, as expected.
    units_per_day: float = 0.0
    #: The goal's mean or share today, as expected.
    baseline: float = 0.0
    #: Of a goal that is a mean, the standard deviation of a unit's value.
    deviation: float = 0.0
    #: What will be done: when better, when worse, when flat.
    decision_rule: str = ""
    #: Why the variations' shares are not equal, where they are not.
    why_unequal: str = ""
    #: What somebody has seen to that no program can: "exposure", "aa", "qa", "activation".
    confirmed: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that it names, in the order of their weight."""
        return (*self.goals, *self.guardrails, *self.secondary)

    @property
    def planned_days(self) -> int | None:
        """The days from the first to the last, both included."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start).days + 1


def check_record(path: str, record: ExperimentRecord, metrics: Mapping[str, Metric]) -> None:
    """Check that a record names what there is.

    Args:
        path: where it stands, such as `experiments.checkout-button`.
        record: the record.
        metrics: by name, those that there are.

    Raises:
        DefinitionError: it does not; the message tells where, what and the mend.
    """
    for role in ("goals", "guardrails", "secondary"):
        for index, name in enumerate(getattr(record, role)):
            if name not in metrics:
                known = ", ".join(map(repr, sorted(metrics))) or "defined: there is none"
                raise DefinitionError(
                    f"{path}.{role}[{index}]", f"is {name!r}, must be one of {known}"
                )
    for name in ("alpha", "power"):
        if not 0 < getattr(record, name) < 1:
            raise DefinitionError(
                f"{path}.{name}", f"is {getattr(record, name)}, must be between 0 and 1"
            )
    for name in ("mde", "units_per_day"):
        if not getattr(record, name) >= 0:
            raise DefinitionError(
                f"{path}.{name}", f"is {getattr(record, name)}, must be 0 or more"
            )
    if record.tuning < 1:
        raise DefinitionError(f"{path}.tuning", f"is {record.tuning}, must be 1 or more")
    if record.start and record.end and record.end < record.start:
        raise DefinitionError(f"{path}.end", f"is {record.end}, must be {record.start} or later")

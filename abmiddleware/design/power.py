"""How many units an experiment needs, for how long, and what it can find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from abmiddleware.design.metrics import Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.design.sequence import half_width
from abmiddleware.design.shares import effective
from abmiddleware.evaluation.buckets import sums_to_one
from abmiddleware.exceptions import DefinitionError

#: Conversions of each variation below which a share is not compared, whatever its power is.
FEWEST_CONVERSIONS: Final = 200
#: Clusters of a variation below which no test holds, and which are few: ten of each in truth find
#: 8 % where 5 % are promised, sixty 5.6 %.
FEWEST_CLUSTERS: Final = 20
FEW_CLUSTERS: Final = 40
#: Days that an experiment lasts at least: each day of the week once.
WEEK: Final = 7
#: More units of a variation than any team has.
_MOST: Final = 1e12


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found out of one goal.

    Question(baseline=0.1, is_share=True)
    """

    #: The goal's mean or share today.
    baseline: float
    #: The standard deviation of a unit's value; of a share it follows from the baseline.
    deviation: float = 0.0
    is_share: bool = False
    #: Variations, the control included.
    variations: int = 2
    goals: int = 1
    guardrails: int = 0
    alpha: float = 0.05
    power: float = 0.8
    #: Whether one may look at any time; its intervals are tuned for the planned end.
    sequential: bool = False
    #: Units in each cluster, and how alike they are (the intraclass correlation); 1 for none.
    cluster_size: float = 1.0
    correlation: float = 0.0

    @property
    def level(self) -> float:
        """Alpha of one comparison, by Bonferroni over goals and variations: Holm's first step."""
        return self.alpha / (self.goals * (self.variations - 1))

    @property
    def needed_power(self) -> float:
        """The power of the goal, so that it and all guardrails are found as often as planned.

        Guardrails must hold beside it; each costs power, not alpha (Schultzberg, Ankargren &
        Frånberg 2024).
        """
        return 1 - (1 - self.power) / (self.guardrails + 1)

    @property
    def design_effect(self) -> float:
        """By how much clusters raise the variance (Kish 1965)."""
        return 1 + (self.cluster_size - 1) * self.correlation


def question_of(record: ExperimentRecord, goal: Metric, variations: int) -> Question:
    """Return what an experiment asks.

    Args:
        record: with its baseline.
        goal: the metric that decides.
        variations: with the control.
    """
    return Question(
        baseline=record.baseline,
        deviation=record.deviation,
        is_share=goal.is_share,
        variations=variations,
        goals=max(1, len(record.goals)),
        guardrails=len(record.guardrails),
        alpha=record.alpha,
        power=record.power,
        sequential=record.sequential,
    )


def check_question(question: Question) -> None:
    """Check that it can be answered.

    Raises:
        DefinitionError: it cannot; the message tells what must be given.
    """
    if question.is_share and not 0 < question.baseline < 1:
        raise DefinitionError(
            "baseline",
            f"is {question.baseline:g}, must be between 0 and 1, as a share is; a mean has a "
            "deviation",
        )
    if not question.is_share and not question.deviation > 0:
        raise DefinitionError("deviation", "must be given for a mean, in the metric's own unit")
    if question.baseline == 0:
        raise DefinitionError("baseline", "is 0, so there is no relative effect to find")
    if question.variations < 2:
        raise DefinitionError("variations", f"are {question.variations}, must be 2 or more")


def power_of(question: Question, units: float, effect: float) -> float:
    """Return the chance to find an effect with so many units of each variation.

    A share is compared by the z-test that is pooled where there is no effect, as R's
    `power.prop.test` has it; a mean by Welch's test, in the normal approximation with Student's
    quantile. A sequential plan is asked at its end.

    Args:
        question: what is asked.
        units: of each variation.
        effect: relative to the baseline, of either sign.
    """
    from scipy import stats

    units /= question.design_effect
    difference = abs(effect * question.baseline)
    null, alternative = _variances(question, effect)
    null_error, error = math.sqrt(null / units), math.sqrt(alternative / units)
    return float(stats.norm.cdf((difference - _width(question, units) * null_error) / error))


def _variances(question: Question, effect: float) -> tuple[float, float]:
    """Return the variance of a difference times the units, without and with the effect."""
    if not question.is_share:
        both = 2 * question.deviation**2
        return both, both
    one = question.baseline
    two = min(1 - 1e-12, max(1e-12, one * (1 + effect)))
    mean = (one + two) / 2
    return 2 * mean * (1 - mean), one * (1 - one) + two * (1 - two)


def _width(question: Question, units: float) -> float:
    """Return half the width of an interval in standard errors."""
    from scipy import stats

    if question.sequential:
        total = max(2, round(2 * units))
        return half_width(1.0, total, total, question.level)
    if question.is_share:
        return float(stats.norm.ppf(1 - question.level / 2))
    return float(stats.t.ppf(1 - question.level / 2, max(1.0, 2 * units - 2)))


def units_for(question: Question, effect: float) -> int:
    """Return the units of each variation that find an effect as often as planned.

    Raises:
        DefinitionError: the question cannot be answered, or the effect is none.
    """
    check_question(question)
    if effect == 0:
        raise DefinitionError("mde", "is 0, must be an effect, such as 0.05 for 5 %")
    if question.is_share and not 0 < question.baseline * (1 + effect) < 1:
        raise DefinitionError(
            "mde", f"takes the share {question.baseline:g} out of 0 to 1, must be smaller"
        )
    return math.ceil(_root(lambda units: power_of(question, units, effect), 2.0, question) - 1e-9)


def _root(power: Callable[[float], float], least: float, question: Question) -> float:
    from scipy import optimize

    wanted = question.needed_power
    if power(least) >= wanted:
        return least
    most = least
    while power(most) < wanted:
        most *= 2
        if most > _MOST:
            raise DefinitionError("mde", "is too small to be found with any number of units")
    return float(optimize.brentq(lambda units: power(units) - wanted, most / 2, most, xtol=1e-6))


def effect_for(question: Question, units: float) -> float:
    """Return the smallest relative effect that so many units of each variation find as planned.

    Upwards; of a share the effect downwards is a little smaller.

    Raises:
        DefinitionError: the question cannot be answered.
    """
    from scipy import optimize

    check_question(question)
    most = 10.0
    if question.is_share:
        most = (1 - question.baseline) / question.baseline * (1 - 1e-9)
    if power_of(question, units, most) < question.needed_power:
        return math.inf
    return float(
        optimize.brentq(
            lambda effect: power_of(question, units, effect) - question.needed_power, 1e-9, most
        )
    )


class Size(msgspec.Struct, frozen=True):
    """How many units an experiment needs."""

    #: Of each variation, counted as of equal shares: as the power asks, and as the floor does.
    units: int
    floor: int
    #: Of all variations, in the shares that they get.
    total: int

    @property
    def needed(self) -> int:
        """The larger of the two."""
        return max(self.units, self.floor)


def size_for(question: Question, effect: float, weights: Sequence[float] = ()) -> Size:
    """Return how many units find an effect as often as planned.

    Args:
        question: what is asked.
        effect: relative.
        weights: the shares of the variations, the control's first; equal ones by default.

    Raises:
        DefinitionError: the question cannot be answered, or the weights are no shares.
    """
    found = _checked(weights, question) or [1 / question.variations] * question.variations
    units = units_for(question, effect)
    floor = math.ceil(FEWEST_CONVERSIONS / question.baseline) if question.is_share else 0
    total = math.ceil(max(units / effective(found), floor / min(found)) - 1e-6)
    return Size(units, floor, total)


def _checked(weights: Sequence[float], question: Question) -> Sequence[float]:
    if weights:
        if len(weights) != question.variations:
            raise DefinitionError(
                "weights", f"are {len(weights)}, must be one for each of {question.variations}"
            )
        if min(weights) <= 0 or not sums_to_one(weights):
            told = ", ".join(f"{one:g}" for one in weights)
            raise DefinitionError("weights", f"are {told}, must be above 0 and add up to 1")
    return weights


def duration(size: Size, units_per_day: float) -> int:
    """Return the days in which so many units come: whole weeks, one at least.

    Args:
        size: what is needed.
        units_per_day: that are exposed, of all variations.

    Raises:
        DefinitionError: nobody comes.
    """
    if not units_per_day > 0:
        raise DefinitionError("units_per_day", "must be given: the units that are exposed a day")
    return max(1, math.ceil(size.total / units_per_day / WEEK - 1e-9)) * WEEK

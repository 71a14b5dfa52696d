"""The truth of the simulation: who visits, and how likely they buy after what they were shown."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from abmiddleware import Experiment
from example_apps.shop.experiments import EXPERIMENTS, LAYOUT, PRICE, RANKING, TERMS

#: The chance that a visitor buys, before what the variations add to it.
BASE: Final = 0.10

#: What each variation adds, by experiment key and variation key.
EFFECTS: Final[Mapping[str, Mapping[str, float]]] = {
    PRICE.key: {"9.99": 0.05, "11.99": 0.0, "12.99": -0.03},
    RANKING.key: {"popularity": 0.0, "relevance": 0.04},
    LAYOUT.key: {"grid": 0.0, "list": -0.02},
    TERMS.key: {"net-14": 0.0, "net-30": 0.10},
}

#: Visitors that come from each company, and companies per visitor.
PEOPLE: Final = 4
_COMPANIES: Final = 0.075


def variation_keys(experiment: Experiment[Any]) -> list[str]:
    """Return the keys of an experiment's variations, as they stand in the journal."""
    return [entry.key for entry in experiment.meta or ()]


def weights(experiment: Experiment[Any]) -> list[float]:
    """Return the configured share of each variation."""
    count = len(experiment.variations)
    return list(experiment.weights or [1 / count] * count)


def companies_of(visitors: int) -> list[str | None]:
    """Return the company of each visitor, in the order they come; most have none."""
    count = max(1, round(visitors * _COMPANIES))
    names = [f"company {number}" for number in range(1, count + 1)] * PEOPLE
    people: list[str | None] = [*names[:visitors], *[None] * (visitors - len(names))]
    random.shuffle(people)
    return people


def purchase_chance(shown: Mapping[str, str]) -> float:
    """Return the chance that a visitor buys who was shown these variations."""
    return BASE + sum(EFFECTS[key][variation] for key, variation in shown.items())


def true_rate(experiment: Experiment[Any], variation: str) -> float:
    """Return the share of units of a variation that buy, in the long run.

    A company counts as a buyer when at least one of its people buys.
    """
    others = (other for other in EXPERIMENTS if other is not experiment)
    chance = BASE + EFFECTS[experiment.key][variation] + sum(map(_mean_effect, others))
    return 1 - (1 - chance) ** PEOPLE if experiment is TERMS else chance


def _mean_effect(experiment: Experiment[Any]) -> float:
    """Return what an experiment adds for the average visitor."""
    effects = [EFFECTS[experiment.key][key] for key in variation_keys(experiment)]
    mean = sum(map(lambda effect, weight: effect * weight, effects, weights(experiment)))
    return mean * (PEOPLE * _COMPANIES if experiment is TERMS else 1)

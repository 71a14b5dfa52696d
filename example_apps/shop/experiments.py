"""The shop's four experiments. A variation may be any value: a number, a function, a tuple."""

from __future__ import annotations

from typing import Final

from abmiddleware import Experiment, VariationMeta
from example_apps.shop.ranking import Ranking, by_popularity, by_relevance

#: What a bag of coffee costs, in euros.
PRICE: Final = Experiment(
    "bag-price",
    [9.99, 11.99, 12.99],
    hash_version=2,
    meta=[VariationMeta(key="9.99"), VariationMeta(key="11.99"), VariationMeta(key="12.99")],
)

_RANKINGS: Final[list[Ranking]] = [by_popularity, by_relevance]

#: Which model orders the coffees.
RANKING: Final = Experiment(
    "ranking-model",
    _RANKINGS,
    hash_version=2,
    meta=[VariationMeta(key="popularity"), VariationMeta(key="relevance")],
)

#: How the coffees are laid out, and in how many columns.
LAYOUT: Final = Experiment(
    "page-layout",
    [("grid", 3), ("list", 1)],
    hash_version=2,
    meta=[VariationMeta(key="grid"), VariationMeta(key="list")],
)

#: Days that a company has to pay; all people of one company are offered the same.
TERMS: Final = Experiment(
    "payment-terms",
    [14, 30],
    hash_attribute="company",
    hash_version=2,
    meta=[VariationMeta(key="net-14"), VariationMeta(key="net-30")],
)

EXPERIMENTS: Final = (PRICE, RANKING, LAYOUT, TERMS)


def company_id(name: str | None) -> str | None:
    """Return the company that a header or query names, spelled in one way; None without one.

    A real shop takes it from the account that is signed in: whoever can choose it freely can
    choose the variation.
    """
    spelled = " ".join((name or "").lower().split())
    return spelled[:64] or None

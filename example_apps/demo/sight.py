"""What a visitor sees: the variations, read from the pages and not from the library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from abmiddleware import Experiment
from example_apps.demo.truth import variation_keys
from example_apps.shop.catalogue import CATALOGUE
from example_apps.shop.experiments import LAYOUT, PRICE, RANKING, TERMS

#: Variation key by experiment key.
Shown = dict[str, str]


def products_on(page: str) -> list[str]:
    """Return the coffees of the listing, in the order that it shows."""
    return re.findall(r'data-product="([^"]+)"', page)


def shown_by_listing(page: str) -> Shown:
    """Return the layout and the ranking of the listing."""
    layout = (_attribute(page, "data-layout"), int(_attribute(page, "data-columns")))
    return {LAYOUT.key: _key_of(LAYOUT, layout)} | shown_by_order(products_on(page))


def shown_by_order(products: Sequence[str]) -> Shown:
    """Return the ranking that puts products in this order."""
    for rank, key in zip(RANKING.variations, variation_keys(RANKING), strict=True):
        best = [product.slug for product in rank(CATALOGUE, "")]
        if products and best[: len(products)] == list(products):
            return {RANKING.key: key}
    raise ValueError(f"no ranking gives the order {', '.join(products)}")


def shown_by_product(page: str) -> Shown:
    """Return the price on the page of a product."""
    return {PRICE.key: _key_of(PRICE, float(_attribute(page, "data-price")))}


def shown_by_checkout(page: str) -> Shown:
    """Return the price, and to a company its payment terms."""
    shown = shown_by_product(page)
    if "data-terms" in page:
        shown[TERMS.key] = _key_of(TERMS, int(_attribute(page, "data-terms")))
    return shown


def _attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    if found is None:
        raise ValueError(f"the page has no {name}")
    return found[1]


def _key_of(experiment: Experiment[Any], value: object) -> str:
    return variation_keys(experiment)[list(experiment.variations).index(value)]

"""Two ways to order the coffees: the variations of the ranking test.

A ranking takes products and what the visitor likes ("" where that is not known).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from example_apps.shop.catalogue import Product

Ranking = Callable[[Iterable[Product], str], list[Product]]


def by_popularity(products: Iterable[Product], taste: str = "") -> list[Product]:
    """Order by what everybody buys; the visitor's taste makes no difference."""
    return sorted(products, key=lambda product: -product.sold)


def by_relevance(products: Iterable[Product], taste: str = "") -> list[Product]:
    """Order by the chance that this visitor buys, as a trained model sees it."""
    return sorted(products, key=lambda product: -purchase_chance(product, taste))


def purchase_chance(product: Product, taste: str) -> float:
    """Score a product by a logistic model; in a real shop its weights come from training."""
    logit = (
        -9.0
        + 0.25 * math.log(product.sold)
        + 1.1 * product.rating
        + 3.0 * product.repeat_rate
        - 0.08 * product.days_since_roast
        + (1.5 if product.taste == taste else 0.0)
    )
    return 1 / (1 + math.exp(-logit))

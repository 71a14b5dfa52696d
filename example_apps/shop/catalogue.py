"""The coffees that the shop sells: 250 g bags, all at one price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """One coffee, with what the rankings know about it."""

    slug: str
    name: str
    origin: str
    #: What it tastes of first: chocolate, fruit, flowers or nuts.
    taste: str
    notes: str
    #: The colour of its bag, as a hue in degrees.
    hue: int
    #: Bags sold in the last 30 days.
    sold: int
    #: The mean of its reviews, 1 to 5.
    rating: float
    #: The share of buyers who bought it again.
    repeat_rate: float
    days_since_roast: int


CATALOGUE: Final = (
    Product("harbour", "Harbour Blend", "Brazil, India", "chocolate",
            "dark chocolate, walnut, molasses", 22, 912, 4.1, 0.31, 9),
    Product("morning-train", "Morning Train", "Colombia", "nuts",
            "hazelnut, toffee, red apple", 38, 845, 4.3, 0.35, 6),
    Product("old-quarter", "Old Quarter", "Vietnam, Brazil", "chocolate",
            "cocoa, cedar, brown sugar", 8, 790, 3.8, 0.22, 12),
    Product("santa-rita", "Santa Rita", "Guatemala", "chocolate",
            "milk chocolate, orange, caramel", 28, 611, 4.5, 0.44, 4),
    Product("kochere", "Kochere", "Ethiopia", "flowers",
            "jasmine, bergamot, peach", 320, 540, 4.8, 0.52, 2),
    Product("nyeri-hill", "Nyeri Hill", "Kenya", "fruit",
            "blackcurrant, grapefruit, cane sugar", 345, 467, 4.7, 0.47, 3),
    Product("low-tide", "Low Tide Decaf", "Peru", "nuts",
            "almond, malt, raisin", 200, 398, 4.2, 0.58, 7),
    Product("finca-alba", "Finca Alba", "Costa Rica", "fruit",
            "apricot, honey, lime", 48, 342, 4.6, 0.41, 5),
    Product("volcan", "Volcán", "El Salvador", "nuts",
            "praline, plum, vanilla", 265, 288, 4.4, 0.33, 8),
    Product("mountain-post", "Mountain Post", "Rwanda", "fruit",
            "raspberry, rooibos, fig", 135, 251, 4.5, 0.38, 1),
    Product("gesha-lot-9", "Gesha Lot 9", "Panama", "flowers",
            "orange blossom, mango, white tea", 290, 134, 4.9, 0.49, 2),
    Product("first-snow", "First Snow", "Burundi", "flowers",
            "lavender, red grape, honey", 225, 97, 4.6, 0.36, 3),
)  # fmt: skip

BY_SLUG: Final = {product.slug: product for product in CATALOGUE}

"""The shop's views in Flask: `experiments` is that of the current request."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from abmiddleware_flask import experiments
from example_apps.shop import pages
from example_apps.shop.catalogue import BY_SLUG, CATALOGUE, Product
from example_apps.shop.experiments import LAYOUT, PRICE, RANKING, TERMS

shop = Blueprint("shop", __name__)


def product_or_404(slug: str) -> Product:
    """Return a product."""
    if slug not in BY_SLUG:
        abort(404)
    return BY_SLUG[slug]


def not_found(_: HTTPException) -> tuple[str, int]:
    """Answer an address that is none."""
    return pages.not_found_page(), 404


@shop.get("/")
def listing() -> str:
    """List the coffees: layout and ranking show here."""
    rank = experiments.run(RANKING).value
    layout = experiments.run(LAYOUT).value
    return pages.listing_page(rank(CATALOGUE, ""), layout, experiments.assignments)


@shop.get("/product/<slug>")
def product(slug: str) -> str:
    """Show one coffee: the price shows here."""
    chosen = product_or_404(slug)
    price = experiments.run(PRICE).value
    return pages.product_page(chosen, price, experiments.assignments)


@shop.get("/checkout")
def checkout() -> str:
    """Offer to buy: price and, for a company, payment terms show here."""
    chosen = product_or_404(request.args.get("product", CATALOGUE[0].slug))
    price = experiments.run(PRICE).value
    terms = experiments.run(TERMS)
    return pages.checkout_page(chosen, price, terms, experiments.assignments)


# Without protection against forged forms: nobody signs in, and nothing is charged.
@shop.post("/buy")
def buy() -> Response:
    """Record the purchase; `peek` because the checkout showed the price already."""
    chosen = product_or_404(request.args.get("product", CATALOGUE[0].slug))
    experiments.track("purchase", experiments.peek(PRICE).value, product=chosen.slug)
    return redirect("/thanks", 303)


@shop.get("/thanks")
def thanks() -> str:
    """Say thanks."""
    return pages.thanks_page()


@shop.get("/about")
def about() -> str:
    """Tell about the shop; it asks for no experiment, so any cache may keep it."""
    return pages.about_page()


@shop.get("/api/recommendations")
def recommendations() -> dict[str, object]:
    """Recommend three coffees, by the visitor's ranking model."""
    ranking = experiments.run(RANKING)
    best = ranking.value(CATALOGUE, request.args.get("taste", ""))[:3]
    return {"model": ranking.key, "products": [product.slug for product in best]}


@shop.get("/api/price")
def price() -> dict[str, object]:
    """Return the price of a bag."""
    return {"price": experiments.run(PRICE).value, "currency": "EUR"}
